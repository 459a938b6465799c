"""What a component said, as plain objects, and how they are made of its messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stormcell._native import Tuple

_LONG = 2**32
"""What our numbers of tasks and levels are raised by, so that every Storm reads them as Long."""
_LEVELS = ("trace", "debug", "info", "warn", "error")


@dataclass
class Emit:
    """A tuple that was emitted.

    values: as they arrive at the other side: a tuple is a list there, a dict's keys are str.
    stream: the stream that it went to.
    anchors: of a bolt: the tuples that it is a consequence of.
    id: of a spout: the tup_id by which Storm follows it; None without one.
    task: the task that it was sent to, where the emit was direct.
    task_ids: what the emit was answered, where it asked who gets the tuple.
    """

    values: list[Any]
    stream: str = "default"
    anchors: list[Tuple] = field(default_factory=list)
    id: Any = None
    task: int | None = None
    task_ids: list[int] | None = None


@dataclass
class Log:
    """A line for Storm's log. level: 'trace', 'debug', 'info', 'warn' or 'error'."""

    text: str
    level: str = "info"


@dataclass
class Error:
    """An error that was reported to Storm.

    text: the report; "" where the component's own raise_exception() said nothing.
    exception: what was raised, with its traceback; None where only report_error() was called.
    tuple: the one in hand, where there was one.
    """

    text: str
    exception: BaseException | None = None
    tuple: Tuple | None = None


@dataclass
class Metric:
    """An update of a metric."""

    name: str
    value: Any


@dataclass
class Record:
    """All that a component heard and said, or what it did in one step.

    tuples: what a bolt was given, as it arrived, without ticks.
    emits: what was emitted.
    acks, fails: of a bolt: the tuples that it settled, without ticks, which settle by themselves; of
        a spout: the tup_ids of which it was told.
    logs, errors, metrics: what was reported. What is printed is not among the logs: pytest keeps it.
    """

    tuples: list[Tuple] = field(default_factory=list)
    emits: list[Emit] = field(default_factory=list)
    acks: list[Any] = field(default_factory=list)
    fails: list[Any] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    errors: list[Error] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)

    def values(self, stream: str = "default") -> list[list[Any]]:
        """The values of what was emitted to `stream`, in order."""
        return [emit.values for emit in self.emits if emit.stream == stream]

    def __iadd__(self, other: Record) -> Record:
        for name, found in vars(other).items():
            getattr(self, name).extend(found)
        return self


def emit_of(message: dict[str, Any], tuples: dict[str, Tuple]) -> Emit:
    """The Emit that a message stands for; its anchors are found among `tuples`, by their ids."""
    task = message.get("task")
    return Emit(
        values=message["tuple"],
        stream=message.get("stream", "default"),
        anchors=[tuples[id] for id in message.get("anchors", ())],
        id=message.get("id"),
        task=None if task is None else task - _LONG,
    )


def log_of(message: dict[str, Any]) -> Log:
    """The Log that a message stands for."""
    return Log(message["msg"], _LEVELS[message["level"] - _LONG])
