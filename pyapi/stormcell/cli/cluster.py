"""`stormcell cluster`: a real Storm on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from stormcell.cli import Refused, traceback_option
from stormcell.cli.cluster_status import report, show
from stormcell.cluster import Cluster, ClusterError, control, default_home, running
from stormcell.cluster.artifacts import VERSION, Tell
from stormcell.cluster.control import Wanted
from stormcell.cluster.failing import fail, start
from stormcell.cluster.state import State
from stormcell.config import parse_options

STATUSES = {"up": 0, "starting": 1, "down": 1, "broken": 2}
"""The exit status of `status`."""

home_option = click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Where the cluster is; by default $STORMCELL_CLUSTER, or one in your directory for state.")


class Parts(click.Group):
    """Commands that have the options of all commands."""

    def add_command(self, command: click.Command, name: str | None = None) -> None:
        command.params.append(traceback_option())
        super().add_command(command, name)


@click.group("cluster", cls=Parts, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Start a real Storm on this machine, look at it and end it.

    It is for tests, demonstrations and tutorials. It has ZooKeeper, Nimbus, and supervisors with slots for
    workers, all of which only this machine can reach. It needs Java; Storm itself is fetched by Maven,
    once. All other commands find it by themselves.

    \b
    Example:
      stormcell cluster up && stormcell cluster status
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command.command("up")
@home_option
@click.option("--slots", type=click.IntRange(1, 100), default=2, show_default=True, metavar="N",
              help="How many workers each supervisor may have at once.")
@click.option("--supervisors", type=click.IntRange(1, 10), default=1, show_default=True, metavar="N",
              help="How many supervisors, each of which stands for a machine: 127.0.0.1, 127.0.0.2, ...")
@click.option("--version", default=VERSION, show_default=True, metavar="VERSION",
              help="The Storm to fetch.")
@click.option("--storm-home", type=click.Path(file_okay=False, exists=True, path_type=Path), metavar="DIR",
              help="An installed Storm to run instead; with its UI and logviewer, if it has them.")
@click.option("--java", metavar="PROGRAM", help="The java to run it with; by default $JAVA_HOME's, or java.")
@click.option("--tune", is_flag=True, help="Shorten Storm's intervals, for tests; workers then die in other "
              "ways than on a usual cluster.")
@click.option("-o", "--option", "options", multiple=True, metavar="KEY=VALUE",
              help="A setting for its storm.yaml, VALUE as JSON or plain text; may be given several times.")
def up(home: Path | None, options: tuple[str, ...], **choices: Any) -> None:
    """Start it, and wait until it can be used.

    \b
    Example:
      stormcell cluster up --slots 4
    """
    began = time.monotonic()
    with _progress() as tell:
        cluster, started = control.up(home, Wanted(**choices, settings=parse_options(options)), tell)
    said = f"up after {time.monotonic() - began:.0f} s" if started else "up already"
    click.echo(f"Storm {cluster.version} with {_size(cluster.state)} is {said}, in {cluster.home}; to run a topology "
               f"on it: stormcell submit; to end it: stormcell cluster down{_home_words(cluster)}")


def _size(state: State) -> str:
    """How many workers there may be, and whose."""
    slots = f"{state.slots_each} slot{'s' if state.slots_each > 1 else ''}"
    return slots if state.supervisors == 1 else f"{state.supervisors} supervisors of {slots} each"


def _home_words(cluster: Cluster) -> str:
    return "" if cluster.home == default_home() else f" --home {cluster.home}"


@contextlib.contextmanager
def _progress() -> Iterator[Tell]:
    """What is happening: on a terminal one line that goes when it is over, elsewhere only what takes long."""
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status("") as line:
            yield lambda step, detail: line.update(" ".join(filter(None, (step, detail))))
        return
    told = {""}

    def tell(step: str, _: str) -> None:
        if step not in told:
            told.add(step)
            click.echo(f"stormcell cluster: {step}", err=True)

    yield tell


@command.command("down")
@home_option
@click.option("--purge", is_flag=True, help="Remove its logs too.")
def down(home: Path | None, purge: bool) -> None:
    """End it, with all that runs on it. Its logs stay until the next start.

    \b
    Example:
      stormcell cluster down
    """
    with _progress() as tell:
        there = control.down(home, purge, tell)
    home = default_home(home)
    logs = "" if purge or not (home / "logs").is_dir() else f"; its logs are in {home / 'logs'}"
    click.echo(f"Storm is down{logs}" if there else f"nothing is up in {home}")


@command.command("status")
@home_option
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
def status(home: Path | None, as_json: bool) -> int:
    """Tell what runs, and where the logs are.

    \b
    Example:
      stormcell cluster status

    The exit status is 0 if it is up, 1 if not, 2 if it is broken.
    """
    found = control.examine(home)
    told = report(found)
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        show(told)
    return STATUSES[found.status]


@command.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@home_option
@click.argument("words", nargs=-1, required=True, metavar="COMMAND...")
def run(home: Path | None, words: tuple[str, ...]) -> int:
    """Run a command where it can reach all that listens in the cluster.

    It ends with the cluster.

    \b
    Example:
      stormcell cluster run curl -s http://127.0.0.1:8080/api/v1/cluster/summary

    The exit status is the command's.
    """
    command = _up(home).command(list(words))
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise Refused(f"{command[0]}: {error.strerror}") from None


def _up(home: Path | None) -> Cluster:
    cluster = running(home)
    if cluster is None:
        raise ClusterError(f"nothing is up in {default_home(home)}; stormcell cluster up starts it")
    return cluster


@command.command("fail")
@home_option
@click.argument("name", metavar="DAEMON")
def fail_daemon(home: Path | None, name: str) -> None:
    """Kill a daemon and all that it has started, as if its machine had failed.

    Of a supervisor that is all of its workers. It stays down until `stormcell cluster start`.

    \b
    Example:
      stormcell cluster fail supervisor-2
    """
    count = fail(home, name)
    click.echo(f"{name} is down: {count} process{'es have' if count != 1 else ' has'} been killed; to start it again: "
               f"stormcell cluster start {name}")


@command.command("start")
@home_option
@click.argument("name", metavar="DAEMON")
def start_daemon(home: Path | None, name: str) -> None:
    """Start a daemon that `stormcell cluster fail` has ended.

    \b
    Example:
      stormcell cluster start supervisor-2
    """
    start(home, name)
    click.echo(f"{name} is up")


@command.command("logs")
@home_option
@click.argument("name", required=False)
@click.option("-n", "--lines", type=click.IntRange(min=1), default=50, show_default=True, metavar="N",
              help="How many lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows.")
def logs(home: Path | None, name: str | None, lines: int, follow: bool) -> int:
    """Show the end of a daemon's log, or which logs there are.

    NAME is one of zookeeper, nimbus, supervisor, supervisor-2, watcher, or a path within the folder of the logs.

    \b
    Example:
      stormcell cluster logs nimbus
    """
    folder = default_home(home) / "logs"
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    if name is None:
        for path in found:
            click.echo(f"{path.stat().st_size:>10,}  {path}")
        return 0
    paths = [path for path in (folder / f"{name}.log", folder / name) if path.is_file()]
    if not paths:
        raise Refused(f"{folder} has no log {name!r}")
    tail = ["tail", "-n", str(lines), *(["-F"] if follow else []), str(paths[0])]
    return subprocess.run(tail, check=False).returncode
