"""Whole topologies as authors test them: the fixture topology_runner, on the real engine."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from parent import SHIM, children_of, eventually
from small_topologies import WORDS, Broken, ManyByEnvironment, Picking, Waiting, WordCount
from stormcell.testing import Log, Metric, TopologyRun, run_topology
from stormcell.testing.plugin import topology_runner

__all__ = ["topology_runner"]


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORMCELL_SHIM", SHIM)
    monkeypatch.setenv("STORMCELL_ENGINE", str(Path(SHIM).with_name("stormcell-engine")))

def nothing_is_left() -> None:
    eventually(lambda: not children_of(os.getpid()), "the engine's processes to be gone")


def test_what_each_component_emitted(topology_runner: Any) -> None:
    run: TopologyRun = topology_runner(WordCount)
    assert run["words"].values() == [[word] for word in WORDS]
    assert [emit.id for emit in run["words"].emits] == WORDS
    last = {word: count for word, count in run["counts"].values()}
    assert last == Counter(WORDS)
    # a word's tuples all come to one task
    tasks = run["counts"].tasks
    by_task = [{word for word, _ in run["counts"].values(task=task)} for task in tasks]
    assert len(tasks) == 2 and not by_task[0] & by_task[1]
    assert {emit.anchored for emit in run["counts"].emits if emit.stream == "said"} == {False}
    assert run["counts"].logs == [Log("ready me", "warn")] * 2
    assert run["words"].acked == run["words"].emitted == run["counts"].executed == 6
    assert run.ok and run.reason == "idle" and run.in_flight == 0
    nothing_is_left()


def test_options_lie_over_the_topology_s_own(topology_runner: Any) -> None:
    run = topology_runner(WordCount, options={"user": "you"}, tuples=2)
    assert run["counts"].logs[0] == Log("ready you", "warn")
    assert run.reason == "tuples" and run["words"].emitted == 2


def test_as_many_tasks_as_the_environment_has(topology_runner: Any) -> None:
    run = topology_runner(ManyByEnvironment, environment="many", tuples=6, seed=1)
    assert len(run["counts"].tasks) == 3
    # dealt out in turn: two of the words each, and two emits a word
    emits = Counter(emit.task for emit in run["counts"].emits)
    assert emits == dict.fromkeys(run["counts"].tasks, 4)


def test_errors_metrics_and_failures(topology_runner: Any) -> None:
    run = topology_runner(Picking, tuples=3)
    [error] = run["picky"].errors
    assert "ValueError: no twos" in error
    assert run["picky"].metrics == [Metric("seen", 1), Metric("seen", 3)]
    assert run["numbers"].failed == 1 and run["numbers"].acked == 2
    assert not run.ok


def test_one_that_does_not_end_in_time(topology_runner: Any) -> None:
    begun = time.monotonic()
    with pytest.raises(AssertionError, match=r"Waiting had not ended after 2 s; emitted: numbers \d"):
        topology_runner(Waiting, seconds=1000, timeout=2)
    assert time.monotonic() - begun < 30
    nothing_is_left()


def test_one_that_cannot_go_on(topology_runner: Any) -> None:
    with pytest.raises(AssertionError, match="Broken could not go on(?s:.)*no database"):
        topology_runner(Broken)
    nothing_is_left()


def test_a_topology_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "topologies").mkdir()
    (tmp_path / "src" / "one_spout.py").write_text(
        "from stormcell import Bolt, Spout\n"
        "class One(Spout):\n"
        "    outputs = ['n']\n"
        "    def next_tuple(self):\n"
        "        self.emit([1])\n"
        "class Sink(Bolt):\n"
        "    def process(self, tup): print('got', tup.values.n)\n"
    )
    file = tmp_path / "topologies" / "one.py"
    file.write_text(
        "from one_spout import One, Sink\n"
        "from stormcell import Topology\n"
        "class Ones(Topology):\n"
        "    one = One.spec()\n"
        "    sink = Sink.spec(inputs=[one])\n"
    )
    run = run_topology(file, tuples=1)
    assert run["one"].values() == [[1]] and run["sink"].logs == [Log("got 1")]
