"""`stormcell jar`: what it builds, what it says, and its options."""

from __future__ import annotations

import json
import os
import re
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from commanding import BUILT, flow, refused, stormcell, write

NEEDS = r"  the workers need Python 3\.10 or later, and Linux on \w+( with glibc 2\.\d+ or later)?"


@pytest.fixture(autouse=True)
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not os.environ.get("STORMCELL_RUNNER"):
        monkeypatch.setenv("STORMCELL_RUNNER", str(BUILT / "runner"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def entries(jar: str = "flow.jar") -> dict[str, str]:
    """The scripts that start components, by their names."""
    with zipfile.ZipFile(jar) as archive:
        return {name.rpartition("/")[2]: archive.read(name).decode() for name in archive.namelist()
                if name.startswith("resources/stormcell/start/")}


def test_a_jar(folder: Path) -> None:
    flow(folder)
    done = stormcell("jar")
    assert (done.returncode, done.stderr) == (0, "")
    size = (folder / "flow.jar").stat().st_size
    first, second, third = done.stdout.splitlines()
    assert re.fullmatch(rf"flow\.jar: {size:,} bytes, \d+ files", first)
    assert re.fullmatch(r"  sha256 [0-9a-f]{64}", second)
    assert re.fullmatch(NEEDS, third)
    assert set(entries()) == {"components.Numbers", "components.Pass"}
    assert stormcell("jar", "flow", "-o", "again.jar").returncode == 0
    assert (folder / "again.jar").read_bytes() == (folder / "flow.jar").read_bytes()


def test_what_would_be_in_it(folder: Path) -> None:
    flow(folder)
    done = stormcell("jar", "--list")
    size = (folder / "src" / "components.py").stat().st_size
    assert f"{size:>12,}  resources/components.py" in done.stdout.splitlines()
    assert not list(folder.glob("*.jar"))


def test_settings_of_the_environment(folder: Path) -> None:
    """They are relative to the project; the command line goes before them, but for what is left out."""
    file = flow(folder)
    write(folder, "src/notes.md", "")
    write(folder, "src/draft.txt", "")
    with zipfile.ZipFile("classes.jar", "w") as archive:
        archive.writestr("A.class", "")
    environment = {"python": "3.12", "exclude": "*.md", "java_jars": ["classes.jar"]}
    write(folder, "config.json", json.dumps({"envs": {"prod": environment}}))
    (folder / "elsewhere").mkdir()
    os.chdir("elsewhere")
    assert stormcell("jar", file, "--exclude", "*.txt").returncode == 0
    with zipfile.ZipFile("flow.jar") as archive:
        assert {"A.class", "resources/components.py"} < set(archive.namelist())
        assert not {"resources/notes.md", "resources/draft.txt"} & set(archive.namelist())
    assert "python='python3.12'" in entries()["components.Pass"]
    assert stormcell("jar", file, "--python", "/opt/python/bin/python3.13").returncode == 0
    assert "python='/opt/python/bin/python3.13'" in entries()["components.Pass"]


@pytest.mark.parametrize(("key", "value", "wrong"), [
    ("python", 3.11, "'python' of the environment 'prod' is a string, not 3.11"),
    ("requirements", {}, "'requirements' of the environment 'prod' is a string or a list of strings, not {}"),
    ("exclude", [1], "'exclude' of the environment 'prod' is a string or a list of strings, not [1]")])
def test_settings_that_are_none(folder: Path, key: str, value: object, wrong: str) -> None:
    flow(folder)
    write(folder, "config.json", json.dumps({"envs": {"prod": {key: value}}}))
    assert refused("jar") == f"stormcell: config.json: {wrong}"


def test_what_cannot_be_built_is_one_line(folder: Path) -> None:
    flow(folder)
    assert refused("jar", "-o", "none/flow.jar") == (
        "stormcell: none/flow.jar cannot be written: No such file or directory")
    assert refused("jar", "--runner", "none").startswith(
        "stormcell: none has no stormcell-shim for the workers")
    assert refused("jar", "-r", "none.txt") == (
        "stormcell: none.txt cannot be read: No such file or directory")
    assert refused("jar", "--venv", "none").startswith("stormcell: --venv ")
    assert not list(folder.glob("*.jar")) + list(folder.glob(".*"))


def test_packages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow(folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    with zipfile.ZipFile("words-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("words.py", "")
        archive.writestr("words-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: words\nVersion: 1.0\n")
        archive.writestr("words-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("words-1.0.dist-info/RECORD", "words.py,,\n")
    write(folder, "requirements.txt", "words\n")
    done = stormcell("jar", "-r", "requirements.txt")
    version = "{}.{}".format(*sys.version_info[:2])
    assert f"the workers need python{version}, and Linux" in done.stdout, done
    with zipfile.ZipFile("flow.jar") as archive:
        assert "resources/stormcell/site-packages/words.py" in archive.namelist()


def test_an_environment(folder: Path) -> None:
    flow(folder)
    venv.create(folder / ".venv", symlinks=True)
    done = stormcell("jar", "--venv", ".venv")
    [blob] = folder.glob("stormcell-venv-*.tgz")
    base = Path(sys._base_executable).parent  # type: ignore[attr-defined]
    lines = done.stdout.splitlines()
    size = blob.stat().st_size
    assert lines[0] == f"{blob.name}: {size:,} bytes, a blob that `stormcell submit` uploads", done
    assert re.fullmatch(rf"  the workers need Python 3\.\d+ in {base}, which the environment is made from, "
                        r"and Linux.*", lines[-1])
    assert "python='../stormcell-venv/bin/python3'" in entries()["components.Pass"]


def test_an_option_of_streamparse(folder: Path) -> None:
    flow(folder)
    done = stormcell("jar", "--simple_jar")
    assert done.stderr == "--simple_jar: every jar is one; the option is not needed any more\n"
    assert done.returncode == 0 and entries()
