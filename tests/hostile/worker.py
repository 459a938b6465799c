"""A `Parent` as strict as a worker's ShellBolt and ShellSpout also where time and pipes count.

It reads stderr only after it has written a message, writes one message at a time, task ids first,
and as a spout's does not read while it writes. It asks a bolt for heartbeats, and raises `Violation`
where Storm's timer would end the worker, `Ended` where its reader would find the pipe closed, and
`Waits` where it would wait for ever.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from jvm import Violation, frame
from parent import Parent, children_of


class Ended(Violation):
    """The child has closed its stdout: "Pipe to subprocess seems to be broken!"."""


class Waits(Violation):
    """Storm waits and has no timer for it."""


class Worker(Parent):
    """timed: whether Storm's heartbeat timer runs. may_end: the end of the child is no violation."""

    def __init__(self, *arguments: str, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.hears = False
        self.timed = False
        self.may_end = False
        self.limit: float = self.topology.conf["topology.subprocess.timeout.secs"]
        self.seen: set[int] = set()
        """Processes of the component, as look_around() found them."""
        self._spout = self.topology.kind == "spout"
        self._ids: deque[bytes] = deque()
        self._tuples: deque[bytes] = deque()
        self._heard = self._asked = 0.0

    # ---- the conversation -------------------------------------------------------------------

    def start(self, patience: float) -> None:
        """Shake hands. `Waits` after `patience` seconds, where Storm would never stop waiting."""
        self.write(frame(self.topology.handshake(str(self.pid_dir))))
        self.wait_or(Waits("no answer to the handshake"), lambda: self.jvm.pid is not None, patience)
        self._heard = self._asked = time.monotonic()
        self.timed = True

    def wait_or(self, else_raise: Violation, done: Callable[[], object], seconds: float) -> None:
        """Wait until `done()`, and no longer than that."""
        deadline = time.monotonic() + seconds

        def over() -> bool:
            return time.monotonic() > deadline

        self.wait_for(lambda: done() or over(), "a deadline", seconds + 60)
        if not done():
            raise else_raise

    def command(self, name: str, id: object = "") -> list[dict[str, Any]]:
        """A spout's command; its timer starts anew with each."""
        self._heard = time.monotonic()
        return super().command(name, id)

    def look_around(self) -> None:
        """Note which processes the component consists of now."""
        self.seen |= {self.pid, *children_of(self.pid)}

    # ---- bytes ------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        (self._ids if data.startswith(b"[") else self._tuples).append(data)

    @property
    def unwritten(self) -> int:
        """Bytes that the child has not taken."""
        return len(self._outgoing) + sum(map(len, self._ids)) + sum(map(len, self._tuples))

    def _step(self, seconds: float) -> None:
        self._next_message()
        if self._spout:
            self.reading = not self._outgoing
        super()._step(min(seconds, 0.05))
        self._check_timer()

    def _next_message(self) -> None:
        if not self._outgoing and self._in is not None:
            for queue in (self._ids, self._tuples):
                if queue:
                    self._outgoing += queue.popleft()
                    return

    def _write(self) -> None:
        super()._write()
        if not self._outgoing:
            self._drain_stderr()

    def _drain_stderr(self) -> None:
        try:
            while self._err is not None:
                self._read_stderr()
        except BlockingIOError:
            pass  # that was all

    def _read(self) -> None:
        count = len(self.jvm.said)
        super()._read()
        if len(self.jvm.said) > count:
            self._heard = time.monotonic()
        if self._out is None and not self.may_end:
            self._drain_stderr()
            raise Ended(f"the child ended with status {self.process.wait(10)}")

    def _check_timer(self) -> None:
        now = time.monotonic()
        waits = self.jvm.owed > 0 if self._spout else self._out is not None
        if not self.timed or not waits:
            return
        if now - self._heard > self.limit:
            raise Violation(f"no sign of life for {self.limit:g} s")
        if not self._spout and now - self._asked > min(1, self.limit / 4):
            self._asked = now
            if not self._outgoing:  # the writer asks only when it is not in the middle of a message
                self._outgoing += self.jvm.heartbeat()

    # ---- the end ----------------------------------------------------------------------------

    def hang_up(self) -> None:
        super().hang_up()
        self._ids.clear()
        self._tuples.clear()

    def wait(self, seconds: float = 30.0) -> int:
        self.may_end = self.hears = True
        self.timed = False
        return super().wait(seconds)
