"""What `stormcell cluster status` tells: of the processes of a cluster, and of what Nimbus says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from stormcell.cluster import Cluster
from stormcell.cluster.control import Found
from stormcell.cluster.layout import failed
from stormcell.cluster.processes import Process

__all__ = ["report", "show"]


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
        supervisors = sorted(found.summary.supervisors, key=lambda one: str(one.host))
        told["slots"] = sum(one.num_workers for one in supervisors)
        told["used_slots"] = sum(one.num_used_workers for one in supervisors)
        told["supervisors"] = [{"host": one.host, "slots": one.num_workers, "used_slots": one.num_used_workers}
                               for one in supervisors]
        told["topologies"] = [{"name": one.name, "status": one.status, "workers": one.num_workers,
                               "uptime_secs": one.uptime_secs} for one in found.summary.topologies]
    return told


def _processes(found: Found) -> Iterator[dict[str, Any]]:
    """A row for the watcher, for each daemon and each worker, and one for all the others."""
    left = list(found.processes)
    state = found.cluster.state if found.cluster else None
    hosts = _hosts(found.cluster) if found.cluster else {}
    if state is not None:
        yield {"name": "watcher", **_life(state.watching)}
        for name, daemon in state.daemons.items():
            yield {"name": name, **hosts.get(name, {}), **_life(daemon.process), "restarts": daemon.restarts,
                   "note": daemon.note, **_failed(found.home, name)}
        known = [state.watching, *(daemon.process for daemon in state.daemons.values())]
        left = [process for process in left if process not in known]
    for process in left:
        name = _worker(process)
        if name:
            yield {"name": name, **hosts.get(name, {}), **_life(process), "topology": _topology_of(process)}
    others = [process for process in left if not _worker(process)]
    if others:
        count = len(others)
        yield {"name": f"{count} other{'s' if count > 1 else ''}", "pid": None,
               "memory": sum(process.memory for process in others)}


def _hosts(cluster: Cluster) -> dict[str, dict[str, str]]:
    """By the names of rows, where a supervisor or a worker is, if there are several supervisors."""
    layout = cluster.state.layout(cluster.home)
    if layout.supervisors == 1:
        return {}
    workers = {f"worker {port}": {"host": host} for port, host in cluster.hosts.items()}
    return {name: {"host": layout.host(name)} for name in layout.supervisor_names} | workers


def _failed(home: Path, name: str) -> dict[str, bool]:
    """Of a daemon that is to stay down, that it is."""
    return {"failed": True} if failed(home, name).exists() else {}


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


def show(told: dict[str, Any]) -> None:
    """Draw what there is to tell."""
    from stormcell.operate import tables

    click.echo(_headline(told))
    if told["processes"]:
        table = tables.grid("process", "pid", "uptime", "MB", "", left=(0, 4))
        for row in told["processes"]:
            table.add_row(*_cells(row, tables.age))
        tables.show(table)
    if "slots" in told:
        click.echo(f"{told['used_slots']} of {told['slots']} slots are used{_shares(told['supervisors'])}")
    for each in told.get("topologies", ()):
        click.echo(f"topology {each['name']}: {each['status']}, workers: {each['workers']}, "
                   f"up {tables.age(each['uptime_secs'])}")
    if "logs" in told:
        click.echo(f"logs: {told['logs']}")


def _shares(supervisors: list[dict[str, Any]]) -> str:
    """Whose the slots are, if there are several supervisors."""
    each = [f"{one['host']}: {one['used_slots']} of {one['slots']}" for one in supervisors]
    return f" ({', '.join(each)})" if len(each) > 1 else ""


def _headline(told: dict[str, Any]) -> str:
    storm = f"Storm {told['storm']}" if "storm" in told else "Storm"
    why = f": {told['why']}" if "why" in told else ""
    nimbus = f"; Nimbus: {told['nimbus']}" if told["status"] == "up" else ""
    return f"{storm} in {told['home']} is {told['status']}{why}{nimbus}"


def _cells(row: dict[str, Any], age: Callable[[int], str]) -> list[str]:
    """A process as a row of a table."""
    times = row.get("restarts", 0)
    notes = [f"on {row['host']}" if "host" in row else "",
             "not running" if row["pid"] is None and "memory" not in row else "",
             f"until: stormcell cluster start {row['name']}" if "failed" in row else "",
             f"started anew {times} time{'s' if times > 1 else ''}" if times else "", row.get("note", ""),
             row.get("topology", "")]
    return [row["name"], str(row["pid"] or ""), age(row["uptime_secs"]) if "uptime_secs" in row else "",
            str(row["memory"] // 1_000_000) if "memory" in row else "", "; ".join(filter(None, notes))]
