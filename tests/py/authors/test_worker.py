"""A component that says how it stands in topologies is hosted like any other."""

from __future__ import annotations

import pytest

from starting import Start

STREAMS = """
import sys
from stormcell import Bolt, Stream

class Subject(Bolt):
    outputs = [Stream(["loaded"]), Stream(["task"], name="tasks", direct=True)]
    par = {"prod": 4}
    config = {"a": 1}

    def process(self, tup):
        slow = ("dataclasses", "difflib", "json", "stormcell.spec", "stormcell.topology")
        self.emit([[name for name in slow if name in sys.modules]])
"""

WHOLE = """
from stormcell import Bolt, Grouping, ShellSpout, Topology

class Subject(Bolt):
    outputs = ["value"]
    def process(self, tup):
        self.emit([tup.values[0]])

class Whole(Topology):
    class Inner(Subject):
        class Innermost(Bolt):
            def process(self, tup):
                self.emit([tup.values[0] * 2])

    words = ShellSpout.spec(command="node", outputs=["word"])
    subject = Subject.spec(inputs={words: Grouping.fields("word")}, par=2)
    inner = Inner.spec(inputs=[subject])
"""


def test_streams_cost_a_worker_nothing_slow(start: Start) -> None:
    _, said = start(STREAMS, prelude="").exchange("dog")
    assert said[0]["tuple"] == [[]]


@pytest.mark.parametrize(("name", "value"), [
    ("Subject", "dog"), ("Whole.Inner", "dog"), ("Whole.Inner.Innermost", "dogdog")])
def test_a_component_is_hosted_from_the_module_of_its_topology(start: Start, name: str, value: str) -> None:
    _, said = start(WHOLE, f"subject.{name}", prelude="").exchange("dog")
    assert said[0]["tuple"] == [value]
