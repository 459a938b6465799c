"""How a cluster is ended: in order, and then by force."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stormcell.cluster.layout import SUPERVISOR
from stormcell.cluster.processes import Process, end, members
from stormcell.cluster.state import State

PATIENCE = 5.0
"""How long each may take to end by itself, in seconds; a worker's JVM takes no more than three."""

ROUNDS = 5
"""How often what has come after a look is looked for."""


def end_cluster(home: Path, state: State | None, tell: Callable[[str], None] = lambda _: None) -> None:
    """End all processes of the cluster in this home, but this one and those that it descends from.

    The supervisors first, or they would start workers anew; then these and what they started; then Nimbus,
    and ZooKeeper, which all need.
    """
    outside = state.outside if state else None
    daemons = {name: daemon.process for name, daemon in state.daemons.items()} if state else {}
    supervisors = [process for name, process in daemons.items() if name.startswith(SUPERVISOR)]
    last = [daemons[name] for name in ("nimbus", "zookeeper") if name in daemons]
    for group in (supervisors, _others(home, outside, supervisors + last), *([process] for process in last)):
        end(group, PATIENCE, tell)
    for _ in range(ROUNDS):
        left = members(home, outside)
        if not left:
            break
        end(left, PATIENCE, tell)


def _others(home: Path, outside: str | None, kept: list[Process]) -> list[Process]:
    return [process for process in members(home, outside) if process not in kept]
