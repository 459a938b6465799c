"""A terminal for the command line to run in."""

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

from commanding import COMMAND, PATIENCE

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CTRL_C = b"\x03"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Terminal:
    """The command in a terminal of its own, and all that has appeared in it."""

    def __init__(self, *arguments: str, columns: int = 80) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
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
def terminal(*arguments: str, columns: int = 80) -> Iterator[Terminal]:
    with contextlib.closing(Terminal(*arguments, columns=columns)) as opened:
        yield opened
