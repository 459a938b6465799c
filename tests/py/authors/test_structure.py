"""From a topology to Storm's Thrift structure of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from thriftpy2.utils import deserialize, serialize

from stormcell import Bolt, Grouping, JavaBolt, JavaSpout, ShellBolt, ShellSpout, Spout, Stream, Topology
from stormcell.nimbus import structures
from stormcell.spec import TopologyError
from stormcell.submission.structure import PARTIAL_KEY, make_structure

STARTED = ("sh", "stormcell/start/x")


class Words(Spout):
    outputs = [Stream(["word"]), Stream(["n"], name="numbers", direct=True)]


class Count(Bolt):
    outputs = ["word", "count"]


class T(Topology):
    words = Words.spec(par={"prod": 4, "dev": 1})
    other = ShellSpout.spec(command="node", script="words.js", outputs=["word"])
    alone = ShellSpout.spec(command="emit-words", outputs=["word"])
    java = JavaSpout.spec(full_class_name="org.example.Words", args_list=["a", 7, 1.5, True, b"\0"],
                          outputs=["word"])
    old = JavaBolt.spec(serialized_java=b"\xac\xed", inputs=[java])
    count = Count.spec(inputs={words: Grouping.fields("word"), words["numbers"]: Grouping.DIRECT,
                               other: Grouping.partial_key("word"), alone: Grouping.GLOBAL},
                       config={"topology.tasks": 8})
    sink = ShellBolt.spec(command="cat", script="-", inputs={
        count: Grouping.SHUFFLE, words: Grouping.ALL, other: Grouping.NONE, alone: Grouping.LOCAL_OR_SHUFFLE,
        java: Grouping.custom_object("org.example.By", ["word"])})


def structure(topology: type[Topology] = T, environment: str | None = "prod") -> Any:
    """What Storm would read of it."""
    made = make_structure(topology, environment, {"words": STARTED, "count": STARTED, "bolt": STARTED,
                                                  "spout": STARTED})
    return deserialize(structures.StormTopology(), serialize(made))


def inputs(component: Any) -> dict[tuple[str, str], Any]:
    return {(stream.componentId, stream.streamId): grouping
            for stream, grouping in component.common.inputs.items()}


def test_components_are_where_storm_looks_for_them() -> None:
    made = structure()
    assert set(made.spouts) == {"words", "other", "alone", "java"}
    assert set(made.bolts) == {"old", "count", "sink"}
    assert made.state_spouts == {}  # it has to be there


def test_how_components_are_started() -> None:
    made = structure()
    shells = {name: made.spouts[name].spout_object.shell for name in ("words", "other", "alone")}
    assert {name: (shell.execution_command, shell.script) for name, shell in shells.items()} == {
        "words": STARTED, "other": ("node", "words.js"), "alone": ("env", "emit-words")}


def test_components_in_java() -> None:
    made = structure()
    java = made.spouts["java"].spout_object.java_object
    assert java.full_class_name == "org.example.Words"
    assert [(one.string_arg, one.long_arg, one.double_arg, one.bool_arg, one.binary_arg)
            for one in java.args_list] == [("a", None, None, None, None), (None, 7, None, None, None),
                                           (None, None, 1.5, None, None), (None, None, None, True, None),
                                           (None, None, None, None, b"\0")]
    assert made.bolts["old"].bolt_object.serialized_java == b"\xac\xed"


def test_streams_tasks_and_config() -> None:
    made = structure()
    words = made.spouts["words"].common
    assert words.parallelism_hint == 4
    assert {name: (stream.output_fields, stream.direct) for name, stream in words.streams.items()} == {
        "default": (["word"], False), "numbers": (["n"], True)}
    assert words.json_conf is None
    assert json.loads(made.bolts["count"].common.json_conf) == {"topology.tasks": 8}
    assert structure(environment="dev").spouts["words"].common.parallelism_hint == 1


def test_groupings() -> None:
    made = structure()
    count, sink = inputs(made.bolts["count"]), inputs(made.bolts["sink"])
    assert count["words", "default"].fields == ["word"]
    assert count["words", "numbers"].direct is not None
    assert count["alone", "default"].fields == []  # the global grouping
    assert count["other", "default"].custom_object.full_class_name == PARTIAL_KEY
    assert sink["count", "default"].shuffle is not None
    assert sink["words", "default"].all is not None
    assert sink["other", "default"].none is not None
    assert sink["alone", "default"].local_or_shuffle is not None
    custom = sink["java", "default"].custom_object
    assert (custom.full_class_name, custom.args_list[0].string_arg) == ("org.example.By", "word")


def test_a_grouping_that_java_has_serialized() -> None:
    class Serialized(Topology):
        spout = Words.spec()
        bolt = Count.spec(inputs={spout: Grouping.custom_serialized(b"\xac\xed")})

    assert inputs(structure(Serialized).bolts["bolt"])["spout", "default"].custom_serialized == b"\xac\xed"


class Pairs(Spout):
    outputs = ["first", "second"]


@pytest.mark.parametrize("fields", [["second"], ["first", "second"]])
def test_partial_keys_other_than_the_first_field_need_java(fields: list[str]) -> None:
    class Split(Topology):
        spout = Pairs.spec()
        bolt = Count.spec(inputs={spout: Grouping.partial_key(*fields)})

    with pytest.raises(TopologyError, match="has to be the stream's first field \\('first'\\) alone"):
        structure(Split)


def test_a_number_that_java_has_not() -> None:
    class Large(Topology):
        spout = JavaSpout.spec(full_class_name="org.example.S", args_list=[2**63], outputs=["word"])

    with pytest.raises(TopologyError, match="does not fit into 64 bits"):
        structure(Large)
