"""Storm's side of the multilang protocol: what its JVM sends, and how it takes what it reads.

The rules are those of storm-client's JsonSerializer, ShellBolt, ShellSpout and Task, versions 1.x
to 3.0 taken together. Where any of them would end the worker, lose a message or wait for ever,
`Jvm` raises `Violation`. It does no I/O: `parent.Parent` brings the bytes.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Literal

Message = dict[str, Any]
Fields = dict[str, list[str]]

INT32 = range(-(2**31), 2**31)
INT64 = range(-(2**63), 2**63)
AS_LONG = 2**32
"""Storm 2.6 and later read a number that fits 32 bits as Integer and cast it to Long."""
DEPTH_MAX = 400
"""json-smart refuses deeper nesting."""
NESTED_MAX = 1000
"""Calls of a spout's ack from within its emits: a thread's stack holds 1,400 to 1,900 of them."""

BOLT_COMMANDS = {"ack", "fail", "error", "log", "emit", "metrics", "sync"}
SPOUT_COMMANDS = {"error", "log", "emit", "metrics", "sync"}

CONF: dict[str, Any] = {
    "storm.id": "words-1-1717171717",
    "storm.local.dir": "/var/lib/storm",
    "storm.messaging.netty.max_retries": 300,
    "storm.network.topography.plugin": "org.apache.storm.networktopography.DefaultRackDNSToSwitchMapping",
    "storm.thrift.transport": "org.apache.storm.security.auth.SimpleTransportPlugin",
    "storm.workers.artifacts.dir": "workers-artifacts",
    "storm.zookeeper.auth.password": None,
    "storm.zookeeper.port": 2181,
    "storm.zookeeper.servers": ["localhost", "zoo-2.example"],
    "storm.zookeeper.topology.auth.payload": "-6321454891244511821:-8231127839421324189",
    "supervisor.slots.ports": [6700, 6701, 6702, 6703],
    "supervisor.worker.timeout.secs": 30,
    "topology.acker.executors": 1,
    "topology.backpressure.wait.progressive.level1.count": 1,
    "topology.component.cpu.pcore.percent": 10.0,
    "topology.component.resources.onheap.memory.mb": 128.0,
    "topology.debug": False,
    "topology.disruptor.wait.timeout.millis": 1000,
    "topology.kryo.register": [
        "java.math.BigDecimal",
        {"org.example.Key": "org.example.KeySerializer"},
    ],
    "topology.max.spout.pending": 100,
    "topology.message.timeout.secs": 30,
    "topology.metrics.reporters": None,
    "topology.multilang.serializer": "org.apache.storm.multilang.JsonSerializer",
    "topology.name": "words",
    "topology.priority": 29,
    "topology.scheduler.strategy": "org.apache.storm.scheduler.resource.strategies.scheduling.X",
    "topology.shellbolt.max.pending": 100,
    "topology.skip.missing.kryo.registrations": False,
    "topology.stats.sample.rate": 0.05,
    "topology.submitter.user": "jane\u00e9/\u2020\U0001f40e",
    "topology.subprocess.timeout.secs": 30,
    "topology.tick.tuple.freq.secs": None,
    "topology.worker.childopts": None,
    "topology.worker.logwriter.childopts": "-Xmx64m",
    "topology.workers": 2,
    "worker.childopts": "-Xmx%HEAP-MEM%m -XX:+PrintGCDetails -Xloggc:artifacts/gc.log\t-server",
    "worker.profiler.command": "flight.bash",
}
"""An excerpt of what a worker sends, in kind and in size (the whole has 300 keys)."""


def storm_json(value: object) -> str:
    """JSON as json-smart writes it: no spaces, '/' escaped, some ranges as upper-case escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = re.sub(r"\\u[0-9a-f]{4}", lambda escape: r"\u" + escape[0][2:].upper(), text)
    text = re.sub("[\x7f-\x9f\u2000-\u20ff]", lambda c: f"\\u{ord(c[0]):04X}", text)
    return text.replace("/", "\\/")


def frame(value: object) -> bytes:
    """A whole message, as Storm writes it."""
    return storm_json(value).encode() + b"\nend\n"


@dataclass
class Topology:
    """What the handshake tells a component: who it is, and who is around it."""

    kind: Literal["bolt", "spout"] = "bolt"
    name: str = "subject"
    task: int = 4
    outputs: Fields = field(
        default_factory=lambda: {
            "default": ["value"],
            "pair": ["key", "value"],
            "direct": ["value"],
            "lonely": ["value"],
        }
    )
    targets: dict[str, str] = field(
        default_factory=lambda: {"default": "SHUFFLE", "pair": "FIELDS", "direct": "DIRECT"}
    )
    """How the component "sink" (tasks 5 and 6) subscribes to which of `outputs`."""
    inputs: dict[str, Fields] = field(
        default_factory=lambda: {"words": {"default": ["word"], "pairs": ["key", "count"]}}
    )
    """Which streams of which components can come in, with their fields ("words": tasks 2 and 3)."""
    conf: dict[str, Any] = field(default_factory=dict)
    """Settings of the topology's own, added to CONF."""
    ackers: bool = True
    metrics: set[str] = field(default_factory=set)
    """Names that Java code has registered, and the configuration lists."""

    @property
    def tasks(self) -> dict[str, str]:
        others = {1: "__acker", 2: "words", 3: "words", 5: "sink", 6: "sink"}
        return {str(task): name for task, name in sorted({**others, self.task: self.name}.items())}

    def context(self) -> dict[str, Any]:
        groupings = {
            stream: {"sink": {"type": kind, **({"fields": ["key"]} if kind == "FIELDS" else {})}}
            for stream, kind in self.targets.items()
        }
        sources = {
            component: {stream: {"type": "SHUFFLE"} for stream in streams}
            for component, streams in self.inputs.items()
        }
        return {
            "task->component": self.tasks,
            "taskid": self.task,
            "componentid": self.name,
            "streams": list(self.outputs),
            "stream->outputfields": self.outputs,
            "stream->target->grouping": groupings,
            "source->stream->grouping": sources,
            "source->stream->fields": self.inputs,
        }

    def handshake(self, pid_dir: str | None) -> dict[str, Any]:
        own = {"topology.acker.executors": 1 if self.ackers else 0}
        conf = {**CONF, **own, "stormcell.metrics": sorted(self.metrics), **self.conf}
        return {"conf": conf, "context": self.context(), "pidDir": pid_dir}


class Violation(AssertionError):
    """What would have ended Storm's worker, or worse."""


class Jvm:
    """One component's ShellBolt or ShellSpout.

    said: every message so far, in order, without the pid.
    answers: what it has to write by itself: task ids, acks where there are no ackers.
    live: ids of the tuples that a bolt has been given and has neither acked nor failed.
    owed: commands to a spout that have not been answered by a sync.
    task_ids: makes the answer to an emit that wants one; None: the test answers later itself.
    """

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.pid: int | None = None
        self.said: list[Message] = []
        self.answers: deque[bytes] = deque()
        self.live: set[str] = set()
        self.settled: dict[str, str] = {}
        self.owed = 0
        numbers = count(1000)
        self.task_ids: Callable[[Message], list[int] | None] = lambda message: [next(numbers)]
        self._random = Random(topology.task)
        self._bytes = bytearray()

    # ---- what it sends ----------------------------------------------------------------------

    def new_tuple(
        self, values: list[Any], component: str, stream: str, task: int, id: str | None = None
    ) -> tuple[str, bytes]:
        """A new tuple for a bolt: its id, and the message with its keys in Storm's order."""
        if id is None:
            id = str(self._random.randrange(INT64.start, INT64.stop))
        self.live.add(id)
        message = {"comp": component, "tuple": values, "task": task, "stream": stream, "id": id}
        return id, frame(message)

    def heartbeat(self) -> bytes:
        """What a bolt has to answer by a sync, and must not ack."""
        id = str(self._random.randrange(INT64.start, INT64.stop))
        values: list[Any] = []
        return frame({"comp": None, "tuple": values, "task": -1, "stream": "__heartbeat", "id": id})

    def command(self, name: str, id: object = "") -> bytes:
        """A command for a spout; `id` is what the emit carried, for ack and fail."""
        self.owed += 1
        return frame({"command": name, "id": id})

    # ---- what it reads ----------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        """Read what the component wrote."""
        start, look = 0, max(0, len(self._bytes) - len(b"\nend"))
        self._bytes += data
        try:
            while (end := self._bytes.find(b"\nend\n", look)) >= 0:
                text = bytes(self._bytes[start:end])
                start = look = end + len(b"\nend\n")
                self._message(text)
        finally:
            del self._bytes[:start]

    def finish(self) -> None:
        """The component has closed its side."""
        if self._bytes:
            raise Violation(f"the last message is cut: {bytes(self._bytes[-200:])!r}")

    def _message(self, text: bytes) -> None:
        older = not self.topology.conf.get("stormcell.big.integers")
        message = _parse(text, _parse_long if older else int)
        if self.pid is None:
            self._take_pid(message)
            return
        self._check_types(message)
        self.said.append(message)
        getattr(self, f"_take_{message['command']}", lambda message: None)(message)

    def _take_pid(self, message: Message) -> None:
        pid = message.get("pid")
        if type(pid) is not int:
            raise Violation(f"something came before the pid: {message}")
        self.pid = pid

    def _check_types(self, message: Message) -> None:
        """A value of a wrong type ends the worker whichever command it comes with."""
        command = message.get("command")
        known = BOLT_COMMANDS if self.topology.kind == "bolt" else SPOUT_COMMANDS
        if command not in known:
            raise Violation(f"no command of a {self.topology.kind}'s: {message}")
        for key in ("msg", "stream", "name"):
            if not isinstance(message.get(key, ""), str):
                raise Violation(f"{key!r} is no string: {message}")
        for key in ("task", "level"):
            value = message.get(key, AS_LONG)
            if type(value) is not int or value in INT32 or value not in INT64:
                raise Violation(f"{key!r} is no number that every Storm reads as Long: {message}")
        if not isinstance(message.get("need_task_ids", True), bool):
            raise Violation(f"'need_task_ids' is no boolean: {message}")
        if not isinstance(message.get("tuple", []), list):
            raise Violation(f"'tuple' is no array: {message}")
        anchors = message.get("anchors", [])
        if not isinstance(anchors, list) or not all(isinstance(id, str) for id in anchors):
            raise Violation(f"'anchors' is no array of strings: {message}")

    def _take_sync(self, message: Message) -> None:
        if self.topology.kind == "spout":
            if self.owed == 0:
                raise Violation("a sync too many: every answer is one off from now on")
            self.owed -= 1

    def _take_log(self, message: Message) -> None:
        if not isinstance(message.get("msg"), str):
            raise Violation(f"a log without text: {message}")
        if message.get("level", AS_LONG) - AS_LONG not in range(5):
            raise Violation(f"no level of Storm's: {message}")

    def _take_error(self, message: Message) -> None:
        if not isinstance(message.get("msg"), str):
            raise Violation(f"an error without text: {message}")

    def _take_metrics(self, message: Message) -> None:
        if message.get("name") not in self.topology.metrics:
            raise Violation(f"a metric that is not registered: {message}")

    def _take_ack(self, message: Message) -> None:
        self._settle(message)

    def _take_fail(self, message: Message) -> None:
        self._settle(message)

    def _settle(self, message: Message) -> None:
        command, id = message["command"], message.get("id")
        if not isinstance(id, str):
            raise Violation(f"{command} of an id that is no string: {message}")
        if id in self.settled:
            raise Violation(
                f"{command} of a tuple that has been settled ({self.settled[id]}): {message}"
            )
        if id not in self.live:
            raise Violation(f"{command} of an id that was never sent: {message}")
        self.live.remove(id)
        self.settled[id] = command

    def _take_emit(self, message: Message) -> None:
        stream = message.get("stream", "default")
        fields = self.topology.outputs.get(stream)
        if fields is None:
            raise Violation(f"the stream is not declared: {message}")
        if len(message.get("tuple") or []) != len(fields) or "tuple" not in message:
            raise Violation(f"the stream has the fields {fields}: {message}")
        for id in message.get("anchors", []):
            if id not in self.live:
                raise Violation(f"anchored to {id}, which is not live: {message}")
        self._check_direct(message, stream)
        self._answer_emit(message)

    def _check_direct(self, message: Message, stream: str) -> None:
        direct = self.topology.targets.get(stream) == "DIRECT"
        if "task" not in message:
            if direct:
                raise Violation(f"a regular emit to a direct stream: {message}")
            return
        if not direct:
            raise Violation(f"a direct emit to a stream that is not direct: {message}")
        if str(message["task"] - AS_LONG) not in self.topology.tasks:
            raise Violation(f"Storm drops without a word what goes to no task: {message}")

    def _answer_emit(self, message: Message) -> None:
        if message.get("need_task_ids", True) and "task" not in message:
            ids = self.task_ids(message)
            if ids is not None:
                self.answers.append(frame(ids))
        if self.topology.kind == "spout" and "id" in message and not self.topology.ackers:
            # Without ackers the collector calls the spout's ack from within the emit.
            if self.owed > NESTED_MAX:
                raise Violation(f"StackOverflowError: {self.owed} acks within each other")
            self.answers.append(self.command("ack", message["id"]))


def _parse(text: bytes, parse_int: Callable[[str], int]) -> Message:
    """A message's JSON, by what the strictest of Storm's parsers takes, but for integers."""
    try:
        message = json.loads(
            text.decode(),
            parse_int=parse_int,
            parse_constant=_refuse_constant,
            object_pairs_hook=_parse_object,
        )
    except UnicodeDecodeError as error:
        raise Violation(f"no UTF-8 ({error}): {text[:500]!r}") from None
    except json.JSONDecodeError as error:
        raise Violation(f"no JSON, or not one value ({error}): {text[:500]!r}") from None
    if b"\r" in text or b"\n" in text:
        raise Violation(f"a message of several lines: {text[:500]!r}")
    if not isinstance(message, dict):
        raise Violation(f"no object: {text[:500]!r}")
    if _depth(message) > DEPTH_MAX:
        raise Violation(f"nested deeper than {DEPTH_MAX}: {text[:500]!r}")
    return message


def _parse_long(digits: str) -> int:
    """An integer as Storm before 2.6 reads it."""
    number = int(digits)
    if number not in INT64:
        raise Violation(f"an integer past 64 bits: {digits}")
    return number


def _refuse_constant(name: str) -> None:
    raise Violation(f"no JSON: {name}")


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Violation(f"a key twice in one object: {[key for key, value in pairs]}")
    return found


def _depth(value: object) -> int:
    deepest, rest = 0, [(value, 1)]
    while rest:
        item, depth = rest.pop()
        if isinstance(item, (list, dict)):
            deepest = max(deepest, depth)
            inside = item.values() if isinstance(item, dict) else item
            rest.extend((each, depth + 1) for each in inside)
    return deepest
