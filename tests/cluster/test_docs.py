"""docs/cluster.md, from its first line to its last: on a Storm that it starts and ends itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from reading import Reader, blocks, commands_of, install
from storm import Storm, place

PAGE = "cluster.md"
SECONDS = 400.0
"""What a block may take: it starts a Storm, and waits for topologies."""


def test_all_of_it(tmp_path: Path) -> None:
    storm = Storm(place() / "storm")
    folder = tmp_path / "project"
    folder.mkdir()
    try:
        Reader(folder, install(tmp_path), SECONDS, **storm.environment).read(PAGE)
        assert storm.processes() == []  # its last command ends the cluster
    finally:
        storm.stormcell("cluster", "down", "--purge")
        shutil.rmtree(storm.home.parent)


def test_the_page_has_what_it_tells() -> None:
    """So that a page that is read wrongly is no success."""
    for command in ("quickstart", "cluster up", "submit --wait", "list", "check --cluster", "kill",
                    "cluster up -o", "cluster down"):
        assert f"stormcell {command}" in commands_of(PAGE)
    assert [file for file, _, _ in blocks(PAGE) if file] == ["config.json", "users.conf", "config.json"]
