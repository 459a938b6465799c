"""`stormcell top`: topologies, or the components of one, as they run now."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from stormcell.cli import connection, operating, parameters
from stormcell.cli.lasting import Lasting
from stormcell.cli.screen import console_on
from stormcell.cli.totals import counted
from stormcell.cli.view import milliseconds
from stormcell.nimbus import NotAlive, Unreachable
from stormcell.operate import ask, tables, traces
from stormcell.operate.ask import Asked
from stormcell.operate.rates import Rate, Rates, Speed
from stormcell.operate.state import Report, Topology

LATE_S = 600
"""An error of so many seconds ago is still one of late."""


@dataclass
class Seen:
    """A topology as it runs now."""

    topology: Topology
    rates: Rates = field(default_factory=Rates)
    errors: list[Report] = field(default_factory=list)

    def look(self, nimbus: Asked, topology: Topology) -> None:
        self.topology = topology
        threads, errors = ask.threads(nimbus, topology)
        self.rates.hear(threads)
        self.errors = [each for each in errors if time.time() - each.at < LATE_S]

    def total(self) -> tuple[Rate, float | None]:
        """Its rates, of which acked and failed are its spouts', and the latency of what the spouts emit."""
        total, latencies = Rate(), []
        for each in self.rates.speeds():
            spout = each.kind == "spout"
            total.add(Rate(each.rate.emitted, each.rate.acked if spout else 0.0,
                           each.rate.failed if spout else 0.0, rough=each.rate.rough))
            if spout and each.latency_ms is not None:
                latencies.append(each.latency_ms)
        return total, max(latencies, default=None)


@click.command("top")
@operating.topology
@operating.name
@click.option("--interval", type=parameters.seconds, default=2.0, show_default=True, metavar="S",
              help="How often Nimbus is asked.")
@click.option("--once", is_flag=True, help="Ask twice, an interval apart, show that and end.")
@connection.choices
def command(topology: str | None, name: str | None, interval: float, once: bool, **where: Any) -> None:
    """Show how fast topologies run, or the components of one.

    Rates are tuples a second between the last two reports of each executor, which come once a minute unless
    the cluster's executor.metrics.frequency.secs is another; with ~, there has been but one, and it is the
    average of ten minutes, or of the time since the start. Counts are made from samples (see stormcell
    stats). Latency is from a spout's emit to its ack, or what a bolt takes to ack a tuple, over ten minutes;
    errors are those that Storm keeps of the last ten minutes. A Nimbus that does not answer any more is asked
    again until it does. Ctrl-C ends it.

    \b
    Example:
      stormcell top words
    """
    chosen = operating.given(topology, name)
    with contextlib.suppress(KeyboardInterrupt), connection.open_lasting(**where) as nimbus:
        every_s = ask.reported_every(nimbus)
        looks = _looks(nimbus, chosen, interval)
        if once:
            looks = itertools.islice(map(_answered, looks), 1, 2)
        if once or not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
            _print(looks, chosen, every_s)
        else:
            _live(looks, chosen, every_s)


@dataclass(frozen=True)
class Look:
    """What there is to see. lost: why Nimbus does not answer; then it is what was seen last."""

    seen: list[Seen]
    lost: Unreachable | None = None


def _looks(nimbus: Asked, chosen: str | None, interval: float) -> Iterator[Look]:
    """What there is to see, again and again."""
    known: dict[str, Seen] = {}
    while True:
        lost = None
        try:
            known = _seen(nimbus, chosen, known)
        except Unreachable as error:
            lost = error
        yield Look(list(known.values()), lost)
        time.sleep(interval)


def _answered(look: Look) -> Look:
    """The same. Unreachable if Nimbus did not answer."""
    if look.lost is not None:
        raise look.lost
    return look


def _seen(nimbus: Asked, chosen: str | None, known: dict[str, Seen]) -> dict[str, Seen]:
    """The topologies that there are now, by id, as one who has seen these before sees them."""
    there = [ask.find(nimbus, chosen)] if chosen else ask.topologies(nimbus)
    found = {each.id: known.get(each.id) or Seen(each) for each in there}
    for each in there:
        # One that goes just now is not there the next time; the one that is asked for is missed.
        with contextlib.suppress(*(() if chosen else (NotAlive,))):
            found[each.id].look(nimbus, each)
    return found


def _live(looks: Iterator[Look], chosen: str | None, every_s: int) -> None:
    with Live(console=console_on(sys.stdout), auto_refresh=False) as live:
        for look in looks:
            live.update(_view(look, chosen, every_s), refresh=True)


def _print(looks: Iterator[Look], chosen: str | None, every_s: int) -> None:
    console = tables.out()
    for index, look in enumerate(looks):
        if index:
            console.print()
        console.print(_view(look, chosen, every_s))
        sys.stdout.flush()


def _view(look: Look, chosen: str | None, every_s: int) -> RenderableType:
    """The table, or in its place why there is none."""
    if look.lost is None:
        return _table(look.seen, chosen, every_s)
    wrong = Text(f"{tables.clock(int(time.time()))}  {look.lost}; it is asked again until it answers", "red")
    return Group(_table(look.seen, chosen, every_s), wrong) if look.seen else wrong


def _table(seen: list[Seen], chosen: str | None, every_s: int) -> RenderableType:
    """The table, and below it the newest error of each."""
    if not seen:
        return Text(f"{tables.clock(int(time.time()))}  no topologies")
    parts: list[RenderableType] = [_components(seen[0]) if chosen else _topologies(seen)]
    speeds = [speed for each in seen for speed in each.rates.speeds()]
    if any(each.rate.rough for each in speeds):
        parts.append(Text(f"~ averages: rates follow with the second report, which comes every {every_s} s",
                          "dim"))
    elif not any(each.kind for each in speeds):
        parts.append(tables.silence(every_s))
    return Group(_title(seen, chosen), *parts, *_errors(seen))


def _title(seen: list[Seen], chosen: str | None) -> Text:
    now = tables.clock(int(time.time()))
    if not chosen:
        return Text(f"{now}  {counted(len(seen), 'topology', 'topologies')}", "bold")
    about = seen[0].topology
    return Text.assemble((about.name, "bold"), "  ", tables.status(about.status),
                         f"  up {tables.age(about.uptime_s)}  "
                         f"{counted(about.workers, 'worker', 'workers')}  {now}")


def _topologies(seen: list[Seen]) -> RenderableType:
    table = tables.grid("topology", "status", "workers", "emitted\n/s", "acked\n/s", "failed\n/s",
                        "latency\nms", "errors", left=(0, 1))
    for each in seen:
        total, latency = each.total()
        table.add_row(each.topology.name, tables.status(each.topology.status), str(each.topology.workers),
                      *_rates(total, total.emitted, total.acked), _failed(total), milliseconds(latency),
                      tables.failures(len(each.errors)))
    return table


def _components(seen: Seen) -> RenderableType:
    table = tables.grid("component", "emitted\n/s", "executed\n/s", "acked\n/s", "failed\n/s", "latency\nms",
                        "capa-\ncity", "errors")
    for each in seen.rates.speeds():
        late = sum(error.component == each.component for error in seen.errors)
        emitted, acked = _rates(each.rate, each.rate.emitted, each.rate.acked)
        executed = _rates(each.rate, each.rate.executed)[0] if each.kind == "bolt" else ""
        threads = f" x{each.threads}" if each.threads > 1 else ""
        table.add_row(each.component + threads, emitted, executed, acked, _failed(each.rate),
                      milliseconds(each.latency_ms), _capacity(each), tables.failures(late))
    return table


def _capacity(speed: Speed) -> Text:
    return Text("") if speed.capacity is None else tables.share(speed.capacity)


def _rates(rate: Rate, *values: float) -> list[str]:
    return [("~" if rate.rough and value else "") + _number(value) for value in values]


def _failed(rate: Rate) -> Text:
    return Text(_rates(rate, rate.failed)[0], style="bold red" if rate.failed else "")


def _number(value: float) -> str:
    return f"{value:.1f}" if 0 < value < 10 else tables.number(value)


def _errors(seen: list[Seen]) -> list[RenderableType]:
    """The newest error of each topology, or of each component of the one, a line each."""
    newest: dict[tuple[str, str], Report] = {}
    for each in seen:
        for report in each.errors:
            newest.setdefault((report.topology, report.component if len(seen) == 1 else ""), report)
    lines = (f"{each.component}: {tables.ago(each.at)}, {each.host}:{each.port}: {traces.gist(each.text)}"
             for each in newest.values())
    return [Text(line, style="red", no_wrap=True, overflow="ellipsis") for line in lines]
