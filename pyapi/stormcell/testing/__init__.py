"""Tests of components and topologies, without Storm.

    from stormcell.testing import run_bolt

    def test_counts() -> None:
        record = run_bolt(WordCounter, [("dog",), ("dog",)], inputs=["word"])
        assert record.values() == [["dog", 1], ["dog", 2]]
        assert record.acks == record.tuples

A component runs in the test's own process, by the loop, the codec and the rules that run it on a
cluster, so it does here what it does there. Debuggers, coverage and monkeypatch see it as any other
code. docs/testing.md tells the rest.
"""

from stormcell.testing.bolts import BoltHarness, run_bolt
from stormcell.testing.harness import StrictError
from stormcell.testing.record import Emit, Error, Log, Metric, Record
from stormcell.testing.spouts import SpoutHarness, run_spout
from stormcell.testing.topologies import ComponentRun, Death, TaskEmit, TopologyRun, run_topology

__all__ = [
    "BoltHarness",
    "ComponentRun",
    "Death",
    "Emit",
    "Error",
    "Log",
    "Metric",
    "Record",
    "SpoutHarness",
    "StrictError",
    "TaskEmit",
    "TopologyRun",
    "run_bolt",
    "run_spout",
    "run_topology",
]
