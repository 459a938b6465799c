"""Messages of the multilang protocol as lines that a person can read."""

from __future__ import annotations

import json
from typing import Any

from stormcell.recording import Record

LEVELS = ("trace", "debug", "info", "warn", "error")


def lines(record: Record) -> list[str]:
    """The lines for a recorded message, whichever side it is of and whether it is one or not."""
    try:
        message = record.message()
        found = said(message) if record.kind == "out" else [received(message)]
    except (ValueError, RecursionError):
        found = [f"no message: {record.body!r}"]
    # A text that Storm sends may hold half a character, which no terminal takes.
    return [line.encode("utf-8", "backslashreplace").decode() for line in found]


def received(message: Any) -> str:
    """One line for what Storm said: a tuple, a command, task ids, the handshake."""
    if isinstance(message, list):
        return f"task ids {_json(message)}"
    if not isinstance(message, dict):
        return f"no message: {_json(message)}"
    if "conf" in message and "context" in message:
        return _handshake(message)
    if "command" in message:
        id = message.get("id") or ""
        return f"{message['command']} {_json(id) if id else ''}".rstrip()
    return _tuple(message)


def said(message: Any) -> list[str]:
    """The lines for what a component said; all but the first are the rest of a text."""
    command = message.get("command") if isinstance(message, dict) else None
    if command == "emit":
        return [_emit(message)]
    if command in ("ack", "fail"):
        return [f"{command} {message.get('id')}"]
    if command == "log":
        return f"log {_level(message.get('level'))}: {message.get('msg')}".splitlines()
    if command == "error":
        return f"error: {message.get('msg')}".splitlines()
    if command == "metrics":
        return [f"metric {message.get('name')}: {_json(message.get('params'))}"]
    return ["sync"] if command == "sync" else [_json(message)]


def _handshake(message: dict[str, Any]) -> str:
    context = _dict(message["context"])
    task = context.get("taskid")
    names = _dict(context.get("task->component"))
    name = context.get("componentid") or names.get(str(task)) or "a component without a name"
    return f"the handshake of {name}, task {task}"


def _tuple(message: dict[str, Any]) -> str:
    source, stream = message.get("comp"), message.get("stream")
    if stream == "__heartbeat":
        return "heartbeat"
    if (source, stream) == ("__system", "__tick"):
        return f"tick {message.get('id')}"
    on_stream = "" if stream == "default" else f" on stream {stream}"
    return (
        f"tuple {message.get('id')} from {source} (task {message.get('task')}){on_stream}: "
        f"{_json(message.get('tuple'))}"
    )


def _emit(message: dict[str, Any]) -> str:
    text = f"emit {_json(message.get('tuple'))}"
    if "stream" in message:
        text += f" on stream {message['stream']}"
    if "task" in message:
        text += f" to task {_number(message['task'])}"
    if "id" in message:
        text += f", id {_json(message['id'])}"
    if isinstance(message.get("anchors"), list) and message["anchors"]:
        text += f", anchored to {', '.join(map(str, message['anchors']))}"
    if message.get("need_task_ids") is True:
        text += ", asks for task ids"
    return text


def _level(level: Any) -> str:
    number = _number(level)
    return LEVELS[number] if isinstance(number, int) and 0 <= number < 5 else str(level)


def _number(value: Any) -> Any:
    """Numbers that Storm casts to Long go out with 2^32 added, which it takes off again."""
    return value - 2**32 if isinstance(value, int) and value >= 2**32 else value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
