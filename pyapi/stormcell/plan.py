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

__all__ = ["component_command", "component_home", "installed_folders", "make_plan", "target"]


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
        grouping["fields"] = list(edge.grouping.names)
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
    shim = [program("stormcell-shim"), target(spec.component)]
    home = component_home(spec, spec.component)
    if home in installed_folders() or home == os.path.realpath(directory):
        return shim
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
    return ["env", f"PYTHONPATH={path}", *shim]


def component_home(spec: Spec, component: type[Component]) -> str:
    """The folder from which the component's module is imported. TopologyError: from none."""
    name, module = component.__qualname__, component.__module__
    if "<locals>" in name:
        raise spec.fail(f"{name} is defined within a function: its tasks could not import it")
    file = getattr(sys.modules.get(module), "__file__", None)
    parts = module.split(".")
    place = _module_place(Path(file)) if file else Path()
    if list(place.parts[-len(parts):]) != parts:
        raise spec.fail(f"the tasks of {spec.title} could not import {name}: its module, {file or module}, is "
                        "not what `import` finds by that name; move it to another")
    return os.path.realpath(place.parents[len(parts) - 1])


def _module_place(file: Path) -> Path:
    """A module's file without its suffixes, or its folder, if it is a package."""
    stem = file.name.partition(".")[0]
    return file.absolute().parent if stem == "__init__" else file.absolute().with_name(stem)


def installed_folders() -> set[str]:
    """Where this Python has its own modules, and packages that are installed."""
    return {os.path.realpath(path) for key, path in sysconfig.get_paths().items()
            if key in ("purelib", "platlib", "stdlib", "platstdlib")}
