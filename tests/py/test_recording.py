"""Reading recordings: whole ones, cut ones, and what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stormcell.readable import lines
from stormcell.recording import MAGIC, Part, Record, Recording, RecordingError, load, parse, parse_input

HELLO = {"conf": {"topology.name": "words"}, "context": {"taskid": 4}, "pidDir": None}


def record(kind: str, body: bytes, at: str = "1700000000.000001") -> bytes:
    return b"%b %b %d\n%b\n" % (kind.encode(), at.encode(), len(body), body)


def start(goes_on: bool = False) -> bytes:
    about = {"class": "subject.Subject", "directory": "/d", "pid": 5, "goes_on": goes_on}
    return record("start", json.dumps(about).encode())


BEGINNING = MAGIC + start() + record("in", json.dumps(HELLO).encode())
MESSAGES = [
    ("in", b'{"tuple":["a"]}'),
    ("out", b'{"command":"emit"}'),
    ("in", b"[5]"),
    ("out", b'{"command":"ack"}'),
    ("in", b""),
    ("in", b'{"tuple":\n["b"]}'),
]
WHOLE = BEGINNING + b"".join(record(*message) for message in MESSAGES)


def messages(part: Part) -> list[tuple[str, bytes]]:
    """Those behind the handshake."""
    return [(record.kind, record.body) for record in part.records[1:]]


# ---- whole ones -----------------------------------------------------------------------------


def test_what_is_read() -> None:
    recording = parse(WHOLE, "it")
    [part] = recording.parts
    assert recording.cuts == []
    assert (part.component, part.directory, part.goes_on) == ("subject.Subject", "/d", False)
    assert part.handshake == HELLO == part.records[0].message()
    assert messages(part) == MESSAGES
    assert part.records[1].at == 1700000000.000001


def test_exchanges() -> None:
    hello, first, empty, second = parse(WHOLE, "it").parts[0].exchanges()
    assert hello.given.message() == HELLO
    assert hello.followed == []
    assert first.given.message() == {"tuple": ["a"]}
    assert [record.message() for record in first.followed] == [
        {"command": "emit"},
        [5],
        {"command": "ack"},
    ]
    assert [record.message()["command"] for record in first.said] == ["emit", "ack"]
    assert empty.given.body == b""
    assert second.given.message() == {"tuple": ["b"]}


def test_one_behind_the_other() -> None:
    hello = b'{"conf":{"a":1},"context":{}}'
    more = MAGIC + start(goes_on=True) + record("in", hello) + record("out", b"1")
    recording = parse(WHOLE + b"\n" + more, "it")
    first, second = recording.parts
    assert recording.cuts == []
    assert messages(first) == MESSAGES
    assert second.handshake == {"conf": {"a": 1}, "context": {}}
    assert second.goes_on
    assert messages(second) == [("out", b"1")]


# ---- cut ones -------------------------------------------------------------------------------


def whole_records(length: int) -> list[tuple[str, bytes]]:
    """Those behind the handshake in the first `length` bytes of WHOLE."""
    found, at = [], len(BEGINNING)
    for message in MESSAGES:
        at += len(record(*message))
        if at <= length:
            found.append(message)
    return found


@pytest.mark.parametrize("length", range(len(BEGINNING), len(WHOLE)))
def test_all_before_a_cut_is_used(length: int) -> None:
    recording = parse(WHOLE[:length], "it")
    expected = whole_records(length)
    at = len(BEGINNING) + sum(len(record(*message)) for message in expected)
    assert messages(recording.parts[0]) == expected
    assert recording.cuts == (
        [] if at == length else [f"it: the record at byte {at} is cut; what is before it is used"]
    )


@pytest.mark.parametrize("length", [*range(len(BEGINNING), len(WHOLE), 7), len(WHOLE) - 1])
def test_what_follows_a_cut_is_used(length: int) -> None:
    recording = parse(WHOLE[:length] + b"\n" + WHOLE, "it")
    first, second = recording.parts
    # The line break before the second one may be the one that the cut took away.
    assert messages(first) in (whole_records(length), whole_records(length + 1))
    assert messages(second) == MESSAGES


@pytest.mark.parametrize("length", range(len(MAGIC), len(BEGINNING)))
def test_a_cut_before_the_handshake_is_complete(length: int) -> None:
    with pytest.raises(RecordingError) as error:
        parse(WHOLE[:length], "it")
    assert str(error.value) == (
        f"it: no start and no handshake at byte {len(MAGIC)}; nothing of what follows is used"
    )


@pytest.mark.parametrize("hello", [b"{}", b"7", b"{", b'{"conf":{},"context":[]}', b'{"conf":0,"context":{}}'])
def test_no_handshake(hello: bytes) -> None:
    with pytest.raises(RecordingError, match="^it: no start and no handshake at byte 22; "):
        parse(MAGIC + start() + record("in", hello), "it")
    with pytest.raises(RecordingError, match="^it: neither a recording nor messages of Storm's"):
        parse_input(hello + b"\nend\n", "it")


# ---- what is none ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "a recording that is cut within its first line"),
        (MAGIC[:-1], "a recording that is cut within its first line"),
        (b"GIF89a", "this is no recording: its first line is not 'stormcell recording 1'"),
        (b"stormcell recording 2\n", "a recording of version '2'; this Stormcell reads version 1"),
        (b"stormcell recording \xff\n", "a recording of version '\ufffd'; this Stormcell reads version 1"),
    ],
)
def test_no_recording(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "it.rec"
    path.write_bytes(data)
    with pytest.raises(RecordingError) as error:
        load(path)
    assert str(error.value) == f"{path}: {why}"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"/none\.rec: No such file or directory$"):
        load(tmp_path / "none.rec")
    with pytest.raises(RecordingError, match=r": Is a directory$"):
        load(tmp_path)


# ---- anything -------------------------------------------------------------------------------

TWO = WHOLE + b"\n" + WHOLE


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Two recordings with bits flipped, pieces taken out, and an end that is missing."""
    data = bytearray(TWO)
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    for _ in range(draw(st.integers(0, 2))):
        begin = draw(st.integers(0, len(data)))
        del data[begin : begin + draw(st.integers(0, 200))]
    return bytes(data[: draw(st.integers(0, len(data)))])


def read_all(data: bytes) -> Recording | None:
    try:
        recording = parse(data, "it")
    except RecordingError as error:
        assert "\n" not in str(error) and str(error).startswith("it: ")
        return None
    for part in recording.parts:
        exchanges = part.exchanges()
        assert exchanges[0].given is part.records[0]
        assert part.records == [
            record for exchange in exchanges for record in [exchange.given, *exchange.followed]
        ]
    return recording


@given(damaged())
def test_damage_is_told_or_harmless(data: bytes) -> None:
    read_all(data)


@given(st.binary(max_size=200).map(lambda rest: MAGIC + rest))
def test_anything_behind_the_first_line(rest: bytes) -> None:
    assert read_all(rest) is None


bodies = st.binary(max_size=40).filter(lambda body: MAGIC.strip() not in body)


@given(st.lists(st.tuples(st.sampled_from(["in", "out"]), bodies)))
def test_any_messages(told: list[tuple[str, bytes]]) -> None:
    recording = read_all(BEGINNING + b"".join(record(*message) for message in told))
    assert recording is not None and recording.cuts == []
    assert messages(recording.parts[0]) == told


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
KEYS = ("command", "comp", "tuple", "task", "stream", "id", "anchors", "level", "msg", "name", "params",
        "conf", "context", "need_task_ids")
COMMANDS = ("emit", "ack", "fail", "log", "error", "metrics", "sync", "next")


@given(
    st.sampled_from(["in", "out"]),
    anything | st.dictionaries(st.sampled_from(KEYS), anything | st.sampled_from(COMMANDS)),
)
def test_any_message_can_be_shown(kind: str, message: object) -> None:
    shown = lines(Record(kind, 0.0, json.dumps(message).encode()))
    assert len(shown) == 1 or kind == "out"
    assert "\n".join(shown).encode()


@given(st.binary())
def test_any_bytes_can_be_shown(body: bytes) -> None:
    [shown] = lines(Record("in", 0.0, body))
    assert shown.encode()
