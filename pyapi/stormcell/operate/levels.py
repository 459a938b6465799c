"""The levels of the loggers of a topology's workers, as they are set while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stormcell.nimbus import NotFound, structures
from stormcell.fault import nearest
from stormcell.operate import ask
from stormcell.operate.ask import Asked
from stormcell.operate.state import Topology

LEVELS = ("ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")

COMPONENTS = ("org.apache.storm.task.ShellBolt", "org.apache.storm.spout.ShellSpout")
"""The loggers by which Storm logs what components in other languages say."""


@dataclass(frozen=True)
class Level:
    """A logger's level. seconds: how long it holds, 0: until it is taken back; until: when that is over, in
    seconds since 1970, 0: never; before: the level that comes back."""

    logger: str
    level: str
    seconds: int = 0
    until: int = 0
    before: str = ""


def get(nimbus: Asked, topology: Topology) -> list[Level]:
    """What is set, by logger."""
    return [
        Level(name, told.target_log_level or "", told.reset_log_level_timeout_secs or 0,
              (told.reset_log_level_timeout_epoch or 0) // 1000, told.reset_log_level or "")
        for name, told in sorted(_told(nimbus, topology).items())
        if told.action != structures.LogLevelAction.REMOVE
    ]


def put(nimbus: Asked, topology: Topology, wanted: Iterable[Level]) -> None:
    """Set levels; others stay as they are."""
    _send(nimbus, topology, {
        each.logger: structures.LogLevel(action=structures.LogLevelAction.UPDATE, target_log_level=each.level,
                                         reset_log_level_timeout_secs=each.seconds)
        for each in wanted
    })


def reset(nimbus: Asked, topology: Topology, loggers: Sequence[str]) -> None:
    """Take back what is set of these loggers, or all. NotFound: nothing is set of one."""
    there = _told(nimbus, topology)
    for name in loggers:
        if name not in there:
            raise NotFound(f"no level of {name!r} is set{nearest(name, there)}")
    remove = structures.LogLevel(action=structures.LogLevelAction.REMOVE)
    _send(nimbus, topology, {name: remove for name in loggers or there})


def _told(nimbus: Asked, topology: Topology) -> dict[str, Any]:
    config = ask.of(nimbus, topology, "getLogConfig", topology.id)
    return dict(config.named_logger_level or {})


def _send(nimbus: Asked, topology: Topology, levels: dict[str, Any]) -> None:
    if levels:
        ask.of(nimbus, topology, "setLogConfig", topology.id,
               structures.LogConfig(named_logger_level=levels))
