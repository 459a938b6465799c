"""How far a submission is: a bar in a terminal, a line for each step anywhere else."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

import click

from stormcell.submission.steps import Listener


class Lines(Listener):
    """A line for each step."""

    def step(self, text: str) -> None:
        click.echo(text)

    def sending(self, what: str, size: int) -> None:
        click.echo(f"sending {what}, {size:,} bytes")


class Bar(Lines):
    """The same, and a bar while bytes are sent."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self.progress = Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
                                 TransferSpeedColumn())

    def step(self, text: str) -> None:
        self.progress.console.print(text, markup=False, highlight=False)

    def sending(self, what: str, size: int) -> None:
        self.task = self.progress.add_task(f"sending {what}", total=size)

    def sent(self, size: int) -> None:
        self.progress.advance(self.task, size)


@contextlib.contextmanager
def shown_progress() -> Iterator[Listener]:
    """The listener that suits stdout."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield Lines()
        return
    bar = Bar()
    with bar.progress:
        yield bar
