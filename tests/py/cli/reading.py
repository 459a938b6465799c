"""Doing what a page of docs/ says: its files are written, its commands run, and what it shows of their output
appears."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from commanding import PATIENCE, PLUGIN, ROOT

BLOCK = re.compile(r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$",
                   re.MULTILINE | re.DOTALL)


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """A page's blocks: the name of a file, or "", the kind of block, and what is in it."""
    for block in BLOCK.finditer((ROOT / "docs" / page).read_text(encoding="utf-8")):
        yield block["file"] or "", block["kind"], block["body"]


def commands_of(page: str) -> str:
    """All that a page has its reader run."""
    return "".join(body for _, kind, body in blocks(page) if kind == "sh")


def shape(text: str) -> list[str]:
    """The lines of text with what is different in every run taken out: numbers, digests, where Python is, and
    the width of columns."""
    known = re.sub(r"\b[0-9a-f]{12,}\b", "N", re.sub(r"/(\S+/)?bin\b", "BIN", text))
    lines = (re.sub(r"\d[\d,.:]*", "N", re.sub(r"\s+", " ", line)).strip() for line in known.splitlines())
    return [line for line in lines if line]


def install(folder: Path) -> Path:
    """`stormcell` and `pytest` of this Python, as an environment's bin has them: that folder."""
    commands = folder / "bin"
    commands.mkdir()
    for name, *arguments in ["stormcell"], ["pytest", *PLUGIN]:
        command = commands / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {" ".join([name, *arguments])} "$@"\n')
        command.chmod(0o755)
    return commands


class Reader:
    """Does what a page says, in the folder that it has come to.

    commands: what `install` made.
    patience: how long a block of commands may take, in seconds.
    more: further variables of the environment.
    """

    def __init__(self, folder: Path, commands: Path, patience: float = PATIENCE, **more: str) -> None:
        self.folder = folder
        self.patience = patience
        self.where = commands / "where"
        self.output = ""
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, **more, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    def read(self, page: str) -> None:
        """Do all of it."""
        for file, kind, body in blocks(page):
            if file:
                self.write(file, body)
            elif kind == "sh":
                self.run(body)
            else:
                assert kind == "text", f"a block that nobody writes, runs or compares: {body}"
                self.compare(body)

    def write(self, name: str, body: str) -> None:
        (self.folder / name).write_text(body, encoding="utf-8")

    def run(self, commands: str) -> None:
        done = subprocess.run(["sh", "-ec", f"{commands}\npwd >{self.where}\n"], cwd=self.folder,
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=self.patience, check=False)
        assert done.returncode == 0, f"{commands}{done.stdout}"
        self.output = done.stdout
        self.folder = Path(self.where.read_text().strip())

    def compare(self, shown: str) -> None:
        missing = [line for line in shape(shown)
                   if line != "..." and not any(line in there for there in shape(self.output))]
        assert not missing, f"not said: {missing}; but:\n{self.output}"
