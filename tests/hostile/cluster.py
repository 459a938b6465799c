"""A real Apache Storm on this machine: ZooKeeper, Nimbus, a supervisor, and workers of their own.

::

    with Cluster(folder, class_path, slots=4) as storm:
        storm.submit({'name': 'words', 'components': [...]})
        storm.kill('words')

It listens on every address, so run it where there is only the loopback (python -m
stormcell.cluster space). All of Storm's intervals are its defaults: shorter ones hide how a worker
dies. A topology is JSON as Plan.java, in tests/storm, has it; its children are started in the jar's
folder `resources`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from localstorm import marked
from stormcell.cluster.artifacts import installed
from stormcell.cluster.layout import LEAN, PORTS, Layout

MARK = "STORMCELL_HOSTILE"  # in the environment of all that is started here
PATIENCE = 120.0
STALL = 4.0
"""Seconds by which a look comes too late only where the machine gives nobody its processors."""
DAEMONS = ("zookeeper", "nimbus", "supervisor")
SETTINGS = {
    "nimbus.monitor.freq.secs": 10,
    "executor.metrics.frequency.secs": 60,
    "worker.heap.memory.mb": 128,
    "worker.childopts": " ".join(["-Xmx128m", *LEAN]),
}

LAUNCHED = re.compile(
    r"Launching worker with assignment .*topology_id:(\S+)-\d+-\d+,.* with id (\S+)"
)
EXITED = re.compile(r"Worker Process (\S+) exited with code: (\d+)")


class ClusterError(Exception):
    """Storm did not start, refused a command or did not answer."""


class Cluster:
    """home: the folder that Storm lives in; it is made, and emptied by start().

    class_path: what tests/storm/build printed, with the classes that topologies are made of first.
    jar: the topologies' jar. slots: how many workers there may be at once.
    """

    def __init__(self, home: Path, class_path: str, jar: Path, slots: int) -> None:
        self.home = home
        self.jar = jar
        self.slots = slots
        *self._classes, jars = class_path.split(os.pathsep)
        storm = installed(Path(jars).parents[1])
        # What the topologies' own classes need, and workers do not have by themselves.
        jackson = os.pathsep.join(map(str, (storm.folder / "lib").glob("jackson-*.jar")))
        self._layout = Layout(home, storm, slots, {**SETTINGS, "topology.classpath": jackson})
        self._mark = str(uuid.uuid4())
        self._client: subprocess.Popen[str] | None = None
        self._processes: list[subprocess.Popen[Any]] = []
        self._numbers = itertools.count(1)
        self._line = threading.Lock()  # one command at a time
        self._look = threading.Lock()  # one look at the supervisor at a time
        self._tails: dict[Path, Tail] = {}
        self._launched: dict[str, list[str]] = {}  # by the topology's name: its workers' ids
        self._codes: dict[str, int] = {}  # by the worker's id: how it exited
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._over = threading.Event()
        self._stalled = -STALL  # when this machine stood still last, by time.monotonic()

    def __enter__(self) -> Cluster:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # ---- up and down ------------------------------------------------------------------------

    def start(self) -> None:
        """Lay Storm out, start its daemons and wait until Nimbus takes topologies."""
        self._layout.write()
        for name in DAEMONS:
            self._start_daemon(name)
        client = self._layout.jvm(
            "java", "client", 256, ["stormcell.localstorm.Client"], self._classes, [f"-Dstorm.jar={self.jar}"]
        )
        with (self.home / "logs" / "client.out").open("wb") as log:
            self._client = subprocess.Popen(
                client,
                cwd=self.home,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._processes.append(self._client)

    def stop(self) -> None:
        """End all that was started, workers and their children too."""
        self._over.set()
        deadline = time.monotonic() + 60
        while (left := marked(MARK, self._mark)) and time.monotonic() < deadline:
            for pid in left:  # again and again: a supervisor may have started another meanwhile
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        for process in self._processes:
            process.wait()
        if self._client and self._client.stdin and self._client.stdout:
            # Only now: a thread that waits for an answer holds them.
            with contextlib.suppress(BrokenPipeError):
                self._client.stdin.close()
            self._client.stdout.close()

    def _start_daemon(self, name: str) -> None:
        with (self.home / "logs" / f"{name}.out").open("wb") as out:
            daemon = subprocess.Popen(
                self._layout.command(name, "java"),
                cwd=self.home,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(daemon)
        deadline = time.monotonic() + PATIENCE
        while not listens(PORTS[name]):
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise ClusterError(f"{name} does not listen; see {self.home}/logs/{name}.out")
            time.sleep(0.1)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._layout.environment(), MARK: self._mark}

    # ---- topologies -------------------------------------------------------------------------

    def submit(self, topology: dict[str, Any]) -> None:
        """Start a topology; Storm takes some seconds until it runs."""
        self._ask("submit", topology)

    def kill(self, name: str) -> None:
        """End a topology now."""
        self._ask("kill", name)

    def deactivate(self, name: str) -> None:
        """Have its spouts pause."""
        self._ask("deactivate", name)

    def activate(self, name: str) -> None:
        """Have them go on."""
        self._ask("activate", name)

    def _ask(self, do: str, topology: Any) -> None:
        assert self._client and self._client.stdin and self._client.stdout
        command = {"id": next(self._numbers), "do": do, "topology": topology}
        with self._line:
            print(json.dumps(command), file=self._client.stdin, flush=True)
            line = self._client.stdout.readline()
        if not line:
            raise ClusterError(f"the client has ended; see {self.home}/logs/client.out")
        if error := json.loads(line).get("error"):
            raise ClusterError(f"Nimbus refused to {do}: {error}")

    def wait_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Look twice a second; whether it came true in time. ClusterError once Storm is stopped."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                return False
            looked = time.monotonic()
            if self._over.wait(0.5):
                raise ClusterError("Storm has been stopped")
            if time.monotonic() - looked > STALL:
                self._stalled = time.monotonic()
        return True

    def stood_still(self, since: float) -> bool:
        """This machine has stood still since then, so that what was seen says nothing of Storm."""
        return self._stalled > since

    # ---- what can be seen of a topology ------------------------------------------------------

    def workers(self, name: str) -> list[str]:
        """The ids of the workers that have been launched for the topology, in order."""
        self._read_supervisor()
        return self._launched.get(name, [])

    def exits(self, name: str) -> list[int]:
        """The exit codes of its workers so far."""
        return [self._codes[worker] for worker in self.workers(name) if worker in self._codes]

    def worker_pids(self, name: str) -> list[int]:
        """The worker JVMs of the topology that run."""
        return [pid for pid in marked(MARK, self._mark) if is_worker(pid, name)]

    def log(self, name: str) -> str:
        """What its workers and their children logged."""
        files = self._worker_files(name, "worker.log")
        return "".join(path.read_text(errors="replace") for path in files)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What its components in Java told (Events.java)."""
        found = self._events.setdefault(name, [])
        for path in self._worker_files(name, "worker.log.out"):
            lines = self._tails.setdefault(path, Tail(path)).lines()
            found += [json.loads(line) for line in lines if line.startswith('{"event"')]
        return found

    def _worker_files(self, name: str, file: str) -> list[Path]:
        artifacts = self.home / "logs" / "workers-artifacts"
        return sorted(artifacts.glob(f"{name}-[0-9]*/*/{file}"))

    def _read_supervisor(self) -> None:
        path = self.home / "logs" / "supervisor.log"
        with self._look:
            for line in self._tails.setdefault(path, Tail(path)).lines():
                if launched := LAUNCHED.search(line):
                    self._launched.setdefault(launched[1], []).append(launched[2])
                elif exited := EXITED.search(line):
                    self._codes[exited[1]] = int(exited[2])


class Tail:
    """The lines of a file that grows, each once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def lines(self) -> list[str]:
        """Those that have come since it was asked last."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            whole = file.read().rpartition(b"\n")[0]
        self._offset += len(whole) + bool(whole)
        return whole.decode(errors="replace").splitlines()


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def is_worker(pid: int, name: str) -> bool:
    """It is a worker's JVM, and not the one that writes its log."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        mine = any(re.fullmatch(rf"-Dstorm\.id={name}-\d.*", word) for word in words)
        return mine and "org.apache.storm.LogWriter" not in words
    return False
