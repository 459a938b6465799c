"""`stormcell cluster`: a real Storm on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from stormcell.cli import Refused, traceback_option
from stormcell.cluster import Cluster, ClusterError, control, default_home, running
from stormcell.cluster.artifacts import VERSION, Tell
from stormcell.cluster.control import Found, Wanted
from stormcell.cluster.processes import Process
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

    It is for tests, demonstrations and tutorials. It has ZooKeeper, Nimbus, and a supervisor with slots for
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
              help="How many workers there may be at once.")
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
    slots = f"{len(cluster.slots)} slot{'s' if len(cluster.slots) > 1 else ''}"
    said = f"up after {time.monotonic() - began:.0f} s" if started else "up already"
    click.echo(f"Storm {cluster.version} with {slots} is {said}, in {cluster.home}; to run a topology on it: "
               f"stormcell submit; to end it: stormcell cluster down{_home_words(cluster)}")


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
        _show(told)
    return STATUSES[found.status]


def report(found: Found) -> dict[str, Any]:
    """All that there is to tell, as JSON has it."""
    told: dict[str, Any] = {"status": found.status, "home": str(found.home)}
    if found.why:
        told["why"] = found.why
    if found.cluster is not None:
        told["storm"] = found.cluster.version
        told["nimbus"] = "{}:{}".format(*found.cluster.nimbus)
        told["logs"] = str(found.cluster.logs)
    told["processes"] = list(_processes(found))
    if found.summary is not None:
        supervisors = found.summary.supervisors
        told["slots"] = sum(supervisor.num_workers for supervisor in supervisors)
        told["used_slots"] = sum(supervisor.num_used_workers for supervisor in supervisors)
        told["topologies"] = [{"name": one.name, "status": one.status, "workers": one.num_workers,
                               "uptime_secs": one.uptime_secs} for one in found.summary.topologies]
    return told


def _processes(found: Found) -> Iterator[dict[str, Any]]:
    """A row for the watcher, for each daemon and each worker, and one for all the others."""
    left = list(found.processes)
    state = found.cluster.state if found.cluster else None
    if state is not None:
        yield {"name": "watcher", **_life(state.watching)}
        for name, daemon in state.daemons.items():
            yield {"name": name, **_life(daemon.process), "restarts": daemon.restarts, "note": daemon.note}
        known = [state.watching, *(daemon.process for daemon in state.daemons.values())]
        left = [process for process in left if process not in known]
    for process in left:
        if _worker(process):
            yield {"name": _worker(process), **_life(process), "topology": _topology_of(process)}
    others = [process for process in left if not _worker(process)]
    if others:
        count = len(others)
        yield {"name": f"{count} other{'s' if count > 1 else ''}", "pid": None,
               "memory": sum(process.memory for process in others)}


def _life(process: Process | None) -> dict[str, Any]:
    if process is None or not process.alive:
        return {"pid": None}
    return {"pid": process.pid, "uptime_secs": round(process.age), "memory": process.memory}


def _worker(process: Process) -> str:
    """What a worker's JVM is called; "": it is none."""
    words = process.command
    if "org.apache.storm.LogWriter" in words or "org.apache.storm.daemon.worker.Worker" not in words:
        return ""
    return next((f"worker {word.partition('=')[2]}" for word in words if word.startswith("-Dworker.port=")), "")


def _topology_of(process: Process) -> str:
    """The id of the topology that a worker is of."""
    return next((word.partition("=")[2] for word in process.command if word.startswith("-Dstorm.id=")), "")


def _show(told: dict[str, Any]) -> None:
    """Draw what there is to tell."""
    from stormcell.operate import tables

    click.echo(_headline(told))
    if told["processes"]:
        table = tables.grid("process", "pid", "uptime", "MB", "", left=(0, 4))
        for row in told["processes"]:
            table.add_row(*_cells(row, tables.age))
        tables.show(table)
    if "slots" in told:
        click.echo(f"{told['used_slots']} of {told['slots']} slots are used")
    for each in told.get("topologies", ()):
        click.echo(f"topology {each['name']}: {each['status']}, workers: {each['workers']}, "
                   f"up {tables.age(each['uptime_secs'])}")
    if "logs" in told:
        click.echo(f"logs: {told['logs']}")


def _headline(told: dict[str, Any]) -> str:
    storm = f"Storm {told['storm']}" if "storm" in told else "Storm"
    why = f": {told['why']}" if "why" in told else ""
    nimbus = f"; Nimbus: {told['nimbus']}" if told["status"] == "up" else ""
    return f"{storm} in {told['home']} is {told['status']}{why}{nimbus}"


def _cells(row: dict[str, Any], age: Callable[[int], str]) -> list[str]:
    """A process as a row of a table."""
    times = row.get("restarts", 0)
    notes = ["not running" if row["pid"] is None and "memory" not in row else "",
             f"started anew {times} time{'s' if times > 1 else ''}" if times else "", row.get("note", ""), row.get("topology", "")]
    return [row["name"], str(row["pid"] or ""), age(row["uptime_secs"]) if "uptime_secs" in row else "",
            str(row["memory"] // 1_000_000) if "memory" in row else "", "; ".join(filter(None, notes))]


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


@command.command("logs")
@home_option
@click.argument("name", required=False)
@click.option("-n", "--lines", type=click.IntRange(min=1), default=50, show_default=True, metavar="N",
              help="How many lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows.")
def logs(home: Path | None, name: str | None, lines: int, follow: bool) -> int:
    """Show the end of a daemon's log, or which logs there are.

    NAME is one of zookeeper, nimbus, supervisor, watcher, or a path within the folder of the logs.

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
