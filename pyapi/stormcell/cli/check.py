"""`stormcell check`: what would go wrong with a topology, before it does."""

from __future__ import annotations

import math
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from stormcell.cli import connection, parameters
from stormcell.cli.cluster_checks import ask, try_hosts
from stormcell.cli.doctor import first_line
from stormcell.cli.importing import LOAD_COMPONENT, LOAD_TOPOLOGY, how_it_failed
from stormcell.cli.jar_checks import try_jar
from stormcell.cli.packing import PACKING, Choices, jar_options
from stormcell.cli.project import Project, find_config, find_file
from stormcell.engine import EngineError, program
from stormcell.jar import JarError
from stormcell.nimbus import Nimbus
from stormcell.spec import Spec, TopologyError


@click.command("check")
@parameters.topology_file
@connection.choices
@parameters.options
@click.option("--cluster", metavar="ENV", help="Check as well what becomes of it on the cluster of this "
              "environment: the jar, and what Nimbus would say. Nothing is changed there.")
@click.option("--probe", is_flag=True, help="With --cluster: have the components imported on each of its hosts, "
              "by a topology that is there for a moment.")
@click.option("-n", "--name", help="The topology's name on the cluster, by default that of its file.")
@jar_options
def command(file: Path | None, cluster: str | None, probe: bool, **choices: Any) -> int:
    """Check a topology, and that its components can be imported.

    That is: the graph, the settings, and each component in an interpreter of its own. With --cluster also:
    the jar, each component from what is in it, the name, the settings and the slots of the cluster.

    FILE defines the topology; by default it is the only one in topologies/.

    \b
    Example:
      stormcell check topologies/wordcount.py

    The exit status is 0 if all is well, 1 if something is wrong, 2 if it could not be checked.
    """
    if probe and cluster is None:
        raise click.UsageError("--probe goes with --cluster")
    choices["environment"] = cluster or choices["environment"]
    file = find_file(file, find_config(file, choices["config_file"]))
    asked = Asked(cluster is not None, probe, **{name: choices.pop(name) for name in ("nimbus", "timeout")},
                  packing={name: choices.pop(name) for name in PACKING})
    found = 0
    for subject, wrong in examine(file, choices, asked):
        mark, color = ("NO", "red") if wrong else ("ok", "green")
        click.echo(f"{click.style(mark, fg=color)}  {subject}{': ' if wrong else ''}{wrong}")
        found += bool(wrong)
    return 1 if found else 0


@dataclass(frozen=True)
class Asked:
    """What of a cluster is to be checked, and how it is reached.

    Attributes:
        cluster: whether anything is.
        probe: whether its hosts are to try the jar.
        nimbus, timeout: as `connection.open_nimbus` takes them.
        packing: as `Choices.of` does.
    """

    cluster: bool
    probe: bool
    nimbus: tuple[str, ...]
    timeout: int
    packing: dict[str, Any]


def examine(file: Path, choices: dict[str, Any], asked: Asked) -> Iterator[tuple[str, str]]:
    """What was looked at, and what is wrong with it, or ""."""
    yield f"Python {platform.python_version()}", _python()
    ended = how_it_failed([sys.executable], LOAD_TOPOLOGY, str(file), Path.cwd())
    if ended:
        yield str(file), f"importing it {ended}"
        return
    try:
        project = Project.open(file, **choices)
    except TopologyError as error:
        yield str(file), str(error).removeprefix(f"{file}: ")
        return
    yield f"{file}: {project.topology.__name__}, {len(project.topology.specs)} components", ""
    for path, wrong in unsendable(project.settings, "the settings"):
        yield path, wrong
    for spec in project.topology.specs:
        yield str(spec.name), _component(project, spec)
    if asked.cluster:
        yield from _on_a_cluster(project, choices, asked)


def _on_a_cluster(project: Project, choices: dict[str, Any], asked: Asked) -> Iterator[tuple[str, str]]:
    where = {name: choices[name] for name in ("environment", "config_file")}

    def connect() -> Nimbus:
        return connection.open_nimbus(**where, nimbus=asked.nimbus, timeout=asked.timeout)

    try:
        contents = Choices.of(project.file, **where, **asked.packing).gather(project)
        for notice in contents.notices:
            yield notice, ""
        yield from try_jar(project, contents)
    except (JarError, TopologyError) as error:
        yield "the jar", str(error)
        return
    yield from ask(project, connect)
    if asked.probe:
        yield from try_hosts(project, contents, connect)


def _python() -> str:
    """What is wrong with the interpreter of the components, or ""."""
    try:
        said = first_line([program("stormcell-shim"), "--version"])
    except EngineError as error:
        return str(error)
    if f"Python {platform.python_version()} " in said:
        return ""
    return f"components run as another Python, or do not start: {said}"


def _component(project: Project, spec: Spec) -> str:
    """What is wrong with a component, or ""."""
    for path, wrong in unsendable(spec.config, "config"):
        return f"{path} {wrong}"
    try:
        command = project.command(spec)
    except (TopologyError, EngineError) as error:
        return str(error)
    if spec.component is None:
        return "" if shutil.which(command[0]) else f"there is no program {command[0]!r} on PATH"
    *before, _, target = command
    return how_it_failed([*before, sys.executable], LOAD_COMPONENT, target, project.directory)


def unsendable(value: object, path: str) -> Iterator[tuple[str, str]]:
    """What of a setting would not arrive as it is: where it is, and why."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield f"{path}[{key!r}]", f"has a key that is no string but {type(key).__name__}"
            yield from unsendable(inner, f"{path}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from unsendable(inner, f"{path}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, f"is {value}, which JSON does not have"
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield path, f"is {value}, which does not fit into 64 bits"
    elif not isinstance(value, (str, int, float, type(None))):
        yield path, f"is a {type(value).__name__}, which JSON does not have"
