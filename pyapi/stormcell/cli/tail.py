"""`stormcell tail`: what the workers of a topology log."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from stormcell.cli import Refused, connection, operating
from stormcell.cli.lasting import Lasting
from stormcell.cluster import running
from stormcell.nimbus import NimbusError, Unreachable
from stormcell.operate import ask
from stormcell.operate.logs import Files, Filter, Log, LogError, NoViewer, Viewers
from stormcell.operate.state import Topology

POLL_S = 0.5
"""How often logs are looked at, in seconds."""

LOOK_AROUND_S = 3.0
"""How often there may be new logs, or no topology any more, in seconds."""

COLORS = ("cyan", "green", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta", "bright_blue")

LEVELS = {"WARN": "yellow", "ERROR": "red", "FATAL": "red"}


def regular(_: click.Context, parameter: click.Parameter, text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text is not None else None
    except re.error as error:
        raise click.BadParameter(f"{text!r} is no regular expression: {error}", param=parameter) from None


@click.command("tail")
@operating.topology
@operating.name
@click.option("-f", "--follow", is_flag=True, help="Go on with what is logged from now on; Ctrl-C ends it.")
@click.option("-l", "--num_lines", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
              help="Show so many lines of each log.")
@click.option("-c", "--component", metavar="NAME", help="Only what this component, in Python, says.")
@click.option("--grep", callback=regular, metavar="REGEX", help="Only lines that match.")
@click.option("--pattern", callback=regular, metavar="REGEX",
              help="Of the files ID/PORT/NAME those that match; by default NAME is worker.log.")
@click.option("--logs", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
              help="Read files: the folder logs of a supervisor.")
@click.option("--logviewer", type=click.IntRange(1, 65535), metavar="PORT",
              help="Where the hosts' logviewers listen; by default what the cluster's logviewer.port says.")
@connection.choices
def command(
    topology: str | None,
    name: str | None,
    follow: bool,
    num_lines: int,
    component: str | None,
    grep: re.Pattern[str] | None,
    pattern: re.Pattern[str] | None,
    logs: Path | None,
    logviewer: int | None,
    **where: Any,
) -> None:
    """Show the end of the workers' logs.

    TOPOLOGY is by default the project's only one. Each line begins with its worker. The logs are files where
    the cluster is the one of this machine (stormcell cluster) or --logs names their folder; else they are
    asked for at the logviewer that Storm runs on each host.

    \b
    Example:
      stormcell tail words -f -c counts
    """
    chosen = operating.chosen(topology, name, where["config_file"])
    with contextlib.suppress(KeyboardInterrupt), connection.open_lasting(**where) as nimbus:
        found = ask.find(nimbus, chosen)
        source = _source(nimbus, found, logs, logviewer, pattern, where["timeout"] / 1000)
        tail = _Tail(source, num_lines, component, grep)
        with _explained():
            tail.begin()
            if follow:
                tail.follow(nimbus, found)
        if not follow and not tail.logs:
            raise Refused(f"{chosen} has no log yet: its workers may still be starting")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Logs that cannot be had are told of with what to do."""
    try:
        yield
    except LogError as error:
        advice = "; it is `storm logviewer` on each host, or --logs names a folder of logs"
        raise Refused(f"{error}{advice if isinstance(error, NoViewer) else ''}") from None


def _source(nimbus: Lasting, topology: Topology, logs: Path | None, logviewer: int | None,
            pattern: re.Pattern[str] | None, timeout_s: float) -> Files | Viewers:
    """Where its logs are."""
    here = running()
    if logs is None and logviewer is None and here and nimbus.address == "{}:{}".format(*here.nimbus):
        return Files(here.logs, topology.id, pattern, here.hosts if here.state.supervisors > 1 else None)
    if logs is not None:
        return Files(logs, topology.id, pattern)
    port = logviewer or int(ask.settings(nimbus).get("logviewer.port") or 8000)
    return Viewers(lambda: ask.page(nimbus, topology).workers, topology.id, port, timeout_s, pattern)


class _Tail:
    """Shows logs, the old part of those that are there at first and all of those that come later."""

    def __init__(self, source: Files | Viewers, lines: int, component: str | None,
                 grep: re.Pattern[str] | None) -> None:
        self._source = source
        self._lines = lines
        self._component = component
        self._grep = grep
        self._wrong: set[str] = set()
        self.logs: dict[str, tuple[Log, Filter]] = {}

    def begin(self) -> None:
        """Show the end of each. LogError: there is none."""
        self._look_around()
        for log, wanted in self.logs.values():
            with self._noted():
                self._show(log, log.last(self._lines, wanted))

    def follow(self, nimbus: Lasting, topology: Topology) -> None:
        """Show what comes, until the topology is gone."""
        due = 0.0
        while True:
            there = True
            if time.monotonic() >= due:
                due = time.monotonic() + LOOK_AROUND_S
                with nimbus.outage_told():
                    there = _is_there(nimbus, topology)
                    if there:
                        self._look_around()
            for log, wanted in self.logs.values():
                with self._noted():
                    self._show(log, wanted(log.news()))
            if not there:
                click.echo(f"{topology.name} is gone", err=True)
                return
            sys.stdout.flush()
            time.sleep(POLL_S)

    def _look_around(self) -> None:
        """Find logs that have come. LogError: there is none at all, and that is why."""
        with self._noted():
            for name, opened in self._source.find():
                if name not in self.logs:
                    self.logs[name] = opened(), Filter(self._component, self._grep)

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        """One host's logs that cannot be had are told of once, and are no reason not to show the others'."""
        try:
            yield
        except LogError as error:
            if not self.logs:
                raise
            if str(error) not in self._wrong:
                click.echo(f"stormcell tail: {error}", err=True)
            self._wrong.add(str(error))

    def _show(self, log: Log, lines: list[str]) -> None:
        labels = sorted(each.label for each, _ in self.logs.values())
        color = COLORS[labels.index(log.label) % len(COLORS)]
        for line in lines:
            click.echo(f"{click.style(log.label, fg=color)} {_colored(line)}")


def _colored(line: str) -> str:
    level = next((color for level, color in LEVELS.items() if f"[{level}]" in line), None)
    return click.style(line, fg=level) if level else line


def _is_there(nimbus: Lasting, topology: Topology) -> bool:
    """Whether Nimbus knows it; if it cannot tell, the workers go on and so do we. Unreachable."""
    try:
        return any(each.id == topology.id for each in ask.topologies(nimbus))
    except Unreachable:
        raise
    except NimbusError:
        return True
