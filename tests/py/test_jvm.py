"""The referee itself: what ends a worker of Storm's must not pass in these tests."""

from __future__ import annotations

import json

import pytest

from jvm import AS_LONG, Jvm, Topology, Violation, frame, storm_json


def bolt() -> Jvm:
    jvm = Jvm(Topology())
    jvm.take(b'{"pid":1}\nend\n')
    return jvm


def spout(ackers: bool = True) -> Jvm:
    jvm = Jvm(Topology(kind="spout", ackers=ackers))
    jvm.take(b'{"pid":1}\nend\n')
    return jvm


def say(jvm: Jvm, **message: object) -> None:
    jvm.take(json.dumps(message).encode() + b"\nend\n")


def test_a_message_of_storms_looks_like_storms() -> None:
    assert storm_json({"a": "/\u2020\x7f\x01é\U0001f40e"}) == r'{"a":"\/\u2020\u007F\u0001é🐎"}'
    jvm = bolt()
    id, message = jvm.new_tuple(["a/b"], "words", "default", 2)
    expected = r'{"comp":"words","tuple":["a\/b"],"task":2,"stream":"default","id":"%s"}' % id
    assert message == expected.encode() + b"\nend\n"
    assert json.loads(jvm.heartbeat()[:-4])["comp"] is None


@pytest.mark.parametrize(
    ("junk", "why"),
    [
        (b"hello\n", "no JSON"),
        (b'{"command":"sync"}{"command":"sync"}', "not one value"),
        (b'"sync"', "no object"),
        (b"", "no JSON"),
        (b'{"command":"log","msg":"\xff"}', "no UTF-8"),
        (b'{"command":"log","msg":"a",\r"level":4294967296}', "several lines"),
        (b'{"command":"log","msg":"a","msg":"b"}', "a key twice"),
        (b'{"command":"emit","tuple":[NaN]}', "no JSON: NaN"),
        (b'{"command":"emit","tuple":[-Infinity]}', "no JSON: -Infinity"),
        (b'{"command":"emit","tuple":[9223372036854775808]}', "past 64 bits"),
        (b'{"command":"emit","tuple":[' + b"[" * 399 + b"]" * 399 + b"]}", "nested deeper"),
    ],
)
def test_what_is_no_message(junk: bytes, why: str) -> None:
    with pytest.raises(Violation, match=why):
        bolt().take(junk + b"\nend\n")


def test_nothing_comes_before_the_pid() -> None:
    with pytest.raises(Violation, match="before the pid"):
        say(Jvm(Topology()), command="log", msg="early")
    with pytest.raises(Violation, match="before the pid"):
        say(Jvm(Topology()), pid="1")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"command": "die"}, "no command of a bolt's"),
        ({"msg": "a"}, "no command of a bolt's"),
        ({"command": "log", "msg": 1}, "'msg' is no string"),
        ({"command": "log"}, "a log without text"),
        ({"command": "error"}, "an error without text"),
        ({"command": "log", "msg": "a", "level": 2}, "every Storm reads as Long"),
        ({"command": "log", "msg": "a", "level": AS_LONG + 9}, "no level"),
        ({"command": "sync", "task": 3}, "every Storm reads as Long"),
        ({"command": "sync", "stream": 3}, "'stream' is no string"),
        ({"command": "sync", "need_task_ids": 0}, "'need_task_ids' is no boolean"),
        ({"command": "emit", "tuple": "a"}, "'tuple' is no array"),
        ({"command": "emit", "tuple": [1], "anchors": [5]}, "'anchors' is no array of strings"),
        ({"command": "emit"}, "the stream has the fields"),
        ({"command": "emit", "tuple": []}, "the stream has the fields"),
        ({"command": "emit", "tuple": [1], "stream": "other"}, "not declared"),
        ({"command": "emit", "tuple": [1], "stream": "direct"}, "regular emit to a direct stream"),
        ({"command": "emit", "tuple": [1], "task": AS_LONG + 5}, "stream that is not direct"),
        ({"command": "emit", "tuple": [1], "stream": "direct", "task": AS_LONG + 50}, "no task"),
        ({"command": "emit", "tuple": [1], "anchors": ["5"]}, "not live"),
        ({"command": "ack", "id": "5"}, "never sent"),
        ({"command": "fail", "id": 5}, "an id that is no string"),
        ({"command": "metrics", "name": "count", "params": 1}, "not registered"),
    ],
)
def test_what_ends_a_worker(message: dict[str, object], why: str) -> None:
    with pytest.raises(Violation, match=why):
        say(bolt(), **message)


def test_a_tuple_is_settled_once() -> None:
    jvm = bolt()
    id, _ = jvm.new_tuple([1], "words", "default", 2)
    say(jvm, command="emit", tuple=[1], anchors=[id], need_task_ids=False)
    say(jvm, command="ack", id=id)
    with pytest.raises(Violation, match=r"has been settled \(ack\)"):
        say(jvm, command="fail", id=id)
    with pytest.raises(Violation, match="not live"):
        say(jvm, command="emit", tuple=[1], anchors=[id])


def test_a_spout_answers_each_command_once() -> None:
    jvm = spout()
    jvm.command("next")
    say(jvm, command="sync")
    with pytest.raises(Violation, match="a sync too many"):
        say(jvm, command="sync")


def test_a_spout_has_no_tuples_to_ack() -> None:
    with pytest.raises(Violation, match="no command of a spout's"):
        say(spout(), command="ack", id="5")


def test_task_ids_answer_only_those_who_ask() -> None:
    jvm = bolt()
    say(jvm, command="emit", tuple=[1])  # who does not say so asks
    say(jvm, command="emit", tuple=[1], need_task_ids=True)
    say(jvm, command="emit", tuple=[1], need_task_ids=False)
    say(jvm, command="emit", tuple=[1], stream="direct", task=AS_LONG + 5, need_task_ids=True)
    assert list(jvm.answers) == [frame([1000]), frame([1001])]


def test_without_ackers_the_ack_comes_within_the_emit() -> None:
    jvm = spout(ackers=False)
    jvm.command("next")
    say(jvm, command="emit", tuple=[1], id=[7], need_task_ids=False)
    assert list(jvm.answers) == [frame({"command": "ack", "id": [7]})]
    say(jvm, command="sync")
    say(jvm, command="sync")
    assert jvm.owed == 0


def test_a_cut_message_is_noticed() -> None:
    jvm = bolt()
    jvm.take(b'{"command":"sync"}\nen')
    with pytest.raises(Violation, match="the last message is cut"):
        jvm.finish()
