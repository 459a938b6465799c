"""docs/jar.md, from its first line to its last, with an index of packages that the test makes."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from commanding import BUILT, PATIENCE
from reading import Reader, blocks, commands_of, install

PAGE = "jar.md"

pytestmark = pytest.mark.slow


def test_all_of_it(folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    wheel(index, "snowballstemmer", "2.2.0")
    more = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "STORMCELL_RUNNER": os.environ.get("STORMCELL_RUNNER") or str(BUILT / "runner")}
    Reader(folder, install(tmp_path), PATIENCE, **more).read(PAGE)
    with zipfile.ZipFile(folder / "words" / "prod.jar") as jar:
        assert "resources/stormcell/site-packages/snowballstemmer.py" in jar.namelist()


def wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n")


def test_the_page_has_what_it_tells() -> None:
    """So that a page that is read wrongly is no success."""
    assert [file for file, _, _ in blocks(PAGE) if file] == ["requirements.txt", "config.json"]
    for options in ("--list", "-r requirements.txt", "--venv workers", "--environment prod"):
        assert f"stormcell jar {options}" in commands_of(PAGE)
