"""At least once holds in a real Storm whose worker is killed again and again under load.

It needs what test_real.py needs.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from cluster import Cluster
from parent import SHIM, children_of, is_gone

NUMBERS, KILLS = 400_000, 3
NAME = "load"
PATIENCE = 240.0
CONF = {
    "topology.workers": 1,
    "topology.acker.executors": 1,
    "topology.max.spout.pending": 500,
}


@dataclass
class Load:
    """The topology of resources/load.py, and the two files in which it keeps what it knows."""

    storm: Cluster
    folder: Path

    def submit(self) -> None:
        for name in ("acked", "effects"):
            (self.folder / name).write_bytes(bytes(NUMBERS))
        spout = {
            "name": "numbers",
            "kind": "spout",
            "command": [SHIM, "load.Numbers"],
            "outputs": {"default": {"fields": ["number"]}},
        }
        sink = {
            "name": "sink",
            "kind": "bolt",
            "command": [SHIM, "load.Sink"],
            "inputs": [{"from": "numbers"}],
        }
        config = {**CONF, "load.folder": str(self.folder)}
        self.storm.submit({"name": NAME, "config": config, "components": [spout, sink]})

    def acked(self) -> int:
        return NUMBERS - (self.folder / "acked").read_bytes().count(0)

    def wait_for_acked(self, count: int) -> None:
        assert self.storm.wait_until(lambda: self.acked() >= count, PATIENCE), (
            f"{self.acked()} of {count} numbers are acked after {PATIENCE} s"
        )

    def kill_worker(self) -> None:
        """End the JVM at once; its children must go by themselves."""
        [worker] = self.storm.worker_pids(NAME)
        left = descendants_of(worker)
        os.kill(worker, signal.SIGKILL)
        assert self.storm.wait_until(lambda: is_gone(worker, *left), PATIENCE), "children stay behind"


def descendants_of(pid: int) -> list[int]:
    children = children_of(pid)
    return children + [each for child in children for each in descendants_of(child)]


@pytest.mark.timeout(900)
def test_every_number_reaches_the_sink_though_the_worker_is_killed(tmp_path: Path) -> None:
    chance = Random(7)
    jar = Path(os.environ["HOSTILE_FOLDER"], "topologies.jar")
    with Cluster(tmp_path / "storm", os.environ["HOSTILE_CLASS_PATH"], jar, 1) as storm:
        load = Load(storm, tmp_path)
        load.submit()
        for _ in range(KILLS):
            load.wait_for_acked(load.acked() + chance.randint(1, NUMBERS // 10))
            assert load.acked() < NUMBERS, "the load is over before the worker is killed"
            load.kill_worker()
        load.wait_for_acked(NUMBERS)
        assert storm.exits(NAME) == [128 + signal.SIGKILL] * KILLS
    acked, effects = ((tmp_path / name).read_bytes() for name in ("acked", "effects"))
    assert acked == b"\1" * NUMBERS, "a number was acked before its effect was in the sink"
    assert 0 not in effects
