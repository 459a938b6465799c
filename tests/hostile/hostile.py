"""What the tests of hostile components share. Each of them holds, beside what it says itself, that
`Jvm` raises `Violation` over everything that would end Storm's worker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jvm import Message
from parent import EXTENSION, SHIM, Parent, children_of

MIB = 1 << 20

SANITIZED = not EXTENSION and b"__asan_init" in Path(SHIM).read_bytes()
of_memory = pytest.mark.skipif(SANITIZED, reason="AddressSanitizer keeps what is freed, and reserves much")
"""For tests of how much memory there is, or of what happens without any."""

RUN = """
import ctypes, gc, signal, subprocess, sys, threading, time
class Subject(Bolt):
    def process(self, tup):
        exec(compile(tup.values[0], "<hostile>", "exec"), {**globals(), "self": self, "tup": tup})
"""
"""A bolt that runs the text that it is given, in place of many small components."""


def settled(parent: Parent, id: str) -> str:
    """Wait until the tuple is settled: "ack" or "fail"."""
    parent.wait_for(lambda: id in parent.jvm.settled, f"tuple {id} to be settled")
    return parent.jvm.settled[id]


def run(parent: Parent, source: str, end: str = "ack") -> None:
    """Have the component run `source`, which must come to this end."""
    assert settled(parent, parent.send(source)) == end, parent.unread[-5:]


def lives_on(parent: Parent) -> None:
    """The component takes the next tuple, and nothing that was said before is owed any more."""
    id = parent.send("self.emit(['alive'])")
    parent.wait_for(lambda: emitted(parent, "alive"), "an emit after all that")
    assert settled(parent, id) == "ack"
    assert not parent.jvm.live, "a tuple was lost"


def emitted(parent: Parent, value: object) -> list[Message]:
    """The emits of this value that nobody has looked at."""
    return [message for message in parent.unread if message.get("tuple") == [value]]


def resident(pid: int) -> int:
    """The bytes of memory that are the process's own, without what it shares."""
    return _status(pid, "RssAnon")


def shared(pid: int) -> int:
    """The bytes of the arena that the process has touched."""
    return _status(pid, "RssShmem")


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name} in the status of process {pid}")


def descendants(pid: int) -> list[int]:
    """The children of the process, theirs, and so on."""
    found = children_of(pid)
    return found + [below for child in found for below in descendants(child)]


def seconds_of_cpu(pid: int) -> float:
    """The processor time that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
