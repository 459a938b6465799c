"""The local engine and a real Storm agree: the same topology, by the same seed, runs in both, and what its tasks
see is the same. Each task tells it in log messages (resources/agreement.py): the context of the handshake with all
task ids, the tuples that it got, where those go on to, what became of the trees.

AGREEMENT_SEEDS="3 4 5" in the environment makes other topologies by chance than those that always run."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import as_the_engine_does, described
from localstorm import PATIENCE, SHIM, Event, Topology

pytestmark = as_the_engine_does

ENGINE = os.environ.get("STORMCELL_ENGINE") or str(
    Path(shutil.which(SHIM) or SHIM).with_name("stormcell-engine"))

# A spout of Storm's does not wait for the bolts, and those of all tests are started at once.
TIMEOUT = {"topology.message.timeout.secs": 20, "topology.acker.executors": 1}
ENGINES_TIMEOUT = 5
LEAF = "number leaf verdict"
# A tuple's values alone say where it goes.
DECIDED = [("fields", "root"), ("fields", "value"), ("fields", "value", "root"), ("global",), ("all",)]
SEEDS = [int(seed) for seed in os.environ.get("AGREEMENT_SEEDS", "1 2").split()]

Facts = dict[int, Counter[str]]


def reads(source: str, grouping: str, *fields: str, stream: str = "default") -> Event:
    return {"from": source, "stream": stream, "grouping": grouping, "fields": fields}


def component(name: str, what: str, *inputs: Event, parallelism: int = 1, fields: str = "number key",
              more: str | None = None, config: dict[str, Any] | None = None) -> Event:
    """A class of resources/agreement.py; `more` names another stream, with the same fields."""
    outputs = {stream: {"fields": fields.split(), "direct": stream == "direct"}
               for stream in filter(None, ("default", more))}
    return {"name": name, "kind": "bolt" if inputs else "spout", "command": [SHIM, f"agreement.{what}"],
            "inputs": inputs, "outputs": outputs, "parallelism": parallelism, "config": config or {}}


def plan_of(topology: Event) -> dict[str, Any]:
    """The engine's plan for what Plan.java makes a topology of."""
    components = {}
    for one in topology["components"]:
        inputs = [
            {"component": taken["from"], "stream": taken["stream"],
             "grouping": {"type": taken["grouping"].replace("_", "-"),
                          **({"fields": taken["fields"]} if taken["fields"] else {})}}
            for taken in one["inputs"]
        ]
        components[one["name"]] = {
            "kind": one["kind"], "command": one["command"], "parallelism": one["parallelism"],
            "conf": one["config"], "outputs": one["outputs"], **({"inputs": inputs} if inputs else {}),
        }
    conf = {**topology["config"], "topology.message.timeout.secs": ENGINES_TIMEOUT}
    return {"name": topology["name"], "directory": topology["resources"], "conf": conf,
            "components": components, "run": {"seconds": PATIENCE}}


def run_engine(plan: dict[str, Any]) -> Iterator[Event]:
    """Yields the engine's events; it ends with whoever takes them."""
    engine = subprocess.Popen([ENGINE, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert engine.stdin is not None and engine.stdout is not None
    try:
        with engine.stdin:
            json.dump(plan, engine.stdin)
        yield from map(json.loads, engine.stdout)
    finally:
        for _ in range(2):  # the second signal does not wait for what is in flight
            engine.send_signal(signal.SIGINT)
        engine.stdout.close()
        engine.wait(PATIENCE)


def told_by_engine(topology: Event, messages: dict[str, int]) -> Facts:
    """The log messages by task, until there are as many of these components."""
    facts: Facts = defaultdict(Counter)
    missing = Counter(messages)
    for event in run_engine(plan_of(topology)):
        if event["event"] == "log":
            facts[event["task"]][event["text"]] += 1
            missing[event["component"]] -= 1
        if max(missing.values()) <= 0:
            return facts
    raise AssertionError(f"the engine ended, messages are missing: {missing}")


def told_by_storm(running: Topology, messages: dict[str, int]) -> Facts:
    facts: Facts = defaultdict(Counter)
    for component, count in messages.items():
        running.wait_for("log", component=component, count=count, seconds=2 * PATIENCE)
    for event in running.seen("log"):
        facts[event["task"]][event["text"]] += 1
    return facts


def both(running: Topology, request: pytest.FixtureRequest, **messages: int) -> tuple[Facts, Facts]:
    """What Storm's tasks and the engine's have told when so many messages of these components have come."""
    topology = described(request.node, next(request.node.iter_markers("topology")))
    return told_by_storm(running, messages), told_by_engine(topology, messages)


def all_of(facts: Facts) -> Counter[str]:
    return sum(facts.values(), Counter())


def check_agreement(storms: Facts, engines: Facts) -> None:
    """Fails with what one of them told and the other did not."""
    lines = []
    for task in sorted(storms.keys() | engines.keys()):
        for who, more, less in (("Storm", storms, engines), ("the engine", engines, storms)):
            lines += [f"task {task}, only {who}: {text}"
                      for text in sorted((more[task] - less[task]).elements())]
    if lines:
        pytest.fail("\n".join([f"{len(lines)} differences", *lines[:20]]), pytrace=False)


@pytest.mark.topology(
    component("keys", "Keys", more="direct", config={"test.seed": 1}),
    component("fields", "Tell", reads("keys", "fields", "key"), parallelism=5),
    component("fields2", "Tell", reads("fields", "fields", "key", "number"), parallelism=3),
    component("partial", "Tell", reads("keys", "partial_key", "key"), parallelism=4),
    component("all", "Tell", reads("keys", "all"), parallelism=2),
    component("global", "Tell", reads("fields", "global"), parallelism=2),
    component("pointed", "Tell", reads("keys", "direct", stream="direct"), parallelism=3),
    component("tick", "Tick", reads("keys", "shuffle"), config={"topology.tick.tuple.freq.secs": 1}),
)
def test_the_same_tuples_come_to_the_same_tasks(
    running: Topology, request: pytest.FixtureRequest
) -> None:
    storms, engines = both(running, request, keys=302, tick=2)
    check_agreement(storms, engines)
    assert sum(all_of(storms).values()) > 2000


@pytest.mark.topology(
    component("trees", "Trees", config={"test.seed": 2}),
    component("branch", "Branch", reads("trees", "global"), fields=LEAF),
    component("judge", "Judge", reads("branch", "fields", "number"), fields=LEAF, parallelism=2),
    component("strict", "Strict", reads("judge", "shuffle"), fields=LEAF, parallelism=3),
    config=TIMEOUT,
)
def test_the_same_trees_are_acked_fail_and_time_out(
    running: Topology, request: pytest.FixtureRequest
) -> None:
    # By shuffle a tuple comes to any task of "strict".
    storms, engines = ({0: all_of(facts)} for facts in both(running, request, trees=122))
    check_agreement(storms, engines)
    verdicts = Counter(text.split()[0] for text in storms[0].elements())
    assert min(verdicts[kind] for kind in ("acked", "failed", "ack", "fail", "forget")) >= 5, verdicts


LOOSE = (
    component("loose", "Loose", fields=LEAF, more="nobody", config={"test.seed": 3}),
    component("judge", "Judge", reads("loose", "local_or_shuffle"), fields=LEAF, parallelism=2),
    component("strict", "Strict", reads("judge", "none"), fields=LEAF, parallelism=2),
)


@pytest.mark.parametrize("ackers", [
    pytest.param(1, marks=pytest.mark.topology(*LOOSE, config=TIMEOUT)),
    pytest.param(0, marks=pytest.mark.topology(*LOOSE, config={**TIMEOUT, "topology.acker.executors": 0})),
])
def test_the_same_tuples_are_settled_without_a_tree(
    running: Topology, request: pytest.FixtureRequest, ackers: int
) -> None:
    storms, engines = ({0: all_of(facts)} for facts in both(running, request, loose=28, judge=22, strict=14))
    check_agreement(storms, engines)
    failed = [text for text in storms[0] if text.startswith("failed")]
    assert bool(failed) == bool(ackers), failed


@pytest.mark.topology(
    component("ids", "Ids", fields="key", config={"test.seed": 4}),
    component("tell", "Tell", reads("ids", "fields", "key"), fields="key", parallelism=2),
    config=TIMEOUT,
)
def test_the_same_ids_come_back(running: Topology, request: pytest.FixtureRequest) -> None:
    storms, engines = both(running, request, ids=30)
    check_agreement(storms, engines)


def by_chance(seed: int) -> Any:
    """One or two spouts, and bolts that each take some streams of those before them."""
    chance = random.Random(seed)
    components = [component(f"spout{i}", "Roots", fields="root value", more="other", config={"test.seed": seed},
                            parallelism=chance.randrange(1, 3)) for i in range(chance.randrange(1, 3))]
    for i in range(chance.randrange(3, 6)):
        streams = [(one["name"], stream) for one in components for stream in one["outputs"]]
        taken = chance.sample(streams, chance.randrange(2, min(5, len(streams)) + 1))
        inputs = [reads(name, *chance.choice(DECIDED), stream=stream) for name, stream in taken]
        components.append(component(f"bolt{i}", "Grow", *inputs, fields="root value", more="more",
                                    parallelism=chance.randrange(1, 4)))
    return pytest.mark.topology(*components, config=TIMEOUT)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=by_chance(seed)) for seed in SEEDS])
def test_topologies_by_chance(running: Topology, request: pytest.FixtureRequest, seed: int) -> None:
    topology = next(request.node.iter_markers("topology"))
    spouts = {one["name"]: 62 * one["parallelism"] for one in topology.args if one["kind"] == "spout"}
    storms, engines = both(running, request, **spouts)
    check_agreement(storms, engines)
    verdicts = Counter(text.split()[0] for text in all_of(storms).elements())
    assert min(verdicts[kind] for kind in ("acked", "failed", "ack", "fail", "forget")) >= 1, verdicts
