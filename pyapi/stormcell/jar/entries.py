"""What goes into a jar: names, and where the bytes of each are."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Union

from stormcell.jar.fault import JarError, unreadable

__all__ = ["Entries", "Entry", "Member"]


@dataclass(frozen=True)
class Member:
    """A file within a zip: a wheel, or another jar."""

    archive: Path
    name: str

    def __str__(self) -> str:
        return f"{self.name} of {self.archive}"


Content = Union[bytes, Path, Member]


@dataclass(frozen=True)
class Entry:
    """A file of the jar.

    Attributes:
        name: its path in the jar, with / between the parts.
        content: its bytes, or what holds them.
    """

    name: str
    content: Content

    @property
    def origin(self) -> str:
        """What an error calls its source."""
        return "Stormcell's own" if isinstance(self.content, bytes) else str(self.content)

    def open(self) -> IO[bytes]:
        """Its bytes. JarError: they cannot be read."""
        try:
            if isinstance(self.content, bytes):
                return io.BytesIO(self.content)
            if isinstance(self.content, Path):
                return self.content.open("rb")
            with zipfile.ZipFile(self.content.archive) as archive:
                return archive.open(self.content.name)
        except OSError as error:
            raise unreadable(self.origin, error) from None
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise JarError(f"{self.origin} cannot be read: {error}") from None

    def size(self) -> int:
        """In bytes. JarError: it cannot be read."""
        if isinstance(self.content, bytes):
            return len(self.content)
        try:
            if isinstance(self.content, Path):
                return self.content.stat().st_size
            with zipfile.ZipFile(self.content.archive) as archive:
                return archive.getinfo(self.content.name).file_size
        except OSError as error:
            raise unreadable(self.origin, error) from None

    def blocks(self) -> Iterator[bytes]:
        """Its bytes, piece by piece. JarError: they cannot be read."""
        with self.open() as file:
            while block := _read(file, self):
                yield block

    def digest(self) -> str:
        """SHA-256 of its bytes."""
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()


def _read(file: IO[bytes], entry: Entry) -> bytes:
    try:
        return file.read(1 << 20)
    except OSError as error:
        raise unreadable(entry.origin, error) from None
    except (EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise JarError(f"{entry.origin} cannot be read: {error}") from None


class Entries:
    """All that goes into a jar, each name once."""

    def __init__(self) -> None:
        self._found: dict[str, Entry] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        """JarError: there is another file of that name, which is not the same."""
        for entry in entries:
            other = self._found.setdefault(entry.name, entry)
            if other is not entry and other.digest() != entry.digest():
                raise JarError(f"two files would be {entry.name} in the jar: {other.origin} and "
                               f"{entry.origin}; rename one, or leave it out")

    def __iter__(self) -> Iterator[Entry]:
        """In the order of their names. JarError: one is a file, and a folder as well."""
        for name in sorted(self._found):
            above = next((up for up in _folders(name) if up in self._found), None)
            if above is not None:
                raise JarError(f"{above} would be a file and a folder in the jar: "
                               f"{self._found[above].origin} and {self._found[name].origin}; rename one")
            yield self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found


def _folders(name: str) -> Iterator[str]:
    """The folders that a file lies in, by their names in the jar."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name
