"""`stormcell doctor`: what it finds, and what it says to do about the rest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from commanding import stormcell, write


def lines() -> dict[str, str]:
    """What is said of each thing, with its mark in front."""
    done = stormcell("doctor")
    found = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert done.returncode == (1 if any(line.startswith("NO") for line in found.values()) else 0), done
    return found


def test_what_runs_topologies_is_there(folder: Path) -> None:
    found = lines()
    for name in ("python", "stormcell", "stormcell-shim", "stormcell-engine", "components"):
        assert found[name].startswith("ok  "), found[name]
    assert found["components"].endswith(f" in {sys.prefix}")
    assert found["pytest"].split()[2] == pytest.__version__


def test_what_is_not_there_has_a_remedy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("STORM_HOME", raising=False)
    found = lines()
    assert found["graphviz"].startswith("--  ") and "apt-get install graphviz" in found["graphviz"]
    assert found["java"].startswith("--  ") and "apt-get install openjdk" in found["java"]
    assert found["maven"].startswith("--  ") and "apt-get install maven" in found["maven"]
    assert found["storm"].startswith("--  ") and "nothing needs it" in found["storm"]


def test_what_goes_to_a_cluster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORMCELL_CLUSTER", str(folder / "storm"))
    monkeypatch.setenv("STORMCELL_RUNNER", str(folder / "nowhere"))
    found = lines()
    assert found["cluster"] == "--  cluster           none on this machine; `stormcell cluster up` starts one"
    assert found["runner"].startswith("--  ") and "only `stormcell jar` and `submit` need it" in found["runner"]


def test_other_programs_tell_their_versions(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, said in ("dot", "dot - graphviz version 2.43.0"), ("java", 'openjdk version "17.0.1"'):
        write(folder, f"bin/{name}", f"#!/bin/sh\necho '{said}' >&2\n").chmod(0o755)
    write(folder, "storm/bin/storm", "#!/bin/sh\n").chmod(0o755)
    write(folder, "storm/RELEASE", "2.8.3\n")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/bin")
    monkeypatch.setenv("STORM_HOME", str(folder / "storm"))
    found = lines()
    assert "graphviz version 2.43.0 at " in found["graphviz"]
    assert 'openjdk version "17.0.1" at ' in found["java"]
    assert f"2.8.3 at {folder / 'storm/bin/storm'}" in found["storm"]


def test_programs_that_are_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORMCELL_ENGINE", "/nowhere/engine")
    found = lines()
    assert found["stormcell-engine"] == (
        "NO  stormcell-engine  $STORMCELL_ENGINE names no executable: /nowhere/engine")
    assert found["components"].startswith("NO  ")


def test_where_python_comes_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "stormcell-shim 0.1.0, Python 3.11.7 (shared) at /usr/bin/python3"
    shim = write(folder, "bin/stormcell-shim", f"#!/bin/sh\necho '{said}'\n")
    library = "libpython3.11.so.1.0 => not found"
    for path, text in (shim, f"echo '{said}'"), (folder / "bin/ldd", f"echo ' {library}'"):
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    monkeypatch.setenv("STORMCELL_SHIM", str(shim))
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/bin")
    found = lines()
    assert found["stormcell-shim"].startswith("ok  stormcell-shim    0.1.0, Python 3.11.7 (shared) at ")
    assert found["libpython"] == f"NO  libpython         shared: {library}"


def test_a_shim_that_does_not_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = write(folder, "shim", "#!/bin/sh\n")
    shim.chmod(0o755)
    monkeypatch.setenv("STORMCELL_SHIM", str(shim))
    assert lines()["stormcell-shim"] == f"NO  stormcell-shim    {shim} does not start: it says nothing"


def test_components_that_do_not_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORMCELL_PYTHON", "/nowhere/python3")
    found = lines()
    assert found["components"].startswith("NO  components        do not run: ")
    assert "/nowhere/python3" in found["components"]


def test_another_environment_that_is_active(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(folder))
    assert f"another one is active, {folder}" in lines()["environment"]
