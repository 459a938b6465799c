"""ReliableSpout: what failed is emitted again."""

from __future__ import annotations

from starting import Start
from jvm import Topology

SPOUT = Topology(kind="spout", inputs={})

STATE = """
    def activate(self):
        self.log([dict(self.failed_tuples), self.unacked_tuples])
"""

RELIABLE = """
class Subject(ReliableSpout):
    ids = iter([7, "a", [1, [2]], 8])
    def next_tuple(self):
        self.emit(["dog"], next(self.ids))
""" + STATE


def test_a_failed_tuple_is_emitted_again_until_it_is_given_up(start: Start) -> None:
    parent = start(RELIABLE, topology=SPOUT)
    [first] = parent.command("next")
    assert first["id"] == 7
    for _ in range(3):
        assert parent.command("fail", 7) == [first]
    [warning] = parent.command("fail", 7)
    assert warning["msg"] == "gave up tuple 7: it failed 4 times"
    assert warning["level"] == 2**32 + 3
    [state] = parent.command("activate")
    assert state["msg"] == "[{}, {}]"


def test_an_acked_tuple_is_forgotten(start: Start) -> None:
    parent = start(RELIABLE, topology=SPOUT)
    parent.command("next")
    parent.command("next")
    parent.command("fail", "a")
    [state] = parent.command("activate")
    assert state["msg"] == (
        "[{'a': 1}, {7: (['dog'], None, None, False), 'a': (['dog'], None, None, False)}]"
    )
    assert parent.command("ack", 7) == []
    assert parent.command("ack", "a") == []
    [state] = parent.command("activate")
    assert state["msg"] == "[{}, {}]"


def test_an_id_that_is_a_list_works(start: Start) -> None:
    parent = start(RELIABLE, topology=SPOUT)
    for _ in range(3):
        said = parent.command("next")
    assert said[0]["id"] == [1, [2]]
    assert parent.command("fail", [1, [2]]) == said
    assert parent.command("ack", [1, [2]]) == []


def test_everything_of_the_emit_is_repeated(start: Start) -> None:
    parent = start(
        """
        class Subject(ReliableSpout):
            def next_tuple(self):
                self.emit(("k", 1), "id", "pair", need_task_ids=True)
                self.emit([1], tup_id=0, stream="direct", direct_task=5)
        """,
        topology=SPOUT,
    )
    pair, direct = parent.command("next")
    assert parent.command("fail", "id") == [pair]
    assert parent.command("fail", 0) == [direct]


def test_max_fails(start: Start) -> None:
    parent = start(RELIABLE + "    max_fails = 0\n", topology=SPOUT)
    parent.command("next")
    [warning] = parent.command("fail", 7)
    assert warning["msg"] == "gave up tuple 7: it failed once"


def test_what_storm_cannot_know_is_logged(start: Start) -> None:
    parent = start(RELIABLE, topology=SPOUT)
    for command in ("ack", "fail"):
        [error] = parent.command(command, "x")
        assert error["msg"] == f"Storm {command}ed 'x', which was not emitted or was acked before"
        assert error["level"] == 2**32 + 4


def test_an_emit_needs_an_id(start: Start) -> None:
    parent = start(
        """
        class Subject(ReliableSpout):
            def next_tuple(self):
                self.emit([1])
        """,
        topology=SPOUT,
    )
    [report] = parent.command("next")
    assert report["msg"].endswith(
        "ValueError: a ReliableSpout must emit with tup_id=, or it could not emit again"
    )


def test_an_emit_that_fails_leaves_nothing_behind(start: Start) -> None:
    parent = start(
        """
        class Subject(ReliableSpout):
            def next_tuple(self):
                self.emit([1], "good")
                for id, value in (("bad", b""), ("good", b"")):
                    try:
                        self.emit([value], id)
                    except TypeError:
                        pass
        """ + STATE.replace("\n", "\n        "),
        topology=SPOUT,
    )
    assert len(parent.command("next")) == 1
    [state] = parent.command("activate")
    assert state["msg"] == "[{}, {'good': ([1], None, None, False)}]"


def test_an_id_that_cannot_be_kept_is_refused(start: Start) -> None:
    parent = start(
        """
        class Subject(ReliableSpout):
            def next_tuple(self):
                self.emit([1], {"a": 1})
        """,
        topology=SPOUT,
    )
    [report] = parent.command("next")
    assert report["msg"].endswith(
        "TypeError: tup_id holds a dict, by which no tuple can be found again: use a str"
    )


def test_own_emit_and_ack_are_called(start: Start) -> None:
    parent = start(
        """
        class Subject(ReliableSpout):
            max_fails = 1
            def next_tuple(self):
                self.emit([1], tup_id=5)
            def emit(self, tup, **more):
                self.log("emitting")
                super().emit(tup, **more)
            def ack(self, tup_id):
                self.log("acking")
                super().ack(tup_id)
        """,
        topology=SPOUT,
    )
    parent.command("next")
    assert [m.get("msg", m["command"]) for m in parent.command("fail", 5)] == ["emitting", "emit"]
    said = parent.command("fail", 5)
    assert [message["msg"] for message in said] == ["gave up tuple 5: it failed 2 times", "acking"]


def test_without_ackers_nothing_is_kept(start: Start) -> None:
    parent = start(
        """
        class Subject(ReliableSpout):
            def next_tuple(self):
                for id in range(100):
                    self.emit([1], id)
        """ + STATE.replace("\n", "\n        "),
        topology=Topology(kind="spout", ackers=False),
    )
    assert len(parent.command("next")) == 100
    [state] = parent.command("activate")
    assert state["msg"] == "[{}, {}]"
