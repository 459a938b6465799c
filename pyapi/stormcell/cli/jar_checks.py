"""What `stormcell check --cluster` finds out from a topology's jar: whether its components can be imported
from what a worker gets, and from nothing else."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stormcell.cli.importing import LOAD_COMPONENT, how_it_failed
from stormcell.cli.project import Project
from stormcell.jar import Contents, Jar
from stormcell.jar.unpacking import unpack
from stormcell.plan import target

Finding = tuple[str, str]
"""What was looked at, and what is wrong with it, or ""."""


def try_jar(project: Project, contents: Contents) -> Iterator[Finding]:
    """Build the jar for the time being, unpack it as a supervisor does, and import each component there.
    Raises JarError."""
    with tempfile.TemporaryDirectory(prefix="stormcell-check-") as folder:
        jar = contents.write(Path(folder) / f"{project.name}.jar")
        yield f"the jar: {jar.size:,} bytes, {len(contents.entries)} files", ""
        python = _python(contents)
        if not python:
            yield f"the components from the jar: not tried, {_why_not(contents)}", ""
            return
        yield from _components(project, jar, python, Path(folder))


def _components(project: Project, jar: Jar, python: str, folder: Path) -> Iterator[Finding]:
    resources = unpack(jar.path, folder)
    environment = _environment(project.settings.get("topology.environment"))
    for spec in project.topology.specs:
        if spec.component is not None:
            yield f"{spec.name} from the jar, with {python}", how_it_failed(
                [python, "-s"], LOAD_COMPONENT, target(spec.component), resources, environment)


def _python(contents: Contents) -> str:
    """The workers' Python, if that is one of this machine; "": it is not. Where any will do, it is one that
    has none of the packages of the author's environment."""
    if contents.workers.machine != platform.machine():
        return ""
    if contents.environment is not None:
        return str(contents.environment.root / "bin" / "python3")
    return shutil.which(contents.workers.python or getattr(sys, "_base_executable", sys.executable)) or ""


def _why_not(contents: Contents) -> str:
    if contents.workers.machine != platform.machine():
        return f"this machine is no {contents.workers.machine}"
    return f"there is no {contents.workers.python} here"


def _environment(settings: Any) -> Mapping[str, str]:
    """That of a worker: nothing of it leads to this machine's Stormcell."""
    ours = {name: value for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "STORMCELL_", "VIRTUAL_ENV"))}
    return {**ours, **(settings if isinstance(settings, dict) else {})}
