"""Starting a cluster, looking at it, and ending it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stormcell.cluster import layout, space
from stormcell.cluster.artifacts import VERSION, Storm, Tell, fetched, installed
from stormcell.cluster.ending import end_cluster
from stormcell.cluster.error import ClusterError
from stormcell.cluster.here import Cluster, default_home
from stormcell.cluster.java import find_java
from stormcell.cluster.layout import TRANSPORT, TUNED, Layout
from stormcell.cluster.processes import MARK, Process, marked, space_of, wait_until
from stormcell.cluster.state import FILE, State
from stormcell.nimbus import Nimbus, NimbusError, NotAuthorized, NotPrepared

PATIENCE = 120.0
"""How long the daemons may take until they can be used, in seconds."""

ORDERLY = 60.0
"""How long the watcher may take to end all, in seconds."""

ANSWER = 5.0
"""How long Nimbus may take for an answer, in seconds."""

FIXED = {"storm.zookeeper.port", "nimbus.thrift.port", "supervisor.thrift.port", "ui.port", "logviewer.port",
         "supervisor.slots.ports", "storm.local.dir", "storm.local.hostname", "storm.log4j2.conf.dir"}
"""What daemons, workers and commands find each other by."""

LOCK = "lock"
LAST_LINES = 12


@dataclass
class Wanted:
    """What kind of cluster it is to be.

    Attributes:
        slots: how many workers each supervisor may have at once.
        supervisors: how many there are to be.
        storm_home: an installed Storm; None: the one of `version` is fetched.
        tune: Storm's intervals are to be short.
        java: the program to run Storm with; None: it is looked for.
        settings: further ones of Storm's, for storm.yaml.
    """

    slots: int = 2
    supervisors: int = 1
    storm_home: Path | None = None
    version: str = VERSION
    tune: bool = False
    java: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def storm(self, tell: Tell) -> Storm:
        return installed(self.storm_home) if self.storm_home else fetched(self.version, tell)

    def layout(self, home: Path, storm: Storm) -> Layout:
        """ClusterError: one of the settings is not to be chosen."""
        for key in FIXED & set(self.settings):
            raise ClusterError(f"{key} cannot be chosen: the commands count on where things are in a cluster of theirs")
        return Layout(home, storm, self.slots, {**(TUNED if self.tune else {}), **self.settings},
                      self.supervisors)


def up(home: Path | None, wanted: Wanted, tell: Tell) -> tuple[Cluster, bool]:
    """Start a cluster in this home, and wait until it can be used; if it is up, leave it as it is.
    Returns it, and whether it was started. ClusterError: it cannot be; nothing of it is left then.
    """
    home = default_home(home)
    _check(home)
    with alone(home, tell), _as_interrupts():
        found = examine(home)
        if found.cluster is not None and found.status in ("up", "starting"):
            _wait_until_usable(found.cluster, tell)
            return found.cluster, False
        if found.processes:
            raise ClusterError(f"what is in {home} is broken: {found.why}; first: stormcell cluster down")
        version = installed(wanted.storm_home).version if wanted.storm_home else wanted.version
        java = find_java(wanted.java, version)
        before = space.own_space()
        plan = wanted.layout(home, wanted.storm(tell))
        with _undone(home):
            plan.write()
            cluster = _start(plan, java, before)
            _wait_until_usable(cluster, tell)
        return cluster, True


def _check(home: Path) -> None:
    """That nobody else's folder is made a cluster's home."""
    text = str(home)
    if any(character in text for character in ':"\\*%\n'):
        raise ClusterError(f"{home}: Java takes no path with any of : \" \\ * %; choose another --home")
    try:
        strangers = home.is_dir() and not (home / LOCK).exists() and any(home.iterdir())
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClusterError(f"{home}: {error.strerror}") from None
    if strangers:
        raise ClusterError(f"{home} has something in it, and no cluster of ours: choose another --home")


@contextlib.contextmanager
def alone(home: Path, tell: Tell) -> Iterator[None]:
    """Keep other commands out of this home."""
    try:
        lock = (home / LOCK).open("w")
    except OSError as error:
        raise ClusterError(f"{home / LOCK}: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("waiting for another command that is at work there", "")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _as_interrupts() -> Iterator[None]:
    """What asks this process to end is a KeyboardInterrupt, so that what is within is undone."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _undone(home: Path) -> Iterator[None]:
    """If what is within fails, nothing of the cluster is left but its logs. Who is impatient is not heeded
    while that is done."""
    try:
        yield
    except BaseException:
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, signal.SIG_IGN) for number in signals}
        _end(home)
        for number, handler in before.items():
            signal.signal(number, handler)
        raise


def _start(plan: Layout, java: str, before: list[str]) -> Cluster:
    """Start the watcher, which starts all else."""
    home = plan.home
    state = State(str(plan.storm.folder), plan.storm.version, java, plan.ports, space_of(os.getpid()),
                  supervisors=plan.supervisors, transport=str(plan.settings.get(TRANSPORT, "")))
    state.write(home)
    with (home / "logs" / "watcher.log").open("wb") as log:
        # In the root folder, since the one we are in is where `-m` looks for modules first.
        watcher = subprocess.Popen(
            [*before, sys.executable, "-m", "stormcell.cluster.watcher", str(home)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, cwd="/",
            env={**os.environ, "PYTHONPATH": _python_path(), MARK: str(home)})
    process = Process.of(watcher.pid)
    watcher.returncode = 0  # it outlives us, and nobody is to complain of that
    state.watcher = [watcher.pid, process.start if process else 0]
    return Cluster(home, state)


def _python_path() -> str:
    """Where modules are looked for, independent of the folder we are in."""
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(os.path.abspath(folder) for folder in folders if folder)


def _wait_until_usable(cluster: Cluster, tell: Tell) -> None:
    """Wait for the daemons, and for Nimbus to know of the slots. ClusterError: in vain."""
    deadline = time.monotonic() + PATIENCE
    for step in (_daemons_listen, _has_slots):
        while not step(cluster):
            if time.monotonic() > deadline:
                raise ClusterError(f"Storm is not there after {PATIENCE:g} s; its logs are in {cluster.logs}")
            tell("", f"starting {_what_starts(cluster)}")
            time.sleep(0.05)


def _what_starts(cluster: Cluster) -> str:
    if "nimbus" not in cluster.state.daemons:
        return "zookeeper"
    return f"nimbus and supervisor{'s' if cluster.state.supervisors > 1 else ''}"


def _daemons_listen(cluster: Cluster) -> bool:
    watched = cluster.state.watching is not None
    state = State.read(cluster.home)
    if state is not None and state.watcher is not None:
        cluster.state = state
    if cluster.state.phase == "failed" or not watched:
        raise ClusterError(_obituary(cluster))
    return cluster.state.phase == "up"


def _obituary(cluster: Cluster) -> str:
    """Why a daemon does not start, and the end of what it said."""
    why = cluster.state.why or "the watcher has ended at its start"
    name = why.split()[0] if cluster.state.why else "watcher"
    for path in (cluster.logs / f"{name}.out", cluster.logs / f"{name}.log", cluster.logs / "watcher.log"):
        lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
        if lines:
            return "\n  ".join([f"{why}; the end of {path}:", *(line[:300] for line in lines[-LAST_LINES:])])
    return f"{why}; its logs are in {cluster.logs}"


def _has_slots(cluster: Cluster) -> bool:
    """Whether Nimbus knows of all supervisors. NotAuthorized, NotPrepared: we shall never know."""
    try:
        told = ask(cluster)
    except (NotAuthorized, NotPrepared):
        raise
    except NimbusError:
        return False
    slots: int = sum(supervisor.num_workers for supervisor in told.supervisors)
    return slots >= len(cluster.state.slots)


def ask(cluster: Cluster) -> Any:
    """Nimbus' ClusterSummary. NimbusError."""
    with Nimbus.connect([cluster.nimbus], ANSWER, cluster.connect, cluster.transport) as nimbus:
        return nimbus.call("getClusterInfo")


def down(home: Path | None, purge: bool, tell: Tell) -> bool:
    """End the cluster in this home, and remove all but its logs, or these too. Whether there was one."""
    home = default_home(home)
    if not (home / LOCK).exists():  # a home that was removed does not end what runs there
        there = bool(marked(home))
        end_cluster(home, None)
        return there
    with alone(home, tell), _as_interrupts():
        there = bool(marked(home))
        if there:
            tell("", "ending workers and daemons")
        _end(home)
        if purge:
            layout.clear(home, logs=True)
            (home / LOCK).unlink()
    if purge:
        with contextlib.suppress(OSError):  # something else is in it
            home.rmdir()
    return there


def _end(home: Path) -> None:
    """End all that runs, and remove what only a running cluster needs."""
    state = None
    with contextlib.suppress(ClusterError):
        state = State.read(home)
    watcher = state.watching if state else None
    if watcher is not None:
        watcher.send(signal.SIGTERM)
        wait_until(lambda: not watcher.alive, ORDERLY)
    end_cluster(home, state)
    for name in (FILE, f"{FILE}.part"):
        (home / name).unlink(missing_ok=True)
    layout.clear(home, logs=False)


@dataclass
class Found:
    """What there is of a cluster.

    Attributes:
        status: "up", "starting", "down" or "broken".
        why: of "broken"; of "up", why there is no summary.
        processes: all of it that runs.
        summary: Nimbus' ClusterSummary, or None: it does not answer, or not us.
    """

    home: Path
    status: str
    why: str = ""
    cluster: Cluster | None = None
    processes: list[Process] = field(default_factory=list)
    summary: Any = None


def examine(home: Path | None) -> Found:
    """Look at the cluster in this home."""
    home = default_home(home)
    processes = marked(home)
    try:
        state = State.read(home)
    except ClusterError as error:
        return Found(home, "broken", str(error), None, processes)
    if not processes:
        return Found(home, "down")
    if state is None:
        return Found(home, "broken", f"there is no {home / FILE}", None, processes)
    cluster = Cluster(home, state)
    if state.watching is None:
        return Found(home, "broken", "its watcher has been killed", cluster, processes)
    if state.phase != "up":
        return Found(home, "starting" if state.phase == "starting" else "broken", state.why, cluster, processes)
    try:
        return Found(home, "up", "", cluster, processes, ask(cluster))
    except (NotAuthorized, NotPrepared) as error:
        return Found(home, "up", str(error), cluster, processes)
    except NimbusError as error:
        return Found(home, "broken", f"Nimbus does not answer: {error}", cluster, processes)
