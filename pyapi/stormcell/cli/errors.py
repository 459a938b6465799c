"""`stormcell errors`: the last tracebacks of all components."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import Any

import click

from stormcell.cli import connection, operating, parameters
from stormcell.cli.lasting import Lasting
from stormcell.operate import ask, tables
from stormcell.operate.ask import Asked
from stormcell.operate.state import Report


@click.command("errors")
@operating.topology
@operating.name
@click.option("-c", "--component", metavar="NAME", help="Only those of this component.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N",
              help="Show so many at most.")
@click.option("--all", "every", is_flag=True, help="Show each by itself that came the same way as another.")
@click.option("--raw", is_flag=True, help="Show all that Storm keeps of them, Java's part as well.")
@click.option("-f", "--follow", is_flag=True,
              help="Go on with those that are reported from now on; Ctrl-C ends it.")
@click.option("--interval", type=parameters.seconds, default=2.0, show_default=True, metavar="S",
              help="How often --follow asks.")
@operating.as_json
@connection.choices
def command(
    topology: str | None,
    name: str | None,
    component: str | None,
    limit: int,
    every: bool,
    raw: bool,
    follow: bool,
    interval: float,
    as_json: bool,
    **where: Any,
) -> None:
    """Show the last errors of all components, the newest first.

    Of a Python component these are its tracebacks. Without a TOPOLOGY it is about all. Storm keeps the last
    ten of each component, and takes five in ten seconds.

    \b
    Example:
      stormcell errors words
    """
    chosen = operating.given(topology, name)
    with connection.open_lasting(**where) as nimbus:
        found = _errors(nimbus, chosen, component)
        if as_json:
            operating.write_json(found)
        else:
            _show(found, chosen, raw=raw, every=every, most=limit)
        if follow:
            _follow(nimbus, chosen, component, set(found), interval, raw)


def _errors(nimbus: Asked, chosen: str | None, component: str | None) -> list[Report]:
    topologies = [ask.find(nimbus, chosen)] if chosen else ask.topologies(nimbus)
    if component:
        found = [report for each in topologies for report in ask.component(nimbus, each, component).errors]
    else:
        found = [report for each in topologies for report in ask.errors(nimbus, each)]
    return sorted(found, key=lambda each: each.at, reverse=True)


def _show(found: list[Report], chosen: str | None, *, raw: bool, every: bool, most: int) -> None:
    if found:
        tables.show(*tables.errors(found, raw=raw, every=every, most=most))
    else:
        click.echo(f"no errors of {chosen}" if chosen else "no errors")


def _follow(nimbus: Lasting, chosen: str | None, component: str | None, known: set[Report], interval: float,
            raw: bool) -> None:
    """Show what is new, until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(interval)
            with nimbus.outage_told():
                new = [each for each in _errors(nimbus, chosen, component) if each not in known]
                known.update(new)
                _show_new(reversed(new), raw)


def _show_new(new: Iterable[Report], raw: bool) -> None:
    for report in new:
        click.echo()
        tables.show(*tables.errors([report], raw=raw, every=True))
