"""`stormcell rebalance`: a running topology on other workers, or with more or fewer threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from stormcell.cli import Refused, connection, operating, parameters
from stormcell.cli.totals import counted
from stormcell.config import parse_options
from stormcell.operate import ask, change
from stormcell.operate.state import Topology


@click.command("rebalance")
@operating.topology
@operating.name
@click.option("-w", "--workers", type=click.IntRange(min=1), metavar="N",
              help="Spread it over so many workers.")
@click.option("--executors", multiple=True, metavar="COMPONENT=N",
              help="Run a component in so many threads, at most one for each task; may be given several times.")
@parameters.options
@operating.wait
@operating.follow
@connection.choices
def command(
    topology: str | None,
    name: str | None,
    workers: int | None,
    executors: tuple[str, ...],
    options: tuple[str, ...],
    wait: int,
    follow: bool,
    **where: Any,
) -> int:
    """Spread a topology anew, or change its size.

    TOPOLOGY is by default the project's only one. Its spouts are turned off at once; after --wait seconds
    its workers are ended and started as they are to be. Without --workers, --executors and --option it is
    only spread anew, for instance over supervisors that have come since.

    \b
    Example:
      stormcell rebalance words --workers 4 --executors counts=8

    The exit status is 0 if it has been done, 1 if Ctrl-C came before that, 2 if it could not be.
    """
    chosen = operating.chosen(topology, name, where["config_file"])
    wanted = change.Wanted(workers, _executors(executors), parse_options(options))
    with connection.open_nimbus(**where) as nimbus:
        found = ask.find(nimbus, chosen)
        what = change.changes(ask.page(nimbus, found), wanted)
        slots = sum(each.slots for each in ask.cluster(nimbus).supervisors)
        change.rebalance(nimbus, found, wanted, wait)
        with operating.on_its_own(f"{chosen} is still being rebalanced"):
            click.echo(f"rebalancing {chosen}: {operating.joined(what) or 'spread anew'}; its spouts are off, "
                       f"its workers start anew in {wait} s")
            _tell_of_slots(workers or 0, slots)
            if follow:
                have = change.rebalanced(nimbus, found, wanted, wait)
                click.echo(_sum_up(ask.find(nimbus, chosen),
                                   {name: have.get(name, 0) for name in wanted.executors}))
            return 0
    return 1


def _executors(texts: Iterable[str]) -> dict[str, int]:
    """COMPONENT=N of the command line. Refused."""
    found = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if not name or not number.isdecimal() or int(number) < 1:
            raise Refused(f"--executors is given as COMPONENT=N, N from 1, not {text!r}")
        found[name] = int(number)
    return found


def _tell_of_slots(workers: int, slots: int) -> None:
    if workers > slots:
        click.echo(f"the cluster has {counted(slots, 'slot', 'slots')} in all: there will be no more workers")


def _sum_up(topology: Topology, executors: dict[str, int]) -> str:
    parts = [counted(topology.workers, "worker", "workers"),
             *(f"{counted(number, 'executor', 'executors')} of {name}" for name, number in executors.items())]
    return f"{topology.name} is rebalanced: {operating.joined(parts)}; they start within seconds"
