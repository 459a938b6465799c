"""A daemon that ends as if its machine had failed, and its coming back: for whoever wants to see what the others do."""

from __future__ import annotations

import signal
from pathlib import Path

from stormcell.cluster.control import ANSWER, PATIENCE, alone
from stormcell.cluster.error import ClusterError
from stormcell.cluster.here import Cluster, default_home, running
from stormcell.cluster.layout import failed
from stormcell.cluster.processes import Process, marked, wait_until
from stormcell.cluster.watcher import LOOK_AGAIN

KILLED_SECONDS = 10.0
"""How long what is killed may take to end."""


def fail(home: Path | None, name: str) -> int:
    """Kill a daemon and all that it has started; it stays down until `start`. How many processes that were.
    ClusterError: nothing is up, or there is no daemon of this name."""
    cluster = _with_daemon(home, name)
    with alone(cluster.home, lambda *_: None):
        failed(cluster.home, name).touch()
        killed: set[Process] = set()
        # Again and again: what was starting another one has perhaps done so.
        if not wait_until(lambda: not _kill(cluster.home, name, killed), KILLED_SECONDS):
            raise ClusterError(f"{name} has been killed and has not ended after {KILLED_SECONDS:g} s")
    return len(killed)


def _kill(home: Path, name: str, killed: set[Process]) -> bool:
    """Kill what is there of it: whether there was something."""
    left = marked(home, name)
    for process in left:
        process.send(signal.SIGKILL)
    killed.update(left)
    return bool(left)


def start(home: Path | None, name: str) -> None:
    """Start a daemon that `fail` has ended, and wait until it listens. ClusterError: it does not."""
    cluster = _with_daemon(home, name)
    with alone(cluster.home, lambda *_: None):
        watcher = cluster.state.watching
        if watcher is None:
            raise ClusterError(f"the watcher of the cluster in {cluster.home} has been killed: nobody starts daemons")
        failed(cluster.home, name).unlink(missing_ok=True)
        watcher.send(LOOK_AGAIN)
        port = cluster.state.layout(cluster.home).port(name)
        if not wait_until(lambda: _listens(cluster, port), PATIENCE):
            raise ClusterError(f"{name} is not there after {PATIENCE:g} s; its logs are in {cluster.logs}")


def _listens(cluster: Cluster, port: int) -> bool:
    try:
        cluster.connect("127.0.0.1", port, ANSWER).close()
    except OSError:
        return False
    return True


def _with_daemon(home: Path | None, name: str) -> Cluster:
    """The cluster that is up in this home and has such a daemon."""
    cluster = running(home)
    if cluster is None:
        raise ClusterError(f"nothing is up in {default_home(home)}; stormcell cluster up starts it")
    if name not in cluster.state.daemons:
        raise ClusterError(f"the cluster has no daemon {name!r}; it has {', '.join(cluster.state.daemons)}")
    return cluster
