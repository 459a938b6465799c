"""Running a component again on what was recorded, and comparing what it says now with what it said."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from stormcell import readable
from stormcell.recording import Part, Record, load
from stormcell.replayed import STOPPED

_END = b"\nend\n"
_ERROR = b'{"command":"error",'
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
    """What came of it.

    part: Part, the conversation.
    end: str, why the component ended before the messages did, or "".
    stopped: bool, whether the run was ended by `Host.until` or by a debugger.
    """

    part: Part
    end: str
    stopped: bool


# ---- running --------------------------------------------------------------------------------


def run(part: Part, host: Host) -> Replayed:
    """Run the component on the messages of `part`, as fast as it takes them. ReplayError."""
    with tempfile.TemporaryDirectory(prefix="stormcell-replay-") as folder:
        scratch = Path(folder)
        (scratch / "messages").write_bytes(b"".join(_messages(part, scratch)))
        process = _start(host, scratch)
        recordings = list(scratch.glob("*.rec"))
        if not recordings:
            raise ReplayError(_why_nothing(process, host))
        part = load(recordings[0]).parts[0]
        stopped = (scratch / f"answers.{STOPPED}").exists()
        answers = (scratch / "answers").read_bytes()
        return Replayed(part, "" if stopped else _end(process.returncode, answers, part), stopped)


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
    # A path is one from here, not from where the component runs.
    python = os.path.abspath(host.python) if os.sep in host.python else host.python
    command = [python, "-m", "stormcell.replayed", host.component]
    command += [str(scratch / "messages"), str(scratch / "answers")]
    command += ["--pdb"] if host.pdb else []
    command += [f"--until={host.until}"] if host.until is not None else []
    # Sets of text have the same order in each replay.
    environment = {"PYTHONHASHSEED": "0", **os.environ}
    before = signal.getsignal(signal.SIGINT)
    if host.pdb:  # Ctrl-C is the debugger's
        signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        return subprocess.run(command, cwd=host.directory, env=environment, check=False)
    except OSError as error:
        raise ReplayError(f"{error.filename}: {error.strerror}") from None
    finally:
        signal.signal(signal.SIGINT, before)


def _why_nothing(process: subprocess.CompletedProcess[bytes], host: Host) -> str:
    return (
        f"{host.python} -m stormcell.replayed ended with status {process.returncode} before it took "
        f"the first message: see above; is Stormcell installed for that Python?"
    )


def _end(status: int, answers: bytes, replayed: Part) -> str:
    """What the guardian reported of an end that was not in order: the errors that are not the
    component's own. `answers` is all that went out to Storm."""
    own = {record.body for record in replayed.records if record.kind == "out"}
    errors = [text for text in answers.split(_END) if text.startswith(_ERROR) and text not in own]
    texts = [str(json.loads(text)["msg"]) for text in errors]
    return "\n".join(texts) or (f"it ended with status {status}" if status != 0 else "")


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


def differences(recorded: Part, replayed: Replayed) -> Iterator[Difference]:
    """Where the answers differ, message by message, as far as the replay went."""
    before, now = recorded.exchanges(), replayed.part.exchanges()
    for number, (exchange, again) in enumerate(zip(before, now)):
        old, new = exchange.said, again.said
        end = ""
        if number == len(before) - 1 and _alike(old, new[: len(old)]):
            new = new[: len(old)]  # the recording may end in the middle of the answer
        elif number == len(now) - 1:
            end = replayed.end
        if replayed.stopped and number == len(now) - 1:
            old = old[: len(new)]
        if end or not _alike(old, new):
            tail = [f"+ the component ended here: {end}"] if end else []
            yield Difference(number, exchange.given, [*_diff(old, new), *tail])


def _alike(old: list[Record], new: list[Record]) -> bool:
    bodies = [record.body for record in new]
    return bodies == [record.body for record in old] or _keys(old) == _keys(new)


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
