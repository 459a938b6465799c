"""What makes a jar large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from stormcell.jar.entries import Entry
from stormcell.jar.wheels import SITE

__all__ = ["LARGE", "heavy"]

LARGE = 50_000_000
"""More bytes than this, unpacked, are worth a word: each worker's machine fetches and unpacks them."""

SHOWN = 5


def heavy(entries: Iterable[Entry]) -> Iterator[str]:
    """A line about a jar that is large, if it is: with what takes the most of it."""
    sizes: Counter[str] = Counter()
    for entry in entries:
        sizes[_part(entry.name)] += entry.size()
    total = sum(sizes.values())
    if total > LARGE:
        parts = ", ".join(f"{name} {_megabytes(size)}" for name, size in sizes.most_common(SHOWN))
        yield f"the jar is large, {_megabytes(total)} unpacked: {parts}"


def _part(name: str) -> str:
    """The package of wheels that a file belongs to, or itself."""
    if name.startswith(f"{SITE}/"):
        return name.removeprefix(f"{SITE}/").partition("/")[0].removesuffix(".libs")
    return name.removeprefix("resources/")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
