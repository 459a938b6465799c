"""The users' code: which files of a project a worker needs."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from stormcell.jar.entries import Entries, Entry
from stormcell.jar.fault import JarError, unreadable
from stormcell.jar.imports import imported
from stormcell.jar.writing import MAKER, MANIFEST
from stormcell.plan import component_home, installed_folders
from stormcell.spec import Spec
from stormcell.topology import Topology

__all__ = ["add_code"]

NOT_CODE = ("__pycache__", "CVS", "*.pyc", "*.pyo", "*.egg-info", "*~", ".*")
"""Caches, what version control and editors leave, and all that is hidden: .venv, .git, .env."""

RESERVED = re.compile(r"_?stormcell(\.py|\.(.+\.)?so)?")
"""What Python could find in the place of the package or of its native module."""


def add_code(entries: Entries, topology: type[Topology], directory: Path,
             exclude: Sequence[str]) -> list[str]:
    """All of the folder that components run in, and of other folders what components are imported from.

    Returns lines of what the user should know. Raises JarError or TopologyError.
    """
    directory = directory.resolve()
    _check_folder(directory, exclude)
    entries.add(_files(directory, exclude))
    notices: list[str] = []
    for spec in topology.specs:
        if spec.component is not None:
            notices += _add_home(entries, spec, directory, exclude)
        elif spec.command is not None:
            _check_program(entries, spec)
    return notices


def _check_folder(folder: Path, exclude: Sequence[str]) -> None:
    if folder in (Path.home(), Path(folder.anchor)):
        raise JarError(f"all that is in {folder} would go into the jar: put the topology into a folder of "
                       "its own, or its components into src/ beside that")
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise unreadable(folder, error) from None
    for name in names:
        if RESERVED.fullmatch(name) and not _left_out(name, name, exclude):
            raise JarError(f"{folder / name} would hide Stormcell's own package on the workers: rename it")


# ---- a folder with all that is in it -------------------------------------------------------------


def _files(folder: Path, exclude: Sequence[str], place: str = "",
           above: tuple[str, ...] = ()) -> Iterator[Entry]:
    """The files below a folder. `place` is its path from where the walk began, with a / at the end."""
    real = os.path.realpath(folder)
    if real in above:
        raise JarError(f"{folder} is a link back to {real}: leave it out (--exclude {place.rstrip('/')})")
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise unreadable(folder, error) from None
    for entry in found:
        path, name = Path(entry.path), place + entry.name
        if _left_out(entry.name, name, exclude):
            continue
        kind = _kind(path)
        if stat.S_ISDIR(kind) and not (path / "pyvenv.cfg").exists():
            yield from _files(path, exclude, f"{name}/", (*above, real))
        elif stat.S_ISREG(kind) and not _is_our_jar(path):
            yield Entry(f"resources/{_checked(name, path)}", path)
        elif not stat.S_ISDIR(kind) and not stat.S_ISREG(kind):
            raise JarError(f"{path} is no file: leave it out (--exclude {name})")


def _left_out(name: str, path: str, exclude: Sequence[str]) -> bool:
    return (any(fnmatchcase(name, pattern) for pattern in NOT_CODE)
            or any(fnmatchcase(name, pattern) or fnmatchcase(path, pattern.rstrip("/"))
                   for pattern in exclude))


def _kind(path: Path) -> int:
    """What lies behind all links."""
    try:
        return path.stat().st_mode
    except OSError as error:
        if path.is_symlink():
            raise JarError(f"{path} is a link to {os.readlink(path)}, which cannot be read: "
                           f"{error.strerror}") from None
        raise unreadable(path, error) from None


def _checked(name: str, path: Path) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise JarError(f"{str(path)!r} has a name that is no UTF-8: rename it") from None
    return name


def _is_our_jar(path: Path) -> bool:
    """An earlier build, which would come along where the topology has no src/."""
    if path.suffix != ".jar":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return MAKER.encode() in archive.read(MANIFEST)
    except (OSError, KeyError, zipfile.BadZipFile):
        return False


# ---- components from elsewhere -------------------------------------------------------------------


def _add_home(entries: Entries, spec: Spec, directory: Path, exclude: Sequence[str]) -> Iterator[str]:
    """What a component needs of the folder that it is imported from, if that is not where it runs."""
    assert spec.component is not None
    home, module = Path(component_home(spec, spec.component)), spec.component.__module__
    top = module.partition(".")[0]
    if RESERVED.fullmatch(top):
        raise spec.fail(f"{spec.title} is {module}.{spec.component.__qualname__} itself, and no class of your "
                        "own")
    if str(home) in installed_folders():
        yield (f"{spec.title} is {module}.{spec.component.__qualname__}, which is installed here: the "
               "workers' Python needs it as well (--requirements, --venv)")
        return
    if home != directory:
        entries.add(_modules(home, top, directory, exclude))
    if not _holds(entries, module):
        raise JarError(f"the tasks of {spec.title} could not import {module}: it is left out of the jar")


def _holds(entries: Entries, module: str) -> bool:
    path = "resources/" + module.replace(".", "/")
    return any(entry.name.startswith((f"{path}.", f"{path}/__init__.")) for entry in entries)


def _modules(home: Path, first: str, directory: Path, exclude: Sequence[str]) -> Iterator[Entry]:
    """A module or package of a folder, and those beside it that it imports."""
    ahead, seen = [first], {first}
    while ahead:
        for entry in _module(home, ahead.pop(), exclude):
            yield entry
            beside = {name for name in _imports(entry)
                      if _module_paths(home, name) and not _module_paths(directory, name)}
            ahead += sorted(beside - seen)
            seen |= beside


def _module_paths(folder: Path, name: str) -> list[Path]:
    """Where a top-level module of this name is, if the folder has one."""
    return [path for path in (folder / name, *folder.glob(f"{name}.*")) if _is_module(path)]


def _is_module(path: Path) -> bool:
    return path.suffix in (".py", ".so") if path.is_file() else any(path.glob("*.py"))


def _module(home: Path, name: str, exclude: Sequence[str]) -> Iterator[Entry]:
    for path in _module_paths(home, name):
        if path.is_dir():
            yield from _files(path, exclude, f"{name}/")
        else:
            yield Entry(f"resources/{path.name}", path)


def _imports(entry: Entry) -> set[str]:
    """The top-level names of all that a module imports."""
    if not entry.name.endswith(".py"):
        return set()
    with entry.open() as file:
        return {name.partition(".")[0] for name in imported(file.read())}


# ---- components in other languages ---------------------------------------------------------------


def _check_program(entries: Entries, spec: Spec) -> None:
    """A file of the jar has no x bit on a worker: Storm cannot start it by its path."""
    assert spec.command is not None
    program = os.path.normpath(spec.command[0])
    if "/" in spec.command[0] and f"resources/{program}" in entries:
        raise spec.fail(f"{spec.title} is started as {spec.command[0]}, but files lose their x bit on their "
                        "way to a worker: make its interpreter the command, and the file its script")
