"""Bolts as authors test them: run_bolt() and BoltHarness."""

from __future__ import annotations

import logging
import os
import threading
import time
from bdb import BdbQuit
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stormcell import BatchingBolt, Bolt, Spout, Stream, TicklessBatchingBolt, Tuple
from stormcell.testing import BoltHarness, Emit, Log, Metric, StrictError, run_bolt

TICKS = {"topology.tick.tuple.freq.secs": 1}


class WordCounter(Bolt):
    outputs = ["word", "count"]

    def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
        self.counts: Counter[str] = Counter()

    def process(self, tup: Tuple) -> None:
        word = tup.values.word
        self.counts[word] += 1
        self.emit([word, self.counts[word]])


class Manual(Bolt):
    auto_ack = False
    auto_fail = False
    auto_anchor = False

    def process(self, tup: Tuple) -> None:
        getattr(self, tup.values[0])(tup)

    def keep(self, tup: Tuple) -> None:
        pass

    def twice(self, tup: Tuple) -> None:
        self.ack(tup)
        self.ack(tup)

    def anchor_late(self, tup: Tuple) -> None:
        self.ack(tup)
        self.emit([1], anchors=[tup])

    def fail_it(self, tup: Tuple) -> None:
        self.fail(tup)


class Batch(BatchingBolt):
    def group_key(self, tup: Tuple) -> str:
        return str(tup.values[0])

    def process_batch(self, key: str, tups: list[Tuple]) -> None:
        if key == "bad":
            raise KeyError(key)
        self.emit([key, len(tups)])


class Timed(TicklessBatchingBolt):
    secs_between_batches = 2.5

    def process_batch(self, key: Any, tups: list[Tuple]) -> None:
        self.emit([len(tups)])


class Says(Bolt):
    """Does what its tuple's first value names."""

    def process(self, tup: Tuple) -> None:
        getattr(self, tup.values[0])(tup)

    def nan(self, tup: Tuple) -> None:
        self.emit([{"price": float("nan")}])

    def a_str(self, tup: Tuple) -> None:
        self.emit("text")

    def elsewhere(self, tup: Tuple) -> None:
        self.emit([1], stream="elsewhere")

    def too_many(self, tup: Tuple) -> None:
        self.emit([1, 2])

    def a_metric(self, tup: Tuple) -> None:
        self.report_metric("count", 1)

    def caught(self, tup: Tuple) -> None:
        try:
            self.emit([float("inf")])
        except ValueError:
            self.emit([None])

    def ids(self, tup: Tuple) -> None:
        self.emit([self.emit([1], need_task_ids=True)])

    def direct(self, tup: Tuple) -> None:
        self.emit([1], stream="direct", direct_task=5)

    def speak(self, tup: Tuple) -> None:
        self.log("one", "warn")
        self.logger.info("two")
        logging.getLogger("library").debug("three")
        self.report_error("four")

    def divide(self, tup: Tuple) -> None:
        self.emit([1 // 0])

    def forks(self, tup: Tuple) -> None:
        child = os.fork()
        if child == 0:
            try:
                self.emit([1])
            except RuntimeError as error:
                os._exit(0 if "forked has no connection" in str(error) else 1)
            os._exit(2)
        self.emit([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])])


# ---- what a bolt does ------------------------------------------------------------------------


def test_emits_anchors_and_acks() -> None:
    record = run_bolt(WordCounter, [("dog",), ("dog",)], fields=("word",))
    first, second = record.tuples
    assert record.emits == [
        Emit(["dog", 1], anchors=[first]),
        Emit(["dog", 2], anchors=[second]),
    ]
    assert record.acks == record.tuples
    assert not record.fails and not record.errors and not record.logs


class Echo(Bolt):
    def process(self, tup: Tuple) -> None:
        assert isinstance(tup.values, tuple)
        self.emit(tup.values)


def test_values_arrive_as_on_the_wire() -> None:
    values = (1, 2.0, (3, (4,)), {5: None, "ß": [True]}, 2**62, 1e300, -0.0, -(2**100))
    record = run_bolt(Echo, [values])
    assert record.values() == [[1, 2.0, [3, [4]], {"5": None, "ß": [True]}, 2**62, 1e300, -0.0, -(2**100)]]
    assert [type(value) for value in record.values()[0][:2]] == [int, float]
    assert record.tuples[0].values == tuple(record.values()[0])


def test_values_as_older_storms_take_them() -> None:
    with pytest.raises(StrictError, match="more than 64 bits"):
        run_bolt(Echo, [(2**64,)], config={"stormcell.big.integers": False})


def test_step_by_step() -> None:
    with BoltHarness(WordCounter, fields={"left": ["word"], "right": {"s": ["x", "word"]}}) as bolt:
        assert bolt.process(["a"], component="left").values() == [["a", 1]]
        bolt.component.counts["a"] = 10
        given = Tuple("77", "right", "s", 4, [0, "a"])
        step = bolt.process(given)
        assert step.values() == [["a", 11]]
        assert step.acks == step.tuples == [given]
        assert len(bolt.record.emits) == 2
        with pytest.raises(ValueError, match="id '77' already"):
            bolt.process(given)


def test_a_component_may_be_prepared_before_it_is_initialized() -> None:
    class Connects(Bolt):
        database = "real"

        def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
            self.log(f"{self.database} {conf['user']} {self.component_name} {self.topology_name}")

    bolt = BoltHarness(Connects, config={"user": "me"})
    bolt.component.database = "fake"
    assert bolt.initialize().logs == [Log("fake me tested test")]
    with pytest.raises(ValueError, match="already"):
        bolt.initialize()


def test_what_initialize_raises_comes_out() -> None:
    class Broken(Bolt):
        def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
            raise KeyError("password")

    with pytest.raises(KeyError, match="password"):
        run_bolt(Broken, [])


def test_an_exception_is_an_error_and_the_tuple_fails() -> None:
    record = run_bolt(Says, [["divide"], ["ids"]])
    [error] = record.errors
    assert isinstance(error.exception, ZeroDivisionError)
    assert error.tuple == record.tuples[0]
    assert "ZeroDivisionError" in error.text and "in divide" in error.text
    assert record.fails == record.tuples[:1] and record.acks == record.tuples[1:]


def test_exit_on_exception_ends_it() -> None:
    class Exits(Says):
        exit_on_exception = True

    with BoltHarness(Exits) as bolt:
        bolt.process(["divide"])
        assert bolt.ended
        with pytest.raises(ValueError, match="has ended"):
            bolt.process(["ids"])


    record = run_bolt(Exits, [["divide"], ["ids"]], seconds=1)
    assert len(record.tuples) == len(record.errors) == 1


def test_a_thread_of_its_own_may_speak() -> None:
    class Threaded(Bolt):
        def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
            self.go = threading.Event()
            self.thread = threading.Thread(target=self.speak)
            self.thread.start()

        def speak(self) -> None:
            self.go.wait()
            self.emit([threading.current_thread() is self.thread])

        def process(self, tup: Tuple) -> None:
            pass

    bolt = BoltHarness(Threaded)
    bolt.process([1])
    bolt.component.go.set()
    bolt.component.thread.join()
    assert bolt.process([2]).values() == [[True]]


def test_a_class_with_slots_and_arguments() -> None:
    class Slots(Bolt):
        __slots__ = ("word",)

        def __init__(self, word: str = "default") -> None:
            self.word = word

        def process(self, tup: Tuple) -> None:
            self.emit([self.word, type(self).__qualname__ == Slots.__qualname__])

    assert run_bolt(Slots, [[1]]).values() == [["default", True]]


def test_logs_errors_and_metrics() -> None:
    level = logging.getLogger().level
    record = run_bolt(Says, [["speak"]], config={"stormcell.log.level": "debug"})
    assert record.logs == [
        Log("one", "warn"),
        Log("stormcell.component.tested - two"),
        Log("library - three", "debug"),
    ]
    assert [error.text for error in record.errors] == ["four"]
    assert record.errors[0].exception is None
    assert logging.getLogger().level == level
    assert run_bolt(Says, [["speak"]]).logs == record.logs[:2]
    record = run_bolt(Says, [["a_metric"]], config={"stormcell.metrics": ["count"]})
    assert record.metrics == [Metric("count", 1)]


def test_task_ids_and_direct_emits() -> None:
    outputs = [Stream(["x"]), Stream(["x"], name="direct", direct=True)]
    record = run_bolt(Says, [["ids"], ["direct"]], task_ids=[4, 5], outputs=outputs)
    assert record.values() == [[1], [[4, 5]]]
    assert [emit.task_ids for emit in record.emits] == [[4, 5], None, None]
    assert record.emits[2].task == 5 and record.emits[2].stream == "direct"


def test_overrides_are_called() -> None:
    class Tagged(WordCounter):
        def emit(self, tup: Any, *args: Any, **kwargs: Any) -> Any:
            return super().emit([tup[0].upper(), tup[1]], *args, **kwargs)

        def ack(self, tup: Any) -> None:
            super().ack(tup)
            self.log("acked")

    record = run_bolt(Tagged, [["a"]], fields=["word"])
    assert record.values() == [["A", 1]] and record.logs == [Log("acked")]


def test_several_at_once_know_nothing_of_each_other() -> None:
    with BoltHarness(WordCounter, fields=["word"]) as one, BoltHarness(Manual) as other:
        other.process(["keep"])
        one.process(["a"])
        assert len(other.unsettled) == 1 and not one.unsettled
        other.component.ack(other.unsettled[0])


def test_a_forked_child_has_no_connection() -> None:
    assert run_bolt(Says, [["forks"]]).values() == [[0]]


def test_what_it_hears_and_says_can_be_recorded(tmp_path: Path) -> None:
    run_bolt(WordCounter, [["a"]], fields=["word"], config={"stormcell.record": str(tmp_path)})
    assert any(b'"a",1' in file.read_bytes() for file in tmp_path.iterdir())


def test_what_a_test_is_told_by_leaves_the_bolt() -> None:
    raised = [pytest.skip.Exception("here"), pytest.exit.Exception("here"), BdbQuit()]

    class Leaves(Bolt):
        def process(self, tup: Tuple) -> None:
            raise raised[tup.values[0]]

    bolt = BoltHarness(Leaves)
    for number, exception in enumerate(raised):
        with pytest.raises(type(exception)):
            bolt.process([number])
    assert not bolt.record.errors


def test_what_init_emits() -> None:
    class Early(Bolt):
        def __init__(self) -> None:
            self.emit(["early"])

        def process(self, tup: Tuple) -> None:
            pass

    class TooEarly(Bolt):
        def __init__(self) -> None:
            self.emit([{1, 2}])

    assert run_bolt(Early, [[1]]).values() == [["early"]]
    with pytest.raises(TypeError, match="is a set"):
        run_bolt(TooEarly, [])


# ---- time ------------------------------------------------------------------------------------


def test_ticks_come_as_time_passes() -> None:
    class Ticks(Bolt):
        def process_tick(self, tup: Tuple) -> None:
            assert self.is_tick(tup)
            self.emit([tup.values[0]])

    with BoltHarness(Ticks, config={"topology.tick.tuple.freq.secs": 5}) as bolt:
        assert not bolt.advance(4.9).emits
        assert bolt.advance(0.1).values() == [[5]]
        assert len(bolt.advance(15).emits) == 3
        assert bolt.now == 20
        assert bolt.tick().values() == [[5]]
        assert not bolt.record.tuples and not bolt.record.acks
        with pytest.raises(ValueError, match="time does not go back"):
            bolt.advance(-1)


def test_no_time_passes_by_itself() -> None:
    class Fast(Timed):
        secs_between_batches = 0.001

    with BoltHarness(Fast) as bolt:
        bolt.process([1])
        deadline = time.monotonic() + 0.01
        while time.monotonic() < deadline:
            pass
        assert not bolt.process([2]).emits
        assert bolt.advance(0.001).values() == [[2]]


def test_batches_by_ticks() -> None:
    with BoltHarness(Batch, config=TICKS) as bolt:
        for word in "a", "b", "a":
            bolt.process([word])
        assert not bolt.advance(1).emits
        step = bolt.advance(1)
        assert step.values() == [["a", 2], ["b", 1]]
        assert [tup.id for tup in step.emits[0].anchors] == ["1", "3"]
        assert len(step.acks) == 3


def test_a_batch_that_raises_fails_alone() -> None:
    record = run_bolt(Batch, [["bad"], ["a"], ["bad"]], config=TICKS, seconds=2)
    assert [tup.id for tup in record.fails] == ["1", "3"] and len(record.acks) == 1
    [error] = record.errors
    assert isinstance(error.exception, KeyError) and error.tuple == record.tuples[0]


def test_batches_by_the_clock() -> None:
    with BoltHarness(Timed) as bolt:
        bolt.process([1])
        assert not bolt.advance(2.4).emits
        assert bolt.advance(0.1).values() == [[1]]
        bolt.process([1])
        bolt.process([1])
        assert bolt.advance(10).values() == [[2]]


# ---- strict ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what, says",
    [
        ("nan", r"Says called emit\(\), which was refused: tuple\[0\]\['price'\] is nan"),
        ("a_str", "a tuple to emit must be a list or tuple of values, not a str"),
        ("elsewhere", "elsewhere"),
        ("too_many", "1 field .x., the tuple has 2 values"),
        ("a_metric", r"report_metric\(\), which was refused: metric 'count' is not in"),
        ("caught", r"tuple\[0\] is infinite"),
    ],
)
def test_what_storm_would_not_take(what: str, says: str) -> None:
    with pytest.raises(StrictError, match=says) as caught:
        run_bolt(Says, [[what]], outputs=["x"])
    assert caught.value.__cause__ is not None
    record = run_bolt(Says, [[what]], outputs=["x"], strict=False)
    assert bool(record.errors) == (what != "caught")


def test_settling_twice() -> None:
    with pytest.raises(StrictError, match=r"ack\(\), which was refused: tuple 1 is not waiting"):
        run_bolt(Manual, [["twice"]])


def test_anchoring_to_a_settled_tuple() -> None:
    with pytest.raises(StrictError, match="cannot anchor to Tuple.id='1'"):
        run_bolt(Manual, [["anchor_late"]])


def test_tuples_that_are_never_settled() -> None:
    with pytest.raises(StrictError, match="Manual neither acked nor failed 1 of 2 tuples: Tuple"):
        run_bolt(Manual, [["keep"], ["fail_it"]])
    record = run_bolt(Manual, [["keep"], ["fail_it"]], strict=False)
    assert not record.acks and record.fails == record.tuples[1:]


@pytest.mark.parametrize(
    "bolt, config, hint",
    [
        (Batch, {}, "the configuration has no 'topology.tick.tuple.freq.secs'"),
        (Batch, TICKS, r"as time passes \(seconds=\)"),
        (Timed, {}, r"due when time passes \(seconds=\)"),
    ],
)
def test_a_batch_that_is_never_due(bolt: type[Bolt], config: dict[str, Any], hint: str) -> None:
    with pytest.raises(StrictError, match=hint):
        run_bolt(bolt, [["a"]], config=config)


def test_an_error_of_the_test_is_not_hidden_by_the_end() -> None:
    with pytest.raises(LookupError), BoltHarness(Manual) as bolt:
        bolt.process(["keep"])
        raise LookupError


# ---- injected failures -----------------------------------------------------------------------


def test_an_emit_that_raises() -> None:
    with BoltHarness(WordCounter, fields=["word"]) as bolt:
        bolt.raise_on_emit(OSError("no room"))
        step = bolt.process(["a"])
        assert not step.emits and step.fails == step.tuples
        assert str(step.errors[0].exception) == "no room"
        assert bolt.process(["a"]).values() == [["a", 2]]


# ---- a test's own mistakes -------------------------------------------------------------------


class Words(Spout):
    pass


def test_what_is_no_bolt() -> None:
    with pytest.raises(TypeError, match="a class of bolts is needed, not <class .*Words"):
        BoltHarness(Words)  # type: ignore[type-var]


def test_tuples_that_do_not_fit() -> None:
    bolt = BoltHarness(WordCounter, fields=["word"])
    with pytest.raises(ValueError, match=r"\('a', 'b'\) does not fit the fields \['word'\]"):
        bolt.process(["a", "b"])
    with pytest.raises(ValueError, match="'other' of component 'source' is not among .*source/def"):
        bolt.process(["a"], stream="other")
    with pytest.raises(TypeError, match=r"message\['tuple'\]\[0\] is a set"):
        bolt.process([{"a"}])
    with pytest.raises(TypeError, match="not the str 'word'"):
        BoltHarness(WordCounter, fields="word")
