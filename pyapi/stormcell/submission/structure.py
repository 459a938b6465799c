"""A topology as Storm's Thrift structure has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stormcell.nimbus.structures import structures
from stormcell.spec import Java, Spec
from stormcell.stream import Grouping
from stormcell.topology import Edge, Topology

Command = tuple[str, str]
"""What Storm starts a component by: a program and its one argument."""

PARTIAL_KEY = "org.apache.storm.grouping.PartialKeyGrouping"

INT64 = range(-(2**63), 2**63)


def make_structure(topology: type[Topology], environment: str | None, commands: Mapping[str, Command]) -> Any:
    """The StormTopology to submit.

    environment: which of the specs' `par` by environment holds.
    commands: for each component in Python, by its name, how it is started.

    TopologyError: something in it exists on the local engine only.
    """
    kinds: dict[str, dict[str, Any]] = {"spout": {}, "bolt": {}}
    for spec in topology.specs:
        name = str(spec.name)
        common = _common(topology, spec, environment)
        made = _object(spec, commands.get(name))
        kinds[spec.kind][name] = (
            structures.SpoutSpec(spout_object=made, common=common) if spec.kind == "spout"
            else structures.Bolt(bolt_object=made, common=common))
    return structures.StormTopology(spouts=kinds["spout"], bolts=kinds["bolt"], state_spouts={})


def _common(topology: type[Topology], spec: Spec, environment: str | None) -> Any:
    edges = topology.edges[str(spec.name)]
    return structures.ComponentCommon(
        inputs={structures.GlobalStreamId(str(edge.source.name), edge.stream.name): _grouping(spec, edge)
                for edge in edges},
        streams={stream.name: structures.StreamInfo(output_fields=list(stream.fields), direct=stream.direct)
                 for stream in spec.outputs.values()},
        parallelism_hint=spec.tasks(environment),
        json_conf=json.dumps(spec.config) if spec.config else None)


# ---- components ----------------------------------------------------------------------------------


def _object(spec: Spec, command: Command | None) -> Any:
    if spec.java is not None:
        return _java_object(spec, spec.java)
    program, argument = command or _shell(spec)
    return structures.ComponentObject(
        shell=structures.ShellComponent(execution_command=program, script=argument))


def _shell(spec: Spec) -> Command:
    """Storm always passes one argument: a program that takes none is that of `env`."""
    program, *script = spec.command or [""]
    return (program, script[0]) if script else ("env", program)


def _java_object(spec: Spec, java: Java) -> Any:
    if isinstance(java, bytes):
        return structures.ComponentObject(serialized_java=java)
    return structures.ComponentObject(java_object=_instance(spec, *java))


def _instance(spec: Spec, class_name: str, arguments: tuple[Any, ...]) -> Any:
    return structures.JavaObject(full_class_name=class_name,
                                 args_list=[_argument(spec, argument) for argument in arguments])


def _argument(spec: Spec, value: Any) -> Any:
    """As streamparse passes it: an int is a Java Long."""
    if isinstance(value, bool):
        return structures.JavaObjectArg(bool_arg=value)
    if isinstance(value, int):
        if value not in INT64:
            raise spec.fail(f"{value} does not fit into 64 bits: no constructor in Java can take it")
        return structures.JavaObjectArg(long_arg=value)
    if isinstance(value, float):
        return structures.JavaObjectArg(double_arg=value)
    if isinstance(value, bytes):
        return structures.JavaObjectArg(binary_arg=value)
    return structures.JavaObjectArg(string_arg=value)


# ---- groupings -----------------------------------------------------------------------------------

PLAIN = {"shuffle": "shuffle", "all": "all", "none": "none", "direct": "direct",
         "local-or-shuffle": "local_or_shuffle"}


def _grouping(spec: Spec, edge: Edge) -> Any:
    grouping = edge.grouping
    if grouping.kind in PLAIN:
        return structures.Grouping(**{PLAIN[grouping.kind]: structures.NullStruct()})
    if grouping.kind in ("fields", "global"):
        return structures.Grouping(fields=list(grouping.names))
    if grouping.kind == "partial-key":
        return _partial_key(spec, edge, grouping)
    if isinstance(grouping.java, bytes):
        return structures.Grouping(custom_serialized=grouping.java)
    assert grouping.java is not None
    return structures.Grouping(custom_object=_instance(spec, *grouping.java))


def _partial_key(spec: Spec, edge: Edge, grouping: Grouping) -> Any:
    """Storm's own class can be told its fields by a program in Java only; without, it takes the first."""
    if list(grouping.names) != edge.stream.fields[:1]:
        raise spec.fail(f"{spec.title} takes a stream by partial_key of {', '.join(grouping.names)}: on a "
                        f"cluster, the key has to be the stream's first field ({edge.stream.fields[0]!r}) alone")
    return structures.Grouping(custom_object=structures.JavaObject(full_class_name=PARTIAL_KEY, args_list=[]))
