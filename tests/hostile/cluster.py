"""A real Apache Storm on this machine: ZooKeeper, Nimbus, a supervisor, and workers of their own.

::

    with Cluster(folder, class_path, slots=4) as storm:
        storm.submit({'name': 'words', 'components': [...]})
        storm.kill('words')

It listens on every address, so run it where there is only the loopback (tests/storm/loopback). All
of Storm's intervals are its defaults: shorter ones hide how a worker dies. A topology is JSON as
Plan.java, in tests/storm, has it; its children are started in the jar's folder `resources`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
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

MARK = "STORMCELL_CLUSTER"  # in the environment of all that is started here
PATIENCE = 120.0
STALL = 4.0
"""Seconds by which a look comes too late only where the machine gives nobody its processors."""
PORTS = {"zookeeper": 2181, "nimbus": 6627, "supervisor": 6628}
MAINS = {
    "zookeeper": [
        "org.apache.storm.shade.org.apache.zookeeper.server.ZooKeeperServerMain",
        str(PORTS["zookeeper"]),
        "zookeeper",
    ],
    "nimbus": ["org.apache.storm.daemon.nimbus.Nimbus"],
    "supervisor": ["org.apache.storm.daemon.supervisor.Supervisor"],
}
LEAN = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+PerfDisableSharedMem"]

LOG4J = """\
<configuration>
  <appenders>
    <File name="all" fileName="{file}">
      <PatternLayout pattern="%d{{HH:mm:ss.SSS}} %c{{1.}} [%p] %msg%n"/>
    </File>
    <File name="out" fileName="{file}.out"><PatternLayout pattern="%msg%n"/></File>
  </appenders>
  <loggers>
    <root level="info"><appender-ref ref="all"/></root>
    <Logger name="STDOUT" level="info" additivity="false"><appender-ref ref="out"/></Logger>
    <Logger name="STDERR" level="info" additivity="false"><appender-ref ref="out"/></Logger>
  </loggers>
</configuration>
"""
DAEMON_LOG = "${sys:storm.log.dir}/${sys:logfile.name}"
WORKER_LOG = "${sys:workers.artifacts}/${sys:storm.id}/${sys:worker.port}/worker.log"

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
        self._class_path = class_path
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
        self._lay_out()
        for name in MAINS:
            self._start_daemon(name)
        client = self._java("client", [f"-Dstorm.jar={self.jar}"], ["stormcell.localstorm.Client"])
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

    def _lay_out(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        for folder in ("conf", "log4j2", "logs", "local", "zookeeper"):
            (self.home / folder).mkdir(parents=True)
        jars = self._class_path.split(os.pathsep)[-1].removesuffix("/*")
        (self.home / "lib-worker").symlink_to(jars)  # what a worker's class path is made of
        for name, file in (("cluster", DAEMON_LOG), ("worker", WORKER_LOG)):
            (self.home / "log4j2" / f"{name}.xml").write_text(LOG4J.format(file=file))
        settings = {
            "storm.zookeeper.servers": ["127.0.0.1"],
            "nimbus.seeds": ["127.0.0.1"],
            "storm.local.hostname": "127.0.0.1",
            "storm.local.dir": str(self.home / "local"),
            "storm.metricstore.class": "stormcell.localstorm.NoMetricStore",
            "supervisor.slots.ports": [6700 + n for n in range(self.slots)],
            "worker.heap.memory.mb": 128,
            "worker.childopts": " ".join(["-Xmx128m", *LEAN]),
            "topology.worker.logwriter.childopts": " ".join(["-Xmx32m", *LEAN]),
        }
        lines = [f"{name}: {json.dumps(value)}\n" for name, value in settings.items()]
        (self.home / "conf" / "storm.yaml").write_text("".join(lines))

    def _start_daemon(self, name: str) -> None:
        with (self.home / "logs" / f"{name}.out").open("wb") as out:
            daemon = subprocess.Popen(
                self._java(name, [], MAINS[name]),
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

    def _java(self, name: str, flags: list[str], main: list[str]) -> list[str]:
        home = self.home
        return [
            "java", "-Xmx256m", *LEAN, *flags,
            f"-Dstorm.home={home}", f"-Dstorm.log.dir={home}/logs", f"-Dlogfile.name={name}.log",
            f"-Dlog4j.configurationFile={home}/log4j2/cluster.xml", "-Dstorm.conf.file=",
            "-Dstorm.options=", "-Djava.library.path=/usr/lib",
            "-cp", os.pathsep.join([f"{home}/conf", self._class_path]), *main,
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {**os.environ, MARK: self._mark}

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
