"""The packages that a topology's jar takes along. Imported where there are any."""

from __future__ import annotations

import os
import site
import sys


def find_packages_in(folder: str) -> None:
    """Have imports look into `folder` before the packages that the worker's Python has, and behind the
    topology's own modules and Python's library. Its .pth files count."""
    before = list(sys.path)
    site.addsitedir(folder)
    added = [entry for entry in sys.path if entry not in before]
    others = [entry for entry in sys.path if entry in before]
    first = next((at for at, entry in enumerate(others) if _is_for_packages(entry)), len(others))
    sys.path[:] = [*others[:first], *added, *others[first:]]


def _is_for_packages(entry: str) -> bool:
    """Does this entry of sys.path hold what has been installed? Debian has a name of its own for it."""
    return os.path.basename(entry) in ("site-packages", "dist-packages")
