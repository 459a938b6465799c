"""From a topology to its jar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stormcell.jar.code import add_code
from stormcell.jar.entries import Entries, Entry
from stormcell.jar.environment import Environment
from stormcell.jar.fault import JarError
from stormcell.jar.java import java_files
from stormcell.jar.package import package_files, start_commands, start_file
from stormcell.jar.runner import Runner, find_runner
from stormcell.jar.weight import heavy
from stormcell.jar.wheels import wheel_files
from stormcell.jar.workers import Workers
from stormcell.jar.writing import digest_of, write_jar
from stormcell.topology import Topology

__all__ = ["Contents", "Jar", "build_jar", "gather"]


@dataclass(frozen=True)
class Contents:
    """What will be in a jar.

    Attributes:
        entries: its files, in order.
        commands: for each component in Python by name, the two strings that Storm starts it by.
        workers: what the jar is for.
        runner: the native files among the entries.
        environment: what the workers need beside it as a blob, or None.
        notices: lines of what the user should know.
    """

    entries: tuple[Entry, ...]
    commands: dict[str, tuple[str, str]]
    workers: Workers
    runner: Runner
    environment: Environment | None = None
    notices: list[str] = field(default_factory=list)

    def write(self, path: Path) -> Jar:
        """Raises JarError: it cannot be written, or what was there cannot be read any more."""
        write_jar(path, self.entries)
        return Jar(path, path.stat().st_size, digest_of(path), self)


@dataclass(frozen=True)
class Jar:
    """A jar that has been built.

    Attributes:
        path: where it is.
        size: in bytes.
        digest: SHA-256 of the file, in hexadecimal.
        contents: what is in it.
    """

    path: Path
    size: int
    digest: str
    contents: Contents

    @property
    def commands(self) -> dict[str, tuple[str, str]]:
        """For each component in Python by name, its execution_command and script."""
        return self.contents.commands


def gather(topology: type[Topology], directory: Path, *, python: str = "", requirements: Sequence[Path] = (),
           platform: str | None = None, environment: Environment | None = None, runner: Path | None = None,
           java_jars: Sequence[Path] = (), exclude: Sequence[str] = (), cache: bool = True) -> Contents:
    """All that goes into the jar of a topology, as `build_jar` has it."""
    workers = _workers(python, platform, environment, requirements)
    native = find_runner(runner, workers)
    entries = Entries()
    entries.add(package_files())
    entries.add(native.entries)
    notices = [*_too_new(native, workers), *add_code(entries, topology, directory, exclude)]
    ours = [spec for spec in topology.specs if spec.component is not None]
    entries.add(start_file(spec, workers.python) for spec in ours)
    for path in java_jars:
        entries.add(java_files(path))
    if requirements:
        entries.add(wheel_files(requirements, workers, cache))
    notices += [*_not_ascii(entries), *heavy(entries)]
    commands = start_commands(topology)
    return Contents(tuple(entries), commands, workers, native, environment, notices)


def _too_new(runner: Runner, workers: Workers) -> Iterator[str]:
    """A line about a runner that was built on a newer system than the workers may be."""
    if workers.glibc is not None and runner.glibc > workers.glibc:
        yield (f"the native files need glibc 2.{runner.glibc}, and {workers.platform} promises "
               f"2.{workers.glibc}: components start only where it is newer than that")


def _not_ascii(entries: Entries) -> Iterator[str]:
    """A line about names that a JVM without a UTF-8 locale writes with ? for all other letters."""
    found = [entry.name for entry in entries if not entry.name.isascii()]
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield (f"{found[0].removeprefix('resources/')}{more}: such a name arrives as it is only where "
               "supervisors run in a UTF-8 locale")


def _workers(python: str, platform: str | None, environment: Environment | None,
             requirements: Sequence[Path]) -> Workers:
    if environment is None:
        workers = Workers.of(python, platform)
        return workers.of_known_version(str(requirements[0])) if requirements else workers
    if python or requirements:
        raise JarError(f"--venv {environment.root} has Python and packages: install into it what is "
                       "missing, and leave out --python and --requirements")
    workers = Workers.of(environment.python, platform, environment.version)
    environment.check_machine(workers)
    return workers


def build_jar(path: Path, topology: type[Topology], directory: Path, *, python: str = "",
              requirements: Sequence[Path] = (), platform: str | None = None,
              environment: Environment | None = None, runner: Path | None = None,
              java_jars: Sequence[Path] = (), exclude: Sequence[str] = (), cache: bool = True) -> Jar:
    """Build the jar of a topology.

    Args:
        path: where it is written; what was there stays until it is whole.
        directory: where the components run here: all that is in it goes in.
        python: the workers' Python, as in "3.11", "python3.11" or "/opt/python/bin/python3"; "": what they
            find.
        requirements: files of packages for pip, which go in as wheels.
        platform: the workers', as in "manylinux2014_x86_64"; None: this machine's.
        environment: one that comes to the workers as a blob, and has the components' Python; its packed
            form has the setting that the topology needs.
        runner: a folder or a wheel that holds the native files; None: $STORMCELL_RUNNER, or those installed.
        java_jars: jars whose classes go in.
        exclude: patterns of file names that do not.
        cache: whether wheels that were found for the same requirements before are taken.

    Raises JarError or TopologyError, of one line.
    """
    contents = gather(topology, directory, python=python, requirements=requirements, platform=platform,
                      environment=environment, runner=runner, java_jars=java_jars, exclude=exclude,
                      cache=cache)
    return contents.write(path)
