"""What a component does in process is what it does in a process of its own, message by message; and
the part of the extension that this stands on."""

from __future__ import annotations

import gc
import importlib.util
import json
import textwrap
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from starting import PRELUDE, Start
from jvm import Topology
from stormcell import Bolt, Spout, Tuple
from stormcell._native import Loopback
from stormcell.testing import BoltHarness, SpoutHarness, harness

BOLTS = {
    "all of it": """
        class Subject(Bolt):
            def process(self, tup):
                self.emit([tup.values.word, tup.values[0]])
                self.emit([{"a": (1, 2.5, None)}, True], anchors=[])
                self.log("text", "warn")
    """,
    "a bolt that raises": """
        class Subject(Bolt):
            auto_fail = False
            def process(self, tup):
                self.emit([1, 2])
                raise ValueError(tup.values)
    """,
    "settled by hand": """
        class Subject(Bolt):
            auto_ack = auto_anchor = False
            def process(self, tup):
                self.emit([1, 2])
                self.fail(tup) if tup.values.word == "b" else self.ack(tup.id)
    """,
    "refused": """
        class Subject(Bolt):
            def process(self, tup):
                for wrong in [1], [1, {2}], [1, float("nan")], "ab":
                    try:
                        self.emit(wrong)
                    except Exception as error:
                        self.log(f"{type(error).__name__}: {error}")
    """,
    "batches": """
        class Subject(BatchingBolt):
            ticks_between_batches = 0
            def process_batch(self, key, tups):
                self.emit([key, len(tups)])
    """,
}

SPOUT = """
    class Subject(ReliableSpout):
        n = 0
        def next_tuple(self):
            self.n += 1
            self.emit([self.n, {"n": 1.0}], tup_id=(self.n, "id"))
            self.log("next", "debug")
        def activate(self):
            self.log("activate")
"""


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load(source: str) -> Any:
        """The class `Subject` of a module with this source, in this process."""
        path = tmp_path / "here.py"
        path.write_text(PRELUDE + textwrap.dedent(source))
        spec = importlib.util.spec_from_file_location("here", path)
        assert spec is not None and spec.loader is not None
        module: ModuleType = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.Subject

    return load


class Spy:
    """A Loopback that remembers what the component said."""

    def __init__(self, task_ids: Callable[[], list[int]]) -> None:
        self._loopback = Loopback(task_ids)
        self.said: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loopback, name)

    def take(self) -> list[dict[str, Any]]:
        messages = self._loopback.take()
        self.said += messages
        return messages


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[dict[str, Any]]]:
    monkeypatch.setattr(harness, "Loopback", Spy)
    return lambda tested: list(tested._loopback.said)


def plain(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages without what differs from process to process; ids in the order that they came up."""
    ids: dict[str, int] = {}
    found = []
    for message in messages:
        if "msg" in message:  # of a report, what was raised
            text = message["msg"].splitlines()[-1].replace("'tested'", "'subject'")
            message = {**message, "msg": text}
        if message["command"] in ("ack", "fail"):
            message = {**message, "id": ids.setdefault(message["id"], len(ids))}
        if "anchors" in message:
            anchors = [ids.setdefault(id, len(ids)) for id in message["anchors"]]
            message = {**message, "anchors": anchors}
        found.append(message)
    return found


@pytest.mark.parametrize("source", BOLTS.values(), ids=BOLTS.keys())
def test_a_bolt_says_the_same_here(source: str, start: Start, load: Any, said: Any) -> None:
    topology = Topology(outputs={"default": ["a", "b"]})
    parent = start(source, topology=topology)
    bolt = BoltHarness(
        load(source), fields=topology.inputs, outputs=topology.outputs, strict=False
    )
    for word in "a", "b":
        parent.send(word)
        bolt.process([word], component="words")
    parent.tick()
    parent.barrier()
    bolt.tick()
    assert plain(said(bolt)) == plain(parent.take_all())
    assert said(bolt)


def test_a_spout_says_the_same_here(start: Start, load: Any, said: Any) -> None:
    parent = start(SPOUT, topology=Topology(kind="spout", outputs={"default": ["a", "b"]}))
    spout = SpoutHarness(load(SPOUT), outputs=["a", "b"])
    there = []
    for command, id in ("activate", ""), ("next", ""), ("next", ""), ("fail", [1, "id"]):
        there += parent.command(command, id)
    spout.next_tuple(2)
    spout.fail([1, "id"])
    assert [message for message in said(spout) if message["command"] != "sync"] == there


# ---- the loopback ----------------------------------------------------------------------------


def served() -> tuple[Loopback, Bolt]:
    class Echo(Bolt):
        def process(self, tup: Tuple) -> None:
            self.emit(tup.values)

    loopback = Loopback(lambda: [3])
    bolt = Echo()
    loopback.host(bolt)
    loopback.feed({"pidDir": None, "conf": {"a": [1]}, "context": {"taskid": 1}})
    conf, context = loopback.handshake()
    assert conf == {"a": [1]} and context == {"taskid": 1}
    bolt._setup(conf, context)
    assert bolt._serve()
    return loopback, bolt


def tuple_message(id: str, *values: Any) -> dict[str, Any]:
    return {"id": id, "comp": "a", "stream": "default", "task": 1, "tuple": values}


def test_a_loopback_is_fed_and_taken_from() -> None:
    loopback, _ = served()
    assert loopback.take() == []
    assert loopback.feed(tuple_message("1", (1,), {2: 3}))["tuple"] == [[1], {"2": 3}]
    loopback.feed(tuple_message("2"))
    assert loopback.run()
    assert [message["command"] for message in loopback.take()] == ["emit", "ack"] * 2
    assert loopback.take() == []
    assert loopback.run() and loopback.on_timer()


def test_a_loopback_refuses_what_is_out_of_turn() -> None:
    loopback, bolt = served()
    with pytest.raises(RuntimeError, match="does not serve yet"):
        Loopback(list).run()
    with pytest.raises(TypeError, match="a component is needed, not a int"):
        loopback.host(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no keyword arguments"):
        Loopback(task_ids=list)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match=r"message\['a'\] is nan"):
        loopback.feed({"a": float("nan")})
    with pytest.raises(ValueError, match="before Storm's handshake was complete"):
        Loopback(list).handshake()
    assert loopback.run() and loopback.take() == []  # nothing of it came


def test_a_loopback_is_not_run_within_a_call() -> None:
    loopback, bolt = served()
    errors = []

    class Nested(Bolt):
        def process(self, tup: Tuple) -> None:
            with pytest.raises(RuntimeError, match="one at a time") as caught:
                loopback.run()
            errors.append(caught.value)

    nested = Nested()
    loopback.host(nested)
    nested._setup({}, {})
    nested._serve()
    loopback.feed(tuple_message("1"))
    assert loopback.run() and errors


def test_task_ids_that_do_not_come() -> None:
    class Asks(Bolt):
        def process(self, tup: Tuple) -> None:
            self.emit([1], need_task_ids=True)

    def refuse() -> list[int]:
        raise LookupError("no tasks")

    loopback = Loopback(refuse)
    bolt = Asks()
    loopback.host(bolt)
    loopback.feed({"pidDir": None, "conf": {}, "context": {}})
    bolt._setup(*loopback.handshake())
    bolt._serve()
    loopback.feed(tuple_message("1"))
    assert loopback.run()
    assert "no tasks" in json.dumps(loopback.take())


def test_a_component_without_storm_still_says_so() -> None:
    with pytest.raises(RuntimeError, match="no Storm on the other side"):
        Bolt().emit([1])


def arenas() -> int:
    """How many arenas are mapped."""
    return Path("/proc/self/maps").read_text().count("memfd:stormcell")


def test_harnesses_are_forgotten() -> None:
    """Whatever they hold of each other: class, component, loopback, methods; and their memory."""

    class Kept(Spout):
        def next_tuple(self) -> None:
            self.emit([1], tup_id=1)

    gc.collect()
    before = arenas()
    spout = SpoutHarness(Kept, strict=False)
    assert arenas() == before + 1
    spout.next_tuple()
    gone: list[weakref.ref[Any]] = [weakref.ref(spout), weakref.ref(spout.component)]
    component = spout.component
    del spout
    gc.collect()
    assert component.emit([2], 2) is None  # what it needs lives as long as it does
    del component
    gc.collect()
    assert [ref() for ref in gone] == [None, None]
    assert arenas() == before
