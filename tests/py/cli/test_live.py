"""`stormcell run` in a terminal: the table, Ctrl-C, and how the terminal is left."""

from __future__ import annotations

import os
import re
from pathlib import Path

from commanding import PATIENCE, flow, living, wait_for
from terminals import CTRL_C, HIDE, SHOW, Terminal, terminal


def test_a_table_lives_in_the_terminal(folder: Path) -> None:
    flow(folder)
    with terminal("run", "--time", "1") as seen:
        assert seen.finish() == 0
    assert re.search(r"flow  \d+ s; Ctrl-C ends it", seen.text)
    assert re.search(r"component +emitted +acked +failed +flight +rate/s +ms +ms +starts", seen.text)
    assert re.search(r"numbers +[\d,]+ +[\d,]+ +0 +[\d,]+ +[\d,]+ +[\d.]+ +[\d.]+ +0\s", seen.text)
    assert seen.text.rstrip().endswith("(the time is up): nothing failed")
    assert max(map(len, re.split(r"[\r\n]+", seen.text))) <= 80


def test_what_is_said_scrolls_above_the_table(folder: Path) -> None:
    flow(folder, "Raises")
    with terminal("run", "--tuples", "2") as seen:
        assert seen.finish() == 1
    assert seen.text.index("ValueError: number 1 is bad") < seen.text.rindex("component")
    assert "last error of bolt, task 2: ValueError: number 2 is bad" in seen.text


def test_the_terminal_gets_its_cursor_back(folder: Path) -> None:
    flow(folder)
    with terminal("run", "--tuples", "1") as seen:
        assert seen.finish() == 0
    assert seen.raw.count(HIDE) and seen.raw.rindex(SHOW) > seen.raw.rindex(HIDE)


def test_ctrl_c_waits_for_what_is_in_flight(folder: Path) -> None:
    flow(folder, "Waits")
    with terminal("run", "-o", "topology.max.spout.pending=1") as seen:
        seen.until("waiting")
        seen.press(CTRL_C)
        seen.until("what is in flight is waited for")
        (folder / "src" / "go").touch()
        assert seen.finish() == 0
    assert re.search(r"numbers +1 +1 +0 ", seen.text)
    assert seen.text.rstrip().endswith("(interrupted): nothing failed")


def test_a_second_ctrl_c_does_not_wait(folder: Path) -> None:
    flow(folder, "Keep")
    with terminal("run") as seen:
        seen.until("kept 1")
        seen.press(CTRL_C)
        seen.until("Ctrl-C stops it at once")
        seen.press(CTRL_C)
        assert seen.finish() == 1
    assert "left in flight" in seen.text.replace("\r\n", " ")


def test_a_terminal_that_is_closed_leaves_nothing(folder: Path) -> None:
    flow(folder, "Keep")
    seen = Terminal("run")
    seen.until("kept 1")
    os.close(seen._ours)
    seen.process.wait(PATIENCE)
    wait_for(lambda: not living(folder), lambda: str(living(folder)))
