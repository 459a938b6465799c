"""Processes, told apart by more than a number that the system gives again: by when they began, and by what
all of a cluster's have in their environment."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "STORMCELL_CLUSTER_HOME"
"""In the environment of all that a cluster starts, and of what that starts: the cluster's home."""

PART = "STORMCELL_CLUSTER_DAEMON"
"""In the environment of a daemon, and of all that it starts: the daemon's name."""

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Process:
    """pid: its number. start: when it began, in clock ticks since the system did."""

    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process of this number; None: there is none, or it has ended and nobody has asked how."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]))

    @property
    def alive(self) -> bool:
        return Process.of(self.pid) == self

    @property
    def age(self) -> float:
        """Since when it runs, in seconds."""
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - self.start / TICK)

    @property
    def memory(self) -> int:
        """What it has in memory, in bytes."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE
        except OSError:
            return 0

    @property
    def command(self) -> list[str]:
        """What it was started as; empty: it has ended."""
        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
        return words[:-1]

    @property
    def parent(self) -> int:
        """The number of its parent; 0: it has ended."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return 0
        return int(fields[1])

    def send(self, number: int) -> None:
        """Send it a signal, if it still is."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def everything() -> Iterator[Process]:
    """All processes that run."""
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            process = Process.of(int(entry))
            if process is not None:
                yield process


def marked(home: Path, daemon: str | None = None) -> list[Process]:
    """The processes of the cluster in this home, which is an absolute path, the oldest first.

    daemon: only it, and those that it has started.
    """
    marks = {f"{MARK}={home}".encode(), *([f"{PART}={daemon}".encode()] if daemon else [])}
    found = []
    for process in everything():
        with contextlib.suppress(OSError):  # it has just ended, or is somebody else's
            if marks <= set(Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")):
                found.append(process)
    return sorted(found, key=lambda process: (process.start, process.pid))


def space_of(pid: int, kind: str = "net") -> str:
    """The name of the namespace that a process is in; "": it has ended, or is somebody else's."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def members(home: Path, outside: str | None) -> list[Process]:
    """All that belongs to the cluster: what is marked, and what has lost its mark but is in the network
    namespace of one that is. Never this process or those that it descends from.

    outside: the network namespace around the cluster's; None: it is not known, and taken for this process'.
    """
    found = marked(home)
    spaces = {space_of(process.pid) for process in found} - {outside or space_of(os.getpid()), ""}
    inside = [one for one in everything() if one not in found and space_of(one.pid) in spaces]
    line = ancestors()
    return [process for process in found + inside if process.pid not in line]


def ancestors() -> set[int]:
    """The numbers of this process and of all that it descends from."""
    found, pid = set(), os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        process = Process.of(pid)
        pid = process.parent if process else 0
    return found


def wait_until(done: Callable[[], bool], seconds: float) -> bool:
    """Look again and again; whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end(processes: Iterable[Process], seconds: float, tell: Callable[[str], None]) -> None:
    """Ask them to end, and after so many seconds make them; tell of each that had to be made."""
    asked = list(processes)
    for process in asked:
        process.send(signal.SIGTERM)
    if not wait_until(lambda: not any(process.alive for process in asked), seconds):
        for process in asked:
            if process.alive:
                tell(f"{process.pid} has not ended within {seconds:g} s and is killed: "
                     f"{' '.join(process.command)[-200:]}")
            process.send(signal.SIGKILL)
        wait_until(lambda: not any(process.alive for process in asked), seconds)
