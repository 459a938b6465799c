"""`stormcell doctor`: what is there of all that Stormcell works with, and what to do about the rest."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from stormcell import __version__
from stormcell.engine import Engine, EngineError, program

PATIENCE = 30.0
"""How long any other program may take to tell its version, in seconds."""

PROBE = """
import json, sys
from stormcell import Spout

class Probe(Spout):
    def next_tuple(self):
        self.emit([json.dumps([sys.version.split()[0], sys.prefix])])
"""


@dataclass
class Finding:
    """One line of what has been found.

    good: bool, it is there and can be used.
    needed: bool, nothing runs without it.
    """

    name: str
    good: bool
    text: str
    needed: bool = False

    @property
    def mark(self) -> str:
        if self.good:
            return click.style("ok", fg="green")
        return click.style("NO", fg="red") if self.needed else click.style("--", fg="yellow")


@click.command("doctor")
def command() -> int:
    """Look for what Stormcell works with.

    That is: Python, its own programs, and what only some commands need.

    \b
    Example:
      stormcell doctor

    The exit status is 0 if topologies can run here, 1 if not.
    """
    usable = True
    for finding in examine():
        click.echo(f"{finding.mark}  {finding.name:<17} {finding.text}")
        usable = usable and (finding.good or not finding.needed)
    return 0 if usable else 1


def examine() -> Iterator[Finding]:
    """All that there is to find, in the order in which one thing needs another."""
    yield Finding("python", True, f"{platform.python_version()} at {sys.executable}", needed=True)
    yield Finding("environment", True, _environment())
    yield Finding("stormcell", True, f"{__version__} at {Path(__file__).parents[1]}", needed=True)
    yield from _shim()
    yield _engine()
    yield _components()
    yield _package("pytest", "your tests need it: pip install pytest")
    yield _other("graphviz", "dot", "-V",
                 "only `stormcell visualize` to svg or png needs it: apt-get install graphviz")
    yield _runner()
    yield _other("java", "java", "-version",
                 "only `stormcell cluster` needs it: apt-get install openjdk-17-jre-headless")
    yield _other("maven", "mvn", "-version",
                 "only the first `stormcell cluster up` needs it: apt-get install maven")
    yield _storm()
    yield _cluster()


def _environment() -> str:
    if sys.prefix == sys.base_prefix:
        return "none: this is the system's own Python; python3 -m venv .venv makes one"
    active = os.environ.get("VIRTUAL_ENV")
    if active and os.path.realpath(active) != os.path.realpath(sys.prefix):
        return f"{sys.prefix}; another one is active, {active}, which this command does not belong to"
    return sys.prefix


def _shim() -> Iterator[Finding]:
    """The executable that hosts components, and where it has Python from."""
    name = "stormcell-shim"
    try:
        path = program(name)
    except EngineError as error:
        yield Finding(name, False, str(error), needed=True)
        return
    version = first_line([path, "--version"])
    linked = re.search(r"Python \S+ \((\w+)\)", version)
    if linked is None:
        yield Finding(name, False, f"{path} does not start: {version}", needed=True)
        return
    yield Finding(name, True, f"{version.removeprefix(name).strip()}, {path}", needed=True)
    if linked[1] == "static":
        yield Finding("libpython", True, "static: in stormcell-shim itself")
    else:
        library = next((line.strip() for line in output(["ldd", path]) if "libpython" in line), "not found")
        yield Finding("libpython", "not found" not in library, f"shared: {library}", needed=True)


def _engine() -> Finding:
    try:
        return Finding("stormcell-engine", True, program("stormcell-engine"), needed=True)
    except EngineError as error:
        return Finding("stormcell-engine", False, str(error), needed=True)


def _components() -> Finding:
    """Whether a component runs, and as which Python: known only to one that does."""
    with tempfile.TemporaryDirectory(prefix="stormcell-doctor-") as folder:
        (Path(folder) / "probe.py").write_text(PROBE)
        try:
            version, prefix = _probe(folder)
        except EngineError as error:
            return Finding("components", False, str(error), needed=True)
    where = f"run as Python {version} in {prefix}"
    if os.path.realpath(prefix) == os.path.realpath(sys.prefix):
        return Finding("components", True, where, needed=True)
    return Finding("components", False, f"{where}, not in {sys.prefix}, where this command is: install "
                   "Stormcell into the one environment that has your packages", needed=True)


def _probe(folder: str) -> tuple[str, str]:
    """The version and the prefix of the Python that hosts components. EngineError: none does."""
    outputs = {"default": {"fields": ["found"], "direct": False}}
    plan: dict[str, Any] = {
        "name": "doctor",
        "directory": folder,
        "components": {"probe": {"kind": "spout", "command": [program("stormcell-shim"), "probe.Probe"],
                                 "parallelism": 1, "outputs": outputs}},
        "run": {"tuples": 1, "seconds": PATIENCE, "emits": True},
    }
    with Engine(plan) as engine:
        for event in engine:
            if event["event"] == "emit":
                version, prefix = json.loads(event["tuple"][0])
                return version, prefix
            if event["event"] in ("error", "died"):
                raise EngineError(f"do not run: {' '.join(event['text'].split())[-500:]}")
    raise EngineError(f"do not run: none has answered within {PATIENCE:g} s")


def _runner() -> Finding:
    """What jars have for the workers."""
    from stormcell.jar.fault import JarError
    from stormcell.jar.runner import find_runner
    from stormcell.jar.workers import Workers

    try:
        found = find_runner(None, Workers.of())
    except JarError as error:
        return Finding("runner", False, f"{error}; only `stormcell jar` and `submit` need it")
    return Finding("runner", True, f"for workers with {found.pythons}, {platform.machine()}, glibc 2.{found.glibc}")


def _cluster() -> Finding:
    """The Storm that commands speak to where no other is named."""
    from stormcell.cluster import ClusterError, running

    try:
        here = running()
    except ClusterError as error:
        return Finding("cluster", False, str(error))
    if here is None:
        return Finding("cluster", False, "none on this machine; `stormcell cluster up` starts one")
    return Finding("cluster", True, f"Storm {here.version} in {here.home}")


def _package(name: str, advice: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, f"not found; {advice}")


def _other(name: str, executable: str, option: str, advice: str) -> Finding:
    path = shutil.which(executable)
    if path is None:
        return Finding(name, False, f"not found; {advice}")
    return Finding(name, True, f"{first_line([path, option])} at {path}")


def _storm() -> Finding:
    """Storm's own command starts a JVM only to tell its version: its file RELEASE says it as well."""
    home = os.environ.get("STORM_HOME")
    path = shutil.which("storm", path=os.path.join(home, "bin") if home else None)
    if path is None:
        where = f"$STORM_HOME ({home}) has no bin/storm" if home else "not found"
        return Finding("storm", False, f"{where}; nothing needs it: `stormcell cluster up` fetches its own")
    release = Path(path).resolve().parents[1] / "RELEASE"
    version = release.read_text().strip() if release.is_file() else "of unknown version"
    return Finding("storm", True, f"{version} at {path}")


def first_line(command: list[str]) -> str:
    """What a program says first."""
    return next(iter(output(command)), "it says nothing")


def output(command: list[str]) -> list[str]:
    """What a program says, to stdout or to stderr, or why it does not."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [str(error)]
    return done.stdout.decode(errors="replace").strip().splitlines()
