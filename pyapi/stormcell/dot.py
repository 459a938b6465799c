"""A topology as a picture: Graphviz' text of it."""

from __future__ import annotations

from collections.abc import Iterator

from stormcell.fault import TopologyError
from stormcell.spec import Spec
from stormcell.topology import Edge, Topology

__all__ = ["dot"]

HEAD = """\
digraph {name} {{
    graph [rankdir=LR, nodesep=0.5, ranksep=1.1, bgcolor="transparent"]
    node [fontname="Helvetica,Arial,sans-serif", fontsize=12, style="filled", penwidth=1.2, margin="0.18,0.1"]
    edge [fontname="Helvetica,Arial,sans-serif", fontsize=10, color="#64748b", fontcolor="#475569", arrowsize=0.7]
"""

LOOKS = {
    "spout": 'shape=cds, fillcolor="#dcfce7", color="#15803d"',
    "bolt": 'shape=box, style="filled,rounded", fillcolor="#e0f2fe", color="#0369a1"',
}


def dot(topology: type[Topology], environment: str | None = None) -> str:
    """Graphviz' text: spouts and bolts with their numbers of tasks, and for each stream that a bolt takes
    an edge with its grouping, its name if it is not the default one, and its fields."""
    lines = [HEAD.format(name=_quoted(topology.__name__))]
    lines += [_node(spec, environment) for spec in topology.specs]
    lines += [line for spec in topology.specs for line in _edges(topology, spec)]
    return "".join([*lines, "}\n"])


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))


def _node(spec: Spec, environment: str | None) -> str:
    try:
        tasks = str(spec.tasks(environment))
    except TopologyError:  # it depends on an environment that was not said
        tasks = "?"
    label = str(spec.name) if tasks == "1" else f"{spec.name}\n\u00d7 {tasks}"
    return f"    {_quoted(str(spec.name))} [label={_quoted(label)}, {LOOKS[spec.kind]}]\n"


def _edges(topology: type[Topology], spec: Spec) -> Iterator[str]:
    for edge in topology.edges[str(spec.name)]:
        yield (f"    {_quoted(str(edge.source.name))} -> {_quoted(str(spec.name))} "
               f"[label={_quoted(_label(edge))}]\n")


def _label(edge: Edge) -> str:
    grouping = edge.grouping.kind
    if edge.grouping.names:
        grouping += f" by {', '.join(edge.grouping.names)}"
    fields = ", ".join(edge.stream.fields)
    stream = "" if edge.stream.name == "default" else f"{edge.stream.name}: "
    return f"{grouping}\n{stream}({fields})"
