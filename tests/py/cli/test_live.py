"""`stormcell run` in a terminal: the table, Ctrl-C, and how the terminal is left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

from commanding import COMMAND, PATIENCE, flow, living, wait_for

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CTRL_C = b"\x03"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Terminal:
    """The command in a terminal of its own, and all that has appeared in it."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        self.raw = ""

    @property
    def text(self) -> str:
        return SEQUENCE.sub("", self.raw)

    def until(self, text: str) -> None:
        """Read until this has appeared."""
        while text not in self.text:
            assert self._read(), f"it ended without {text!r}: {self.text}"

    def press(self, key: bytes) -> None:
        os.write(self._ours, key)

    def finish(self) -> int:
        """Read to the end. The status."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        try:
            read = os.read(self._ours, 1 << 16)
        except OSError:  # how Linux says that nobody has the other end
            return False
        self.raw += read.decode(errors="replace")
        return bool(read)

    def close(self) -> None:
        os.close(self._ours)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)


@contextlib.contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    with contextlib.closing(Terminal(*arguments)) as opened:
        yield opened


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
