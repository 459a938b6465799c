"""`stormcell check`: what would go wrong with a topology, before it does."""

from __future__ import annotations

import math
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from stormcell.cli import parameters
from stormcell.cli.doctor import first_line
from stormcell.cli.project import Project, find_config, find_file
from stormcell.engine import EngineError, program
from stormcell.spec import Spec, TopologyError

PATIENCE = 60.0
"""How long importing a component may take, in seconds."""

LOADED = 87
"""The exit status of an interpreter that came to the end; one that user code ends has another."""

LOAD_TOPOLOGY = f"""
import os, sys
from stormcell.load import load
from stormcell.spec import TopologyError
try:
    load(sys.argv[1])
except TopologyError:
    pass  # told by whoever loads it after this
os._exit({LOADED})
"""

LOAD_COMPONENT = f"""
import os, sys
from stormcell.run import StartError, load
try:
    load(sys.argv[1])
except StartError as error:
    print(error, file=sys.stderr, flush=True)
    os._exit(1)
os._exit({LOADED})
"""


@click.command("check")
@parameters.topology_file
@parameters.environment
@parameters.options
@parameters.config_file
def command(file: Path | None, **choices: Any) -> int:
    """Check a topology, and that its components can be imported.

    That is: the graph, the settings, and each component in an interpreter of its own.

    FILE defines the topology; by default it is the only one in topologies/.

    \b
    Example:
      stormcell check topologies/wordcount.py

    The exit status is 0 if all is well, 1 if something is wrong, 2 if it could not be checked.
    """
    file = find_file(file, find_config(file, choices["config_file"]))
    found = 0
    for subject, wrong in examine(file, choices):
        mark, color = ("NO", "red") if wrong else ("ok", "green")
        click.echo(f"{click.style(mark, fg=color)}  {subject}{': ' if wrong else ''}{wrong}")
        found += bool(wrong)
    return 1 if found else 0


def examine(file: Path, choices: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What was looked at, and what is wrong with it, or ""."""
    yield f"Python {platform.python_version()}", _python()
    ended = _interpreter([], LOAD_TOPOLOGY, str(file), Path.cwd())
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
    return _interpreter(before, LOAD_COMPONENT, target, project.directory)


def _interpreter(before: list[str], code: str, argument: str, directory: Path) -> str:
    """Run code that imports what users wrote, in an interpreter that it may end. How it failed, or ""."""
    # A module may print while it is imported.
    command = [*before, sys.executable, "-c", code, argument]
    try:
        done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"is not done after {PATIENCE:g} s"
    if done.returncode == LOADED:
        return ""
    if done.returncode == 1:
        return _gist(done.stderr.decode(errors="replace"))
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
    return f"ended the interpreter ({how})"


def _gist(said: str) -> str:
    """One line of a report: its first, and of a traceback the last."""
    lines = [line.strip() for line in said.strip().splitlines()] or ["no reason given"]
    return lines[0] if len(lines) == 1 else f"{lines[0]} {lines[-1]}"


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
