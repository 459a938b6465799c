"""The package holds up under mypy --strict, and so do components that are written against it."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from parent import ROOT
from stormcell import _native

_stormcell = importlib.import_module("_stormcell")
STUB = ROOT / "pyapi" / "stormcell" / "_native.pyi"

GOOD = """
from __future__ import annotations
from collections.abc import Callable, Iterator
from typing import Any
from stormcell import BatchingBolt, Bolt, ReliableSpout, Spout, TicklessBatchingBolt, Tuple
from stormcell import Grouping, JavaBolt, ShellSpout, Stream, Topology
from stormcell.testing import BoltHarness, Record, TopologyRun, run_bolt, run_spout

class Words(Spout):
    def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
        self.words: Iterator[str] = iter(["a"])
    def next_tuple(self) -> None:
        ids = self.emit([next(self.words)], tup_id=5, need_task_ids=True)
        self.log(ids, level="debug")
    def ack(self, tup_id: int) -> None:
        self.logger.info("%d", tup_id)

class Again(ReliableSpout):
    max_fails = 5
    def next_tuple(self) -> None:
        self.emit(("a", 1), 5, stream="other")

class Count(Bolt):
    auto_ack = False
    def process(self, tup: Tuple) -> None:
        self.emit([tup.values.word, tup.values[0]], anchors=[tup, tup.id], direct_task=3)
        tasks: list[int] = self.emit([1], need_task_ids=True)
        self.ack(tup)
        self.fail(tup.id)
        if not self.is_live(tup):
            self.raise_exception(ValueError(tasks), tup)
        self.report_metric("count", {"a": 1})
    def process_tick(self, tup: Tuple) -> None:
        assert self.is_tick(tup)

class Batch(BatchingBolt):
    ticks_between_batches = 3
    def group_key(self, tup: Tuple) -> str:
        return str(tup.values[0])
    def process_batch(self, key: str, tups: list[Tuple]) -> None:
        self.emit([key, len(tups), self.task_id + 1, self.component_name.title()])

class Timed(TicklessBatchingBolt):
    secs_between_batches = 0.5

def test_them(topology_runner: Callable[..., TopologyRun]) -> None:
    record: Record = run_bolt(Count, [("dog", 1)], fields=["word", "n"], config={"a": 1})
    word: str = record.emits[0].values[0] + record.tuples[0].id
    with BoltHarness(Batch, fields={"words": {"default": ["word"]}}, outputs=["a"]) as bolt:
        bolt.component.ticks_between_batches += 1
        assert [tup.id for tup in bolt.advance(2.5).acks]
    assert run_spout(Words, 3, fail=lambda emit: emit.id == 5).values("other") == [[word]]

class Split(Bolt):
    outputs = [Stream(["word"], name="words"), Stream(["n"], name="numbers", direct=True)]
    par = {"prod": 8, "dev": 1}
    config = {"topology.tick.tuple.freq.secs": 5}

class Fields(Bolt):
    outputs = ["word", "count"]
    par = 2

class Base(Topology):
    config = {"topology.workers": 2}
    cycles = True
    words = ShellSpout.spec(command="node", script="words.js", outputs=["word"])
    split = Split.spec(inputs=[words, "fields"], par={"prod": 4})
    fields = Fields.spec(inputs={split["words"]: Grouping.fields("word"), words: Grouping.ALL})

class More(Base):
    java = JavaBolt.spec(full_class_name="a.B", args_list=[1], inputs=Base.split["numbers"])

tasks: int = More.fields.tasks("prod")
names: list[str | None] = [spec.name for spec in More.specs]
streams: list[str] = [edge.stream.name for edge in More.edges["fields"]]
"""

BAD = """
from stormcell import Bolt, Grouping, Spout, Stream, Tuple
class Wrong(Bolt):
    def process(self, tup: Tuple) -> None:
        self.emit("text", stream=5)
        self.emit(5)
        ids: list[int] = self.emit([1])
        self.ack(5)
        self.emit([1], tup_id=5)
        tup.id = "5"
        tup.task + "a"
        self.log()
    config = ["a"]
words = Spout.spec(inputs=[Wrong.spec()])
Wrong.spec(inputs={words: "shuffle"})
Wrong.spec(par="2")
Grouping.fields(5)
Stream("a", direct="yes")
"""


def mypy(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("mypy")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file",
            ROOT / "pyproject.toml",
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=200,
        cwd=ROOT,
    )


def test_the_package_and_a_component_are_strict(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    cache = f"--cache-dir={tmp_path / 'cache'}"
    done = mypy(cache, ROOT / "pyapi" / "stormcell", tmp_path / "good.py")
    assert done.returncode == 0, done.stdout + done.stderr
    # And with the cache warm: what is wrong is found, line by line.
    (tmp_path / "bad.py").write_text(BAD)
    done = mypy(cache, tmp_path / "bad.py")
    lines = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert lines == set(range(5, 19)), done.stdout


def stub_names() -> dict[str, set[str]]:
    """The names that the stub defines, of the module ("") and of each class."""
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {"": set()}
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found[""].add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[""].add(node.target.id)
        if isinstance(node, ast.ClassDef):
            found[node.name] = names = set()
            for item in node.body:
                if isinstance(item, ast.FunctionDef):
                    names.add(item.name)
                elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    names.add(item.target.id)
    return found


STANDARD = {"__doc__", "__file__", "__loader__", "__name__", "__package__", "__spec__"}


def test_the_stub_has_the_names_of_the_module() -> None:
    module = set(vars(_stormcell)) - STANDARD
    assert stub_names()[""] == module
    assert set(vars(_native)["__all__"]) == module


@pytest.mark.parametrize("name", ["Bolt", "Component", "Loopback", "Spout", "Tuple"])
def test_the_stub_has_the_methods_of_the_classes(name: str) -> None:
    special = {"__doc__", "__module__", "__hash__", "__repr__", "__reduce__",
               "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"}  # fmt: skip
    members = set(vars(getattr(_stormcell, name))) - special
    assert stub_names()[name] - {"__new__"} == members - {"__new__"}


@pytest.mark.parametrize("name", ["Bolt", "Component", "Loopback", "Spout", "Tuple"])
def test_everything_public_is_documented(name: str) -> None:
    found = getattr(_stormcell, name)
    assert found.__doc__
    for member in vars(found):
        if not member.startswith("_"):
            assert getattr(found, member).__doc__, member
