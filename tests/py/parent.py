"""The process that Storm starts, with a test in Storm's place: `Parent` holds the other ends of its
stdin, stdout and stderr and talks to it as `jvm.Jvm` has it. Every wait has a deadline, and says
what had been received when it is missed.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jvm import AS_LONG, Jvm, Message, Topology, frame

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 30.0
"""Seconds after which a wait has failed; nothing here comes near it unless it is stuck."""
EXTENSION = os.environ.get("STORMCELL_DOOR") == "extension"
"""Start `python -m stormcell.run` and not the executable."""
RUNTIME = os.environ.get("STORMCELL_DOOR") == "runtime"
"""Start the executable that has no Python in it, and use the module for every Python. It becomes
STORMCELL_DOOR_PYTHON, by default the one that runs the tests."""
RUNNER = Path(os.environ.get("STORMCELL_RUNNER") or ROOT / "build" / "release" / "runner")
SHIM = os.environ.get("STORMCELL_SHIM") or str(ROOT / "build" / "release" / "stormcell-shim")
LEVELS = ["trace", "debug", "info", "warn", "error"]


def door(*arguments: str) -> list[str]:
    """The command that hosts a component."""
    if EXTENSION:
        return [sys.executable, "-m", "stormcell.run", *arguments]
    return [str(RUNNER / "stormcell-shim") if RUNTIME else SHIM, *arguments]


def environment(**more: str | None) -> dict[str, str]:
    """This process's own, with the way to the package, and with `more` (None: without)."""
    ours = ("STORMCELL_", "VIRTUAL_ENV", "PYTHON")
    found = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    found["PYTHONPATH"] = os.environ.get("PYTHONPATH") or os.pathsep.join(
        [str(ROOT / "pyapi"), str(Path(SHIM).parent)]
    )
    if RUNTIME:
        found["PYTHONPATH"] = os.pathsep.join([str(RUNNER), found["PYTHONPATH"]])
        found["STORMCELL_PYTHON"] = os.environ.get("STORMCELL_DOOR_PYTHON") or sys.executable
    found.update({name: value for name, value in more.items() if value is not None})
    return found


def level_of(message: Message) -> str:
    """The name of a log message's level."""
    level: int = message.get("level", AS_LONG + LEVELS.index("info"))
    return LEVELS[level - AS_LONG]


def children_of(pid: int) -> list[int]:
    """Processes whose parent is `pid`."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2]
        except OSError:  # not a process, or no longer
            continue
        if int(after_name.split()[1]) == pid:
            found.append(int(entry.name))
    return found


def state_of(pid: int) -> str:
    """R: running, S: asleep, Z: ended but not buried, X: not there, and what else proc(5) names."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def is_gone(*pids: int) -> bool:
    """None of the processes is there any more, but for burying it."""
    return all(state_of(pid) in "ZX" for pid in pids)


def eventually(done: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Look again and again whether `done()`: for what nobody tells."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.01)


class Parent:
    """A component's process and Storm's end of it.

    jvm: the rules, and what is known of the component by them.
    unread: messages that no test has looked at, in order.
    reading: whether stdout is read; set it to False to play a Storm that is busy elsewhere.
    hears: whether stderr is read.
    stderr: what came on it so far.
    """

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        topology: Topology | None = None,
        env: dict[str, str | None] | None = None,
        command: list[str] | None = None,
    ) -> None:
        self.topology = topology or Topology()
        self.jvm = Jvm(self.topology)
        self.folder = folder
        self.pid_dir = folder / "pids"
        self.pid_dir.mkdir(exist_ok=True)
        self.unread: list[Message] = []
        self.reading = True
        self.hears = True
        self.stderr = b""
        self._seen = 0
        self._outgoing = bytearray()
        gate, self._gate = os.pipe()
        self.process = subprocess.Popen(
            command or door(*arguments),
            cwd=folder,
            env=environment(GATE=str(gate), **(env or {})),
            pass_fds=[gate],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        os.close(gate)
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.pid = self.process.pid
        self._in: int | None = self.process.stdin.fileno()
        self._out: int | None = self.process.stdout.fileno()
        self._err: int | None = self.process.stderr.fileno()
        for fd in (self._in, self._out, self._err):
            os.set_blocking(fd, False)

    # ---- bytes ------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Have `data` written, as fast as the component takes it, while waiting for anything."""
        self._outgoing += data

    def write_now(self, data: bytes) -> None:
        """Write `data` and wait until the pipe has taken all of it."""
        self.write(data)
        self.wait_for(lambda: not self._outgoing, "the component to take what is written")

    def wait_for(self, done: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
        """Read and write until `done()`."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                self._give_up(f"waited {seconds} s for {what}")
            if (self._out, self._in, self._err) == (None, None, None):
                self._give_up(f"the component closed its side before {what}")
            self._step(min(left, 0.1) if self._out is None else left)

    def shrink_pipes(self, size: int = 4096) -> None:
        """Make the pipes as small as they get."""
        for fd in (self._in, self._out):
            assert fd is not None
            fcntl.fcntl(fd, getattr(fcntl, "F_SETPIPE_SZ", 1031), size)

    def close_stdin(self) -> None:
        """Close the component's stdin once everything has been written."""
        if self._in is not None:
            self.wait_for(lambda: not self._outgoing or self._in is None, "stdin to take the rest")
            self._close_in()

    def hang_up(self) -> None:
        """Close everything at once, as a worker that is killed does."""
        self._close_in()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self._out = self._err = None

    def _close_in(self) -> None:
        if self._in is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self._in = None
        self._outgoing.clear()

    def _step(self, seconds: float) -> None:
        wanted = [self._out] * self.reading + [self._err] * self.hears
        readable = [fd for fd in wanted if fd is not None]
        writable = [self._in] if self._outgoing and self._in is not None else []
        ready, free, _ = select.select(readable, writable, [], seconds)
        if self._err in ready:
            self._read_stderr()
        if self._out in ready:
            self._read()
        if free and self._in is not None:  # it may have been closed by what was read
            self._write()

    def _read(self) -> None:
        assert self._out is not None
        data = os.read(self._out, 1 << 16)
        if not data:
            self._out = None
            self._close_in()
            self.jvm.finish()
            return
        try:
            self.jvm.take(data)
        finally:
            self.unread += self.jvm.said[self._seen :]
            self._seen = len(self.jvm.said)
            while self.jvm.answers:
                self.write(self.jvm.answers.popleft())

    def _read_stderr(self) -> None:
        assert self._err is not None
        data = os.read(self._err, 1 << 16)
        self.stderr += data
        if not data:
            self._err = None

    def _write(self) -> None:
        assert self._in is not None
        try:
            written = os.write(self._in, bytes(self._outgoing[: 1 << 16]))
        except BrokenPipeError:
            self._close_in()
        else:
            del self._outgoing[:written]

    def _give_up(self, why: str) -> None:
        state = "running" if self.process.poll() is None else f"ended, {self.process.returncode}"
        unread = "".join(f"\n    {str(message)[:1000]}" for message in self.unread[-20:])
        raise AssertionError(
            f"{why}; process {self.pid}: {state}; pid answered: {self.jvm.pid}; "
            f"messages: {len(self.jvm.said)}, not looked at: {len(self.unread)}{unread or ' none'}\n"
            f"  not written: {len(self._outgoing)} bytes; stderr: {self.stderr[-2000:]!r}"
        )

    # ---- the conversation -------------------------------------------------------------------

    def shake_hands(self) -> None:
        """Send the handshake and wait for the pid, which must be that of the process."""
        self.write(frame(self.topology.handshake(str(self.pid_dir))))
        self.wait_for_pid()
        assert (self.pid_dir / str(self.pid)).exists(), "no pid file"

    def wait_for_pid(self) -> None:
        """Wait for the answer to the handshake."""
        self.wait_for(lambda: self.jvm.pid is not None, "the pid")
        assert self.jvm.pid == self.pid

    def find(self, command: str, text: str = "") -> Message | None:
        """Take the first message with this command and with `text` in its "msg", if it is here."""
        for index, message in enumerate(self.unread):
            if message["command"] == command and text in message.get("msg", ""):
                return self.unread.pop(index)
        return None

    def expect(self, command: str, text: str = "", seconds: float = DEADLINE) -> Message:
        """Wait for the first message with this command and with `text` in "msg", and take it."""
        found: list[Message] = []

        def look() -> bool:
            message = self.find(command, text)
            if message is not None:
                found.append(message)
            return message is not None

        self.wait_for(look, f"{command!r}" + (f" with {text!r}" if text else ""), seconds)
        return found[0]

    def take_all(self, *commands: str) -> list[Message]:
        """Take the messages that have come, or those with these commands."""
        messages, self.unread = self.unread, []
        taken: list[Message] = []
        for message in messages:
            wanted = not commands or message["command"] in commands
            (taken if wanted else self.unread).append(message)
        return taken

    def send(
        self,
        *values: Any,
        component: str = "words",
        stream: str = "default",
        task: int = 2,
        id: str | None = None,
    ) -> str:
        """Send a bolt a tuple; its id."""
        id, message = self.jvm.new_tuple(list(values), component, stream, task, id)
        self.write(message)
        return id

    def tick(self) -> str:
        """Send a bolt a tick; its id."""
        return self.send(1, component="__system", stream="__tick", task=-1)

    def barrier(self) -> None:
        """Send a bolt a heartbeat and wait for the answer: all that came before has been done."""
        self.write(self.jvm.heartbeat())
        self.expect("sync")

    def exchange(self, *values: Any, **more: Any) -> tuple[str, list[Message]]:
        """Send a bolt a tuple and wait until it is done with it: the id, and what it said."""
        id = self.send(*values, **more)
        self.barrier()
        return id, self.take_all()

    def command(self, name: str, id: object = "") -> list[Message]:
        """Send a spout a command and wait until it is done with it: what it said but the sync."""
        self.write(self.jvm.command(name, id))
        self.wait_for(lambda: self.jvm.owed == 0, f"the sync that answers {name!r}")
        syncs = self.take_all("sync")
        assert syncs
        return self.take_all()

    def open_gate(self) -> None:
        """Let the component pass one gate()."""
        os.write(self._gate, b".")

    # ---- the end ----------------------------------------------------------------------------

    @property
    def interpreter(self) -> int:
        """The pid of the process that Python runs in, the only child of the one started."""
        [child] = children_of(self.pid)
        return child

    def finish(self) -> int:
        """Close stdin, read to the end; the exit status."""
        self.close_stdin()
        return self.wait()

    def wait(self, seconds: float = DEADLINE) -> int:
        """Wait until the process has ended by itself, reading all it says; its exit status."""
        deadline = time.monotonic() + seconds
        self.reading = True
        self.wait_for(lambda: self._out is None, "the end of the process", seconds)
        self.wait_for(lambda: self._err is None, "the end of its stderr", seconds)
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def wait_refused(self) -> int:
        """The pid, Storm's first word behind it, and the end of a component that cannot start."""
        self.wait_for_pid()
        spout = self.topology.kind == "spout"
        self.write(self.jvm.command("activate") if spout else self.jvm.heartbeat())
        return self.wait()

    def kill(self) -> None:
        """End whatever is left, and close everything."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.hang_up()
        os.close(self._gate)
