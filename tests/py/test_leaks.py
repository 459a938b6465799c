"""Objects are given back: what a component does again and again leaves no more behind each time."""

from __future__ import annotations

import pytest

from starting import Start
from jvm import Topology
from parent import Parent

RUN = """
import gc, sys
class Unshowable:
    def __repr__(self):
        raise ValueError
def blocks():
    gc.collect()
    return sys.getallocatedblocks()
class Subject(Bolt):
    def process(self, tup):
        if tup.values[0] == "measure":
            self.emit([blocks()])
        elif isinstance(tup.values[0], str) and tup.values[0].startswith("repeat "):
            self.repeat(compile(tup.values[0][7:], "repeated", "exec"), {**globals(), "self": self, "tup": tup})
        elif tup.values[0] == "raise":
            raise KeyError(tup.values[0])
    def repeat(self, code, names):
        counts = []
        for _ in range(3):
            for _ in range(300):
                try:
                    exec(code, names)
                except Exception:
                    pass
            counts.append(blocks())
        self.emit([["counts", *counts]])
"""

ENOUGH = 100
"""Blocks that caches and the like may take between two rounds of 300."""

REPEATED = [
    "self.emit([[1, 'text', 1.5, {'a': None}]])",
    "self.emit([1], stream='default', anchors=[tup, tup.id])",
    "self.emit([1], need_task_ids=True)",
    "self.emit([1], 'direct', direct_task=5, need_task_ids=True)",
    "self.emit([{'a': [b'']}])",
    "self.emit(['\\ud800'])",
    "self.emit([2**64])",
    "self.emit([1, 2])",
    "self.emit([1], 'other')",
    "self.emit('text')",
    "self.emit(Unshowable())",
    "self.emit([1], anchors=['5'])",
    "self.emit([1], anchors=[tup, 5])",
    "self.emit([1], 5)",
    "self.emit([1], tup_id=5)",
    "self.emit([1], tup=[1])",
    "self.log(['text', 1], 'debug')",
    "self.log(Unshowable())",
    "self.logger.warning('text')",
    "self.report_error('text')",
    "self.raise_exception(ValueError('no'), tup)",
    "self.report_metric('count', [1, {'a': 1.5}])",
    "self.ack('5')",
    "self.fail(5)",
    "self.is_live(tup)",
    "self._current_tups = self._current_tups",
    "tup == Tuple(tup.id, tup.component, tup.stream, tup.task, tup.values)",
    "hash(tup), repr(tup), tup.id, tup.__reduce__()",
    "Tuple('5', 'a', 'b', 1, [1, [2]])",
    "Tuple('5', 'a', 'b', 1, 5)",
    "Bolt(), Spout(), BatchingBolt(), ReliableSpout()",
]


@pytest.mark.parametrize("statement", REPEATED)
def test_what_a_component_does(start: Start, statement: str) -> None:
    parent = start(RUN, topology=Topology(metrics={"count"}))
    parent.send("repeat " + statement)
    parent.barrier()
    [counts] = [
        message["tuple"][0][1:]
        for message in parent.take_all("emit")
        if isinstance(message["tuple"][0], list) and message["tuple"][0][0] == "counts"
    ]
    assert grown(counts) < ENOUGH, counts


def grown(counts: list[int]) -> int:
    """By how many blocks each round has grown at least: what leaks does so in every one, what a cache takes
    comes when it comes."""
    return min(later - earlier for earlier, later in zip(counts, counts[1:]))


def measure(parent: Parent) -> int:
    parent.exchange("measure")
    blocks: int = parent.jvm.said[-3]["tuple"][0]
    return blocks


RECEIVED: list[tuple[list[object], dict[str, object]]] = [
    (["text"], {}),
    ([["a\nb", "ä", 1, 2**70, 1.5, 0.1234567890123456789, None, True, [], {}, {"a": {"b": [1]}}]], {}),
    (["raise"], {}),
    ([1, 2], {}),
    ([1, 2], {"stream": "pairs"}),
    ([1], {"stream": "unknown"}),
    ([1], {"component": "__system", "stream": "__tick", "task": -1}),
]  # fmt: skip


@pytest.mark.parametrize(("values", "more"), RECEIVED, ids=[f"{r[0]} {r[1]}" for r in RECEIVED])
@pytest.mark.parametrize("numbered", [True, False], ids=["number", "text id"])
def test_what_a_component_is_sent(
    start: Start, values: list[object], more: dict[str, object], numbered: bool
) -> None:
    parent = start(RUN)
    counts = []
    for turn in range(6):
        for n in range(300):
            parent.send(*values, id=None if numbered else f"id {turn} {n}", **more)  # type: ignore[arg-type]
        parent.barrier()
        parent.take_all()
        counts.append(measure(parent))
    assert grown(counts) < ENOUGH, counts


def test_what_a_spout_does(start: Start) -> None:
    parent = start(
        """
        import gc, sys
        class Subject(ReliableSpout):
            n = 0
            def next_tuple(self):
                for _ in range(100):
                    self.n += 1
                    self.emit([self.n], ["id", self.n])
            def deactivate(self):
                gc.collect()
                self.log(sys.getallocatedblocks())
            def activate(self):
                raise ValueError
        """,
        topology=Topology(kind="spout"),
    )
    counts = []
    for _ in range(4):
        for message in parent.command("next"):
            parent.command("fail", message["id"])
            parent.command("ack", message["id"])
            parent.command("ack", message["id"])
        parent.command("activate")
        counts.append(int(parent.command("deactivate")[0]["msg"]))
    assert counts[3] - counts[2] < ENOUGH, counts
