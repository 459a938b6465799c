"""Recordings of what components heard and said (docs/recording.md has the format): reading them.

    for part in load(Path("rec/count_bolt-4.rec")).parts:
        for exchange in part.exchanges():
            print(exchange.given.message(), exchange.said)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

MAGIC = b"stormcell recording 1\n"
"""The first line of a recording. A file may hold several, one behind the other."""

_FIRST_WORDS = b"stormcell recording "
_HEAD = re.compile(rb"(start|in|out) ([0-9]{1,11}\.[0-9]{6}) ([0-9]{1,10})\n")
_HEAD_MAX = 64
_END = re.compile(rb"\r?\nend(?:\r?\n|$)")


class RecordingError(Exception):
    """A file that cannot be read as a recording; the text is one line that says why."""


class Record(NamedTuple):
    """One message, or the start of an interpreter.

    kind: "in" (from Storm), "out" (to Storm) or "start".
    at: when it was taken or sent, seconds since 1970.
    body: the message as it was on the wire, without its line "end".
    """

    kind: str
    at: float
    body: bytes

    def message(self) -> Any:
        """The message, parsed. ValueError where it is no JSON: Storm's side may send anything."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Exchange:
    """A message from Storm, and what followed until the next one.

    given: the message; of the first exchange, the handshake.
    followed: what the component said, and the task ids by which Storm answered that, in order.
    """

    given: Record
    followed: list[Record] = field(default_factory=list)

    @property
    def said(self) -> list[Record]:
        """What the component said, in order."""
        return [record for record in self.followed if record.kind == "out"]


@dataclass
class Part:
    """What one interpreter heard and said, or as much of it as is in one file.

    component: str, MODULE.CLASS as Storm started it; "" where that is not known.
    directory: str, where it was started.
    goes_on: bool; what it heard before is not here: it was in a file that was full.
    handshake: dict, Storm's first message, without secrets.
    records: the messages, the handshake first.
    """

    component: str
    directory: str
    goes_on: bool
    handshake: dict[str, Any]
    records: list[Record]

    def exchanges(self) -> list[Exchange]:
        """The messages by what they answer; the handshake's exchange is the first."""
        found: list[Exchange] = []
        for record in self.records:
            answers = record.kind == "out" or record.body.startswith(b"[")
            if found and answers:
                found[-1].followed.append(record)
            else:
                found.append(Exchange(record))
        return found


@dataclass
class Recording:
    """What is in a file: one part at least. `cuts` has a line for each place where something is missing."""

    parts: list[Part]
    cuts: list[str]


def load(path: Path) -> Recording:
    """Read a file. RecordingError where nothing in it is of use; what is before a cut is."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    return parse(data, str(path))


def load_joined(path: Path) -> Recording:
    """Read a file and, where it goes on where another one was full, that one (`path` and ".1") before
    it. RecordingError."""
    recording = load(path)
    earlier = path.with_name(path.name + ".1")
    if not recording.parts[0].goes_on or not earlier.exists():
        return recording
    before = load(earlier)
    following, *others = recording.parts
    before.parts[-1].records.extend(following.records[1:])
    return Recording([*before.parts, *others], [*before.cuts, *recording.cuts])


def parse(data: bytes, name: str) -> Recording:
    """The same for what has been read; `name` stands for it in what is said. RecordingError."""
    if not data.startswith(MAGIC):
        raise RecordingError(f"{name}: {_what_it_is(data)}")
    readers = [_Reader(data, begin, end) for begin, end in _spans(data)]
    parts = [part for part in [reader.part() for reader in readers] if part is not None]
    cuts = [f"{name}: {reader.cut}" for reader in readers if reader.cut]
    if not parts:
        raise RecordingError(cuts[0])
    return Recording(parts, cuts)


def parse_input(data: bytes, name: str) -> Recording:
    """The same for a recording or for what Storm alone says, message by message as on the wire, the
    handshake first. RecordingError."""
    if data.startswith(_FIRST_WORDS):
        return parse(data, name)
    frames = [body for body in _END.split(data) if body.strip()]
    records = [Record("in", 0.0, body) for body in frames]
    handshake = _handshake(records[0]) if records else None
    if handshake is None:
        raise RecordingError(
            f"{name}: neither a recording nor messages of Storm's: it begins with no handshake"
        )
    return Recording([Part("", "", False, handshake, records)], [])


def _what_it_is(data: bytes) -> str:
    if MAGIC.startswith(data):
        return "a recording that is cut within its first line"
    if data.startswith(_FIRST_WORDS):
        version = data[len(_FIRST_WORDS) :].split(b"\n")[0][:20].decode("ascii", "replace")
        return f"a recording of version {version!r}; this Stormcell reads version 1"
    return "this is no recording: its first line is not 'stormcell recording 1'"


def _spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each recording in the file begins and ends. The line that begins one is in no message:
    a message is JSON, and what is cut may run right into it."""
    begin = 0
    while begin < len(data):
        following = data.find(b"\n" + MAGIC, begin)
        end = len(data) if following < 0 else following + 1
        yield begin, end
        begin = end


class _Reader:
    """Reads what data[begin:end] has of one interpreter. `cut` says what is wrong with it, or is ""."""

    def __init__(self, data: bytes, begin: int, end: int) -> None:
        self.data = data
        self.at = begin + len(MAGIC)
        self.end = end
        self.cut = ""

    def part(self) -> Part | None:
        """The part, or None where not even its handshake is there."""
        begin = self.at
        records = list(self.records())
        whole = [record.kind for record in records[:2]] == ["start", "in"]
        start = _object(records[0]) if whole else None
        handshake = _handshake(records[1]) if whole else None
        if start is None or handshake is None:
            self.cut = f"no start and no handshake at byte {begin}; nothing of what follows is used"
            return None
        return Part(
            component=str(start.get("class", "")),
            directory=str(start.get("directory", "")),
            goes_on=start.get("goes_on") is True,
            handshake=handshake,
            records=records[1:],
        )

    def records(self) -> Iterator[Record]:
        """The records up to the end, or up to one that is not whole."""
        while self._more():
            begin = self.at
            record = self._record()
            if record is None:
                self.cut = f"the record at byte {begin} is cut; what is before it is used"
                return
            yield record

    def _more(self) -> bool:
        """Step to the next record: a blank line stands before the next recording."""
        while self.at < self.end and self.data[self.at] == ord("\n"):
            self.at += 1
        return self.at < self.end

    def _record(self) -> Record | None:
        head = _HEAD.match(self.data, self.at, min(self.end, self.at + _HEAD_MAX))
        if head is None:
            return None
        end = head.end() + int(head[3])
        if end >= self.end or self.data[end] != ord("\n"):
            return None
        self.at = end + 1
        return Record(head[1].decode(), float(head[2]), self.data[head.end() : end])


def _object(record: Record) -> dict[str, Any] | None:
    """The message of a record, where it is a JSON object."""
    try:
        message = record.message()
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _handshake(record: Record) -> dict[str, Any] | None:
    """The message of a record, where it is a handshake."""
    message = _object(record) or {}
    whole = isinstance(message.get("conf"), dict) and isinstance(message.get("context"), dict)
    return message if whole else None
