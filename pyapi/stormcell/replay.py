"""Running a component again on what was recorded, and comparing what it says now with what it said."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from stormcell import readable
from stormcell.recording import Exchange, Part, Record, load

_END = b"\nend\n"
_UNLIMITED = 2**62


class ReplayError(Exception):
    """A replay that cannot be; the text is one line, but for the traceback of a failed import."""


@dataclass(frozen=True)
class Host:
    """How a component is run.

    component: str, MODULE.CLASS.
    directory: Path, the working directory, where MODULE is found.
    python: str, the interpreter, which must have Stormcell installed.
    pdb: bool; debug each exception in this terminal.
    until: str or None, a regular expression: the run ends at the first exception whose traceback
        matches it, and no other is debugged.
    """

    component: str
    directory: Path
    python: str = sys.executable
    pdb: bool = False
    until: str | None = None


@dataclass(frozen=True)
class Replayed:
    """What came of it: the conversation, and why it ended early (a text, or "")."""

    part: Part
    end: str


# ---- running --------------------------------------------------------------------------------


def run(part: Part, host: Host) -> Replayed:
    """Run the component on the messages of `part`, as fast as it takes them. ReplayError."""
    with tempfile.TemporaryDirectory(prefix="stormcell-replay-") as folder:
        scratch = Path(folder)
        (scratch / "messages").write_bytes(b"".join(_messages(part, scratch)))
        process = _start(host, scratch)
        answers = scratch / "answers"
        said = _frames(answers.read_bytes()) if answers.exists() else []
        recordings = list(scratch.glob("*.rec"))
        if not recordings:
            raise ReplayError(_why_nothing(process, host))
        replayed = load(recordings[0]).parts[0]
        return Replayed(replayed, "" if process.returncode == 0 else _end(said, replayed))


def _messages(part: Part, scratch: Path) -> Iterator[bytes]:
    """What Storm said, as it said it, but for the settings that would get in the way."""
    handshake = copy.deepcopy(part.handshake)
    handshake["pidDir"] = None
    handshake["conf"] = {
        **handshake["conf"],
        "stormcell.record": str(scratch),
        "stormcell.record.max.bytes": _UNLIMITED,
        "stormcell.restart": {"max": 0},
        "stormcell.hang.timeout.secs": 0,
    }
    yield json.dumps(handshake).encode() + _END
    for record in part.records[1:]:
        if record.kind == "in":
            yield record.body + _END


def _start(host: Host, scratch: Path) -> subprocess.CompletedProcess[bytes]:
    command = [host.python, "-m", "stormcell.replayed", host.component]
    command += [str(scratch / "messages"), str(scratch / "answers")]
    command += ["--pdb"] if host.pdb else []
    command += [f"--until={host.until}"] if host.until is not None else []
    # Sets of text have the same order in each replay.
    environment = {"PYTHONHASHSEED": "0", **os.environ}
    try:
        return subprocess.run(command, cwd=host.directory, env=environment, check=False)
    except OSError as error:
        raise ReplayError(f"{error.filename}: {error.strerror}") from None


def _why_nothing(process: subprocess.CompletedProcess[bytes], host: Host) -> str:
    return (
        f"{host.python} -m stormcell.replayed ended with status {process.returncode} before it took "
        f"the first message: see above; is Stormcell installed for that Python?"
    )


def _frames(data: bytes) -> list[Any]:
    """The messages in a stream to Storm."""
    return [json.loads(text) for text in data.split(_END) if text.strip()]


def _end(said: list[Any], replayed: Part) -> str:
    """What the guardian reported of a component's end: the errors that are not the component's own."""
    own = [record.body for record in replayed.records if record.kind == "out"]
    errors = [message for message in said if message.get("command") == "error"]
    texts = [str(e["msg"]) for e in errors if json.dumps(e, separators=(",", ":")).encode() not in own]
    return "\n".join(texts) or "it ended without a word"


# ---- comparing ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A message that was answered differently.

    number: int, which message from Storm it was; the handshake is 0.
    given: Record, the message.
    lines: what followed: behind "  " in both, behind "- " only in the recording, behind "+ " only now.
    """

    number: int
    given: Record
    lines: list[str]


def differences(recorded: Part, replayed: Part) -> Iterator[Difference]:
    """Where the answers differ, message by message, as far as the replay went."""
    before, now = recorded.exchanges(), replayed.exchanges()
    for number, (old, new) in enumerate(zip(before, now)):
        said = new.said
        if number == len(before) - 1 and _keys(said)[: len(old.said)] == _keys(old.said):
            said = said[: len(old.said)]  # the recording may end in the middle of the answer
        if _keys(said) != _keys(old.said):
            yield Difference(number, old.given, list(_diff(old.said, said)))


def _keys(records: list[Record]) -> list[str]:
    return [_key(record) for record in records]


def _diff(old: list[Record], new: list[Record]) -> Iterator[str]:
    matcher = SequenceMatcher(None, _keys(old), _keys(new), autojunk=False)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            yield from _marked("  ", new[new_start:new_end])
        else:
            yield from _marked("- ", old[old_start:old_end])
            yield from _marked("+ ", new[new_start:new_end])


def _marked(mark: str, records: list[Record]) -> Iterator[str]:
    for record in records:
        for line in readable.lines(record):
            yield mark + line


def _key(record: Record) -> str:
    """What of a message is compared: all but the order of its keys and what differs in every process."""
    try:
        message = record.message()
    except (ValueError, RecursionError):
        return repr(record.body)
    if isinstance(message, dict) and isinstance(message.get("msg"), str):
        message["msg"] = _lasting(message["msg"])
    return json.dumps(message, sort_keys=True)


def _lasting(text: str) -> str:
    """A log line or a report without process numbers, addresses, hosts, and the frames of a traceback,
    which name folders and lines of code."""
    frames = "Traceback (most recent call last):\n" in text
    kept = [line for line in text.splitlines() if not (frames and line.startswith("  "))]
    text = re.sub(r", on \S+, process \d+", ", on HOST, process N", "\n".join(kept))
    return re.sub(r"\b0x[0-9a-f]{6,}\b", "0x...", re.sub(r"\bprocess \d+", "process N", text))
