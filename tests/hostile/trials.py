"""Plays a case against the strict parent: what came of it, for Stormcell and for storm.py alike."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jvm import Topology, Violation
from parent import SHIM, eventually, is_gone
from ways import Case
from worker import Ended, Waits, Worker

HERE = Path(__file__).resolve().parent
TIMEOUT = 5
"""Storm's timeout, seconds: short, and long enough for a busy machine."""
GRACE = 15.0
"""What a process that was left alone is given to go."""


@dataclass
class Outcome:
    """verdict: lives, dies (the worker does) or waits (it does, for ever). why: the violation."""

    verdict: str = "lives"
    why: str = ""
    settled: str | None = None
    errors: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def play(case: Case, host: str, folder: Path) -> Outcome:
    """Have `host` ("ours" or "stock") run the case's component in `folder`."""
    lay_out(host, folder)
    worker = Worker(command=command(case, host), folder=folder, topology=topology(case))
    outcome = Outcome()
    try:
        PLAYS[case.play](worker, outcome)
        if host == "ours" and case.log:
            worker.wait_for(lambda: says(worker, case.log), f"a log message with {case.log!r}")
    except Waits as why:
        outcome.verdict, outcome.why = "waits", str(why)
    except Violation as why:
        outcome.verdict, outcome.why = "dies", str(why)[:300]
    finally:
        texts = [(message["command"], message.get("msg", "")) for message in worker.jvm.said]
        outcome.errors = [text for command, text in texts if command == "error"]
        outcome.logs = [text for command, text in texts if command == "log"]
        worker.kill()
        end_all(worker.seen)
    return outcome


def says(worker: Worker, pattern: str) -> bool:
    logs = (message["msg"] for message in worker.jvm.said if message["command"] == "log")
    return any(re.search(pattern, text) for text in logs)


def lay_out(host: str, folder: Path) -> None:
    shutil.copy(HERE / "resources" / f"{host}.py", folder)
    if host == "stock":
        shutil.copy(os.environ["STORM_PY"], folder / "storm.py")


def command(case: Case, host: str) -> list[str]:
    if host == "ours":
        return [SHIM, f"ours.{case.name}"]
    return [sys.executable, "stock.py", case.name]


def topology(case: Case) -> Topology:
    conf = {"topology.subprocess.timeout.secs": TIMEOUT, **case.conf}
    outputs = {"default": ["value"], "direct": ["value"], "keyed": ["key", "value"]}
    targets = {"default": "SHUFFLE", "direct": "DIRECT", "keyed": "FIELDS"}
    return Topology(
        kind=case.kind, outputs=outputs, targets=targets, conf=conf, ackers=case.ackers
    )


def end_all(pids: set[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


# ---- what the parent does in each play ------------------------------------------------------


def play_bolt(worker: Worker, outcome: Outcome, start_within: float = 4 * TIMEOUT) -> None:
    """Three tuples; the second is the bad one."""
    worker.start(start_within)
    feed(worker, outcome)


def feed(worker: Worker, outcome: Outcome, *more: str) -> None:
    ids = [worker.send(word) for word in ("before", "bad", "after", *more)]
    worker.wait_for(lambda: ids[-1] in worker.jvm.settled, "the last tuple to be settled")
    outcome.settled = worker.jvm.settled.get(ids[1])
    emitted = [message["tuple"][0] for message in worker.take_all("emit")]
    assert {"before", "after"} <= set(emitted), emitted
    assert worker.jvm.settled[ids[0]] == worker.jvm.settled[ids[2]] == "ack"


def play_never(worker: Worker, outcome: Outcome) -> None:
    """One that never gets as far as the handshake."""
    del outcome
    worker.start(4 * TIMEOUT if "stock.py" in str(worker.process.args) else 90)
    

def play_full(worker: Worker, outcome: Outcome) -> None:
    """More tuples behind the bad one than a pipe takes."""
    worker.start(4 * TIMEOUT)
    feed(worker, outcome, *["x" * 200_000] * 5)


def play_backlog(worker: Worker, outcome: Outcome) -> None:
    """As many tuples as take two timeouts, none of which is settled before the last."""
    del outcome
    worker.start(4 * TIMEOUT)
    ids = [worker.send(n) for n in range(60)]
    worker.wait_for(lambda: worker.jvm.settled.keys() >= set(ids), "all to be settled")


def play_slow(worker: Worker, outcome: Outcome) -> None:
    """A bolt that takes no more tuples: what is not in the pipe stays with Storm."""
    del outcome
    worker.start(4 * TIMEOUT)
    for _ in range(2000):
        worker.send("x" * 10_000)
    left = -1
    while left != worker.unwritten:
        left = worker.unwritten
        rest(worker, 1.5 * TIMEOUT)
    assert left > 10_000_000, f"of 20 MB only {left} bytes stay with Storm"


def rest(worker: Worker, seconds: float) -> None:
    until = time.monotonic() + seconds
    worker.wait_for(lambda: time.monotonic() > until, "nothing", seconds + 60)


def play_spout(worker: Worker, outcome: Outcome) -> None:
    """As many commands as its misbehaviour needs."""
    del outcome
    worker.start(4 * TIMEOUT)
    emitted = commands(worker, "activate", *["next"] * 6)
    rest(worker, 0.2)  # a word too many comes late
    assert emitted[0] == "before" and "after" in emitted, emitted[:5]


def commands(worker: Worker, *names: str) -> list[Any]:
    """Give a spout these commands, one after the other: the values that it emitted."""
    said = [message for name in names for message in worker.command(name)]
    return [message["tuple"][0] for message in said if message["command"] == "emit"]


def play_inactive(worker: Worker, outcome: Outcome) -> None:
    """A spout that is deactivated, and activated again."""
    del outcome
    worker.start(4 * TIMEOUT)
    emitted = commands(worker, "activate", "next")
    worker.timed = False  # as Storm has it, from the moment on that it says so
    worker.write(worker.jvm.command("deactivate"))
    waits = Waits("no answer to 'deactivate'")
    worker.wait_or(waits, lambda: worker.jvm.owed == 0, 4 * TIMEOUT)
    worker.timed = True
    emitted += commands(worker, "activate", "next", "next")
    assert emitted == ["before", "after"]


def play_orphan(worker: Worker, outcome: Outcome) -> None:
    """The worker is killed while the component is busy."""
    worker.start(4 * TIMEOUT)
    worker.send("bad")
    worker.expect("log", "busy")
    worker.look_around()
    worker.hang_up()
    try:
        eventually(lambda: is_gone(*worker.seen), "the orphan to go", GRACE)
    except AssertionError:
        outcome.verdict, outcome.why = "lingers", f"is still there after {GRACE:g} s"


def play_term(worker: Worker, outcome: Outcome) -> None:
    """SIGTERM in the middle of a tuple."""
    worker.start(4 * TIMEOUT)
    id = worker.send("bad")
    worker.expect("log", "busy")
    worker.look_around()
    worker.process.terminate()
    status = worker.wait()
    outcome.settled = worker.jvm.settled.get(id)
    if status != 0:
        raise Ended(f"the child ended with status {status}")
    assert is_gone(*worker.seen)


PLAYS: dict[str, Callable[[Worker, Outcome], None]] = {
    "bolt": play_bolt,
    "never": play_never,
    "full": play_full,
    "backlog": play_backlog,
    "slow": play_slow,
    "spout": play_spout,
    "inactive": play_inactive,
    "orphan": play_orphan,
    "term": play_term,
}
