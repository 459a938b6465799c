"""The fixture `run`: a test writes its components and how they are joined, and has the engine run them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = Path(os.environ.get("STORMCELL_SHIM") or ROOT / "build" / "release" / "stormcell-shim").parent
SHIM = str(BUILT / "stormcell-shim")
ENGINE = os.environ.get("STORMCELL_ENGINE") or str(BUILT / "stormcell-engine")

# A run that has not ended by then has failed, however slow the machine.
PATIENCE = 120

PRELUDE = """\
import json, os, sys, time
from stormcell import BatchingBolt, Bolt, ReliableSpout, Spout

class Numbers(Spout):
    "Emits [0], [1], ... with the number as id, and tells what became of each."
    last = 10**9
    def initialize(self, conf, context):
        self.number = 0
    def next_tuple(self):
        if self.number < self.last:
            self.emit([self.number], tup_id=self.number)
            self.number += 1
    def ack(self, id):
        self.log('acked %s' % id)
    def fail(self, id):
        self.log('failed %s' % id)

class Sink(Bolt):
    def process(self, tup):
        pass
"""


def inputs(*taken: str | tuple[str, str] | tuple[str, str, str] | dict[str, Any]) -> list[Any]:
    """`"spout"`, `("spout", grouping)`, `("spout", "fields", field)` or the plan's own object."""
    found = []
    for one in taken:
        if isinstance(one, dict):
            found.append(one)
            continue
        name, kind, *fields = (one, "shuffle") if isinstance(one, str) else one
        grouping: dict[str, Any] = {"type": kind}
        if fields:
            grouping["fields"] = fields
        found.append({"component": name, "stream": "default", "grouping": grouping})
    return found


def topology(**components: dict[str, Any]) -> dict[str, Any]:
    """A plan's components; `of` names the class in the test's module, or `command` says it all."""
    plan = {}
    for name, given in components.items():
        component: dict[str, Any] = {"parallelism": 1, "conf": {}, **given}
        if "of" in component:
            component["command"] = [SHIM, f"components.{component.pop('of')}"]
        component["kind"] = "bolt" if "inputs" in component else "spout"
        fields = component.pop("fields", None)
        component.setdefault(
            "outputs", {"default": {"fields": fields or ["value"], "direct": False}})
        plan[name] = component
    return plan


@dataclass
class Run:
    """An engine at work, and what it has told so far."""

    process: subprocess.Popen[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    status: int | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            yield event

    def until(self, kind: str, condition: Callable[[dict[str, Any]], bool] = lambda _: True) -> Any:
        for event in self:
            if event["event"] == kind and condition(event):
                return event
        raise AssertionError(f"it ended without the event {kind!r}: {self.events[-5:]}")

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def finish(self) -> "Run":
        for _ in self:
            pass
        self.status = self.process.wait(PATIENCE)
        return self

    def of(self, kind: str, component: str | None = None) -> list[dict[str, Any]]:
        return [event for event in self.events
                if event["event"] == kind and component in (None, event.get("component"))]

    def logs(self, component: str) -> list[str]:
        return [event["text"] for event in self.of("log", component) if event["level"] == "info"]

    def emits(self, component: str) -> list[Any]:
        return [event["tuple"] for event in self.of("emit", component)]

    @property
    def end(self) -> dict[str, Any]:
        assert self.events[-1]["event"] == "end", self.events[-1]
        return self.events[-1]

    def totals(self, component: str) -> dict[str, Any]:
        totals: dict[str, Any] = self.end["components"][component]
        return totals


Runner = Callable[..., Run]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Runner]:
    """run(source, components, wait=True, conf={}, command=None, **run): start the engine, and, unless told
    otherwise, let it come to its end. Whatever still runs then is ended, and what is left is seen."""
    started: list[Run] = []

    def start(source: str, components: dict[str, Any], *, wait: bool = True,
              conf: dict[str, Any] | None = None, command: list[str] | None = None,
              **keys: Any) -> Run:
        (tmp_path / "components.py").write_text(PRELUDE + textwrap.dedent(source))
        plan = {"name": "test", "directory": str(tmp_path), "conf": conf or {},
                "components": components, "run": {key.replace("_", "."): value
                                                  for key, value in keys.items()}}
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        (tmp_path / "tmp").mkdir(exist_ok=True)
        path = os.pathsep.join([str(ROOT / "pyapi"), str(BUILT)])
        environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path / "tmp")}
        process = subprocess.Popen(
            [*(command or []), ENGINE, str(tmp_path / "plan.json")], stdout=subprocess.PIPE,
            text=True, env=environment, start_new_session=True)
        one = Run(process)
        started.append(one)
        return one.finish() if wait else one

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait(PATIENCE)
        assert one.process.stdout is not None
        one.process.stdout.close()


def unusable(tmp_path: Path, text: str) -> str:
    """Runs the engine on a plan's text: the one line that it says of it."""
    done = subprocess.run([ENGINE, "-"], input=text, capture_output=True, text=True,
                          timeout=PATIENCE, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def python(source: str) -> list[str]:
    """The command of a component that is a few lines of Python, and knows nothing of Stormcell."""
    return [sys.executable, "-c", PLAIN + textwrap.dedent(source)]


# Multilang by hand.
PLAIN = """\
import json, os, sys
def hear():
    lines = []
    while True:
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        if line == 'end\\n':
            return json.loads(''.join(lines))
        lines.append(line)
def say(message):
    sys.stdout.write((message if isinstance(message, str) else json.dumps(message)) + '\\nend\\n')
    sys.stdout.flush()
def shake():
    hello = hear()
    say({'pid': os.getpid()})
    return hello
"""
