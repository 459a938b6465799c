"""Wheels that tests make: packages for pip, without a build."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path


def make_wheel(folder: Path, name: str, files: Mapping[str, str | bytes], *, version: str = "1.0",
               tag: str = "py3-none-any", needs: tuple[str, ...] = ()) -> Path:
    """Put a wheel into the folder that has these files and a program, and needs these packages."""
    info = f"{name}-{version}.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                            + "".join(f"Requires-Dist: {one}\n" for one in needs),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-tool = {name}:main\n",
    }
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for place, content in contents.items():
            archive.writestr(place, content)
        archive.writestr(f"{info}/RECORD", "".join(f"{place},,\n" for place in contents))
    return path
