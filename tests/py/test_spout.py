"""stormcell.Spout: one sync for each command, whatever happens."""

from __future__ import annotations

import json

import pytest

from starting import Start
from jvm import AS_LONG, Message, Topology

SPOUT = Topology(kind="spout", inputs={})


def emitted(*values: object, **more: object) -> Message:
    """A spout's emit."""
    return {"command": "emit", "need_task_ids": False, "tuple": list(values), **more}


def test_each_command_calls_its_method_and_is_answered_once(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                self.emit(["next"])
            def ack(self, tup_id):
                self.log(["ack", tup_id])
            def fail(self, tup_id):
                self.log(["fail", tup_id])
            def activate(self):
                self.log("activate")
            def deactivate(self):
                self.log("deactivate")
        """,
        topology=SPOUT,
    )
    said = [
        parent.command("activate"),
        parent.command("next"),
        parent.command("next"),
        parent.command("ack", 7),
        parent.command("fail", "a/b"),
        parent.command("deactivate"),
        parent.command("fail", None),
    ]
    assert said[1:3] == [[emitted("next")], [emitted("next")]]
    logs = [message["msg"] for messages in said[:1] + said[3:] for message in messages]
    assert logs == ["activate", "['ack', 7]", "['fail', 'a/b']", "deactivate", "['fail', None]"]


def test_what_is_not_overridden_is_answered(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                pass
        """,
        topology=SPOUT,
    )
    for command in ("activate", "next", "ack", "fail", "deactivate"):
        assert parent.command(command, 1) == []


IDS = [0, -1, 2**53 + 1, "", "a/b\u2020", 0.1, True, False, [1, ["a"]], {"a": [None]}]


def test_an_id_comes_back_as_it_went(start: Start) -> None:
    parent = start(
        """
        import json
        class Subject(Spout):
            def initialize(self, conf, ctx):
                self.ids = json.loads(os.environ["IDS"])
            def next_tuple(self):
                for id in self.ids:
                    self.emit([1], tup_id=id)
                self.emit([2])
                self.emit([3], None)
            def ack(self, tup_id):
                assert tup_id == self.ids[0] and type(tup_id) is type(self.ids.pop(0)), tup_id
        """,
        topology=SPOUT,
        env={"IDS": json.dumps(IDS)},
    )
    said = parent.command("next")
    assert [message["id"] for message in said[:-2]] == IDS
    assert said[-2:] == [emitted(2), emitted(3)]
    for message in said[:-2]:
        assert parent.command("ack", message["id"]) == []


def test_emits_to_streams_and_tasks(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                self.emit((1, 2), stream="pair")
                self.emit([1], 5, "direct", 6)
                assert self.emit([1], stream="direct", direct_task=5, need_task_ids=True) == [5]
                ids = self.emit([1], need_task_ids=True), self.emit([1], "id", need_task_ids=True)
                self.emit([ids])
        """,
        topology=SPOUT,
    )
    said = parent.command("next")
    assert said[:3] == [
        emitted(1, 2, stream="pair"),
        emitted(1, id=5, stream="direct", task=AS_LONG + 6),
        emitted(1, stream="direct", task=AS_LONG + 5),
    ]
    assert [message["need_task_ids"] for message in said[3:]] == [True, True, False]
    assert said[-1]["tuple"] == [[[1000], [1001]]]


@pytest.mark.parametrize("command", ["next", "ack", "fail", "activate", "deactivate"])
def test_an_exception_becomes_a_report_and_one_sync(start: Start, command: str) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self, tup_id=None):
                raise KeyError("no")
            ack = fail = activate = deactivate = next_tuple
        """,
        topology=SPOUT,
    )
    for _ in range(2):
        [report] = parent.command(command, 1)
        assert report["command"] == "error"
        assert report["msg"].startswith(
            "Python KeyError raised\nin component 'subject', task 4, on "
        )
        assert report["msg"].endswith("KeyError: 'no'")


def test_reporting_by_hand_sends_no_sync(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                try:
                    {}["key"]
                except KeyError as error:
                    self.raise_exception(error)
                self.report_error("and more")
        """,
        topology=SPOUT,
    )
    said = parent.command("next")
    assert [message["command"] for message in said] == ["error", "error"]
    assert said[0]["msg"].endswith("KeyError: 'key'")
    assert said[1]["msg"] == "and more"


def test_a_spout_without_next_tuple_says_so(start: Start) -> None:
    parent = start("class Subject(Spout): pass", topology=SPOUT)
    [report] = parent.command("next")
    assert report["msg"].endswith("NotImplementedError: Subject has no next_tuple(self)")


def test_without_ackers_no_id_goes_out_and_each_is_acked_behind_the_command(start: Start) -> None:
    """Storm would call ack() from within the emit, one in the other, until its stack is full."""
    parent = start(
        """
        class Subject(Spout):
            acked = 0
            def next_tuple(self):
                for id in range(3000):
                    self.emit([self.acked], id)
            def ack(self, tup_id):
                self.acked += 1
        """,
        topology=Topology(kind="spout", ackers=False),
    )
    said = parent.command("next")
    assert [message["tuple"] for message in said] == [[0]] * 3000
    assert not any("id" in message for message in said)
    assert parent.command("next")[0]["tuple"] == [3000]


def test_without_ackers_an_ack_that_emits_does_not_go_on_for_ever(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                self.emit(["first"], [1, "one"])
            def ack(self, tup_id):
                self.emit([tup_id], 2)
        """,
        topology=Topology(kind="spout", ackers=False),
    )
    assert [message["tuple"] for message in parent.command("next")] == [["first"], [[1, "one"]]]
    assert [message["tuple"] for message in parent.command("deactivate")] == [[2]]


def test_without_ackers_an_ack_that_raises_is_reported(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                self.emit([1], 1)
                self.emit([2], 2)
            def ack(self, tup_id):
                raise ValueError(tup_id)
        """,
        topology=Topology(kind="spout", ackers=False),
    )
    said = [message["command"] for message in parent.command("next")]
    assert said == ["emit", "emit", "error", "error"]


def test_emits_while_it_starts_are_sent_after_the_pid(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def initialize(self, conf, ctx):
                self.emit(["early"], 1)
            def next_tuple(self):
                pass
        """,
        topology=SPOUT,
    )
    assert parent.command("activate") == [emitted("early", id=1)]


def test_exit_on_exception_ends_the_process(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            exit_on_exception = True
            def next_tuple(self):
                raise ValueError("no")
        """,
        topology=SPOUT,
    )
    parent.write(parent.jvm.command("next"))
    assert parent.wait() == 1
    assert parent.expect("error")["msg"].endswith("ValueError: no")
    assert parent.expect("error")["msg"].endswith(
        "of component 'subject' (task 4) ended: exit_on_exception is set, and ValueError was raised"
    )


def test_a_tuple_for_a_spout_ends_it_with_a_report(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                pass
        """,
        topology=SPOUT,
    )
    parent.send("dog")
    assert parent.wait() == 1
    assert "a spout got a tuple: is it declared as a bolt in the topology?" in (
        parent.expect("error")["msg"]
    )


def test_an_unknown_command_is_reported_and_answered(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                pass
        """,
        topology=SPOUT,
    )
    [report] = parent.command("dance")
    assert report["msg"] == (
        'Stormcell dropped a message from Storm that it could not read: no command of Storm\'s: "dance"'
    )
    assert parent.command("next") == []


def test_an_unreadable_command_is_reported_and_answered(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                self.emit([1])
        """,
        topology=SPOUT,
    )
    parent.jvm.owed += 1
    parent.write(b'{"command":"next","id":}\nend\n')
    parent.wait_for(lambda: parent.jvm.owed == 0, "a sync")
    report, sync = parent.take_all()
    assert report["msg"].startswith(
        "Stormcell dropped a message from Storm that it could not read: "
    )
    assert parent.command("next") == [emitted(1)]
