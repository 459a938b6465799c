"""`stormcell run`: a topology here, without a JVM."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from stormcell.cli import Refused, parameters, view
from stormcell.cli.project import Project
from stormcell.cli.totals import Totals
from stormcell.engine import Engine

REPORT_MS = 250
"""How often the view is drawn anew, in milliseconds."""


@click.command("run")
@parameters.topology_file
@click.option("-t", "--time", "seconds", type=parameters.seconds, metavar="S",
              help="End after so many seconds.")
@click.option("--tuples", type=click.IntRange(min=1), metavar="N",
              help="End when the spouts have emitted so many tuples.")
@click.option("--idle", type=parameters.seconds, metavar="S",
              help="End when for so many seconds there was nothing to do.")
@parameters.environment
@click.option("-n", "--name", help="The topology's name, by default that of its file; without FILE, "
              "the file in topologies/ as well.")
@parameters.options
@parameters.config_file
@click.option("-d", "--debug", is_flag=True, help="Set topology.debug: components log at level debug.")
@click.option("--record", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Record there what each task hears and says, for `stormcell replay`.")
@click.option("--json", "totals_file", type=click.File("w", lazy=False), metavar="FILE",
              help="Write the totals there in the end; - is stdout.")
@click.option("-a", "--ackers", type=click.IntRange(min=0), metavar="N",
              help="Set topology.acker.executors; with 0, tuples are not tracked.")
@click.option("-w", "--workers", type=int, metavar="N", help="Ignored: it has a meaning on a cluster.")
def command(
    file: Path | None,
    seconds: float | None,
    tuples: int | None,
    idle: float | None,
    record: Path | None,
    totals_file: TextIO | None,
    ackers: int | None,
    workers: int | None,
    **choices: Any,
) -> int:
    """Run a topology here, without Storm or a JVM.

    FILE defines the topology; by default it is the only one in topologies/. Ctrl-C ends the run: what
    is in flight is waited for; once more, and it is not.

    \b
    Example:
      stormcell run topologies/wordcount.py --time 10

    The exit status is 0 if nothing failed, 1 if something did, 2 if it could not be run.
    """
    if workers is not None:
        click.echo("stormcell run: --workers is ignored: here all is one worker", err=True)
    project = Project.open(file, **choices)
    if ackers is not None:
        project.settings["topology.acker.executors"] = ackers
    if record is not None:
        project.settings["stormcell.record"] = str(_made(record))
    limits = {"seconds": seconds, "tuples": tuples, "idle.secs": idle}
    plan = project.plan({**limits, "report.ms": REPORT_MS})
    totals = Totals(plan["name"], plan["components"])
    # Where the totals go to stdout there is nothing else there.
    to_stdout = totals_file is not None and totals_file.name == sys.stdout.name
    status = _run(plan, totals, sys.stderr if to_stdout else sys.stdout)
    if totals_file is not None:
        _write(totals_file, totals.as_json(status))
    return status


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"--record {folder}: {error.strerror}") from None
    return folder.resolve()


def _write(file: TextIO, told: dict[str, Any]) -> None:
    try:
        file.write(json.dumps(told, indent=2) + "\n")
        file.flush()
    except OSError as error:
        raise Refused(f"--json {file.name}: {error.strerror}") from None


def _run(plan: dict[str, Any], totals: Totals, stream: TextIO) -> int:
    """Run the plan and show it on the stream. The engine's status."""
    # The engine first: what it starts is starting while the view is made.
    with Engine(plan) as engine, _signals_for(engine), view.choose(stream) as shown:
        for event in engine:
            totals.hear(event)
            _show(event, totals, shown)
        status = engine.status
    assert status is not None
    return status


def _show(event: dict[str, Any], totals: Totals, shown: view.View) -> None:
    said = view.words(event)
    if said is not None:
        show = shown.say if event["event"] in ("note", "died") else shown.pass_on
        show(*said)
    elif event["event"] == "end":
        shown.end(totals)
    else:
        shown.show(totals)


@contextlib.contextmanager
def _signals_for(engine: Engine) -> Iterator[None]:
    """What asks this process to end asks the engine, which says so and ends in order."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    heeded = [number for number, handler in before.items() if handler is not signal.SIG_IGN]  # nohup
    for number in heeded:
        signal.signal(number, lambda *_: engine.interrupt())
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])
