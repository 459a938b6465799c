"""The native files of a jar: where they are from, and whether they are for the workers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from jars import ABI3, fake_elf, fake_runner
from stormcell import __version__
from stormcell.jar import JarError
from stormcell.jar.elf import MACHINES, glibc_of, machine_of
from stormcell.jar.runner import find_runner
from stormcell.jar.workers import Workers

X86 = "manylinux2014_x86_64"
ARM = "manylinux2014_aarch64"


def refused(place: Path, python: str = "", platform: str = X86) -> str:
    with pytest.raises(JarError) as caught:
        find_runner(place, Workers.of(python, platform))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder(tmp_path: Path) -> None:
    place = fake_runner(tmp_path / "runner", modules=(ABI3, "_stormcell.cpython-312-x86_64-linux-gnu.so"),
                        glibc="2.34")
    (place / "start").write_text("")
    (place / "notes.txt").write_text("")
    runner = find_runner(place, Workers.of("3.13", X86))
    assert [entry.name for entry in runner.entries] == [
        "resources/_stormcell.abi3.so", "resources/_stormcell.cpython-312-x86_64-linux-gnu.so",
        "resources/stormcell/runner/stormcell-shim"]
    assert (runner.pythons, runner.glibc) == ("Python 3.10 or later", 34)


def test_the_folder_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORMCELL_RUNNER", str(fake_runner(tmp_path / "runner")))
    assert len(find_runner(None, Workers.of("", X86)).entries) == 2


def test_modules_for_single_pythons(tmp_path: Path) -> None:
    place = fake_runner(tmp_path, modules=("_stormcell.cpython-310-x86_64-linux-gnu.so",
                                           "_stormcell.cpython-312-x86_64-linux-gnu.so"))
    assert find_runner(place, Workers.of("3.12", X86)).pythons == "Python 3.10 or 3.12"
    assert find_runner(place, Workers.of("", X86)).pythons == "Python 3.10 or 3.12"
    assert refused(place, "3.11") == f"{place} is for Python 3.10 or 3.12, and the workers have python3.11"


def test_a_wheel_for_another_machine(tmp_path: Path) -> None:
    path = wheel(tmp_path, __version__)
    runner = find_runner(path, Workers.of("", ARM))
    assert {entry.name: entry.origin for entry in runner.entries} == {
        "resources/_stormcell.abi3.so": f"stormcell/runner/_stormcell.abi3.so of {path}",
        "resources/stormcell/runner/stormcell-shim": f"stormcell/runner/stormcell-shim of {path}"}
    assert runner.entries[0].size() == len(fake_elf(183))
    assert refused(path) == (
        f"stormcell/runner/_stormcell.abi3.so of {path} is for aarch64, and the workers are {X86}: give "
        "Stormcell's wheel for x86_64 with --runner, or say by --platform what they are")


def test_a_wheel_of_another_version(tmp_path: Path) -> None:
    path = wheel(tmp_path, "9.9.9")
    assert refused(path, platform=ARM) == (
        f"--runner {path}: it is of Stormcell 9.9.9, and this is {__version__}")


def test_what_is_no_wheel(tmp_path: Path) -> None:
    other = tmp_path / "click-8.1-py3-none-any.whl"
    assert refused(other).startswith(
        f"--runner {other}: that is no wheel of Stormcell, stormcell-{__version__}-")
    broken = tmp_path / f"stormcell-{__version__}-py3-none-any.whl"
    assert refused(broken) == f"{broken} cannot be read: No such file or directory"
    broken.write_text("x")
    assert refused(broken) == f"{broken} is no wheel: File is not a zip file"


def wheel(folder: Path, version: str) -> Path:
    path = folder / f"stormcell-{version}-cp310-abi3-manylinux2014_aarch64.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("stormcell-shim", ABI3, "start"):
            archive.writestr(f"stormcell/runner/{name}", fake_elf(183))
        archive.writestr("stormcell/__init__.py", "")
    return path


def test_what_is_missing(tmp_path: Path) -> None:
    advice = ": install Stormcell by pip, or give the folder or the wheel of it that has one with --runner"
    missing = tmp_path / "missing"
    assert refused(missing) == (f"{missing} has no stormcell-shim for the workers, it cannot be read (No "
                                f"such file or directory){advice}")
    place = fake_runner(tmp_path / "runner", modules=())
    assert refused(place) == f"{place} has no extension module, _stormcell.abi3.so, for the workers{advice}"
    (place / "stormcell-shim").unlink()
    assert refused(place) == f"{place} has no stormcell-shim for the workers{advice}"


def test_what_is_no_native_file(tmp_path: Path) -> None:
    place = fake_runner(tmp_path)
    (place / "stormcell-shim").write_text("#!/bin/sh\n")
    assert refused(place) == f"{place}/stormcell-shim is no native file for Linux"


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_machines(name: str) -> None:
    assert machine_of(fake_elf(MACHINES[name], big=name == "s390x")) == name


def test_what_this_machine_runs() -> None:
    """Real files, not only those that look like some."""
    content = Path("/proc/self/exe").read_bytes()
    assert machine_of(content) == Workers.of().machine
    assert 2 <= glibc_of(content) <= (Workers.of().glibc or 0)


def test_other_files() -> None:
    assert machine_of(fake_elf(8)) == "machine 8"
    assert machine_of(b"\x7fELF") is None
    assert machine_of(b"#!/bin/sh -- and more of it") is None
    assert glibc_of(b"none") == 0
