"""ack() and fail(): every tuple is settled once, whoever does it."""

from __future__ import annotations

import pytest

from starting import Start

RUN = """
class Subject(Bolt):
    kept = []
    def process(self, tup):
        exec(tup.values[0], {**globals(), "self": self, "tup": tup, "kept": self.kept})
"""

SETTLED = (
    "ValueError: tuple {} is not waiting to be acked or failed: it was settled before, "
    "or Storm never sent it"
)

TWICE = [
    ("self.ack(tup); self.ack(tup)", "ack"),
    ("self.ack(tup); self.fail(tup)", "ack"),
    ("self.fail(tup); self.ack(tup)", "fail"),
    ("self.fail(tup.id); self.fail(tup)", "fail"),
    ("self.ack(tup); self.ack(tup.id)", "ack"),
]


@pytest.mark.parametrize(("source", "first"), TWICE, ids=[row[0] for row in TWICE])
def test_the_first_counts_and_the_second_raises(start: Start, source: str, first: str) -> None:
    parent = start(RUN)
    id, said = parent.exchange(source)
    assert said[0] == {"command": first, "id": id}
    assert [message["command"] for message in said] == [first, "error"]
    assert said[1]["msg"].endswith("\n" + SETTLED.format(id))


ONCE = [
    ("self.ack(tup)", "ack"),
    ("self.fail(tup)", "fail"),
    ("self.ack(tup.id)", "ack"),
    ("self.fail(tup=tup)", "fail"),
    ("self.ack(Tuple(tup.id, 'a', 'b', 1, []))", "ack"),
]


@pytest.mark.parametrize(("source", "what"), ONCE, ids=[row[0] for row in ONCE])
@pytest.mark.parametrize("id", [None, "no number", "0"])
def test_nothing_is_added_to_what_user_code_did(
    start: Start, source: str, what: str, id: str | None
) -> None:
    parent = start(RUN)
    id, said = parent.exchange(source, id=id)
    assert said == [{"command": what, "id": id}]


@pytest.mark.parametrize("id", ["5", "0", "-0", "007", "no id", "", "1" * 100, "\U0001f40e"])
def test_an_unknown_id(start: Start, id: str) -> None:
    parent = start(RUN)
    _, said = parent.exchange(f"self.ack({id!r})")
    assert [message["command"] for message in said] == ["error", "fail"]
    assert said[0]["msg"].splitlines()[-1] == SETTLED.format(id[:60])


NO_TUPLES = [
    ("self.ack(5)", "TypeError: a Tuple or the id of one (str) is needed, not a int"),
    ("self.fail(None)", "TypeError: a Tuple or the id of one (str) is needed, not a NoneType"),
    ("self.ack([tup])", "TypeError: a Tuple or the id of one (str) is needed, not a list"),
    ("self.is_live(b'5')", "TypeError: a Tuple or the id of one (str) is needed, not a bytes"),
    ("self.ack()", "TypeError: ack() needs the argument 'tup'"),
    ("self.fail(tup, 1)", "TypeError: fail() takes at most 1 arguments (2 given)"),
]


@pytest.mark.parametrize(("source", "message"), NO_TUPLES, ids=[row[0] for row in NO_TUPLES])
def test_what_is_no_tuple(start: Start, source: str, message: str) -> None:
    parent = start(RUN)
    _, said = parent.exchange(source)
    assert said[0]["msg"].splitlines()[-1] == message
    assert said[1]["command"] == "fail"


def test_is_live(start: Start) -> None:
    parent = start(RUN)
    _, said = parent.exchange(
        "self.log([self.is_live(tup), self.is_live(tup.id), self.is_live('5')]);"
        "self.ack(tup); self.log([self.is_live(tup), self.is_live(tup.id)])"
    )
    assert said[0]["msg"] == "[True, True, False]"
    assert said[2]["msg"] == "[False, False]"


@pytest.mark.parametrize("anchor", ["", ", anchors=[tup]", ", anchors=tup.id"])
def test_an_anchor_on_a_settled_tuple_is_refused(start: Start, anchor: str) -> None:
    parent = start(RUN)
    id, said = parent.exchange(f"self.ack(tup); self.emit([1]{anchor})")
    assert [message["command"] for message in said] == ["ack", "error"]
    last = said[1]["msg"].splitlines()[-1]
    assert last.startswith("ValueError: cannot anchor to ")
    assert id in last
    assert last.endswith(": it was acked or failed before (emit first, then ack)")


def test_after_an_ack_an_emit_without_anchors_is_fine(start: Start) -> None:
    parent = start(RUN)
    id, said = parent.exchange("self.ack(tup); self.emit([1], anchors=[])")
    assert [message["command"] for message in said] == ["ack", "emit"]


def test_an_exception_after_a_manual_ack_only_reports(start: Start) -> None:
    parent = start(RUN)
    _, said = parent.exchange("self.ack(tup); 1 / 0")
    assert [message["command"] for message in said] == ["ack", "error"]


def test_a_tuple_that_was_kept_can_be_settled_later(start: Start) -> None:
    parent = start("class Subject(Bolt):\n    auto_ack = False\n" + RUN.partition("Bolt):\n")[2])
    first, said = parent.exchange("kept.append(tup)")
    assert said == []
    second, said = parent.exchange("self.emit([1], anchors=kept); self.ack(kept.pop())")
    assert said[0]["anchors"] == [first]
    assert said[1:] == [{"command": "ack", "id": first}]
    assert parent.jvm.live == {second}


SWITCHES = [
    ("auto_ack", False, "pass", []),
    ("auto_ack", False, "1 / 0", ["error", "fail"]),
    ("auto_fail", False, "pass", ["ack"]),
    ("auto_fail", False, "1 / 0", ["error"]),
    ("auto_fail", False, "self.fail(tup)", ["fail"]),
    ("auto_anchor", False, "self.emit([1])", ["emit", "ack"]),
    ("auto_ack", True, "pass", ["ack"]),
]


@pytest.mark.parametrize("where", ["class", "initialize"])
@pytest.mark.parametrize(
    ("switch", "value", "source", "commands"),
    SWITCHES,
    ids=[f"{r[0]}={r[1]}: {r[2]}" for r in SWITCHES],
)
def test_the_switches(
    start: Start, where: str, switch: str, value: bool, source: str, commands: list[str]
) -> None:
    if where == "class":
        parent = start(f"{RUN}    {switch} = {value}\n")
    else:
        parent = start(
            f"{RUN}    def initialize(self, conf, ctx):\n        self.{switch} = {value}\n"
        )
    _, said = parent.exchange(source)
    assert [message["command"] for message in said] == commands
    if switch == "auto_anchor":
        assert "anchors" not in said[0]


def test_an_id_may_come_again_when_it_has_been_settled(start: Start) -> None:
    parent = start(RUN)
    for _ in range(3):
        id, said = parent.exchange("pass", id="77")
        assert said == [{"command": "ack", "id": "77"}]
        parent.jvm.settled.clear()
