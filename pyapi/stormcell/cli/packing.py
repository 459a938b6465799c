"""What `stormcell jar` and `submit` share: which files go to the workers, and what these are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from stormcell.cli.project import Project, find_config
from stormcell.config import Config, ConfigError
from stormcell.jar import Contents, Environment, gather

__all__ = ["PACKING", "Choices", "jar_options"]

Command = TypeVar("Command", bound=Callable[..., Any])

file_path = click.Path(path_type=Path)

OPTIONS = (
    click.option("--python", metavar="PYTHON",
                 help="The workers' Python: 3.11, python3.11, or a path there; by default what they find."),
    click.option("-r", "--requirements", type=file_path, multiple=True, metavar="FILE",
                 help="Packages that go in, as pip has them; may be given several times."),
    click.option("--venv", type=file_path, metavar="DIR",
                 help="An environment that the workers get, with its Python and packages."),
    click.option("--platform", metavar="PLATFORM",
                 help="The workers' platform, as manylinux2014_x86_64; by default that of this machine."),
    click.option("--runner", type=file_path, metavar="DIR_OR_WHEEL",
                 help="Stormcell's native files for that platform; by default those installed here."),
    click.option("--java-jar", "java_jars", type=file_path, multiple=True, metavar="FILE",
                 help="A jar of your own whose classes go in; may be given several times."),
    click.option("--exclude", multiple=True, metavar="GLOB",
                 help="Files or folders that do not go in; may be given several times."),
    click.option("--no-cache", is_flag=True,
                 help="Have pip look for the packages again, also if they were found before."),
)


PACKING = ("python", "requirements", "venv", "platform", "runner", "java_jars", "exclude", "no_cache")
"""What they are called where a command gets them."""


def jar_options(command: Command) -> Command:
    """The options that say what goes into a jar; `Choices.of` takes them all."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Choices:
    """What goes to the workers, as the command line and the project's environment say.

    Attributes: as `build_jar` takes them, but
        venv: the folder of an environment.
    """

    python: str
    requirements: tuple[Path, ...]
    venv: Path | None
    platform: str | None
    runner: Path | None
    java_jars: tuple[Path, ...]
    exclude: tuple[str, ...]
    cache: bool

    @classmethod
    def of(cls, file: Path | None, config_file: Path | None, environment: str | None, *, python: str | None,
           requirements: tuple[Path, ...], venv: Path | None, platform: str | None, runner: Path | None,
           java_jars: tuple[Path, ...], exclude: tuple[str, ...], no_cache: bool) -> Choices:
        """Those of the command line, and else those of the environment. ConfigError."""
        said = Said(find_config(file, config_file), environment)
        if venv is None:  # which has both of what follows
            venv = None if python or requirements else said.path("venv")
            python, requirements = python or said.text("python"), requirements or said.paths("requirements")
        return cls(python or "", requirements, venv, platform or said.text("platform"),
                   runner or said.path("runner"), java_jars or said.paths("java_jars"),
                   (*said.texts("exclude"), *exclude), not no_cache)

    def gather(self, project: Project) -> Contents:
        """What the jar of the project holds. Raises JarError or TopologyError."""
        environment = Environment.of(self.venv) if self.venv else None
        if self.requirements and sys.stderr.isatty():  # it may take a while
            click.echo("packages: pip looks for them, if they were not found before", err=True)
        return gather(project.topology, project.directory, python=self.python, requirements=self.requirements,
                      platform=self.platform, environment=environment, runner=self.runner,
                      java_jars=self.java_jars, exclude=self.exclude, cache=self.cache)


class Said:
    """What an environment of a project's configuration says of its jars."""

    def __init__(self, config: Config, environment: str | None) -> None:
        self._config = config
        self._name, self._values = config.environment(environment)

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, "a string", value)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key, [])
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise self._wrong(key, "a string or a list of strings", value)
        return tuple(found)

    def path(self, key: str) -> Path | None:
        value = self.text(key)
        return None if value is None else self._config.folder / value

    def paths(self, key: str) -> tuple[Path, ...]:
        return tuple(self._config.folder / value for value in self.texts(key))

    def _wrong(self, key: str, kind: str, value: object) -> ConfigError:
        return ConfigError(f"{self._config.path}: {key!r} of the environment {self._name!r} is {kind}, "
                           f"not {value!r}")
