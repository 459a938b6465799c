"""What is kept of an engine's events, and how it is put into words."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from stormcell.cli import screen, view
from stormcell.cli.totals import RATE_SECONDS, Totals, gist


def stats(kind: str, **numbers: Any) -> dict[str, Any]:
    mine = {"executed": 0} if kind == "bolt" else {"timed.out": 0}
    rest = dict.fromkeys(("emitted", "acked", "failed", "in.flight", "restarts", "errors"), 0)
    return {"kind": kind, **rest, **mine, "process.ms": {"p50": None, "p99": None}, **numbers}


def event(kind: str, at: float, **keys: Any) -> dict[str, Any]:
    return {"event": kind, "at": at, **keys}


def told(at: float, emitted: int, executed: int, kind: str = "stats", **keys: Any) -> dict[str, Any]:
    return event(kind, at, components={
        "bolt": stats("bolt", executed=executed), "spout": stats("spout", emitted=emitted)}, **keys)


@pytest.fixture
def totals() -> Totals:
    found = Totals("words", ["spout", "bolt"])
    found.hear(event("tasks", 0.0, tasks={"1": "__acker", "2": "bolt", "3": "bolt", "4": "spout"}))
    return found


def test_tasks_are_counted_and_the_order_is_the_topologys(totals: Totals) -> None:
    assert {name: each.tasks for name, each in totals.components.items()} == {"spout": 1, "bolt": 2}
    assert list(totals.components) == ["spout", "bolt"]


def test_rates_are_of_the_last_seconds(totals: Totals) -> None:
    for step in range(20):
        totals.hear(told(step * 0.5, step * 100, step * 50))
    totals.hear(told(10.0, 1900 + 1000, 950 + 100))
    window = RATE_SECONDS
    assert totals.components["spout"].rate == pytest.approx((1000 + (window / 0.5 - 1) * 100) / window)
    assert totals.components["bolt"].rate == pytest.approx((100 + (window / 0.5 - 1) * 50) / window)


def test_in_the_end_rates_are_of_the_whole_run(totals: Totals) -> None:
    totals.hear(event("running", 1.0))
    totals.hear(told(2.0, 10, 10))
    totals.hear(told(11.0, 1000, 500, "end", reason="seconds", **{"in.flight": 0}))
    assert totals.components["spout"].rate == 100.0
    assert totals.components["bolt"].rate == 50.0


def test_a_run_that_never_got_going_has_no_rates(totals: Totals) -> None:
    totals.hear(told(0.5, 0, 0, "end", reason="failed", **{"in.flight": 0}))
    assert totals.components["spout"].rate == 0.0
    assert totals.verdict() == "ended after 0.5 s (it cannot go on): nothing failed"


def test_the_verdict_has_all_that_went_wrong(totals: Totals) -> None:
    totals.hear(event("end", 3.25, reason="interrupted", **{"in.flight": 9}, components={
        "spout": stats("spout", **{"failed": 1200, "timed.out": 1, "in.flight": 3}),
        "bolt": stats("bolt", **{"failed": 7, "errors": 2, "restarts": 1, "in.flight": 6})}))
    assert totals.verdict() == ("ended after 3.2 s (interrupted): 1,200 tuples failed, 1 of them timed out, "
                                "2 errors, 1 restart, 3 tuples left in flight")


def test_the_last_error_is_kept_with_its_task(totals: Totals) -> None:
    totals.hear(event("error", 1.0, component="bolt", task=2, text="Traceback (most\n  x\nKeyError: 'a'\n"))
    assert totals.components["bolt"].last_error == "task 2: KeyError: 'a'"
    totals.hear(event("died", 2.0, component="bolt", task=3, text="signal 11", failed=0))
    assert totals.components["bolt"].last_error == "task 3: died: signal 11"


def test_the_gist_of_a_report() -> None:
    assert gist("it ended\nin hand: ...") == "it ended"
    assert gist("Python KeyError raised\nTraceback (most\n  x\nKeyError: 1") == "KeyError: 1"
    assert gist(" \n") == "no reason given"


# ---- the views --------------------------------------------------------------------------------


def terminal(width: int = 80) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, width=width, force_terminal=True, color_system=None), stream


def test_big_numbers_fit_into_a_terminal(totals: Totals) -> None:
    numbers = {"emitted": 9_999_999, "acked": 123_456_789, "failed": 99_999, "restarts": 12,
               "in.flight": 100_000, "process.ms": {"p50": 0.0417, "p99": 12345.6}}
    totals.hear(event("stats", 100.0, components={
        "spout": stats("spout", **numbers), "bolt": stats("bolt", **numbers)}))
    console, stream = terminal()
    console.print(screen.table(totals))
    row = next(line for line in stream.getvalue().splitlines() if line.startswith("bolt x2"))
    assert row.split()[2:] == ["9,999,999", "123.5", "M", "99,999", "100,000", "0", "0.042", "12,346", "12"]


def test_a_flood_is_cut_and_said_to_be(totals: Totals) -> None:
    console, stream = terminal()
    seconds = iter([5.0] * 80 + [6.0])
    shown = screen.Screen(console, lambda: next(seconds))
    for number in range(81):
        shown.pass_on(f"line {number}")
    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(50)] + [
        "(30 more lines in that second are not shown)", "line 80"]


def test_what_is_said_cannot_move_the_terminal() -> None:
    console, stream = terminal()
    screen.Screen(console).say("\x1b[2Jwiped [bold]not markup[/bold] :smile:")
    assert stream.getvalue() == "wiped [bold]not markup[/bold] :smile:\n"


def test_lines_of_totals_come_now_and_then(totals: Totals) -> None:
    stream = io.StringIO()
    lines = view.choose(stream)
    for tenth in range(101):
        totals.hear(told(tenth / 10, tenth, tenth))
        lines.show(totals)
    assert [line.split(":")[0] for line in stream.getvalue().splitlines()] == [
        "5 s  spout", "5 s  bolt", "10 s  spout", "10 s  bolt"]


def test_events_in_words() -> None:
    who = {"component": "bolt", "task": 2}
    assert view.words(event("log", 0, level="warn", text="careful", **who)) == (
        "bolt-2 warn: careful", "yellow")
    assert view.words(event("metric", 0, name="m", value={"a": 1}, **who)) == (
        "bolt-2 metric m: {'a': 1}", "cyan")
    died = {"pid": 1, "text": "signal 9 (Killed)", "failed": 2, **who}
    assert view.words(event("died", 0, **died, **{"again.secs": 0.4})) == (
        "bolt-2 died: signal 9 (Killed) (2 tuples failed); it starts again in 0.4 s", "bold red")
    assert view.words(event("died", 0, **died, **{"again.secs": None})) == (
        "bolt-2 died: signal 9 (Killed) (2 tuples failed); it is not started again", "bold red")
    assert view.words(event("running", 0)) is None
