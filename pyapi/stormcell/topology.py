"""A topology as a class: its attributes are the components, and making the class checks that they fit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from stormcell.component import Component
from stormcell.spec import Source, Spec, TopologyError, caller
from stormcell.stream import Grouping, Stream

__all__ = ["Edge", "Topology", "TopologyError", "check_name", "nearest"]


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
        made.where = caller()
        made.specs = _named(made, members) if bases else []
        made.edges = {}
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

    A subclass has its bases' components and may replace them.

    Class attributes:
        config: Storm's keys for the topology.
        cycles: set it to True where a bolt is meant to take what comes of its own tuples.
        specs: its components, in the order of the class.
        edges: for each component by name, what it takes.
    """

    config: dict[str, Any] = {}
    cycles: bool = False


# ---- names ---------------------------------------------------------------------------------------


def _named(topology: TopologyType, members: dict[str, Any]) -> list[Spec]:
    """The specs of the bases and its own; one without a name gets its attribute's."""
    found: dict[str, Spec] = {}
    for base in reversed(topology.__mro__[1:]):
        for spec in getattr(base, "specs", []):
            found[str(spec.name)] = spec
    own: dict[int, str] = {}
    for attribute, member in members.items():
        if not isinstance(member, Spec):
            _check_no_component(topology, attribute, member)
            continue
        if id(member) in own:
            raise member.fail(f"{attribute} and {own[id(member)]} are one component: "
                              "each needs a spec of its own")
        own[id(member)] = attribute
        member.name = member.name or attribute
        before = found.get(member.name)
        if before is not None and id(before) in own:
            raise member.fail(f"two components have the name {member.name!r}: {own[id(before)]} and "
                              f"{attribute}")
        found[member.name] = member
    return list(found.values())


def _check_no_component(topology: TopologyType, attribute: str, member: object) -> None:
    """A class that is defined within the topology's is none of its components yet."""
    found = member if isinstance(member, type) else type(member)
    nested = found.__qualname__.startswith(f"{topology.__qualname__}.")
    if issubclass(found, Component) and not (nested and member is found):
        raise TopologyError(topology.where, f"{attribute} is {found.__name__} itself: a topology is made "
                                            f"of specs, as {found.__name__}.spec() gives them")


def check_name(name: str) -> str | None:
    """What is wrong with a topology's name (Storm's Utils.validateTopologyName), or None."""
    if not name.strip():
        return "a topology's name is not empty"
    bad = sorted(set(name) & set("/.:\\"))
    return f"a topology's name has none of / . : \\, as {name!r} has" if bad else None


def _check_names(topology: TopologyType) -> None:
    for spec in topology.specs:
        for what, name in [("component", str(spec.name)),
                           *(("stream", name) for name in spec.outputs)]:
            if name.startswith("__"):
                raise spec.fail(f"the {what} {name!r}: names with __ in front are Storm's own")
            if not name or "\n" in name:
                raise spec.fail(f"a {what} cannot have the name {name!r}")


# ---- joining -------------------------------------------------------------------------------------


def nearest(name: str, names: Iterable[str]) -> str:
    """What may have been meant: ", but 'word'" or all that there is."""
    known = list(names)
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f", but {', '.join(repr(one) for one in known)}" if known else ", nor any other"


def _edges(topology: TopologyType, spec: Spec) -> Iterator[Edge]:
    if spec.inputs and spec.kind == "spout":
        raise spec.fail(f"{spec.title} is a spout: it takes nothing")
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
    """Who emits it, as the topology has it now: a subclass may have replaced a component."""
    if isinstance(given, str):
        name, _, stream = given.partition(":")
        found = topology.spec_named(name)
        if found is None:
            others = [str(one.name) for one in topology.specs]
            raise spec.fail(f"{spec.title} takes from {name!r}, which is no component of "
                            f"{topology.__name__}{nearest(name, others)}")
        return found, stream or "default"
    source, stream = given if isinstance(given, Source) else (given, "default")
    found = topology.spec_named(source.name) if source.name else None
    if found is None:
        raise spec.fail(f"{spec.title} takes from {source.title} ({source.where}), which is no "
                        f"component of {topology.__name__}: it is no attribute of the class")
    return found, stream


def _checked(spec: Spec, edge: Edge) -> Edge:
    stream, grouping = edge.stream, edge.grouping
    of = f"the stream {stream.name!r} of {edge.source.title}"
    if stream.direct != (grouping.kind == "direct"):
        raise spec.fail(f"{spec.title} takes {of} by {grouping}, but {of} is "
                        f"{'direct' if stream.direct else 'not direct'}")
    for name in grouping.names:
        if name not in (stream.fields or ()):
            raise spec.fail(f"{spec.title} groups by the field {name!r}, which {of} does not have"
                            f"{nearest(name, stream.fields or ())}")
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
    reached = {str(spec.name) for spec in topology.specs if spec.kind == "spout"}
    more = True
    while more:
        more = False
        for name, edges in topology.edges.items():
            if name not in reached and any(edge.source.name in reached for edge in edges):
                reached.add(name)
                more = True
    for spec in topology.specs:
        if spec.name not in reached:
            raise spec.fail(f"nothing reaches {spec.title}: no spout lies before it")


def _check_cycles(topology: TopologyType) -> None:
    finished: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            circle = [*path[path.index(name):], name]
            spec = topology.spec_named(name)
            assert spec is not None
            raise spec.fail(f"there is a cycle, {' from '.join(repr(one) for one in circle)}; if it is "
                            f"wanted, say so in {topology.__name__}: cycles = True")
        if name not in finished:
            for edge in topology.edges[name]:
                visit(str(edge.source.name), [*path, name])
            finished.add(name)

    for spec in topology.specs:
        visit(str(spec.name), [])
