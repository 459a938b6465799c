"""What a run looks like: a table that lives in a terminal, lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stormcell.cli.totals import Component, Totals, counted

LINES_A_SECOND = 50
"""So much of what components say is shown in a terminal, where nobody can read more."""

LINES_EVERY = 5.0
"""How often lines of totals are written where there is no terminal, in seconds."""

STYLES = {"trace": "dim", "debug": "dim", "info": "", "warn": "yellow", "error": "red"}


class View(Protocol):
    """Shows a run; a context manager, so that the terminal is left as it was."""

    def say(self, text: str, style: str = "") -> None:
        """Show something that has happened, once."""

    def pass_on(self, text: str, style: str = "") -> None:
        """Show what a component says, as far as that can be read."""

    def show(self, totals: Totals) -> None:
        """Show how things stand."""

    def end(self, totals: Totals) -> None:
        """Show how things have ended."""

    def __enter__(self) -> View: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None: ...


def choose(stream: TextIO) -> View:
    """The view that suits where `stream` goes."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    return Screen(console) if console.is_terminal and not console.is_dumb_terminal else Lines(stream)


def words(event: dict[str, Any]) -> tuple[str, str] | None:
    """What to show of an event beside the totals: text and style. None: nothing."""
    kind = event["event"]
    who = f"{event['component']}-{event['task']}" if "task" in event else ""
    if kind == "log":
        return f"{who} {event['level']}: {event['text']}", STYLES.get(event["level"], "")
    if kind == "error":
        return f"{who} error: {event['text'].rstrip()}", "red"
    if kind == "metric":
        return f"{who} metric {event['name']}: {event['value']}", "cyan"
    if kind == "died":
        again = event["again.secs"]
        after = f"it starts again in {again:g} s" if again is not None else "it is not started again"
        lost = counted(event["failed"], "tuple failed", "tuples failed")
        return f"{who} died: {event['text']} ({lost}); {after}", "bold red"
    return (event["text"], "yellow") if kind == "note" else None


# ---- a terminal -------------------------------------------------------------------------------


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
        self._live.console.print(table(totals), *_errors(totals), totals.verdict(), sep="\n")

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


COLUMNS = ("emitted", "acked", "failed", "in\nflight", "rate/s", "p50\nms", "p99\nms", "re-\nstarts")


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


def figures(component: Component) -> dict[str, str]:
    """A component's numbers as text, in the order in which they are shown."""
    stats = component.stats
    counts = {key: number(stats.get(key, 0)) for key in ("emitted", "acked", "failed", "in.flight")}
    times = stats.get("process.ms", {})
    return {
        **counts,
        "rate": number(round(component.rate)),
        "p50": milliseconds(times.get("p50")),
        "p99": milliseconds(times.get("p99")),
        "restarts": number(stats.get("restarts", 0)),
    }


def number(value: int) -> str:
    """With commas, and in millions where that is too wide for a column."""
    return f"{value:,}" if value < 10_000_000 else f"{value / 1e6:,.1f} M"


def milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


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


# ---- a file or a pipe -------------------------------------------------------------------------


class Lines:
    """Lines of text: all that is said, and totals every few seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._due = LINES_EVERY

    def say(self, text: str, style: str = "") -> None:
        self._stream.write(text + "\n")

    pass_on = say

    def show(self, totals: Totals) -> None:
        if totals.seconds >= self._due:
            self._due = totals.seconds + LINES_EVERY
            self._lines(totals, f"{totals.seconds:.0f} s  ")
        self._stream.flush()

    def end(self, totals: Totals) -> None:
        self._lines(totals, "")
        self.say(totals.verdict())
        self._stream.flush()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stream.flush()

    def _lines(self, totals: Totals, before: str) -> None:
        for name, component in totals.components.items():
            self.say(f"{before}{name}: {_sentence(component)}")


def _sentence(component: Component) -> str:
    shown = figures(component)
    last = f"; last error: {component.last_error}" if component.last_error else ""
    return SENTENCE.format_map({key.replace(".", "_"): text for key, text in shown.items()}) + last


SENTENCE = (
    "emitted {emitted}, acked {acked}, failed {failed}, in flight {in_flight}, {rate}/s, "
    "p50 {p50} ms, p99 {p99} ms, restarts {restarts}"
)
