"""A project's settings: config.json as streamparse has it, or [tool.stormcell] in pyproject.toml."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stormcell.fault import nearest, not_json
from stormcell.topology import Topology

__all__ = ["Config", "ConfigError", "parse_option", "parse_options"]


STREAMPARSE = ("user", "sudo_user", "ssh_password", "ssh_port", "use_ssh_for_nimbus", "workers", "virtualenv_root",
               "virtualenv_path", "virtualenv_name", "virtualenv_flags", "use_virtualenv", "install_virtualenv",
               "serializer", "ui.port", "log_path", "log_file")
"""Keys of its environments: where and how to install on the workers, which need nothing installed here."""


class ConfigError(ValueError):
    """Settings that cannot be used: one sentence, which says in which file."""


@dataclass(frozen=True)
class Config:
    """What a project's file says. Keys that are not known here are kept as they are.

    Attributes:
        path: the file, or None: there is none, and all is as if it were empty.
        values: all of it.
    """

    path: Path | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path | None = None) -> Config:
        """Read this file, or else config.json or pyproject.toml of the working directory, if it has one.
        ConfigError says what is wrong."""
        if path is not None:
            return cls._read(Path(path))
        for name in ("config.json", "pyproject.toml"):
            if Path(name).is_file():
                config = cls._read(Path(name))
                if config.values:
                    return config
        return cls()

    @classmethod
    def _read(cls, path: Path) -> Config:
        try:
            text = path.read_text(encoding="utf-8")
            values = _toml(text) if path.suffix == ".toml" else _json(text)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ConfigError(f"{path} cannot be read: {reason}") from error
        if not isinstance(values, dict):
            raise ConfigError(f"{path} holds no object of settings")
        return cls(path, values)

    @property
    def folder(self) -> Path:
        """Where the project is: what its paths are relative to."""
        return self.path.parent if self.path else Path()

    @property
    def topology_specs(self) -> Path:
        """The folder of the topology files. ConfigError: it is no path."""
        folder = self.values.get("topology_specs", "topologies")
        if not isinstance(folder, str):
            raise ConfigError(f'{self.path}: "topology_specs" is the path of a folder, not {folder!r}')
        return self.folder / folder

    def environment(self, name: str | None) -> tuple[str | None, dict[str, Any]]:
        """The environment of this name, or the only one, with its settings; (None, {}) where the file has
        none and none is asked for. ConfigError: there is no such, or one has to be chosen."""
        environments = self.values.get("envs", {})
        if not isinstance(environments, dict):
            raise ConfigError(f'{self.path}: "envs" is no object of environments')
        if name is None and len(environments) < 2:
            name = next(iter(environments), None)
            if name is None:
                return None, {}
        if name is None:
            raise ConfigError(f"{self.path} has several environments: choose one with "
                              f"--environment: {', '.join(environments)}")
        if name not in environments:
            where = self.path or "the project"
            raise ConfigError(f"{where} has no environment {name!r}{nearest(name, environments)}")
        found = environments[name]
        if not isinstance(found, dict):
            raise ConfigError(f"{self.path}: the environment {name!r} is no object of settings")
        return name, found

    def options(self, topology: type[Topology], environment: str | None,
                overrides: dict[str, Any]) -> dict[str, Any]:
        """Storm's keys for a topology: the environment's, over them the class's, over them those of the
        command line. The environment's `log.level`, where streamparse has it, is `stormcell.log.level`."""
        name, found = self.environment(environment)
        given = found.get("options") or {}
        wrong = not_json(given)
        if wrong:
            raise ConfigError(f'{self.path}: "options" of the environment {name!r} {wrong}')
        return {**_log_level(found), **given, **topology.config, **overrides}

    def unused(self, environment: str | None) -> list[str]:
        """What an environment says that streamparse needs and Stormcell does not."""
        _, found = self.environment(environment)
        unused = [key for key in STREAMPARSE if found.get(key)]
        log = found.get("log")
        return unused + [f"log.{key}" for key in log if key != "level" and log[key]] if isinstance(log, dict) else unused


def _log_level(environment: dict[str, Any]) -> dict[str, Any]:
    log = environment.get("log")
    level = log.get("level") if isinstance(log, dict) else None
    return {"stormcell.log.level": level} if isinstance(level, str) else {}


def parse_option(text: str) -> tuple[str, Any]:
    """`key=value` of a command line: the value is JSON, or else a string. ConfigError: there is no key, or
    the value is NaN or an infinity."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"an option is given as key=value, not {text!r}")
    try:
        return key.strip(), _json(value)
    except ConfigError as error:
        raise ConfigError(f"the option {text!r}: {error}") from None
    except (ValueError, RecursionError):
        return key.strip(), value


def parse_options(texts: Iterable[str]) -> dict[str, Any]:
    """All of a command line's: of a key that is given twice, the last."""
    return dict(parse_option(text) for text in texts)


def _json(text: str) -> Any:
    """ConfigError for NaN and the infinities, which Python alone takes for JSON; ValueError for the rest."""
    return json.loads(text, parse_constant=_refused)


def _refused(constant: str) -> None:
    raise ConfigError(f"{constant} is no number in JSON")


def _toml(text: str) -> Any:
    """The table tool.stormcell, which may be missing."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    tool = tomllib.loads(text).get("tool", {})
    return tool.get("stormcell", {}) if isinstance(tool, dict) else {}
