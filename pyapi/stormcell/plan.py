"""From a topology to the plan that `stormcell-engine` runs (docs/engine.md has its format)."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

from stormcell.component import Component
from stormcell.engine import program
from stormcell.spec import Spec
from stormcell.topology import Edge, Topology, TopologyError, check_name

__all__ = ["component_command", "make_plan", "target"]


def make_plan(topology: type[Topology], *, name: str, environment: str | None,
              options: dict[str, Any], directory: str, run: dict[str, Any]) -> dict[str, Any]:
    """The plan of a topology.

    Args:
        name: the topology's, as submitted.
        environment: chooses among the counts of tasks that differ by environment.
        options: Storm's keys for the topology, all of them.
        directory: where the components run.
        run: when to end and what to tell, as in the plan.

    Raises TopologyError for what cannot run here: components and groupings in Java. EngineError: there
    is no stormcell-shim.
    """
    wrong = check_name(name)
    if wrong:
        raise TopologyError(topology.where, wrong)
    return {
        "name": name,
        "directory": directory,
        "conf": options,
        "components": {str(spec.name): _component(topology, spec, environment, directory)
                       for spec in topology.specs},
        "run": run,
    }


def _component(topology: type[Topology], spec: Spec, environment: str | None,
               directory: str) -> dict[str, Any]:
    component: dict[str, Any] = {
        "kind": spec.kind,
        "command": component_command(spec, directory),
        "parallelism": spec.tasks(environment),
        "conf": spec.config,
        "outputs": {stream.name: {"fields": stream.fields, "direct": stream.direct}
                    for stream in spec.outputs.values()},
    }
    if spec.kind == "bolt":
        component["inputs"] = [_input(spec, edge) for edge in topology.edges[str(spec.name)]]
    return component


def _input(spec: Spec, edge: Edge) -> dict[str, Any]:
    grouping: dict[str, Any] = {"type": edge.grouping.kind}
    if edge.grouping.needs_java:
        raise spec.fail(f"{spec.title} takes a stream by a grouping in Java, and a local run has no JVM: "
                        "use another one for it, or run the topology on a cluster")
    if edge.grouping.names:
        grouping["fields"] = edge.grouping.names
    return {"component": edge.source.name, "stream": edge.stream.name, "grouping": grouping}


# ---- how a component is started ------------------------------------------------------------------


def target(component: type[Component]) -> str:
    """What `stormcell-shim` is told: "module.Class"."""
    return f"{component.__module__}.{component.__qualname__}"


def component_command(spec: Spec, directory: str) -> list[str]:
    """The program, and its arguments, that is a task of a component which runs in `directory`.

    Of one in Python, the last two are stormcell-shim and the class. Raises TopologyError for what
    cannot run here, EngineError where there is no stormcell-shim.
    """
    if spec.java is not None:
        raise spec.fail(f"{spec.title} is in Java, and a local run has no JVM: put a Python component in "
                        "its place for it, or run the topology on a cluster")
    if spec.component is None:
        return list(spec.command or ())
    if "<locals>" in spec.component.__qualname__:
        raise spec.fail(f"{spec.component.__qualname__} is defined within a function: its tasks could not "
                        "import it")
    shim = [program("stormcell-shim"), target(spec.component)]
    elsewhere = _home(spec.component)
    if elsewhere is None or elsewhere == directory:
        return shim
    path = os.pathsep.join(filter(None, [elsewhere, os.environ.get("PYTHONPATH")]))
    return ["env", f"PYTHONPATH={path}", *shim]


def _home(component: type[Component]) -> str | None:
    """The folder from which the component's module is imported, where it is not installed."""
    file = getattr(sys.modules.get(component.__module__), "__file__", None)
    if file is None:
        return None
    package = Path(file).name == "__init__.py"
    depth = component.__module__.count(".") + package
    home = str(Path(file).resolve().parents[depth])
    return None if home in _installed() else home


def _installed() -> set[str]:
    return {os.path.realpath(path) for key, path in sysconfig.get_paths().items()
            if key in ("purelib", "platlib", "stdlib", "platstdlib")}
