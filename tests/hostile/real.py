"""Plays a case in a real worker: a topology of its own, whose one worker also holds components in
Java, `feed` (before a bolt) and `sink`. What came of it is read from Storm's logs.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import Cluster
from parent import SHIM, children_of, is_gone
from trials import Outcome
from ways import Case

TIMEOUT = 10
"""Storm's timeout of a child, seconds; the intervals of Storm itself are its defaults."""
CONF = {"topology.subprocess.timeout.secs": TIMEOUT, "topology.message.timeout.secs": 60}
PATIENCE = 240.0
"""For what must come in the end, seconds; nothing comes near it but on a machine that is stuck."""
NEVER = 150.0
"""What has not come after that many seconds counts as never: no timer of Storm's here is longer."""
LINGERS = 60.0
QUIET = 3.0
"""What a worker has to live on, seconds, behind the last thing that was waited for."""
STREAMS = {
    "default": {"fields": ["value"]},
    "direct": {"fields": ["value"], "direct": True},
    "keyed": {"fields": ["key", "value"]},
}
WORDS = ["before", "bad", "after"]
FED: dict[str, list[Any]] = {
    "backlog": list(range(60)),
    "full": WORDS + ["x" * 200_000] * 4,
    "slow": ["x" * 1000] * 300,
    "term": ["bad"] * 200,
}
"""What a bolt gets, by the play; the rest get WORDS. Nimbus takes no topology over 1 MiB."""


@dataclass
class Trial:
    """One case with one host in one topology."""

    storm: Cluster
    case: Case
    host: str
    attempt: int = 1

    @property
    def name(self) -> str:
        """The topology's; Nimbus takes a name again only some seconds after its kill."""
        return f"{self.case.name}-{self.host}-{self.attempt}"

    def run(self) -> Outcome:
        """Submit it, look on, and end it."""
        self.storm.submit(self.topology())
        outcome = Outcome()
        try:
            self.wait_for(lambda: bool(self.storm.workers(self.name)), "a worker", outcome)
            PLAYS[self.case.play](self, outcome)
            self.judge(outcome)
        finally:
            if self.case.play != "term":
                self.storm.kill(self.name)
        return outcome

    # ---- the topology -----------------------------------------------------------------------

    def topology(self) -> dict[str, Any]:
        conf = {**CONF, **self.case.conf}
        ackers = 1 if self.case.ackers else 0
        bolt = self.case.kind == "bolt"
        subject = {
            "name": "bad",
            "kind": self.case.kind,
            "command": self.command(),
            "inputs": [{"from": "feed"}] if bolt else [],
            "outputs": STREAMS,
        }
        parts = [subject, sink()]
        return {
            "name": self.name,
            "config": {"topology.workers": 1, "topology.acker.executors": ackers, **conf},
            "components": [self.feed(), *parts] if bolt else parts,
        }

    def feed(self) -> dict[str, Any]:
        java = "BytesSpout" if self.case.play == "bytes" else "FeedSpout"
        args = {"tuples": [[value] for value in FED.get(self.case.play, WORDS)]}
        outputs = {"default": {"fields": ["value"]}}
        return {"name": "feed", "kind": "spout", "java": java, "args": args, "outputs": outputs}

    def command(self) -> list[str]:
        if self.host == "ours":
            return [SHIM, f"ours.{self.case.name}"]
        return [sys.executable, "stock.py", self.case.name]

    # ---- what is seen -----------------------------------------------------------------------

    def died(self) -> bool:
        return bool(self.storm.exits(self.name))

    def is_dying(self) -> bool:
        return self.died() or self.logged("Halting process: ")

    def settled(self, id: int) -> str | None:
        """How Storm told the feed that the tuple was settled."""
        for event in self.storm.events(self.name):
            if event["event"] in ("acked", "failed") and event["id"] == id:
                return str(event["event"]).removesuffix("ed")
        return None

    def came(self, word: str) -> bool:
        """The sink has got a tuple of this value."""
        events = self.storm.events(self.name)
        return any(event["event"] == "tuple" and event["values"] == [word] for event in events)

    def logged(self, pattern: str) -> bool:
        return re.search(pattern, self.storm.log(self.name)) is not None

    def wait_for(
        self, done: Callable[[], bool], what: str, outcome: Outcome, seconds: float = PATIENCE
    ) -> bool:
        """Wait until `done()` or the worker's death: whether it came. If neither does, it waits."""
        self.storm.wait_until(lambda: done() or self.died(), seconds)
        if done():
            return True
        if not self.died():
            outcome.verdict, outcome.why = "waits", f"no {what} in {seconds:g} s"
        return False

    def judge(self, outcome: Outcome) -> None:
        """A worker that has ended, or is about to, has died, whatever else was seen."""
        expected = self.case.play in ("orphan", "term")  # there its end is the beginning
        if not expected and self.storm.wait_until(self.is_dying, QUIET):
            self.storm.wait_until(self.died, PATIENCE)
        log = self.storm.log(self.name)
        shown = re.findall(r"ShellLog pid:\d+, name:bad (.*)", log)
        outcome.logs = [text for text in shown if re.search(self.case.log or "$.", text)][:5]
        outcome.errors = re.findall(r"Shell Process Exception: *(.*(?:\n(?!\d{4}-\d\d).*)*)", log)
        exits = self.storm.exits(self.name)
        if exits and not expected:
            outcome.verdict, outcome.why = "dies", f"worker exit {exits[0]}"

    def end_of_worker(self, outcome: Outcome, processes: list[int]) -> None:
        """The worker is over: how long its children stay."""
        began = time.monotonic()
        gone = self.storm.wait_until(lambda: is_gone(*processes), LINGERS)
        seconds = time.monotonic() - began
        outcome.why = f"child gone after {seconds:.0f} s"
        if not gone:
            outcome.verdict, outcome.why = "lingers", f"is still there after {LINGERS:g} s"
            end(processes)


def sink() -> dict[str, Any]:
    inputs = [
        {"from": "bad"},
        {"from": "bad", "stream": "direct", "grouping": "direct"},
        {"from": "bad", "stream": "keyed", "grouping": "fields", "fields": ["key"]},
    ]
    return {"name": "sink", "kind": "bolt", "java": "ProbeBolt", "inputs": inputs}


def end(pids: list[int]) -> None:
    for pid in pids:
        if not is_gone(pid):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    children = children_of(pid)
    return children + [each for child in children for each in descendants(child)]


# ---- the plays ------------------------------------------------------------------------------


def play_bolt(trial: Trial, outcome: Outcome) -> None:
    """The last tuple is acked, and the bad one settled, be it by Storm's own message timeout."""
    last = len(FED.get(trial.case.play, WORDS)) - 1
    acked = trial.wait_for(
        lambda: trial.settled(last) == "ack", "ack of the last tuple", outcome, NEVER
    )
    if acked:
        trial.wait_for(lambda: trial.settled(1) is not None, "end of the bad tuple", outcome)
    outcome.settled = trial.settled(1)


def play_never(trial: Trial, outcome: Outcome) -> None:
    word = f"name:bad (?s:.*){trial.case.log}"
    trial.wait_for(lambda: trial.logged(word), "word from the child", outcome, NEVER)


def play_slow(trial: Trial, outcome: Outcome) -> None:
    """Long enough for Storm to find it dead."""
    trial.storm.wait_until(trial.died, 6 * TIMEOUT)
    outcome.why = f"alive after {6 * TIMEOUT} s"


def play_bytes(trial: Trial, outcome: Outcome) -> None:
    del outcome
    trial.storm.wait_until(trial.died, 6 * TIMEOUT)


def play_pause(trial: Trial, outcome: Outcome) -> None:
    """The worker's JVM stands still for longer than a child may."""
    if trial.wait_for(lambda: trial.settled(2) == "ack", "ack of the last tuple", outcome):
        [worker] = trial.storm.worker_pids(trial.name)
        os.kill(worker, signal.SIGSTOP)
        time.sleep(1.5 * TIMEOUT)
        os.kill(worker, signal.SIGCONT)
        trial.storm.wait_until(trial.died, 6 * TIMEOUT)


def play_spout(trial: Trial, outcome: Outcome) -> None:
    trial.wait_for(lambda: trial.came("before"), "tuple", outcome)
    trial.wait_for(lambda: trial.came("after"), "second tuple", outcome, NEVER)


def play_inactive(trial: Trial, outcome: Outcome) -> None:
    if trial.wait_for(lambda: trial.came("before"), "tuple", outcome):
        trial.storm.deactivate(trial.name)
        time.sleep(TIMEOUT)
        trial.storm.activate(trial.name)
    trial.wait_for(lambda: trial.came("after"), "second tuple", outcome, NEVER)


def play_orphan(trial: Trial, outcome: Outcome) -> None:
    if trial.wait_for(lambda: trial.logged("name:bad busy"), "busy child", outcome):
        [worker] = trial.storm.worker_pids(trial.name)
        left = descendants(worker)
        os.kill(worker, signal.SIGKILL)
        trial.end_of_worker(outcome, left)


def play_term(trial: Trial, outcome: Outcome) -> None:
    if trial.wait_for(lambda: trial.logged("name:bad busy"), "busy child", outcome):
        [worker] = trial.storm.worker_pids(trial.name)
        left = descendants(worker)
        trial.storm.kill(trial.name)
        trial.end_of_worker(outcome, [worker, *left])


PLAYS: dict[str, Callable[[Trial, Outcome], None]] = {
    "bolt": play_bolt,
    "never": play_never,
    "full": play_bolt,
    "backlog": play_bolt,
    "slow": play_slow,
    "spout": play_spout,
    "inactive": play_inactive,
    "orphan": play_orphan,
    "term": play_term,
    "bytes": play_bytes,
    "pause": play_pause,
}
