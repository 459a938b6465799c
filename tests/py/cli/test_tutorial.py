"""docs/tutorial.md, from its first line to its last."""

from __future__ import annotations

from pathlib import Path

import pytest

from reading import Reader, blocks, commands_of, install

PAGE = "tutorial.md"

pytestmark = pytest.mark.slow


def test_all_of_it(folder: Path, tmp_path: Path) -> None:
    Reader(folder, install(tmp_path)).read(PAGE)


def test_the_page_has_what_it_tells() -> None:
    """So that a page that is read wrongly is no success."""
    assert len([file for file, _, _ in blocks(PAGE) if file]) >= 8
    for command in ("doctor", "check", "run", "replay", "visualize"):
        assert f"stormcell {command}" in commands_of(PAGE)
