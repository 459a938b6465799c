"""The author's project: which topology file is meant, and which settings go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stormcell.cli import Refused
from stormcell.config import Config, parse_options
from stormcell.load import folders, load
from stormcell.plan import component_command, make_plan
from stormcell.spec import Spec
from stormcell.topology import Topology


@dataclass
class Project:
    """A topology, and all that is needed to run it.

    Attributes:
        file: where the topology is defined.
        topology: its class.
        name: the topology's name, as Storm would know it.
        environment: the chosen one of the configuration's `envs`, or None: it has none.
        settings: Storm's keys for the topology.
        config: the configuration that all that is from.
    """

    file: Path
    topology: type[Topology]
    name: str
    environment: str | None
    settings: dict[str, Any]
    config: Config

    @classmethod
    def open(cls, file: Path | None, *, config_file: Path | None = None, environment: str | None = None,
             name: str | None = None, options: tuple[str, ...] = (), debug: bool = False) -> Project:
        """Find and load it. Raises Refused, ConfigError or TopologyError."""
        config = find_config(file, config_file)
        file = find_file(file, config, name)
        overrides = {**({"topology.debug": True} if debug else {}), **parse_options(options)}
        environment, _ = config.environment(environment)
        topology = load(file)
        settings = config.options(topology, environment, overrides)
        return cls(file, topology, name or file.stem, environment, settings, config)

    @property
    def directory(self) -> Path:
        """Where components run, and what their modules are imported from."""
        return folders(self.file)[0]

    def command(self, spec: Spec) -> list[str]:
        """How a component is started here. Raises TopologyError or EngineError."""
        return component_command(spec, str(self.directory))

    def plan(self, run: dict[str, Any]) -> dict[str, Any]:
        """The plan for `stormcell-engine`. Raises TopologyError or EngineError."""
        return make_plan(self.topology, name=self.name, environment=self.environment,
                         options=self.settings, directory=str(self.directory), run=run)


def find_config(file: Path | None, given: Path | None) -> Config:
    """The configuration given, or else of the project that the topology file is in, or of this folder."""
    if given is not None:
        return Config.load(given)
    near = [Config.load(path) for path in _near(file)]
    return next((config for config in near if config.values), None) or Config.load()


def _near(file: Path | None) -> Iterator[Path]:
    """The configurations of the project around a topology file, by the shortest names they have."""
    if file is not None:
        folder, here = file.resolve().parent, Path.cwd()
        for path in (folder.parent / "config.json", folder.parent / "pyproject.toml",
                     folder / "config.json", folder / "pyproject.toml"):
            if path.is_file():
                yield path.relative_to(here) if path.is_relative_to(here) else path


def find_file(given: Path | None, config: Config, name: str | None = None) -> Path:
    """The topology file given, by its path or, as in `wordcount`, by its name; or that of the topology's
    name; or the only one there is. Raises Refused."""
    specs = config.topology_specs
    wanted = given or (Path(name) if name else None)
    named = specs / f"{wanted}.py"
    if wanted is not None and not wanted.is_file() and named.is_file():
        return named
    return given or _only_file(specs)


def _only_file(specs: Path) -> Path:
    found = sorted(path for path in specs.glob("*.py") if path.name != "__init__.py")
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(str(path) for path in found)
        raise Refused(f"which topology? There are {names}: name one of these files")
    raise Refused(f"there is no topology in {specs}/: name a file, or begin with `stormcell quickstart NAME`")
