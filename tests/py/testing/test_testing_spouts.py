"""Spouts as authors test them: run_spout() and SpoutHarness."""

from __future__ import annotations

from typing import Any

import pytest

from stormcell import Bolt, ReliableSpout, Spout
from stormcell.testing import Emit, Log, SpoutHarness, StrictError, run_spout

NO_ACKERS = {"topology.acker.executors": 0}


class Numbers(Spout):
    outputs = ["n"]

    def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
        self.n = 0

    def activate(self) -> None:
        self.log("activate")

    def deactivate(self) -> None:
        self.log("deactivate")

    def next_tuple(self) -> None:
        self.n += 1
        self.emit([self.n], tup_id=[self.n, "x"])

    def ack(self, tup_id: Any) -> None:
        self.log(f"ack {tup_id}")

    def fail(self, tup_id: Any) -> None:
        self.log(f"fail {tup_id}")


class Again(ReliableSpout):
    n = 0

    def next_tuple(self) -> None:
        self.n += 1
        if self.n <= 2:
            self.emit([self.n], tup_id=self.n)


class Broken(Spout):
    def next_tuple(self) -> None:
        self.emit([1 // 0])


def test_emits_and_what_it_is_told() -> None:
    record = run_spout(Numbers, 3, fail=lambda emit: emit.values == [2])
    assert record.emits == [Emit([n], id=[n, "x"]) for n in (1, 2, 3)]
    assert record.acks == [[1, "x"], [3, "x"]] and record.fails == [[2, "x"]]
    said = ["activate", "ack [1, 'x']", "fail [2, 'x']", "ack [3, 'x']"]
    assert record.logs == [Log(text) for text in said]


def test_step_by_step() -> None:
    with SpoutHarness(Numbers) as spout:
        assert spout.next_tuple(2).values() == [[1], [2]]
        assert len(spout.pending) == 2
        assert spout.ack((1, "x")).logs == [Log("ack [1, 'x']")]
        assert spout.pending == [Emit([2], id=[2, "x"])]
        assert spout.deactivate().logs == [Log("deactivate")]
        with pytest.raises(ValueError, match="deactivated"):
            spout.next_tuple()
        assert spout.settle().acks == [[2, "x"]]  # also while it pauses
        assert spout.activate().logs == [Log("activate")]
        assert spout.next_tuple().values() == [[3]]


def test_replays_of_a_reliable_spout() -> None:
    record = run_spout(Again, 6, fail=lambda emit: emit.id == 1)
    assert record.values() == [[1], [1], [2], [1], [1]]
    assert record.fails == [1] * 4 and record.acks == [2]
    assert record.logs == [Log("gave up tuple 1: it failed 4 times", "warn")]


def test_without_ackers_its_tuples_are_acked_at_once() -> None:
    with SpoutHarness(Numbers, config=NO_ACKERS) as spout:
        step = spout.next_tuple()
    assert step.logs[-1] == Log("ack [1, 'x']") and not spout.pending
    assert step.emits == [Emit([1])]


def test_an_exception_is_an_error() -> None:
    with SpoutHarness(Broken) as spout:
        [error] = spout.next_tuple().errors
        assert isinstance(error.exception, ZeroDivisionError) and error.tuple is None
        assert not spout.ended
    Broken.exit_on_exception = True
    try:
        with SpoutHarness(Broken) as spout:
            spout.next_tuple()
            assert spout.ended
    finally:
        Broken.exit_on_exception = False


def test_an_emit_that_raises() -> None:
    with SpoutHarness(Again) as spout:
        spout.raise_on_emit(OverflowError("no room"), emits=2)
        assert [str(error.exception) for error in spout.next_tuple(3).errors] == ["no room"] * 2
        assert not spout.component.unacked_tuples


def test_task_ids() -> None:
    class Asks(Spout):
        def next_tuple(self) -> None:
            self.log(self.emit([1], need_task_ids=True))

    record = run_spout(Asks, task_ids=[7, 8])
    assert record.emits == [Emit([1], task_ids=[7, 8])] and record.logs[0].text == "[7, 8]"


@pytest.mark.parametrize("tup_id, says", [(float("nan"), "tup_id is nan"), (None, "tup_id=")])
def test_what_storm_would_not_take(tup_id: Any, says: str) -> None:
    class Emits(ReliableSpout):
        def next_tuple(self) -> None:
            self.emit([1], tup_id)

    if tup_id is None:  # its own rule, not Storm's
        assert says in str(run_spout(Emits).errors[0].exception)
    else:
        with pytest.raises(StrictError, match=says):
            run_spout(Emits)


def test_an_emit_outside_of_a_command() -> None:
    with SpoutHarness(Again) as spout:
        spout.activate()
        with pytest.raises(StrictError, match=r"Again called emit\(\) outside of a command"):
            spout.component.emit([1], tup_id=1)
        spout.strict = False
        spout.component.emit([1], tup_id=1)
        assert [emit.id for emit in spout.next_tuple().emits] == [1, 1]


def test_what_is_no_spout() -> None:
    with pytest.raises(TypeError, match="a class of spouts is needed, not <class .*Bolt"):
        SpoutHarness(Bolt)  # type: ignore[type-var]
