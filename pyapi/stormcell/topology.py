"""A topology as a class: its attributes are the components, and making the class checks that they fit."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from stormcell.component import Component
from stormcell.fault import TopologyError, caller, nearest, not_json
from stormcell.spec import JavaBolt, JavaSpout, ShellBolt, ShellSpout, Source, Spec
from stormcell.stream import Grouping, Stream

__all__ = ["Edge", "Topology", "TopologyError", "TopologyType", "check_name", "nearest"]

COMPONENTS = (Component, JavaBolt, JavaSpout, ShellBolt, ShellSpout)


class Edge(NamedTuple):
    """What a bolt takes: a stream of a component, by a grouping."""

    source: Spec
    stream: Stream
    grouping: Grouping


class TopologyType(type):
    """Makes the class of a topology: names its components, joins and checks them."""

    specs: list[Spec]
    edges: dict[str, list[Edge]]
    config: dict[str, Any]
    cycles: bool
    where: str

    def __new__(mcs, class_name: str, bases: tuple[type, ...], members: dict[str, Any],
                **keywords: Any) -> TopologyType:
        made = super().__new__(mcs, class_name, bases, members, **keywords)
        made.where, made.specs, made.edges = caller(), [], {}
        if bases:
            _check_attributes(made, members)
            made.specs = _named(_attributes(made))
        if made.specs:
            _check_names(made)
            made.edges = {str(spec.name): list(_edges(made, spec)) for spec in made.specs}
            _check_graph(made)
        return made

    def spec_named(cls, name: str) -> Spec | None:
        """The component of this name, or None."""
        return next((spec for spec in cls.specs if spec.name == name), None)


class Topology(metaclass=TopologyType):
    """Subclass it; each attribute that is a spec is a component of the topology:

        class WordCount(Topology):
            words = WordSpout.spec()
            counts = WordCounter.spec(inputs={words: Grouping.fields("word")}, par=2)

    A subclass has its bases' components, and may replace them by attributes of the same names, or leave
    one out by setting its attribute to None.

    Class attributes:
        config: Storm's keys for the topology.
        cycles: set it to True where a bolt is meant to take what comes of its own tuples.
        specs: its components, in the order of the class.
        edges: for each component by name, what it takes.
        where: "file:line" of the class.

    Raises TopologyError, when the class is made, for what cannot be (docs/topology.md lists it).
    """

    config: dict[str, Any] = {}
    cycles: bool = False


# ---- attributes ----------------------------------------------------------------------------------


def _attributes(topology: TopologyType) -> dict[str, object]:
    """Its attributes as Python resolves them, those of bases first."""
    return {attribute: member for base in reversed(topology.__mro__)
            for attribute, member in vars(base).items()}


def _check_attributes(topology: TopologyType, members: dict[str, Any]) -> None:
    for attribute, member in members.items():
        if not isinstance(member, Spec):
            _check_no_component(topology, attribute, member)
        elif attribute in TopologyType.__annotations__ or hasattr(TopologyType, attribute):
            raise member.fail(f"{attribute} is an attribute that every topology has: call this one "
                              f"otherwise, and its component as you like by name={attribute!r}")
    wrong = not_json(topology.config)
    if wrong:
        raise TopologyError(topology.where, f"the config of {topology.__name__} {wrong}")


def _check_no_component(topology: TopologyType, attribute: str, member: object) -> None:
    """A class that is defined within the topology's is none of its components yet."""
    found = member if isinstance(member, type) else type(member)
    nested = found.__qualname__.startswith(f"{topology.__qualname__}.")
    if issubclass(found, COMPONENTS) and not (nested and member is found):
        raise TopologyError(topology.where, f"{attribute} is {found.__name__} itself: a topology is made "
                                            f"of specs, as {found.__name__}.spec() gives them")


def _named(attributes: dict[str, object]) -> list[Spec]:
    """The specs among the attributes; one without a name gets its attribute's."""
    found: dict[str, tuple[str, Spec]] = {}
    for attribute, spec in attributes.items():
        if not isinstance(spec, Spec):
            continue
        spec.name = spec.name or attribute
        before, other = found.setdefault(spec.name, (attribute, spec))
        if other is not spec:
            raise spec.fail(f"two components have the name {spec.name!r}: {before} and {attribute}")
        if before != attribute:
            raise spec.fail(f"{attribute} and {before} are one component: each needs a spec of its own")
    return [spec for _, spec in found.values()]


# ---- names ---------------------------------------------------------------------------------------


def check_name(name: str) -> str | None:
    """What is wrong with a topology's name, or None.

    Storm refuses what Utils.validateTopologyName does, and then what makes no name of a file in its blob
    store (Utils.isValidKey).
    """
    bad = sorted({letter for letter in name if not letter.isalnum() and letter not in " \t_-"})
    if bad:
        return (f"a topology's name has none of {' '.join(bad)}, as {name!r} has: letters, digits, spaces, "
                "- and _ make one")
    return None if name.strip() else "a topology's name is not empty"


def _check_names(topology: TopologyType) -> None:
    for spec in topology.specs:
        for what, name in [("component", str(spec.name)),
                           *(("stream", name) for name in spec.outputs)]:
            if name.startswith("__"):
                raise spec.fail(f"the {what} {name!r}: names with __ in front are Storm's own")
            if not name.isprintable():
                raise spec.fail(f"a {what} cannot have the name {name!r}")


# ---- joining -------------------------------------------------------------------------------------


def _edges(topology: TopologyType, spec: Spec) -> Iterator[Edge]:
    seen = set()
    for given, grouping in spec.inputs:
        source, name = _source(topology, spec, given)
        stream = source.outputs.get(name)
        if stream is None:
            raise spec.fail(f"{spec.title} takes the stream {name!r} of {source.title}, which has no "
                            f"such stream{nearest(name, source.outputs)}")
        if (source.name, name) in seen:
            raise spec.fail(f"{spec.title} takes the stream {name!r} of {source.title} twice")
        seen.add((source.name, name))
        yield _checked(spec, Edge(source, stream, grouping or _usual(stream)))


def _usual(stream: Stream) -> Grouping:
    return Grouping.DIRECT if stream.direct else Grouping.SHUFFLE


def _source(topology: TopologyType, spec: Spec, given: Spec | Source | str) -> tuple[Spec, str]:
    """Who emits it, as the topology has it now, and the stream's name."""
    if isinstance(given, str):
        return _named_source(topology, spec, given)
    source, stream = given if isinstance(given, Source) else (given, "default")
    found = _current(topology, source)
    if found is None:
        raise spec.fail(f"{spec.title} takes from {source.title} ({source.where}), which is no "
                        f"component of {topology.__name__}: it is no attribute of the class")
    return found, stream


def _named_source(topology: TopologyType, spec: Spec, given: str) -> tuple[Spec, str]:
    """Of "component" or "component:stream"; the name of a component may have a colon, too."""
    name, _, stream = (given, "", "") if topology.spec_named(given) else given.partition(":")
    found = topology.spec_named(name)
    if found is None:
        others = [str(one.name) for one in topology.specs]
        raise spec.fail(f"{spec.title} takes from {name!r}, which is no component of "
                        f"{topology.__name__}{nearest(name, others)}")
    return found, stream or "default"


def _current(topology: TopologyType, source: Spec) -> Spec | None:
    """The spec itself, or what a subclass has put into the place of it. None: there is neither."""
    for base in topology.__mro__:
        for attribute, member in vars(base).items():
            if member is source:
                found = getattr(topology, attribute)
                return found if isinstance(found, Spec) else None
    return None


def _checked(spec: Spec, edge: Edge) -> Edge:
    stream, grouping = edge.stream, edge.grouping
    of = f"the stream {stream.name!r} of {edge.source.title}"
    if stream.direct != (grouping.kind == "direct"):
        raise spec.fail(f"{spec.title} takes {of} by {grouping}, but {of} is "
                        f"{'direct' if stream.direct else 'not direct'}")
    for name in grouping.names:
        if name not in stream.fields:
            raise spec.fail(f"{spec.title} groups by the field {name!r}, which {of} does not have"
                            f"{nearest(name, stream.fields)}")
    return edge


# ---- the graph -----------------------------------------------------------------------------------


def _check_graph(topology: TopologyType) -> None:
    if not any(spec.kind == "spout" for spec in topology.specs):
        raise TopologyError(topology.where, f"{topology.__name__} has no spout: nothing would ever "
                                            "come in")
    for spec in topology.specs:
        if spec.kind == "spout" and not spec.outputs:
            raise spec.fail(f"{spec.title} has no outputs: say in its class which fields it emits, "
                            "as outputs = ['word']")
        if spec.kind == "bolt" and not topology.edges[str(spec.name)]:
            raise spec.fail(f"nothing reaches {spec.title}: it has no inputs")
    _check_reached(topology)
    if not topology.cycles:
        _check_cycles(topology)


def _check_reached(topology: TopologyType) -> None:
    """Each bolt lies behind a spout, and not only behind others like it."""
    takers: dict[Spec, list[Spec]] = {spec: [] for spec in topology.specs}
    for spec in topology.specs:
        for edge in topology.edges[str(spec.name)]:
            takers[edge.source].append(spec)
    ahead = [spec for spec in topology.specs if spec.kind == "spout"]
    reached = set(ahead)
    while ahead:
        further = set(takers[ahead.pop()]) - reached
        reached |= further
        ahead.extend(further)
    for spec in topology.specs:
        if spec not in reached:
            raise spec.fail(f"nothing reaches {spec.title}: no spout lies before it")


def _check_cycles(topology: TopologyType) -> None:
    try:
        TopologicalSorter({name: [str(edge.source.name) for edge in edges]
                           for name, edges in topology.edges.items()}).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1][::-1]
        spec = next(spec for spec in topology.specs if spec.name == circle[0])
        raise spec.fail(f"there is a cycle, {' from '.join(repr(one) for one in circle)}; if it is "
                        f"wanted, say so in {topology.__name__}: cycles = True") from None
