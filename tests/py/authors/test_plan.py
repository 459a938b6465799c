"""From a topology to the engine's plan."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from projects import Write
from stormcell import Bolt, Grouping, JavaSpout, ShellSpout, Spout, Stream, Topology
from stormcell.load import load
from stormcell.plan import make_plan
from stormcell.spec import TopologyError

SHIM = "/bin/true"  # any executable: none is started


@pytest.fixture(autouse=True)
def shim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORMCELL_SHIM", SHIM)
    monkeypatch.delenv("PYTHONPATH", raising=False)


class Words(Spout):
    outputs = [Stream(["word"]), Stream(["n"], name="numbers", direct=True)]


class Count(Bolt):
    outputs = ["word", "count"]


class T(Topology):
    config = {"a": 1}
    words = Words.spec(par={"prod": 4})
    other = ShellSpout.spec(command="node", script="words.js", outputs=["word"])
    count = Count.spec(inputs={words: Grouping.fields("word"), words["numbers"]: Grouping.DIRECT,
                               other: Grouping.partial_key("word")}, config={"b": 2})


def plan(topology: type[Topology], **given: Any) -> dict[str, Any]:
    here = os.path.dirname(os.path.realpath(__file__))
    keys: dict[str, Any] = {"name": "t", "environment": "prod", "options": {"a": 1},
                            "directory": here, "run": {}, **given}
    return make_plan(topology, **keys)


def test_it_is_the_topology() -> None:
    made = plan(T, run={"tuples": 5})
    assert (made["name"], made["conf"], made["run"]) == ("t", {"a": 1}, {"tuples": 5})
    components = made["components"]
    assert components["words"] == {
        "kind": "spout", "command": [SHIM, "test_plan.Words"], "parallelism": 4, "conf": {},
        "outputs": {"default": {"fields": ["word"], "direct": False},
                    "numbers": {"fields": ["n"], "direct": True}}}
    assert components["other"]["command"] == ["node", "words.js"]
    assert components["count"]["conf"] == {"b": 2}
    assert [(one["component"], one["stream"], one["grouping"])
            for one in components["count"]["inputs"]] == [
        ("words", "default", {"type": "fields", "fields": ["word"]}),
        ("words", "numbers", {"type": "direct"}),
        ("other", "default", {"type": "partial-key", "fields": ["word"]})]


SINGLE = """
from stormcell import Spout, Topology
class Here(Spout):
    outputs = ["a"]
class Single(Topology):
    here = Here.spec()
"""


def test_components_of_other_folders_are_found(write: Write, tmp_path: Path) -> None:
    write("src/x.py", "")
    topology = load(write("topologies/single.py", SINGLE))
    command = plan(topology, directory=str(tmp_path / "src"))["components"]["here"]["command"]
    assert command == ["env", f"PYTHONPATH={tmp_path / 'topologies'}", SHIM, "single.Here"]


class Java(Topology):
    words = JavaSpout.spec(full_class_name="a.B", outputs=["word"])


class Custom(Topology):
    words = Words.spec()
    count = Count.spec(inputs={words: Grouping.custom_object("a.B", [1])})


@pytest.mark.parametrize(("topology", "given", "sentence"), [
    (Java, {}, "'words' is in Java, and a local run has no JVM"),
    (Custom, {}, "'count' takes a stream by a grouping in Java"),
    (T, {"environment": None}, "the par of 'words' depends on the environment: choose one of 'prod'"),
    (T, {"environment": "dev"}, "'words' has no par for the environment 'dev'"),
    (T, {"name": "a/b"}, "has none of /, as 'a/b' has: letters, digits"),
    (T, {"name": "a,b*"}, "has none of * ,"),
    (T, {"name": " "}, "is not empty"),
    (T, {"name": ""}, "is not empty"),
])
def test_what_cannot_run_here(topology: Any, given: Any, sentence: str) -> None:
    with pytest.raises(TopologyError) as caught:
        plan(topology, **given)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["queue", "x", "my.topology"])
def test_a_module_that_no_task_would_find(write: Write, tmp_path: Path, name: str) -> None:
    write("src/x.py", "")
    topology = load(write(f"topologies/{name}.py", SINGLE))
    with pytest.raises(TopologyError, match=f"the tasks of 'here' could not import Here: its module, .*/{name}.py, "):
        plan(topology, directory=str(tmp_path / "src"))


def test_classes_within_classes(write: Write, tmp_path: Path) -> None:
    topology = load(write("nested.py", """
        from stormcell import Spout, Topology
        class Nested(Topology):
            class Inner(Spout):
                outputs = ["a"]
            inner = Inner.spec()
        """))
    command = plan(topology, directory=str(tmp_path))["components"]["inner"]["command"]
    assert command == [SHIM, "nested.Nested.Inner"]


def test_a_module_in_a_package(write: Write, tmp_path: Path) -> None:
    write("src/spouts/words/__init__.py", "from stormcell import Spout\nclass Words(Spout):\n    outputs = ['a']\n")
    topology = load(write("topologies/packaged.py", """
        from spouts.words import Words
        from stormcell import Topology
        class Packaged(Topology):
            words = Words.spec()
        """))
    for folder, before in (tmp_path / "src", []), (tmp_path, ["env", f"PYTHONPATH={tmp_path / 'src'}"]):
        command = plan(topology, directory=str(folder))["components"]["words"]["command"]
        assert command == [*before, SHIM, "spouts.words.Words"]


def test_a_class_in_a_function_cannot_be_imported() -> None:
    class Inner(Spout):
        outputs = ["a"]

    class Local(Topology):
        inner = Inner.spec()

    with pytest.raises(TopologyError, match="defined within a function"):
        plan(Local)
