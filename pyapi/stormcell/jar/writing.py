"""A jar as a file: the same entries make the same bytes."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from stormcell import __version__
from stormcell.jar.entries import Entry
from stormcell.jar.fault import JarError

__all__ = ["MAKER", "MANIFEST", "digest_of", "write_jar", "write_whole"]

MANIFEST = "META-INF/MANIFEST.MF"
MAKER = "Created-By: Stormcell"

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can have."""

LEVEL = 6
"""zlib's usual one: the next cost twice the time for a percent."""


def write_jar(path: Path, entries: Iterable[Entry]) -> None:
    """Write all of it, or leave what was there. JarError: it cannot be written, or not all can be read."""
    write_whole(path, lambda partial: _write(partial, entries))


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Have a file written beside its place, and put it there once it is whole. JarError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(partial)
        os.replace(partial, path)
    except OSError as error:
        raise JarError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            partial.unlink()


def _write(path: Path, entries: Iterable[Entry]) -> None:
    manifest = Entry(MANIFEST, f"Manifest-Version: 1.0\r\n{MAKER} {__version__}\r\n\r\n".encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as jar:
        for entry in (manifest, *entries):
            with jar.open(_info(entry), "w") as target:
                for block in entry.blocks():
                    target.write(block)


def _info(entry: Entry) -> zipfile.ZipInfo:
    """Nothing of the machine: no time, no mode, no user."""
    info = zipfile.ZipInfo(entry.name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    info.file_size = entry.size()  # more than 4 GB take another form, which has to be known at once
    return info


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
