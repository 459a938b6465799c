"""`stormcell component`: one component by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from stormcell import readable, recording, replay
from stormcell.cli import Refused, hosting
from stormcell.recording import Exchange, Recording
from stormcell.replay import Host


@click.command("component")
@click.argument("component", metavar="MODULE.CLASS")
@hosting.directory
@hosting.python
def command(component: str, directory: Path, python: str) -> int:
    """Run one component by hand on what Storm has said.

    What it answers to each message is shown. stdin is a recording (`stormcell run --record`), or Storm's messages as they are on the wire, the
    handshake first.

    \b
    Example:
      stormcell component bolts.wordcount.WordCounter < rec/count_bolt-4.rec

    The exit status is 0 if it came to the end, 1 if not, 2 if it cannot be run.
    """
    if sys.stdin.isatty():
        raise Refused("stdin is a terminal: give it a recording, `< rec/NAME-4.rec`")
    try:
        found = recording.parse_input(sys.stdin.buffer.read(), "stdin")
        return _run(found, Host(component, directory, python))
    except (recording.RecordingError, replay.ReplayError) as error:
        raise Refused(str(error)) from None


def _run(found: Recording, host: Host) -> int:
    status = 0
    for cut in found.cuts:
        click.echo(cut, err=True)
    for part in found.parts:
        replayed = replay.run(part, host)
        for exchange in replayed.part.exchanges():
            _show(exchange)
        if replayed.end:
            click.echo(f"the component ended here: {replayed.end}")
            status = 1
    return status


def _show(exchange: Exchange) -> None:
    [given] = readable.lines(exchange.given)
    click.echo(given)
    for record in exchange.followed:
        for line in readable.lines(record):
            click.echo(f"    {line}")
