"""A virtual environment, or a whole Python, packed so that workers can run it: a blob of Storm's."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stormcell.jar.elf import machine_of
from stormcell.jar.fault import JarError, unreadable
from stormcell.jar.workers import Workers
from stormcell.jar.writing import digest_of, write_whole

__all__ = ["Environment", "PackedEnvironment"]

LOCAL_NAME = "stormcell-venv"
"""What the unpacked blob is called on a worker, beside the folder that components run in."""

PYTHON = f"../{LOCAL_NAME}/bin/python3"
"""The environment's Python, from where components run."""

SCRIPT = re.compile(rb"#!(/bin/sh\n'{3}exec' )?\s*\"?/[^\n]*/python[\d.]*[\"\s]")
"""How pip begins a script: by the path of its Python, by way of sh if that is long."""

NATIVE = re.compile(r"\.so(\.\d+)*$|^bin/python[\d.]*$")
"""What the files are called that are for one kind of machine."""

PACKAGE = re.compile(r"lib/python3\.\d+/site-packages/[^/]+")

HEAD = 20
"""Bytes at the beginning of a file that tell what machine it is for."""

EPOCH = 315532800
"""The time of all that is packed: 1980, for tar finds 1970 implausible."""


@dataclass(frozen=True)
class Environment:
    """An environment that can be packed.

    Attributes:
        root: its folder.
        version: that of its Python.
        base: the folder of the interpreter that it is made from, which must be at that place on the workers
            too; "": it has a Python of its own.
    """

    root: Path
    version: tuple[int, int]
    base: str

    @classmethod
    def of(cls, folder: Path) -> Environment:
        """JarError: it is none, or would not run elsewhere."""
        root = Path(os.path.abspath(folder))  # without "..", as what is compared with it
        version = _version(root)
        _check_packages(root / "lib" / f"python{version[0]}.{version[1]}" / "site-packages", root)
        return cls(root, version, _base(root))

    @property
    def python(self) -> str:
        """The Python of the components."""
        return PYTHON

    def check_machine(self, workers: Workers) -> None:
        """JarError names a file of it that is for another machine than the workers are, or cannot be read."""
        for found in _machines(self.root).values():
            if workers.machine not in found:
                machine, name = next(iter(found.items()))
                raise JarError(f"--venv {self.root}: {name} is for {machine}, and the workers are {workers.platform}: "
                               "make the environment on such a machine, or say by --platform what they are")

    def pack(self, folder: Path) -> PackedEnvironment:
        """Make it a file in that folder, called after its contents; the same environment makes the same
        bytes. JarError: it cannot be read, or the file cannot be written."""
        scratch = folder / f"{LOCAL_NAME}.tgz"
        write_whole(scratch, lambda partial: _write(partial, self))
        digest = digest_of(scratch)
        path = scratch.with_name(f"{LOCAL_NAME}-{digest[:12]}.tgz")
        os.replace(scratch, path)
        return PackedEnvironment(path, path.stat().st_size, digest)


@dataclass(frozen=True)
class PackedEnvironment:
    """An environment as a file.

    Attributes:
        path: where it is: a .tgz, called as its key.
        size: in bytes.
        digest: SHA-256 of the file, in hexadecimal.
    """

    path: Path
    size: int
    digest: str

    @property
    def key(self) -> str:
        """The blob's, which says what is in it: another environment gets another one."""
        return self.path.name

    @property
    def conf(self) -> dict[str, dict[str, Any]]:
        """The setting of the topology by which its workers have it."""
        return {"topology.blobstore.map": {self.key: {"localname": LOCAL_NAME, "uncompress": True}}}


# ---- whether it runs elsewhere -------------------------------------------------------------------


def _version(root: Path) -> tuple[int, int]:
    minors = [int(folder.name.partition(".")[2]) for folder in root.glob("lib/python3.*")
              if re.fullmatch(r"python3\.\d+", folder.name)]
    if not (root / "bin" / "python3").exists() or not minors:
        raise JarError(f"--venv {root}: that is no environment of Python: there is no bin/python3 in it that "
                       "starts, or no lib/python3.X")
    if len(minors) > 1:
        raise JarError(f"--venv {root}: lib/ has packages of several Pythons: make the environment anew")
    return 3, minors[0]


def _base(root: Path) -> str:
    try:
        text = (root / "pyvenv.cfg").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise unreadable(root / "pyvenv.cfg", error) from None
    home = re.search(r"^home\s*=\s*(.+?)\s*$", text, re.MULTILINE)
    if home is None:
        raise JarError(f"{root / 'pyvenv.cfg'} does not say where its Python is from (home = …)")
    return home[1]


def _check_packages(site: Path, root: Path) -> None:
    """All that is imported lies within. JarError names what does not."""
    for note in sorted(site.glob("*.dist-info/direct_url.json")):
        if _json(note).get("dir_info", {}).get("editable"):
            package = note.parent.name.partition("-")[0]
            raise _outside(root, f"{package} is installed as editable: its code is not in there")
    for link in sorted(site.glob("*.egg-link")):
        raise _outside(root, f"{link.stem} is installed as editable: its code is not in there")
    for path in sorted(site.glob("*.pth")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            place = Path(os.path.normpath(site / line.strip()))
            code = line.startswith(("#", "import ", "import\t")) or not line.strip()
            if not code and place.exists() and not place.is_relative_to(root):
                raise _outside(root, f"{path.name} leads to {place}, which is not in there")


def _json(path: Path) -> dict[str, dict[str, object]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _outside(root: Path, sentence: str) -> JarError:
    return JarError(f"--venv {root}: {sentence}; install the package itself (pip install, without -e)")


def _machines(root: Path) -> dict[str, dict[str, str]]:
    """By package, or else by folder: for each machine that it has native files for, one of them. A package may
    have some for several machines, and choose by itself."""
    found: dict[str, dict[str, str]] = {}
    for path, name in _walk(root):
        machine = _machine(path) if NATIVE.search(name) and path.is_file() and not path.is_symlink() else None
        if machine:
            package = PACKAGE.match(name)
            found.setdefault(package[0] if package else os.path.dirname(name), {}).setdefault(machine, name)
    return found


def _machine(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return machine_of(file.read(HEAD))
    except OSError as error:
        raise unreadable(path, error) from None


# ---- the file ------------------------------------------------------------------------------------


def _write(path: Path, environment: Environment) -> None:
    with path.open("wb") as file, \
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for found, name in _walk(environment.root):
            _add(archive, found, name, environment)


def _walk(folder: Path, place: str = "") -> Iterator[tuple[Path, str]]:
    """All that is in it and of use elsewhere, and its path in there."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise unreadable(folder, error) from None
    for entry in entries:
        path, name = Path(entry.path), place + entry.name
        cache = entry.name == "__pycache__" or entry.name.endswith((".pyc", ".pyo"))
        if cache or (place == "bin/" and _of_this_place(path)):
            continue
        yield path, name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, f"{name}/")


def _of_this_place(path: Path) -> bool:
    """Scripts that have the place of the environment in them, and would not start elsewhere."""
    if path.is_symlink() or not path.is_file():
        return False
    if path.name.lower().startswith("activate"):
        return True
    try:
        with path.open("rb") as file:
            return SCRIPT.match(file.read(1000)) is not None
    except OSError as error:
        raise unreadable(path, error) from None


def _add(archive: tarfile.TarFile, path: Path, name: str, environment: Environment) -> None:
    mode = path.lstat().st_mode
    info = tarfile.TarInfo(name)
    info.mtime = EPOCH
    info.mode = 0o755 if stat.S_ISDIR(mode) or mode & 0o100 else 0o644
    if stat.S_ISLNK(mode):
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, _link(path, name, environment), 0o777
        archive.addfile(info)
    elif stat.S_ISDIR(mode):
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    elif stat.S_ISREG(mode):
        content = _content(path, name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))


def _content(path: Path, name: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    if name != "pyvenv.cfg":
        return content
    return re.sub(rb"^command\s*=.*\n?", b"", content, flags=re.MULTILINE)  # by which it was made, and where


def _link(path: Path, name: str, environment: Environment) -> str:
    """Where a link leads that is made anew elsewhere: within the environment, or to its base."""
    root, given = environment.root, os.readlink(path)
    place = Path(os.path.normpath(path.parent / given))
    if place.is_relative_to(root):
        return os.path.relpath(place, path.parent)
    if environment.base and re.fullmatch(r"bin/python[\d.]*", name):
        return str(place)
    raise JarError(f"--venv {root}: {name} is a link to {place}, which is not in there: put the file itself "
                   "into its place")
