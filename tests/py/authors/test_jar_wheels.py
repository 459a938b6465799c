"""Packages in a jar. pip is the real one, and finds wheels of the test's own: there is no network."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stormcell.jar import JarError
from stormcell.jar.wheels import SITE, wheel_files
from stormcell.jar.workers import Workers
from wheels import make_wheel

X86 = "manylinux2014_x86_64"


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip sees the test's wheels alone, and keeps what it finds in the test's folder."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


Make = Callable[..., Path]


@pytest.fixture
def wheel(tmp_path: Path) -> Make:
    def make(name: str, version: str = "1.0", tag: str = "py3-none-any", needs: tuple[str, ...] = (),
             files: dict[str, str] | None = None) -> Path:
        contents = {f"{name}/__init__.py": f"version = {version!r}\n", **(files or {})}
        return make_wheel(tmp_path / "wheels", name, contents, version=version, tag=tag, needs=needs)

    return make


def found(*lines: str, python: str = "3.12", platform: str = X86, cache: bool = True) -> dict[str, bytes]:
    """The files that requirements of these lines bring, without what all names begin with."""
    Path("requirements.txt").write_text("\n".join(lines) + "\n")
    entries = wheel_files([Path("requirements.txt")], Workers.of(python, platform), cache)
    return {entry.name.removeprefix(f"{SITE}/"): entry.open().read() for entry in entries}


def packages(*lines: str, **more: Any) -> list[str]:
    """The packages and their versions."""
    return sorted(name.partition(".dist-info")[0] for name in found(*lines, **more)
                  if name.endswith("/METADATA"))


def refused(*lines: str, **more: Any) -> str:
    with pytest.raises(JarError) as caught:
        found(*lines, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_package_and_what_it_needs(wheel: Make) -> None:
    wheel("animals", needs=("words>=2",))
    wheel("words", "1.0")
    wheel("words", "2.0")
    files = found("animals")
    assert files["words/__init__.py"] == b"version = '2.0'\n"
    assert sorted(files) == [
        *(f"animals-1.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")),
        "animals/__init__.py",
        *(f"words-2.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")),
        "words/__init__.py"]


def test_nothing_of_this_machine_is_in_it(wheel: Make, tmp_path: Path) -> None:
    """Neither scripts that begin with its Python, nor from where the package was installed."""
    wheel("words")
    files = found(f"words @ file://{tmp_path}/wheels/words-1.0-py3-none-any.whl")
    for name, content in files.items():
        assert os.fsencode(tmp_path) not in content and sys.executable.encode() not in content, name
    record = files["words-1.0.dist-info/RECORD"].decode()
    assert {line.split(",")[0] for line in record.splitlines()} == set(files)
    assert found("words", cache=False) == files


@pytest.mark.parametrize(("python", "expected"), [
    ("3.10", ["always-1.0", "old-1.0", "older-1.0"]), ("3.12", ["always-1.0", "new-1.0"])])
def test_what_is_needed_is_what_the_workers_need(wheel: Make, python: str, expected: list[str]) -> None:
    """pip alone would decide by the Python that it runs in, which cannot be both of these."""
    wheel("always", needs=('older; python_version < "3.11"',))
    for name in ("old", "older", "new"):
        wheel(name)
    assert packages("always", 'old; python_version < "3.11"', 'new; python_full_version >= "3.12"',
                    'absent; sys_platform == "win32"', python=python) == expected


def test_the_platform_of_the_workers(wheel: Make) -> None:
    wheel("fast", "1.0", "cp312-cp312-manylinux1_x86_64")
    wheel("fast", "2.0", "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64")
    wheel("fast", "3.0", "cp312-cp312-manylinux_2_28_x86_64")
    wheel("fast", "4.0", "cp311-cp311-manylinux2014_x86_64")
    wheel("fast", "5.0", "cp312-cp312-manylinux_2_17_aarch64")
    wheel("stable", "1.0", "cp310-abi3-manylinux2014_x86_64")
    wheel("built", "1.0", "cp312-cp312-linux_x86_64")
    assert packages("fast", "stable", "built") == ["built-1.0", "fast-2.0", "stable-1.0"]
    assert packages("fast", platform="manylinux_2_31_x86_64") == ["fast-3.0"]
    assert packages("fast", platform="manylinux_2_35_aarch64") == ["fast-5.0"]
    assert packages("fast", python="3.11") == ["fast-4.0"]


def test_a_package_without_a_wheel_for_them(wheel: Make) -> None:
    wheel("fast", "1.0", "cp311-cp311-manylinux2014_x86_64")
    assert refused("fast==1.0") == (
        f"requirements.txt: pip finds no wheel of fast==1.0 for Python 3.12 on {X86}: take a version that "
        "has one, build it (pip wheel) and name its folder in the file as --find-links, or pack an "
        "environment that has it with --venv")


def test_what_else_pip_refuses(wheel: Make) -> None:
    wheel("words")
    assert refused("words ~ 1").startswith("requirements.txt: Invalid requirement")
    assert "requirements.txt: Could not open requirements file" in refused("-r missing.txt")
    assert refused("words", "--no-such-option").startswith("requirements.txt: ")


def test_an_editable_package(tmp_path: Path) -> None:
    """Built by a backend of the test's own, for pip would fetch any other."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n")
    (tmp_path / "mine" / "backend.py").write_text(BACKEND)
    assert refused("-e ./mine") == (
        "requirements.txt: mine is asked for as editable, and its code would stay here: name it without -e")
    assert packages("./mine") == ["mine-1.0"]


BACKEND = """
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "mine-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as archive:
        info = "mine-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        archive.writestr(f"{info}/RECORD", "")
    return name

build_editable = build_wheel
"""


def test_an_index_that_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    assert refused("words") == (
        "requirements.txt: pip does not reach its index of packages: is there a network?")


def test_a_python_without_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    assert refused("words") == (f"requirements.txt: packages are fetched by pip, which {bare} does not have: "
                                "python3 -m ensurepip, or apt-get install python3-pip")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(JarError, match="^none.txt cannot be read: No such file or directory"):
        list(wheel_files([Path("none.txt")], Workers.of("3.12", X86)))
    Path("bytes.txt").write_bytes(b"\xff")
    with pytest.raises(JarError, match="^bytes.txt is no file of requirements: it is no UTF-8"):
        list(wheel_files([Path("bytes.txt")], Workers.of("3.12", X86)))


def test_nothing_is_asked_for() -> None:
    assert found("# nothing yet") == {}


# ---- what was found before -----------------------------------------------------------------------


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """One item for each time that pip has run."""
    from stormcell.jar import wheels

    run, counted = wheels._run_pip, []

    def count(requirements: list[Path], workers: Workers, target: Path) -> None:
        counted.append(target)
        run(requirements, workers, target)

    monkeypatch.setattr(wheels, "_run_pip", count)
    yield counted


def test_the_same_again_takes_no_pip(wheel: Make, runs: list[Path], tmp_path: Path) -> None:
    wheel("words")
    first = found("words")
    shutil.move(tmp_path / "requirements.txt", tmp_path / "moved.txt")
    entries = wheel_files([Path("moved.txt")], Workers.of("3.12", X86))
    assert len(list(entries)) == len(first)
    assert len(runs) == 1
    assert not list((tmp_path / "cache").rglob("part-*"))


def test_what_makes_it_another(wheel: Make, runs: list[Path]) -> None:
    wheel("words")
    Path("more.txt").write_text("words")
    found("-r more.txt")
    found("-r more.txt", python="3.11")
    found("-r more.txt", platform="manylinux2014_aarch64")
    found("-r more.txt", "# more")
    Path("more.txt").write_text("words==1.0")
    found("-r more.txt")
    assert len(runs) == 5
    found("-r more.txt", cache=False)
    assert len(runs) == 6


def test_a_wheel_that_is_named_and_changes(wheel: Make, runs: list[Path]) -> None:
    path = wheel("words")
    assert "words/more.py" not in found("./wheels/words-1.0-py3-none-any.whl")
    wheel("words", files={"words/more.py": ""})
    os.utime(path, (1, 1))
    assert "words/more.py" in found("./wheels/words-1.0-py3-none-any.whl")
    assert len(runs) == 2


def test_a_failure_is_not_kept(wheel: Make, runs: list[Path]) -> None:
    refused("words")
    wheel("words")
    assert packages("words") == ["words-1.0"]


def test_a_cache_that_cannot_be_written(tmp_path: Path, wheel: Make) -> None:
    (tmp_path / "cache").write_text("")
    assert refused("words") == (f"packages cannot be kept in {tmp_path}/cache/stormcell/wheels "
                                "($XDG_CACHE_HOME): Not a directory")


def test_two_builds_at_once(wheel: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one is done while pip runs here: either result will do."""
    from stormcell.jar import wheels

    wheel("words")
    run = wheels._run_pip

    def slower(requirements: list[Path], workers: Workers, target: Path) -> None:
        run(requirements, workers, target)
        monkeypatch.setattr(wheels, "_run_pip", run)
        found("words")

    monkeypatch.setattr(wheels, "_run_pip", slower)
    assert packages("words") == ["words-1.0"]
    assert hashlib.sha256(found("words")["words/__init__.py"]).hexdigest()
