"""stormcell.Bolt: what it says for the tuples that it is given."""

from __future__ import annotations

import pytest

from starting import Start
from jvm import AS_LONG, Message, Topology


def emitted(*values: object, anchors: list[str] | None = None, **more: object) -> Message:
    """A bolt's emit."""
    message: Message = {"command": "emit", "need_task_ids": False, "tuple": list(values), **more}
    return message if anchors is None else {**message, "anchors": anchors}


ECHO = """
class Subject(Bolt):
    def process(self, tup):
        self.emit([tup.values[0]])
"""


def test_emits_anchored_and_acks(start: Start) -> None:
    parent = start(ECHO)
    id, said = parent.exchange("dog")
    assert said == [emitted("dog", anchors=[id]), {"command": "ack", "id": id}]


def test_gets_what_was_sent(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                self.emit([[tup.id, tup.component, tup.stream, tup.task, tup.values]])
                assert type(tup.values) is not list and isinstance(tup.values, tuple)
        """)
    for id in (
        "-9223372036854775808",
        "9223372036854775807",
        "0",
        "-7",
        "no number",
        "9" * 19,
        "-0",
    ):
        _, said = parent.exchange("ä/\u2020\U0001f40e", id=id, task=3)
        assert said[0]["tuple"] == [[id, "words", "default", 3, ["ä/\u2020\U0001f40e"]]]


def test_values_of_every_kind_come_and_go_unchanged(start: Start) -> None:
    parent = start(ECHO)
    values: list[object] = [
        None, True, False, 0, -1, 2**31, -(2**63), 2**63 - 1, 0.1, -0.0, 1e300, 5e-324, 1.7976931348623157e308,
        "", "\0\x1f\"\\/\x7f\u2028", "äöü", "\U0001f40e", [], {}, [[], {}], {"a": {"b": [1, {"c": None}]}}, {"": 0},
    ]  # fmt: skip
    _, said = parent.exchange(values)
    [back] = said[0]["tuple"]
    assert back == values
    assert [type(value) for value in back] == [type(value) for value in values]
    assert str(back[9]) == "-0.0"


def test_takes_numbers_that_only_storm_writes(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                self.emit([repr(tup.values[0])])
        """)
    id, _ = parent.jvm.new_tuple([], "words", "default", 2)
    numbers = b"[NaN,1.0E300,123456789012345678901234567890,1E+2,1e999,-0.0,1e400]"
    parent.write(
        b'{"comp":"words","tuple":[%s],"task":2,"stream":"default","id":"%s"}\nend\n'
        % (numbers, id.encode())
    )
    text = parent.expect("emit")["tuple"][0]
    assert text == "[nan, 1e+300, 123456789012345678901234567890, 100.0, inf, -0.0, inf]"


def test_names_the_values_by_their_fields(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                self.emit([[tup.values.key, tup.values.count, tup.values._fields]])
        """)
    _, said = parent.exchange("dog", 5, stream="pairs")
    assert said[0]["tuple"] == [["dog", 5, ["key", "count"]]]


def test_streams_anchors_and_direct_tasks(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            auto_anchor = False
            auto_ack = False
            held = []
            def process(self, tup):
                self.held.append(tup)
                if len(self.held) < 2:
                    return
                one, two = self.held
                self.emit(["none"])
                self.emit(("pair", 1), "pair", [one])
                self.emit(["both"], anchors=[one, two.id])
                self.emit(["one"], anchors=one)
                self.emit(["one"], anchors=one.id)
                self.emit(["nobody"], anchors=[])
                self.emit(["direct"], stream="direct", direct_task=5)
                assert self.emit(["direct"], None or "direct", None, 6, True) == [6]
                self.ack(one), self.fail(two.id)
        """)
    one, _ = parent.exchange(1)
    two, said = parent.exchange(2)
    assert said == [
        emitted("none"),
        emitted("pair", 1, stream="pair", anchors=[one]),
        emitted("both", anchors=[one, two]),
        emitted("one", anchors=[one]),
        emitted("one", anchors=[one]),
        emitted("nobody"),
        emitted("direct", stream="direct", task=AS_LONG + 5),
        emitted("direct", stream="direct", task=AS_LONG + 6),
        {"command": "ack", "id": one},
        {"command": "fail", "id": two},
    ]


def test_returns_the_task_ids_that_it_asks_for(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                ids = self.emit([1], need_task_ids=True)
                assert self.emit([2]) is None
                self.emit([ids])
        """)
    id, said = parent.exchange("dog")
    assert [message.get("tuple") for message in said] == [[1], [2], [[1000]], None]
    assert said[0]["need_task_ids"] is True


def test_an_exception_becomes_a_report_and_fails_the_tuple(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                self.emit([1])
                self.count(tup.values.word)
            def count(self, word):
                raise KeyError(word)
        """)
    id, said = parent.exchange("dög")
    assert [message["command"] for message in said] == ["emit", "error", "fail"]
    lines = said[1]["msg"].splitlines()
    assert lines[0] == (
        f"Python KeyError raised while processing Tuple(id='{id}', component='words', "
        "stream='default', task=2, values=WordsDefaultTuple(word='dög'))"
    )
    assert lines[1].startswith("in component 'subject', task 4, on ")
    assert lines[1].endswith(f", process {parent.interpreter}")
    assert lines[2] == "Traceback (most recent call last):"
    assert "self.count(tup.values.word)" in said[1]["msg"]
    assert lines[-1] == "KeyError: 'dög'"
    assert said[2]["id"] == id
    _, said = parent.exchange("cat")  # and it lives on
    assert [message["command"] for message in said] == ["emit", "error", "fail"]


def test_exit_on_exception_ends_the_process(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            exit_on_exception = True
            def process(self, tup):
                raise ValueError("no")
        """)
    id = parent.send("dog")
    parent.send("cat")
    assert parent.wait() == 1
    said = parent.take_all()
    assert [message["command"] for message in said] == ["error", "fail", "error"]
    assert said[0]["msg"].endswith("ValueError: no")
    assert said[1]["id"] == id
    why = "exit_on_exception is set, and ValueError was raised\n"
    assert f"(task 4) ended while it had tuple {id} in hand: {why}" in said[2]["msg"]


def test_a_bolt_without_process_says_so(start: Start) -> None:
    parent = start("class Subject(Bolt): pass")
    _, said = parent.exchange("dog")
    assert said[0]["msg"].endswith("NotImplementedError: Subject has no process(self, tup)")
    assert said[1]["command"] == "fail"


TICKS = """
class Subject(Bolt):
    auto_ack = False
    def process(self, tup):
        assert not self.is_tick(tup)
        self.ack(tup)
    def process_tick(self, tup):
        assert self.is_tick(tup)
        self.emit([tup.values[0]])
"""


def test_ticks_go_to_process_tick_and_are_acked(start: Start) -> None:
    parent = start(TICKS)
    id = parent.tick()
    parent.barrier()
    assert parent.take_all() == [emitted(1, anchors=[id]), {"command": "ack", "id": id}]


def test_a_tick_that_nobody_wants_is_acked(start: Start) -> None:
    parent = start(ECHO)
    id = parent.tick()
    parent.barrier()
    assert parent.take_all() == [{"command": "ack", "id": id}]


@pytest.mark.parametrize(("auto_fail", "end"), [(True, "fail"), (False, "ack")])
def test_a_tick_whose_work_raises_is_settled(start: Start, auto_fail: bool, end: str) -> None:
    parent = start(f"""
        class Subject(Bolt):
            auto_fail = {auto_fail}
            def process_tick(self, tup):
                raise ValueError("no")
        """)
    id = parent.tick()
    parent.barrier()
    said = parent.take_all()
    assert said[0]["msg"].endswith("ValueError: no")
    assert said[1:] == [{"command": end, "id": id}]


def test_heartbeats_are_answered_and_not_handed_on(start: Start) -> None:
    parent = start(ECHO)
    for _ in range(3):
        parent.barrier()
    assert parent.take_all() == []


def test_methods_of_the_instance_count(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def __init__(self):
                pass  # without super().__init__()
            def initialize(self, conf, ctx):
                self.process = lambda tup: self.emit(["mine"])
                self.process_tick = lambda tup: self.emit(["my tick"])
                self.auto_ack = False
        """)
    id, said = parent.exchange("dog")
    assert said == [emitted("mine", anchors=[id])]
    id = parent.tick()
    parent.barrier()
    assert parent.take_all()[0] == emitted("my tick", anchors=[id])


def test_an_own_ack_and_fail_are_called(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                if tup.values[0] == "bad":
                    raise ValueError
            def ack(self, tup):
                self.log("acking"), super().ack(tup)
            def fail(self, tup):
                self.log("failing"), super().fail(tup)
        """)
    _, said = parent.exchange("good")
    assert [m.get("msg", m["command"]) for m in said] == ["acking", "ack"]
    _, said = parent.exchange("bad")
    assert [m.get("msg", m["command"]) for m in said][1:] == ["failing", "fail"]


def test_knows_who_it_is(start: Start) -> None:
    parent = start(
        """
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                assert conf is self.storm_conf and ctx is self.context
                self.log([self.topology_name, self.component_name, self.task_id, self.debug, self.pid,
                          conf["topology.submitter.user"], ctx["task->component"]["5"]])
        """,
        topology=Topology(conf={"topology.debug": True}),
    )
    text = parent.expect("log")["msg"]
    assert (
        text
        == f"['words', 'subject', 4, True, {parent.pid}, 'jane\u00e9/\u2020\U0001f40e', 'sink']"
    )


def test_a_tuple_with_a_wrong_number_of_values_is_reported_and_failed(start: Start) -> None:
    parent = start(ECHO)
    for values in ([1], [1, 2, 3], []):
        id, said = parent.exchange(*values, stream="pairs")
        than = "more" if len(values) > 2 else "fewer"
        assert said[0]["command"] == "error"
        assert said[0]["msg"].endswith(
            f"it has {than} values than the 2 fields that its stream declares"
        )
        assert said[1] == {"command": "fail", "id": id}


def test_a_tuple_of_no_known_stream_is_reported_and_failed(start: Start) -> None:
    parent = start(ECHO)
    for component, stream in (("words", "other"), ("numbers", "default")):
        id, said = parent.exchange(1, component=component, stream=stream)
        assert said[0]["command"] == "error"
        assert said[0]["msg"].endswith(
            f"ValueError: a tuple came from stream {stream!r} of component {component!r}, to which "
            "this component does not subscribe (it subscribes to: words/default, words/pairs); "
            "has the topology been changed without this component?"
        )
        assert said[1] == {"command": "fail", "id": id}


def test_a_spouts_command_for_a_bolt_ends_it_with_a_report(start: Start) -> None:
    parent = start(ECHO)
    parent.write(b'{"command":"next","id":""}\nend\n')
    assert parent.wait() == 1
    assert "a bolt got a command for spouts: is it declared as a spout in the topology?" in (
        parent.expect("error")["msg"]
    )
