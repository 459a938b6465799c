"""A topology's jar as a file: its form, its package, and that nothing of the machine is in it."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from jars import COMPONENTS, TOPOLOGY, build, fake_runner, names
from projects import ROOT, Write
from stormcell.jar import JarError

BUILD = """
import sys
from pathlib import Path
from stormcell.jar import build_jar
from stormcell.load import folders, load
build_jar(Path(sys.argv[2]), load(sys.argv[1]), folders(sys.argv[1])[0], platform="manylinux_2_17_x86_64")
"""

WORKERS_PACKAGE = ["__init__", "_loading", "_native", "bolt", "component", "fault", "fields", "log",
                   "packages", "report", "run", "spec", "spout", "stream", "topology"]


@pytest.fixture
def flow(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; its jars are for a runner that only looks like one."""
    monkeypatch.setenv("STORMCELL_RUNNER", str(fake_runner(tmp_path / "runner")))
    write("project/src/components.py", COMPONENTS)
    return write("project/topologies/flow.py", TOPOLOGY)


def test_a_jar(flow: Path, tmp_path: Path) -> None:
    jar = build(flow, tmp_path / "flow.jar", python="3.11")
    assert names(jar) == ["components.py"]
    assert jar.commands == {"numbers": ("sh", "stormcell/start/components.Numbers"),
                            "passed": ("sh", "stormcell/start/components.Pass")}
    assert jar.size == jar.path.stat().st_size
    assert jar.digest == hashlib.sha256(jar.path.read_bytes()).hexdigest()
    with zipfile.ZipFile(jar.path) as archive:
        infos = archive.infolist()
        start = archive.read("resources/stormcell/start/components.Pass").decode()
        assert archive.testzip() is None
    assert start == "component='components.Pass'\npython='python3.11'\n. stormcell/runner/start\n"
    found = [info.filename for info in infos]
    assert found[0] == "META-INF/MANIFEST.MF"
    assert found[1:] == sorted(found[1:])
    assert {(info.date_time, info.external_attr >> 16, info.create_system) for info in infos} == {
        ((1980, 1, 1, 0, 0, 0), stat.S_IFREG | 0o644, 3)}


def test_what_of_the_package_a_worker_gets(flow: Path, tmp_path: Path) -> None:
    """Should it change, someone has to say so here: what a worker imports must need nothing but Python."""
    jar = build(flow, tmp_path / "flow.jar")
    found = [entry.name for entry in jar.contents.entries if entry.name.startswith("resources/stormcell/")]
    ours = sorted([*(f"{name}.py" for name in WORKERS_PACKAGE), "runner/start", "runner/stormcell-shim",
                   "start/components.Numbers", "start/components.Pass"])
    assert found == [f"resources/stormcell/{name}" for name in ours]


def test_quotes_in_a_path_are_no_end_of_a_word(flow: Path, tmp_path: Path) -> None:
    jar = build(flow, tmp_path / "flow.jar", python="/opt/bob's/python3.12")
    [start] = [entry for entry in jar.contents.entries if entry.name.endswith("start/components.Pass")]
    text = start.open().read().decode()
    script = text.replace(". stormcell/runner/start", 'printf %s "$component $python"')
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert said == "components.Pass /opt/bob's/python3.12"


# ---- the same bytes ------------------------------------------------------------------------------


def test_the_same_project_makes_the_same_bytes(flow: Path, tmp_path: Path) -> None:
    """Elsewhere, with other modes and times, and another umask."""
    first = _build(sys.executable, flow, tmp_path / "first.jar")
    source = flow.parents[1] / "src" / "components.py"
    source.chmod(0o700)
    os.utime(source, (1, 1))
    (source.parent / "__pycache__").mkdir(exist_ok=True)
    (source.parent / "__pycache__" / "components.cpython-311.pyc").write_bytes(b"x")
    moved = flow.parents[1].rename(tmp_path / "moved")
    second = _build(sys.executable, moved / "topologies" / "flow.py", tmp_path / "second.jar", umask=0o077)
    assert second == first


@pytest.mark.slow
def test_other_pythons_make_the_same_bytes(flow: Path, tmp_path: Path) -> None:
    """What zlib makes of them is its own: one version of it is the same in all Pythons."""
    ours = _build(sys.executable, flow, tmp_path / "ours.jar")
    others = [path for path in _pythons() if _zlib(path) == zlib.ZLIB_RUNTIME_VERSION]
    if not others:
        pytest.skip("no other Python here has this zlib")
    for number, path in enumerate(others):
        assert _build(path, flow, tmp_path / f"{number}.jar") == ours, path


def _build(python: str, file: Path, jar: Path, umask: int = 0o022) -> bytes:
    path = os.pathsep.join([str(ROOT / "pyapi"), *_native(python, jar.parent)])
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([python, "-c", BUILD, file, jar], check=True, umask=umask, env=environment, timeout=100)
    assert stat.S_IMODE(jar.stat().st_mode) == 0o666 & ~umask
    return jar.read_bytes()


def _native(python: str, folder: Path) -> list[str]:
    """Where this Python finds `_stormcell`: the build's, or, for a jar runs none of it, a stand-in."""
    built = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if python == sys.executable:
        return [*built, str(ROOT / "build" / "release")]
    names = ("Bolt", "Component", "Loopback", "Spout", "StormWentAwayError", "Tuple")
    functions = ("answer", "close", "handshake", "last_words", "open", "serve_bolt", "serve_spout")
    place = folder / "native"
    place.mkdir(exist_ok=True)
    (place / "_stormcell.py").write_text(
        "__version__ = '0.1.0'\n" + "".join(f"class {name}: ...\n" for name in names)
        + "".join(f"def {name}(): ...\n" for name in functions))
    return [str(place)]


def _pythons() -> list[str]:
    """All of 3.10 and later that pyenv or the system has here."""
    places = [*Path.home().glob(".pyenv/versions/3.*/bin/python3"), *Path("/usr/bin").glob("python3.??")]
    minor = "import sys; print(sys.version_info[1])"
    return [str(path) for path in places
            if int(subprocess.run([path, "-c", minor], capture_output=True, check=True).stdout) >= 10]


def _zlib(python: str) -> str:
    code = "import zlib; print(zlib.ZLIB_RUNTIME_VERSION)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


# ---- writing it ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "why"), [
    ("missing/flow.jar", "No such file or directory"), ("folder", "Is a directory"),
    ("file/flow.jar", "Not a directory")])
def test_where_it_cannot_be_written(flow: Path, tmp_path: Path, place: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(JarError) as caught:
        build(flow, tmp_path / place)
    assert str(caught.value) == f"{tmp_path / place} cannot be written: {why}"
    assert not list(tmp_path.glob("**/*.part"))


def test_a_full_disk_leaves_the_jar_that_was_there(flow: Path, tmp_path: Path) -> None:
    target = tmp_path / "flow.jar"
    target.write_text("earlier")
    code = ("import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n")
    done = subprocess.run([sys.executable, "-c", code + BUILD, flow, target], capture_output=True, text=True)
    assert f"JarError: {target} cannot be written: File too large" in done.stderr
    assert target.read_text() == "earlier"
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_is_gone_before_it_is_written(flow: Path, tmp_path: Path) -> None:
    jar = build(flow, tmp_path / "flow.jar")
    source = flow.parents[1] / "src" / "components.py"
    source.unlink()
    with pytest.raises(JarError, match=f"{source} cannot be read: No such file"):
        jar.contents.write(tmp_path / "again.jar")
    assert not list(tmp_path.glob("*again*"))


def test_native_files_that_are_too_new(flow: Path, tmp_path: Path) -> None:
    fake_runner(tmp_path / "runner", glibc="2.34")
    [notice] = build(flow, tmp_path / "flow.jar", platform="manylinux2014_x86_64").contents.notices
    assert notice == ("the native files need glibc 2.34, and manylinux2014_x86_64 promises 2.17: components "
                      "start only where it is newer than that")
    assert not build(flow, tmp_path / "flow.jar", platform="manylinux_2_34_x86_64").contents.notices


def test_what_makes_it_large_is_said(flow: Path, tmp_path: Path) -> None:
    with (flow.parents[1] / "src" / "model.bin").open("wb") as file:
        file.truncate(60_000_000)
    [notice] = build(flow, tmp_path / "flow.jar").contents.notices
    assert notice.startswith("the jar is large, 60.1 MB unpacked: model.bin 60.0 MB, stormcell/")
