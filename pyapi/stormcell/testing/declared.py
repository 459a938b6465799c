"""What a topology would tell a component of the streams around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from stormcell.stream import Stream

SOURCE = "source"
"""The component that tuples come from where a test names none."""
TASK = 2
"""The component's own task; the one that tuples come from is 1."""


Fields: TypeAlias = Sequence[str]
Streams: TypeAlias = Mapping[str, Fields] | Iterable[str | Stream]
"""Fields of several streams by their names, or those of the default stream, or Streams."""
Inputs: TypeAlias = Mapping[str, Streams] | Fields
"""What each component that a bolt hears from declares, or the fields of the only one's tuples."""


def context(
    component: str, inputs: Inputs | None, outputs: Streams | None, sinks: Sequence[int]
) -> dict[str, Any]:
    """The handshake's context for `component`; what is None is left out, and so not checked.

    sinks: the tasks that take what it emits.
    """
    tasks = {**{str(task): "sink" for task in sinks}, "1": SOURCE, str(TASK): component}
    found: dict[str, Any] = {"taskid": TASK, "componentid": component, "task->component": tasks}
    if inputs is not None:
        found["source->stream->fields"] = source_fields(inputs)
    if outputs is not None:
        streams = list(_streams(outputs))
        found["streams"] = [name for name, _, _ in streams]
        found["stream->outputfields"] = {name: fields for name, fields, _ in streams}
        found["stream->target->grouping"] = {
            name: {"sink": {"type": "DIRECT" if direct else "SHUFFLE"}}
            for name, _, direct in streams
        }
    return found


def source_fields(inputs: Inputs) -> dict[str, dict[str, list[str]]]:
    """component -> stream -> fields."""
    if not isinstance(inputs, Mapping):
        inputs = {SOURCE: inputs}
    return {
        component: {name: fields for name, fields, _ in _streams(streams)}
        for component, streams in inputs.items()
    }


def _streams(declared: Streams) -> Iterable[tuple[str, list[str], bool]]:
    if isinstance(declared, str):
        raise TypeError(f"fields must be a list of str, not the str {declared!r}")
    if isinstance(declared, Mapping):
        return [(name, list(fields), False) for name, fields in declared.items()]
    parts = list(declared)
    streams = [part for part in parts if isinstance(part, Stream)]
    if streams:
        return [(part.name, list(part.fields or ()), part.direct) for part in streams]
    return [("default", [str(part) for part in parts], False)]
