"""What stands in the way of a jar."""

from __future__ import annotations

from pathlib import Path

__all__ = ["JarError", "unreadable"]


class JarError(Exception):
    """A jar that cannot be built, or would not run; the text is one line."""


def unreadable(path: Path | str, error: OSError) -> JarError:
    """The error of a file that cannot be read."""
    return JarError(f"{path} cannot be read: {error.strerror}")
