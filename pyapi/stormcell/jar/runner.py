"""The native files of a jar: the executable and the extension modules, for the workers' platform."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stormcell import __version__
from stormcell.jar.elf import glibc_of, machine_of
from stormcell.jar.entries import Entry, Member
from stormcell.jar.fault import JarError, unreadable
from stormcell.jar.workers import Workers

__all__ = ["PACKAGE", "Runner", "find_runner"]

PACKAGE = Path(__file__).resolve().parents[1]

SHIM = "stormcell-shim"
MODULE = re.compile(r"_stormcell\.(abi3|cpython-3(\d+)\b.*)\.so")

ADVICE = ": install Stormcell by pip, or give the folder or the wheel of it that has one with --runner"


@dataclass(frozen=True)
class Runner:
    """What a worker needs that is not Python.

    Attributes:
        entries: its files, as they lie in the jar.
        pythons: which Pythons it is for: "Python 3.10 or later".
        glibc: the least minor version of glibc 2 that it needs; 0: any.
    """

    entries: tuple[Entry, ...]
    pythons: str
    glibc: int


def find_runner(given: Path | None, workers: Workers) -> Runner:
    """The runner of a folder or a wheel, or else of $STORMCELL_RUNNER, or else the installed one.
    JarError: a file of it is missing, or is not for these workers."""
    place = given or Path(os.environ.get("STORMCELL_RUNNER") or PACKAGE / "runner")
    entries = sorted(_in_wheel(place) if place.suffix == ".whl" else _in_folder(place),
                     key=lambda entry: entry.name)
    names = [entry.name.rpartition("/")[2] for entry in entries]
    if SHIM not in names:
        raise JarError(f"{place} has no {SHIM} for the workers{ADVICE}")
    glibc = 0
    for entry in entries:
        with entry.open() as file:
            content = file.read()
        _check_machine(entry, content, workers)
        glibc = max(glibc, glibc_of(content))
    return Runner(tuple(entries), _pythons(place, names, workers), glibc)


def _in_folder(folder: Path) -> Iterator[Entry]:
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise JarError(f"{folder} has no {SHIM} for the workers, it cannot be read "
                       f"({error.strerror}){ADVICE}") from None
    for name in names:
        if _is_native(name):
            yield Entry(_place(name), folder / name)


def _in_wheel(wheel: Path) -> Iterator[Entry]:
    parts = wheel.name.split("-")
    if parts[0] != "stormcell" or len(parts) < 5:
        raise JarError(f"--runner {wheel}: that is no wheel of Stormcell, stormcell-{__version__}-….whl")
    if parts[1] != __version__:
        raise JarError(f"--runner {wheel}: it is of Stormcell {parts[1]}, and this is {__version__}")
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
    except OSError as error:
        raise unreadable(wheel, error) from None
    except zipfile.BadZipFile as error:
        raise JarError(f"{wheel} is no wheel: {error}") from None
    for name in names:
        folder, _, last = name.rpartition("/")
        if folder == "stormcell/runner" and _is_native(last):
            yield Entry(_place(last), Member(wheel, name))


def _is_native(name: str) -> bool:
    return name == SHIM or MODULE.fullmatch(name) is not None


def _place(name: str) -> str:
    """Modules lie where `import _stormcell` finds them."""
    return f"resources/stormcell/runner/{name}" if name == SHIM else f"resources/{name}"


def _check_machine(entry: Entry, content: bytes, workers: Workers) -> None:
    machine = machine_of(content)
    if machine is None:
        raise JarError(f"{entry.origin} is no native file for Linux")
    if machine != workers.machine:
        raise JarError(f"{entry.origin} is for {machine}, and the workers are {workers.platform}: give "
                       f"Stormcell's wheel for {workers.machine} with --runner, or say by --platform what "
                       "they are")


def _pythons(place: Path, names: Iterable[str], workers: Workers) -> str:
    """Which Pythons the modules are for."""
    found = [match for match in map(MODULE.fullmatch, names) if match]
    minors = sorted(int(match[2]) for match in found if match[2])
    if any(match[1] == "abi3" for match in found):
        return "Python 3.10 or later"
    if not minors:
        raise JarError(f"{place} has no extension module, _stormcell.abi3.so, for the workers{ADVICE}")
    pythons = "Python " + " or ".join(f"3.{minor}" for minor in minors)
    if workers.version and workers.version[1] not in minors:
        raise JarError(f"{place} is for {pythons}, and the workers have {workers.python}")
    return pythons
