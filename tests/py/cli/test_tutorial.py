"""docs/tutorial.md, from its first line to its last: its files are written, its commands run, and what it
shows of their output appears."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commanding import PATIENCE, PLUGIN, ROOT

PAGE = ROOT / "docs" / "tutorial.md"

BLOCK = re.compile(r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$",
                   re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.slow


def blocks() -> Iterator[tuple[str, str, str]]:
    """The page's blocks: the name of a file, or "", the kind of block, and what is in it."""
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        yield block["file"] or "", block["kind"], block["body"]


def shape(text: str) -> list[str]:
    """The lines of text with what is different in every run taken out: numbers and the width of columns."""
    lines = (re.sub(r"\d[\d,.:]*", "N", re.sub(r"\s+", " ", line)).strip() for line in text.splitlines())
    return [line for line in lines if line]


class Reader:
    """Does what the page says, in the folder that it has come to."""

    def __init__(self, folder: Path, commands: Path) -> None:
        self.folder = folder
        self.where = commands / "where"
        self.output = ""
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    def write(self, name: str, body: str) -> None:
        (self.folder / name).write_text(body, encoding="utf-8")

    def run(self, commands: str) -> None:
        done = subprocess.run(["sh", "-ec", f"{commands}\npwd >{self.where}\n"], cwd=self.folder,
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"{commands}{done.stdout}"
        self.output = done.stdout
        self.folder = Path(self.where.read_text().strip())

    def compare(self, shown: str) -> None:
        missing = [line for line in shape(shown)
                   if line != "..." and not any(line in there for there in shape(self.output))]
        assert not missing, f"not said: {missing}; but:\n{self.output}"


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """`stormcell` and `pytest` of this Python, as an environment's bin has them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, *arguments in ["stormcell"], ["pytest", *PLUGIN]:
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {" ".join([name, *arguments])} "$@"\n')
        command.chmod(0o755)
    return folder


def test_all_of_it(folder: Path, commands: Path) -> None:
    reader = Reader(folder, commands)
    for file, kind, body in blocks():
        if file:
            reader.write(file, body)
        elif kind == "sh":
            reader.run(body)
        else:
            assert kind == "text", f"a block that nobody writes, runs or compares: {body}"
            reader.compare(body)


def test_the_page_has_what_it_tells() -> None:
    """So that a page that is read wrongly is no success."""
    found = list(blocks())
    assert len([file for file, _, _ in found if file]) >= 8
    run = "".join(body for _, kind, body in found if kind == "sh")
    for command in ("doctor", "check", "run", "replay", "visualize"):
        assert f"stormcell {command}" in run
