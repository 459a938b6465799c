"""A run in a terminal: a table that lives, and what is said above it."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stormcell.cli.totals import Component, Totals
from stormcell.cli.view import figures

LINES_A_SECOND = 50
"""So much of what components say is shown: nobody can read more."""

COLUMNS = ("emitted", "acked", "failed", "in\nflight", "rate/s", "p50\nms", "p99\nms", "re-\nstarts")


def console_on(stream: TextIO) -> Console:
    """What is written is text: nothing in it is markup."""
    return Console(file=stream, highlight=False, markup=False, emoji=False)


class Screen:
    """A table that is drawn again in its place; what is said scrolls above it."""

    def __init__(self, console: Console, now: Callable[[], float] = time.monotonic) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._pace = Pace(now)

    def say(self, text: str, style: str = "") -> None:
        # The colours of what is said stay, other sequences that move a terminal do not.
        self._live.console.print(Text.from_ansi(text, style=style))

    def pass_on(self, text: str, style: str = "") -> None:
        left_out = self._pace.step()
        if left_out:
            self.say(f"({left_out:,} more lines in that second are not shown)", "dim")
        if self._pace.open:
            self.say(text, style)

    def show(self, totals: Totals) -> None:
        self._live.update(Group(_title(totals), table(totals), *_errors(totals)), refresh=True)

    def end(self, totals: Totals) -> None:
        self._live.stop()
        self._live.console.print(Group(table(totals), *_errors(totals), totals.verdict()))

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._live.stop()


class Pace:
    """Counts lines by the second, and says when there are more than can be read."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._second = 0
        self._lines = 0

    def step(self) -> int:
        """One more line. How many were left out in the second before, if this begins a new one."""
        second, left_out = int(self._now()), 0
        if second != self._second:
            left_out = max(0, self._lines - LINES_A_SECOND)
            self._second, self._lines = second, 0
        self._lines += 1
        return left_out

    @property
    def open(self) -> bool:
        return self._lines <= LINES_A_SECOND


def table(totals: Totals) -> Table:
    """The components, a row each; it fits into 80 columns."""
    found = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    found.add_column("component", overflow="ellipsis", no_wrap=True, max_width=24)
    for heading in COLUMNS:
        found.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    for name, component in totals.components.items():
        tasks = f" x{component.tasks}" if component.tasks > 1 else ""
        found.add_row(name + tasks, *_cells(component))
    return found


def _cells(component: Component) -> list[Text]:
    bad = ("failed", "restarts")
    return [
        Text(text, style="bold red" if key in bad and text != "0" else "")
        for key, text in figures(component).items()
    ]


def _title(totals: Totals) -> Text:
    state = "starting" if totals.began is None else f"{totals.seconds:.0f} s"
    hint = "ending; Ctrl-C stops it at once" if totals.ending else "Ctrl-C ends it"
    return Text.assemble((totals.name, "bold"), f"  {state}; {hint}")


def _errors(totals: Totals) -> list[RenderableType]:
    return [
        Text(f"last error of {name}, {component.last_error}", style="red", no_wrap=True, overflow="ellipsis")
        for name, component in totals.components.items()
        if component.last_error
    ]
