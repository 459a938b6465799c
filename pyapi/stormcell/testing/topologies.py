"""Whole topologies in a test: on the local engine, each task a process, as `stormcell run` has it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stormcell.engine import Engine
from stormcell.load import folders, load
from stormcell.plan import make_plan
from stormcell.testing.record import Log, Metric
from stormcell.topology import Topology

AGAIN_SECONDS = 0.5
"""From one interrupt to the next, for an engine that is to end: the second one ends it at once."""
IDLE_SECONDS = 1.0
"""After how long an idle topology has come to its end, where a test does not say."""
_SHOWN = 2000


@dataclass
class TaskEmit:
    """A tuple that a task emitted.

    values: as they arrive at the other side.
    stream: the stream that it went to.
    task: the task that emitted it.
    id: of a spout: its tup_id; None without one.
    direct: the task that it was sent to, where the emit was direct.
    anchored: of a bolt: whether Storm follows it.
    """

    values: list[Any]
    stream: str
    task: int
    id: Any = None
    direct: int | None = None
    anchored: bool = False


@dataclass
class Death:
    """An end of a component's process that nobody asked for.

    text: how and why. failed: how many tuples failed by it. again: whether it was started again.
    """

    text: str
    failed: int
    again: bool


@dataclass
class ComponentRun:
    """What all tasks of a component did.

    kind: 'spout' or 'bolt'. tasks: their numbers. emits, logs, metrics: in the order that they came. What
    is printed is a log here. errors: the reports' texts. deaths: of its processes.
    emitted, executed: tuples that it emitted, and that it was given (bolts).
    acked, failed: of a spout: its tuples that ended so, timed_out of them by time; of a bolt: the
        tuples that it settled.
    """

    kind: str
    tasks: list[int] = field(default_factory=list)
    emits: list[TaskEmit] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    emitted: int = 0
    executed: int = 0
    acked: int = 0
    failed: int = 0
    timed_out: int = 0

    def values(self, stream: str = "default", task: int | None = None) -> list[list[Any]]:
        """The values of what was emitted to `stream`, by one task or by all of them."""
        return [
            emit.values
            for emit in self.emits
            if emit.stream == stream and task in (None, emit.task)
        ]


@dataclass
class TopologyRun:
    """What a topology did.

    components: what each did, by its name; run["name"] is one of them.
    reason: why it ended: 'tuples', 'idle' or 'seconds'.
    in_flight: how many of the spouts' tuples were neither acked nor failed when it ended.
    ok: nothing failed, died, was reported or left in flight.
    """

    components: dict[str, ComponentRun]
    reason: str = ""
    in_flight: int = 0
    ok: bool = False

    def __getitem__(self, component: str) -> ComponentRun:
        return self.components[component]


def run_topology(
    topology: type[Topology] | str | Path,
    *,
    tuples: int | None = None,
    idle: float | None = None,
    seconds: float | None = None,
    options: Mapping[str, Any] | None = None,
    environment: str | None = None,
    seed: int | None = None,
    timeout: float = 60,
) -> TopologyRun:
    """Run a topology on the local engine until it has come to its end, and return what it did.

    topology: the class, or the file that defines it.
    tuples: end when the spouts have emitted so many. idle: end when nothing happened for so many
        seconds. seconds: end after so many. By default it ends when it is idle for a second.
    options: the topology's configuration, over its own `config`. environment: as `par` has it.
    seed: of what the engine does by chance.
    timeout: seconds after which it is ended and has failed.

    Raises AssertionError if it did not end in time or could not go on, TopologyError or EngineError if
    it could not be run at all.
    """
    if isinstance(topology, (str, Path)):
        topology = load(topology)
    if tuples is None and idle is None and seconds is None:
        idle = IDLE_SECONDS
    limits = {"tuples": tuples, "idle.secs": idle, "seconds": seconds}
    plan = make_plan(
        topology,
        name=topology.__name__,
        environment=environment,
        options={**topology.config, **(options or {})},
        directory=str(folders(topology.where.rpartition(":")[0])[0]),
        run={**limits, "emits": True, "seed": seed},
    )
    kinds = {name: component["kind"] for name, component in plan["components"].items()}
    run = TopologyRun({name: ComponentRun(kind) for name, kind in kinds.items()})
    with Engine(plan) as engine, _deadline(engine, timeout) as late:
        for event in engine:
            _hear(run, event)
        run.ok = engine.status == 0
    if late.is_set():
        raise AssertionError(f"{plan['name']} had not ended after {timeout:g} s; {_state(run)}")
    if run.reason == "failed":
        raise AssertionError(f"{plan['name']} could not go on; {_state(run)}")
    return run


@contextmanager
def _deadline(engine: Engine, timeout: float) -> Iterator[threading.Event]:
    """Have the engine end when the time is over, which is told by the event."""
    done, late = threading.Event(), threading.Event()

    def watch() -> None:
        seconds = timeout
        while not done.wait(seconds):
            late.set()
            engine.interrupt()
            seconds = AGAIN_SECONDS

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield late
    finally:
        done.set()
        watcher.join()


def _hear(run: TopologyRun, event: dict[str, Any]) -> None:
    kind = event["event"]
    if kind == "tasks":
        for task, name in event["tasks"].items():
            if name in run.components:
                run[name].tasks.append(int(task))
    elif kind == "end":
        run.reason, run.in_flight = event["reason"], event["in.flight"]
        for name, totals in event["components"].items():
            _total(run[name], totals)
    elif "component" in event:
        _note(run[event["component"]], event)


def _note(component: ComponentRun, event: dict[str, Any]) -> None:
    match event["event"]:
        case "emit":
            component.emits.append(
                TaskEmit(
                    event["tuple"],
                    event["stream"],
                    event["task"],
                    event.get("id"),
                    event.get("direct"),
                    event.get("anchored", False),
                )
            )
        case "log":
            component.logs.append(Log(event["text"], event["level"]))
        case "metric":
            component.metrics.append(Metric(event["name"], event["value"]))
        case "error":
            component.errors.append(event["text"])
        case "died":
            again = event["again.secs"] is not None
            component.deaths.append(Death(event["text"], event["failed"], again))


def _total(component: ComponentRun, totals: Mapping[str, Any]) -> None:
    component.emitted = totals["emitted"]
    component.executed = totals.get("executed", 0)
    component.acked = totals["acked"]
    component.failed = totals["failed"]
    component.timed_out = totals.get("timed.out", 0)


def _state(run: TopologyRun) -> str:
    """What there is to know of a run that did not come to its end: counts, and what went wrong."""
    counts = ", ".join(f"{name} {one.emitted}" for name, one in run.components.items())
    wrong = "".join(
        f"\n{name}: {text[-_SHOWN:]}"
        for name, one in run.components.items()
        for text in [*one.errors[-1:], *(death.text for death in one.deaths[-1:])]
    )
    return f"emitted: {counts}; in flight: {run.in_flight}{wrong}"
