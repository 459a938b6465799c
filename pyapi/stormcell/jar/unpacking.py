"""What a supervisor makes of a jar."""

from __future__ import annotations

import zipfile
from pathlib import Path

__all__ = ["unpack"]


def unpack(jar: Path, folder: Path) -> Path:
    """Unpack what is in resources/ into the folder, each file without an x bit. Where components run."""
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.startswith("resources/"):
                archive.extract(name, folder)  # it sets no modes
    return folder / "resources"
