"""What a run looks like: a table that lives in a terminal, lines anywhere else."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Protocol, TextIO

from stormcell.cli.totals import Component, Totals, counted

LINES_EVERY = 5.0
"""How often lines of totals are written where there is no terminal, in seconds."""

SENTENCE = (
    "emitted {emitted}, acked {acked}, failed {failed}, in flight {in flight}, {rate}/s, "
    "p50 {p50} ms, p99 {p99} ms, restarts {restarts}"
)

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
    if not stream.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return Lines(stream)
    # Only here, since rich takes longer to import than the engine to start.
    from stormcell.cli.screen import Screen, console_on

    return Screen(console_on(stream))


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


def figures(component: Component) -> dict[str, str]:
    """A component's numbers as text, in the order in which they are shown."""
    stats = component.stats
    times = stats.get("process.ms", {})
    return {
        "emitted": number(stats.get("emitted", 0)),
        "acked": number(stats.get("acked", 0)),
        "failed": number(stats.get("failed", 0)),
        "in flight": number(stats.get("in.flight", 0)),
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
    last = f"; last error: {component.last_error}" if component.last_error else ""
    return SENTENCE.format_map(figures(component)) + last
