"""The cluster of this machine, as others see it: where it is, and how it is reached."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stormcell.cluster import space
from stormcell.cluster.error import ClusterError
from stormcell.cluster.layout import PORTS, address
from stormcell.cluster.processes import Process, marked
from stormcell.cluster.state import State

if TYPE_CHECKING:
    from stormcell.nimbus.client import Transport

VARIABLE = "STORMCELL_CLUSTER"
"""Names the home of the cluster that is meant."""


@dataclass
class Cluster:
    """A cluster that `stormcell cluster up` has started.

    Attributes:
        home: its folder.
        state: what its watcher has written down.
    """

    home: Path
    state: State

    @property
    def nimbus(self) -> tuple[str, int]:
        """Where Nimbus listens: host and port, for `connect`."""
        return "127.0.0.1", PORTS["nimbus"]

    @property
    def logs(self) -> Path:
        """The daemons' logs; a worker's is workers-artifacts/TOPOLOGY-ID/PORT/worker.log in there."""
        return self.home / "logs"

    @property
    def version(self) -> str:
        """Storm's, as in "2.8.3"."""
        return self.state.version

    @property
    def slots(self) -> list[int]:
        """The ports of the workers that there may be."""
        return self.state.slots

    @property
    def hosts(self) -> dict[int, str]:
        """By the port of each worker that there may be, the host that it would run on, as Storm calls it."""
        return {port: address(1 + index // self.state.slots_each, self.state.transport) for index, port in enumerate(self.slots)}

    @property
    def transport(self) -> Transport:
        """How Nimbus is spoken to, for Nimbus.connect."""
        from stormcell.nimbus import client, sasl  # not of those who only start and end it

        return sasl.PLUGINS.get(self.state.transport, client.framed)

    def connect(self, host: str, port: int, timeout_s: float | None = None) -> socket.socket:
        """A TCP connection to something in the cluster's network namespace, as
        `socket.create_connection((host, port), timeout_s)` makes them. OSError: there is none."""
        resident = self.resident()
        if resident is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{host}:{port}: the cluster in {self.home} has ended")
        return space.connect(resident.pid, host, port, timeout_s)

    def command(self, words: list[str]) -> list[str]:
        """What runs a command in the cluster's network namespace. ClusterError: nothing is left of it."""
        resident = self.resident()
        if resident is None:
            raise ClusterError(f"the cluster in {self.home} has ended")
        return [*space.inside(resident.pid), *words]

    def resident(self) -> Process | None:
        """A process that is in the namespace; None: there is none."""
        return next((process for process in self._known() if process.alive), None) or next(
            iter(marked(self.home)), None)

    def _known(self) -> Iterator[Process]:
        if self.state.watcher:
            yield Process(*self.state.watcher)
        for daemon in self.state.daemons.values():
            yield daemon.process


def default_home(given: Path | None = None) -> Path:
    """The home that is meant, as an absolute path: the one given, $STORMCELL_CLUSTER, or cluster/ in the
    user's directory for state."""
    named = given or os.environ.get(VARIABLE)
    if named:
        return Path(os.path.realpath(named))
    states = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(os.path.realpath(os.path.join(states, "stormcell", "cluster")))


def running(home: Path | None = None) -> Cluster | None:
    """The cluster of this machine, if it is up: in this home, or in the usual one (see `default_home`)."""
    home = default_home(home)
    try:
        state = State.read(home)
    except ClusterError:
        return None
    if state is None or state.phase == "failed":
        return None
    cluster = Cluster(home, state)
    nimbus = state.daemons.get("nimbus")
    alive = nimbus is not None and nimbus.process.alive or state.watching is not None
    return cluster if alive else None
