"""BatchingBolt and TicklessBatchingBolt."""

from __future__ import annotations

import pytest

from starting import Start
from jvm import Message
from parent import Parent

BATCHES = """
class Subject(BatchingBolt):
    def group_key(self, tup):
        return tup.values[0] % 2
    def process_batch(self, key, tups):
        if any(tup.values[0] < 0 for tup in tups):
            raise ValueError("negative")
        self.emit([[key, [tup.values[0] for tup in tups]]])
"""


def say(*values: int, parent: Parent) -> list[str]:
    ids = [parent.send(value) for value in values]
    parent.barrier()
    assert parent.take_all() == []
    return ids


def tick(parent: Parent) -> tuple[str, list[Message]]:
    id = parent.tick()
    parent.barrier()
    return id, parent.take_all()


def emits(said: list[Message]) -> list[list[object]]:
    return [message["tuple"] for message in said if message["command"] == "emit"]


def settled(said: list[Message], command: str) -> list[str]:
    return [message["id"] for message in said if message["command"] == command]


def test_batches_are_worked_on_at_the_second_tick(start: Start) -> None:
    parent = start(BATCHES)
    ids = say(1, 2, 3, 5, parent=parent)
    first, said = tick(parent)
    assert said == [{"command": "ack", "id": first}]
    second, said = tick(parent)
    odd, even = [ids[0], ids[2], ids[3]], [ids[1]]
    assert emits(said) == [[[1, [1, 3, 5]]], [[0, [2]]]]
    assert [message["anchors"] for message in said if message["command"] == "emit"] == [odd, even]
    assert settled(said, "ack") == [*odd, *even, second]


def test_no_batch_is_worked_on_twice_and_none_is_empty(start: Start) -> None:
    parent = start(BATCHES)
    say(1, parent=parent)
    counts = [len(emits(tick(parent)[1])) for _ in range(5)]
    assert counts == [0, 1, 0, 0, 0]
    # The ticks that passed with nothing to do count: the next tuple waits for one tick only.
    say(1, parent=parent)
    assert len(emits(tick(parent)[1])) == 1


def test_ticks_between_batches(start: Start) -> None:
    parent = start(BATCHES + "    ticks_between_batches = 3\n")
    say(1, parent=parent)
    assert [len(emits(tick(parent)[1])) for _ in range(4)] == [0, 0, 0, 1]


def test_a_batch_that_raises_fails_alone(start: Start) -> None:
    parent = start(BATCHES)
    bad = say(1, -1, parent=parent)
    good = say(2, 4, parent=parent)
    tick(parent)
    last, said = tick(parent)
    [report] = [message["msg"] for message in said if message["command"] == "error"]
    assert report.startswith(f"Python ValueError raised while processing Tuple(id='{bad[0]}'")
    assert report.endswith("ValueError: negative")
    assert settled(said, "fail") == bad
    assert settled(said, "ack") == [*good, last]
    assert emits(said) == [[[0, [2, 4]]]]
    for _ in range(3):  # and it is gone
        last, said = tick(parent)
        assert said == [{"command": "ack", "id": last}]


def test_without_auto_ack_and_auto_fail_nothing_is_settled(start: Start) -> None:
    parent = start(BATCHES + "    auto_ack = auto_fail = False\n")
    ids = say(1, -2, parent=parent)
    tick(parent)
    last, said = tick(parent)
    assert [message["command"] for message in said] == ["emit", "error", "ack"]
    assert said[-1]["id"] == last
    assert set(ids) == parent.jvm.live


def test_tuples_that_user_code_settled_are_left_alone(start: Start) -> None:
    parent = start("""
        class Subject(BatchingBolt):
            def process_batch(self, key, tups):
                self.ack(tups[0])
                self.fail(tups[1])
                if len(tups) > 3:
                    raise ValueError
        """)
    ids = say(1, 2, 3, parent=parent)
    tick(parent)
    last, said = tick(parent)
    assert settled(said, "ack") == [ids[0], ids[2], last]
    assert settled(said, "fail") == [ids[1]]
    ids = say(1, 2, 3, 4, parent=parent)
    tick(parent)
    last, said = tick(parent)
    assert settled(said, "ack") == [ids[0], last]
    assert settled(said, "fail") == ids[1:]


def test_an_exception_in_group_key_fails_its_tuple_alone(start: Start) -> None:
    parent = start("""
        class Subject(BatchingBolt):
            def group_key(self, tup):
                return 1 // tup.values[0] and None
            def process_batch(self, key, tups):
                self.emit([[key, len(tups)]])
        """)
    [good] = say(1, parent=parent)
    bad = parent.send(0)
    parent.barrier()
    report, fail = parent.take_all()
    assert report["msg"].endswith("ZeroDivisionError: integer division or modulo by zero")
    assert fail == {"command": "fail", "id": bad}
    tick(parent)
    last, said = tick(parent)
    assert emits(said) == [[[None, 1]]]
    assert settled(said, "ack") == [good, last]


def test_batches_can_be_worked_on_by_hand(start: Start) -> None:
    parent = start("""
        class Subject(BatchingBolt):
            def process(self, tup):
                super().process(tup)
                if tup.values[0] == "last":
                    self.process_batches()
            def process_batch(self, key, tups):
                self.emit([len(tups)])
        """)
    one = parent.send("first")
    two = parent.send("last")
    parent.barrier()
    said = parent.take_all()
    assert said[0]["anchors"] == [one, two]
    assert settled(said, "ack") == [one, two]


@pytest.mark.parametrize(
    ("auto_fail", "failed"), [(True, [0, 1, 2]), (False, [])], ids=["auto_fail", "no auto_fail"]
)
def test_exit_on_exception_gives_everything_back(
    start: Start, auto_fail: bool, failed: list[int]
) -> None:
    parent = start(BATCHES + f"    exit_on_exception = True\n    auto_fail = {auto_fail}\n")
    ids = say(-1, 2, 1, parent=parent)
    parent.tick()
    parent.tick()
    assert parent.wait() == 1
    said = parent.take_all()
    errors = [message["msg"] for message in said if message["command"] == "error"]
    assert len(errors) == 2, "the exception once, and the end"
    assert errors[0].endswith("ValueError: negative")
    assert "exit_on_exception is set, and ValueError was raised" in errors[1]
    assert sorted(settled(said, "fail")) == sorted(ids[i] for i in failed)


def test_a_bolt_without_process_batch_says_so(start: Start) -> None:
    parent = start("class Subject(BatchingBolt): pass")
    say(1, parent=parent)
    tick(parent)
    _, said = tick(parent)
    assert said[0]["msg"].endswith(
        "NotImplementedError: Subject has no process_batch(self, key, tups)"
    )


TICKLESS = """
class Subject(TicklessBatchingBolt):
    secs_between_batches = 0.05
    def __init__(self):
        pass  # without super().__init__()
    def process_batch(self, key, tups):
        if tups[0].values[0] < 0:
            raise ValueError("negative")
        self.emit([[tup.values[0] for tup in tups]])
"""


def test_tickless_goes_by_the_clock(start: Start) -> None:
    parent = start(TICKLESS)
    ids = [parent.send(value) for value in (1, 2, 3)]
    got: list[int] = []
    acks: list[str] = []
    while len(acks) < 3:  # the clock may strike between any two of them
        message = parent.expect("emit")
        got += message["tuple"][0]
        assert message["anchors"] == ids[len(acks) : len(got)]
        acks += [parent.expect("ack")["id"] for _ in message["anchors"]]
    assert (got, acks) == ([1, 2, 3], ids)
    later = parent.send(4)
    assert parent.expect("emit")["tuple"] == [[4]]
    assert parent.expect("ack")["id"] == later


def test_tickless_goes_on_after_an_exception(start: Start) -> None:
    parent = start(TICKLESS)
    bad = parent.send(-1)
    assert parent.expect("error")["msg"].endswith("ValueError: negative")
    assert parent.expect("fail")["id"] == bad
    good = parent.send(5)
    assert parent.expect("emit")["tuple"] == [[5]]
    assert parent.expect("ack")["id"] == good


@pytest.mark.parametrize("seconds", ["0", "-1", "float('nan')", "1e30", "'2'", "None"])
def test_tickless_needs_a_time(start: Start, seconds: str) -> None:
    parent = start(TICKLESS.replace("0.05", seconds))
    assert parent.wait() == 1
    assert parent.expect("error")["msg"].endswith(
        f"ValueError: secs_between_batches must be a number of seconds, not {eval(seconds)!r}"
    )


def test_tickless_only_acks_ticks(start: Start) -> None:
    parent = start(TICKLESS.replace("0.05", "3600"))
    parent.send(1)
    for _ in range(3):
        id, said = tick(parent)
        assert said == [{"command": "ack", "id": id}]


def test_tickless_starts_no_thread(start: Start) -> None:
    parent = start("""
        import threading
        class Subject(TicklessBatchingBolt):
            secs_between_batches = 0.01
            def process_batch(self, key, tups):
                self.emit([[threading.active_count(), threading.current_thread().name]])
        """)
    parent.send(1)
    assert parent.expect("emit")["tuple"] == [[1, "MainThread"]]
    parent.expect("ack")
