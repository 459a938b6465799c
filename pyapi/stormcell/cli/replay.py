"""`stormcell replay`: a recording again."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timezone
from pathlib import Path

import click

from stormcell import readable, recording, replay
from stormcell.cli import Refused, hosting
from stormcell.recording import Part, Record, Recording
from stormcell.replay import Difference, Host

SHOWN = 20
"""How many differences are shown unless all are asked for."""


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("component", required=False, metavar="[MODULE.CLASS]")
@click.option("--pdb", is_flag=True, help="Debug each exception where it was raised.")
@click.option("--until", metavar="ERROR", help="Stop at the first exception whose traceback matches this regular expression.")
@hosting.directory
@hosting.python
@click.option("--all", "show_all", is_flag=True, help=f"Show all differences, not only the first {SHOWN}.")
def command(
    file: Path,
    component: str | None,
    pdb: bool,
    until: str | None,
    directory: Path,
    python: str,
    show_all: bool,
) -> int:
    """Run a component again on what was recorded.

    What it says differently now is shown. FILE is what `stormcell run --record` or the topology's setting stormcell.record has written.
    MODULE.CLASS is by default the component that was recorded.

    \b
    Example:
      stormcell replay rec/count_bolt-4.rec

    The exit status is 0 if it says the same, 1 if not, 2 if it cannot be run.
    """
    try:
        _check(until)
        found = recording.load_joined(file)
        host = Host(component or _component(found, file), directory, python, pdb, until)
        same = _Replay(found, host, sys.maxsize if show_all else SHOWN).run()
    except (recording.RecordingError, replay.ReplayError) as error:
        raise Refused(str(error)) from None
    return 0 if same else 1


def _check(until: str | None) -> None:
    try:
        re.compile(until or "")
    except re.error as error:
        raise Refused(f"--until {until!r} is no regular expression: {error}") from None


def _component(found: Recording, file: Path) -> str:
    name = found.parts[0].component
    if not name:
        raise Refused(f"{file} does not say what was recorded: name it, MODULE.CLASS, behind the file")
    return name


class _Replay:
    """Replays the parts of a recording one after the other, and tells what is different."""

    def __init__(self, found: Recording, host: Host, most: int) -> None:
        self.found = found
        self.host = host
        self.most = most
        self.messages = 0
        self.different = 0
        self.stopped = False

    def run(self) -> bool:
        """True: it says the same."""
        for cut in self.found.cuts:
            click.echo(cut, err=True)
        if self.found.parts[0].goes_on:
            click.echo("what the component heard before is not there: it starts afresh here", err=True)
        for number, part in enumerate(self.found.parts, 1):
            if self.stopped:
                break
            if len(self.found.parts) > 1:
                click.echo(f"interpreter {number} of {len(self.found.parts)}")
            self._replay(part)
        self._sum_up()
        return self.different == 0

    def _replay(self, part: Part) -> None:
        replayed = replay.run(part, self.host)
        expected = part.exchanges()
        last = len(replayed.part.exchanges()) - 1
        if replayed.end and last == 0 < len(expected) - 1:
            raise replay.ReplayError(replayed.end)
        different = list(replay.differences(part, replayed))
        for difference in different[: max(0, self.most - self.different)]:
            _show(difference)
        self.different += len(different)
        self.messages += last
        self.stopped = replayed.stopped
        if replayed.end and last == len(expected) - 1:
            click.echo(f"{_heading(last, expected[last].given)}\nthe component ended here: {replayed.end}")
        if replayed.stopped:
            click.echo(f"stopped at {_heading(last, expected[last].given)}")

    def _sum_up(self) -> None:
        if self.different > self.most:
            click.echo(f"... and {self.different - self.most} more (--all shows them)")
        if self.host.until is not None and not self.stopped:
            click.echo(f"no error matches {self.host.until!r}")
        what = f"{self.different} answered differently" if self.different else "the same answers"
        click.echo(f"{self.messages} message{'' if self.messages == 1 else 's'} replayed: {what}")


def _heading(number: int, given: Record) -> str:
    at = datetime.fromtimestamp(given.at, timezone.utc).isoformat(" ", "milliseconds")
    [what] = readable.lines(given)
    return f"message {number} ({at.replace('+00:00', ' UTC')}): {what}"


def _show(difference: Difference) -> None:
    click.echo(_heading(difference.number, difference.given))
    for line in difference.lines:
        click.echo(line)
