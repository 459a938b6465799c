"""`stormcell stats`: what has been counted of a cluster, a topology or a component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from rich.console import RenderableType

from stormcell.cli import Refused, connection, operating
from stormcell.operate import ask, tables
from stormcell.operate.ask import Asked
from stormcell.operate.state import WINDOWS, ComponentPage, Topology


@click.command("stats")
@operating.topology
@operating.name
@click.option("-c", "--component", metavar="NAME",
              help="Only this component, with its streams, threads and errors.")
@click.option("--all", "everything", is_flag=True, help="All components of the topology like that.")
@click.option("--window", type=click.Choice(list(WINDOWS)), default="10m", show_default=True,
              help="The time that is counted.")
@click.option("--sys", "system", is_flag=True, help="With Storm's own components and streams.")
@click.option("--raw", is_flag=True, help="Errors with Java's part as well.")
@operating.as_json
@connection.choices
def command(
    topology: str | None,
    name: str | None,
    component: str | None,
    everything: bool,
    window: str,
    system: bool,
    raw: bool,
    as_json: bool,
    **where: Any,
) -> None:
    """Show what has been counted.

    That is of the topology, or of one of its components; without a TOPOLOGY, of the cluster.

    Workers report what they count once a minute, unless the cluster's executor.metrics.frequency.secs is
    another, and they count samples: with Storm's topology.stats.sample.rate of 0.05, all numbers are
    multiples of 20. Of a component in Python, "execute" and "capacity" are of Java's side of it, which only
    passes tuples on: see "process".

    \b
    Example:
      stormcell stats -n words -c counts --window 3h
    """
    chosen = operating.given(topology, name)
    if chosen is None and (component or everything):
        raise Refused("--component and --all are about a topology: name it")
    with connection.open_nimbus(**where) as nimbus:
        told: Any
        if chosen is None:
            told = ask.cluster(nimbus)
            drawn = tables.cluster(told)
        elif component or everything:
            told = _pages(nimbus, ask.find(nimbus, chosen), component, window, system)
            drawn = _drawn(told, ask.reported_every(nimbus), raw)
            told = told[0] if component else told
        else:
            told = ask.page(nimbus, ask.find(nimbus, chosen), window, system)
            drawn = tables.topology(told, ask.reported_every(nimbus))
    if as_json:
        operating.write_json(told)
    else:
        tables.show(*drawn)


def _pages(nimbus: Asked, topology: Topology, component: str | None, window: str,
           system: bool) -> list[ComponentPage]:
    """The one component that is asked for, or all."""
    if component:
        return [ask.component(nimbus, topology, component, window, system)]
    return [ask.known_component(nimbus, topology, each.name, window, system)
            for each in ask.page(nimbus, topology, window, system).components]


def _drawn(pages: Sequence[ComponentPage], every_s: int, raw: bool) -> list[RenderableType]:
    return [part for page in pages for part in tables.component(page, every_s, raw=raw)]
