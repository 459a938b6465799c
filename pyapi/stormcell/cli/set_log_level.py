"""`stormcell set_log_level`: how much a topology's workers log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from stormcell.cli import Refused, connection, operating
from stormcell.operate import ask, levels, tables
from stormcell.operate.levels import LEVELS, Level


@click.command("set_log_level")
@click.argument("topology", metavar="TOPOLOGY")
@click.argument("loggers", nargs=-1, metavar="[LOGGER=LEVEL[:SECONDS]]...")
@click.option("--components", metavar="LEVEL[:SECONDS]",
              help="The level of what Python components log, whatever they are called.")
@click.option("--reset", is_flag=True,
              help="Take back the levels of these loggers, given without a level, or of all.")
@operating.as_json
@connection.choices
def command(
    topology: str,
    loggers: tuple[str, ...],
    components: str | None,
    reset: bool,
    as_json: bool,
    **where: Any,
) -> None:
    """Set levels of the loggers of a running topology.

    LOGGER is a logger of the workers' JVM, ROOT is all; LEVEL is ALL, TRACE, DEBUG, INFO, WARN, ERROR, FATAL
    or OFF. After SECONDS the old level is back; without, it stays until --reset. Workers take it up within
    seconds. Without loggers, what is set is shown.

    What Python components log comes by two loggers of Storm, at INFO: --components DEBUG shows what
    self.log(text, "debug") says. A `logging` call below INFO needs the topology's stormcell.log.level too.

    \b
    Example:
      stormcell set_log_level words --components DEBUG:300
    """
    wanted = _wanted(loggers, components, reset)
    with connection.open_nimbus(**where) as nimbus:
        found = ask.find(nimbus, topology)
        if reset:
            levels.reset(nimbus, found, loggers)
        elif wanted:
            levels.put(nimbus, found, wanted)
        there = levels.get(nimbus, found)
    if as_json:
        operating.write_json(there)
    else:
        tables.show(_table(there, topology))


def _wanted(loggers: Iterable[str], components: str | None, reset: bool) -> list[Level]:
    """The levels that the command line sets. Refused."""
    if reset:
        if components or any("=" in logger for logger in loggers):
            raise Refused("--reset takes loggers without a level, and no --components")
        return []
    found = [_level(name, text, f"{name}={text}") for name, equals, text in
             (logger.rpartition("=") for logger in loggers)]
    if components:
        found += [_level(name, components, f"--components {components}") for name in levels.COMPONENTS]
    return found


def _level(name: str, text: str, given: str) -> Level:
    level, colon, seconds = text.upper().partition(":")
    if not name or level not in LEVELS or colon and not seconds.isdecimal():
        raise Refused(f"{given.lstrip('=')!r} is no LOGGER=LEVEL[:SECONDS], LEVEL one of {', '.join(LEVELS)}")
    return Level(name, level, int(seconds or 0))


def _table(there: list[Level], topology: str) -> RenderableType:
    if not there:
        return Text(f"{topology} logs at the levels of its workers' configuration")
    table = tables.grid("logger", "level", "until", left=(0, 1, 2))
    for each in there:
        table.add_row(each.logger, each.level, tables.clock(each.until) if each.until else "--reset")
    return table
