"""A cluster's home: where everything of it is, and how its daemons are started there.

    conf/storm.yaml     Storm's settings
    log4j2/             how daemons and workers log
    logs/               DAEMON.log, and what a daemon prints: DAEMON.out; workers' under workers-artifacts/
    local/, zookeeper/  what Storm and ZooKeeper keep
    tmp/                the daemons' temporary files
    failed/             a file of the name of each daemon that is to stay down

A second supervisor has conf/supervisor-2/ and local/supervisor-2/, and so on. Each stands for a machine: it has an
address of its own on the loopback. Storm's workers listen on a port of every address there is, though, so that
all ports are different ones; and thus all workers can log into one folder.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stormcell.cluster.artifacts import Storm

PORTS = {"zookeeper": 2181, "nimbus": 6627, "supervisor": 6628, "ui": 8080, "logviewer": 8000}
"""Where the daemons listen; supervisors after the first on the ports after its own."""

FIRST_SLOT = 6700

TRANSPORT = "storm.thrift.transport"

SUPERVISOR = "supervisor"
"""The first of them; the next one is supervisor-2."""

MAINS = {
    "zookeeper": ["org.apache.storm.shade.org.apache.zookeeper.server.ZooKeeperServerMain",
                  str(PORTS["zookeeper"]), "zookeeper"],
    "nimbus": ["org.apache.storm.daemon.nimbus.Nimbus"],
    "supervisor": ["org.apache.storm.daemon.supervisor.Supervisor"],
    "ui": ["org.apache.storm.daemon.ui.UIServer"],
    "logviewer": ["org.apache.storm.daemon.logviewer.LogviewerServer"],
}

HEAP = {"zookeeper": 96, "nimbus": 256, "supervisor": 128, "ui": 192, "logviewer": 96}
"""In MiB."""

WORKER_HEAP = 256
"""In MiB."""

SMALL = ["-XX:+UseSerialGC", "-XX:+PerfDisableSharedMem"]  # the latter leaves nothing in /tmp
LEAN = [*SMALL, "-XX:TieredStopAtLevel=1"]
"""Of JVMs that do little: quick to start."""

QUICK = {"nimbus.monitor.freq.secs": 2, "executor.metrics.frequency.secs": 2}
"""What makes assignments and statistics come in seconds and not in a minute, and changes nothing in how a
worker lives and dies."""

TUNED = {"nimbus.monitor.freq.secs": 1, "supervisor.monitor.frequency.secs": 1,
         "supervisor.worker.shutdown.sleep.secs": 1, "supervisor.worker.timeout.secs": 10,
         "storm.zookeeper.session.timeout": 10000, "nimbus.task.timeout.secs": 18, "nimbus.task.launch.secs": 30}
"""For tests that wait for the deaths of workers and hosts; workers then die in other ways than on a usual cluster.
A supervisor is missed some seconds before its tasks are, or these would be given its free slots: a session ends up
to 3 s late, and a task's last word may be 3 s old."""

LOG4J = """\
<configuration monitorInterval="30">
  <appenders>
    <RollingFile name="A1" fileName="{file}" filePattern="{file}.%i" immediateFlush="true">
      <PatternLayout charset="UTF-8" pattern="%d{{yyyy-MM-dd HH:mm:ss.SSS}} %c{{1.}} %t [%p] %msg%n"/>
      <SizeBasedTriggeringPolicy size="50 MB"/>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
    <RollingFile name="OUT" fileName="{file}.out" filePattern="{file}.out.%i" immediateFlush="true">
      <PatternLayout charset="UTF-8" pattern="%msg%n"/>
      <SizeBasedTriggeringPolicy size="50 MB"/>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </appenders>
  <loggers>
    <root level="info"><appender-ref ref="A1"/></root>
    <Logger name="STDOUT" level="info" additivity="false"><appender-ref ref="OUT"/></Logger>
    <Logger name="STDERR" level="info" additivity="false"><appender-ref ref="OUT"/></Logger>
  </loggers>
</configuration>
"""

LOG_FILES = {
    "cluster": "${sys:storm.log.dir}/${sys:logfile.name}",
    "worker": "${sys:workers.artifacts}/${sys:storm.id}/${sys:worker.port}/worker.log",
}

FOLDERS = ("conf", "log4j2", "logs", "local", "zookeeper", "tmp", "failed")


def address(number: int, transport: object) -> str:
    """What supervisor so and so, counted from 1, calls its machine; the first one's is Nimbus' as well.

    transport: Storm's storm.thrift.transport, if one was chosen. The plugins for SASL take no client that knows
    Nimbus by another name.
    """
    return "localhost" if transport and number == 1 else f"127.0.0.{number}"


@dataclass(frozen=True)
class Layout:
    """A home, and the Storm that runs in it.

    Attributes:
        home: an absolute path.
        slots: how many workers a supervisor may have at once.
        settings: further ones of Storm's, or others than those chosen here.
        supervisors: how many there are.
    """

    home: Path
    storm: Storm
    slots: int = 2
    settings: dict[str, Any] = field(default_factory=dict)
    supervisors: int = 1

    def write(self) -> None:
        """Make the home, without anything that an earlier cluster left there."""
        clear(self.home, logs=True)
        for folder in FOLDERS:
            (self.home / folder).mkdir(parents=True)
        for name, file in LOG_FILES.items():
            (self.home / "log4j2" / f"{name}.xml").write_text(LOG4J.format(file=file))
        for name in self.supervisor_names:
            self._write_settings(name)

    def _write_settings(self, name: str) -> None:
        for part in ("conf", "local"):
            self._folder(part, name).mkdir(exist_ok=True)
        # Every JSON value is a YAML value as well.
        lines = [f"{key}: {json.dumps(value)}\n" for key, value in self.all_settings(name).items()]
        (self._folder("conf", name) / "storm.yaml").write_text("".join(lines))

    def all_settings(self, name: str = SUPERVISOR) -> dict[str, Any]:
        """storm.yaml: what Storm would not choose by itself.

        name: the supervisor's that it is for; the first one's is all other daemons' as well.
        """
        store = {"storm.metricstore.rocksdb.location": str(self.home / "local" / "metrics")}
        if not self.storm.has_metric_store:
            store = {"storm.metricstore.class": "none"}  # Nimbus says that there is no such class, and goes on
        return {
            "storm.zookeeper.servers": ["127.0.0.1"],
            "nimbus.seeds": [self.host(SUPERVISOR)],
            "storm.local.hostname": self.host(name),
            "storm.local.dir": str(self._folder("local", name)),
            "storm.log4j2.conf.dir": str(self.home / "log4j2"),
            "supervisor.slots.ports": self.ports_of(name),
            "supervisor.thrift.port": self.port(name),
            "worker.heap.memory.mb": WORKER_HEAP,
            "worker.childopts": " ".join(["-Xmx%HEAP-MEM%m", *SMALL]),
            "topology.worker.logwriter.childopts": " ".join(["-Xmx32m", *LEAN]),
            **store,
            **QUICK,
            **self.settings,
        }

    @property
    def ports(self) -> list[int]:
        """The workers', supervisor by supervisor."""
        return list(range(FIRST_SLOT, FIRST_SLOT + self.slots * self.supervisors))

    def ports_of(self, name: str) -> list[int]:
        """Those of a supervisor's workers."""
        end = self.slots * self._number(name)
        return self.ports[end - self.slots:end]

    def port(self, name: str) -> int:
        """Where a daemon listens."""
        return PORTS[name] if name in PORTS else PORTS[SUPERVISOR] + self._number(name) - 1

    @property
    def supervisor_names(self) -> list[str]:
        return [SUPERVISOR, *(f"{SUPERVISOR}-{number}" for number in range(2, self.supervisors + 1))]

    def host(self, name: str) -> str:
        """What a supervisor calls the machine that it stands for."""
        return address(self._number(name), self.settings.get(TRANSPORT))

    def _number(self, name: str) -> int:
        return self.supervisor_names.index(name) + 1

    def _folder(self, part: str, name: str) -> Path:
        """What a daemon has of conf/ or local/; all have the first supervisor's but the other supervisors."""
        others = self.supervisor_names[1:]
        return self.home / part / name if name in others else self.home / part

    @property
    def daemons(self) -> list[str]:
        """Their names, in the order in which they are started."""
        return ["zookeeper", "nimbus", *self.supervisor_names, *(["ui", "logviewer"] if self.storm.has_web else [])]

    def command(self, name: str, java: str) -> list[str]:
        """How a daemon is started, in the home."""
        web = ["lib-webapp"] if name in ("ui", "logviewer") else []
        kind = SUPERVISOR if name in self.supervisor_names else name
        return self.jvm(java, name, HEAP[kind], MAINS[kind], [f"{self.storm.folder / folder}/*" for folder in web])

    def jvm(self, java: str, name: str, heap: int, main: list[str], path: Iterable[str] = (),
            flags: Iterable[str] = ()) -> list[str]:
        """How a program is started that has Storm's classes and settings.

        heap: in MiB.
        path: what else there is to its class path, after the settings.
        """
        home, storm = self.home, self.storm.folder
        folders = [storm, storm / "lib", storm / "extlib", storm / "extlib-daemon"]
        parts = [str(self._folder("conf", name)), *path, *(f"{folder}/*" for folder in folders)]
        return [java, f"-Xmx{heap}m", *LEAN, *flags, f"-Ddaemon.name={name}", f"-Dstorm.home={storm}",
                f"-Dstorm.log.dir={home / 'logs'}", f"-Dlogfile.name={name}.log",
                f"-Dlog4j.configurationFile={home / 'log4j2' / 'cluster.xml'}",
                f"-Djava.io.tmpdir={home / 'tmp'}", "-Djava.library.path=/usr/lib", "-Dstorm.options=",
                "-Dstorm.conf.file=", "-Djava.deserialization.disabled=true",
                "-Dzookeeper.admin.enableServer=false", "-Dfile.encoding=UTF-8",
                "-cp", os.pathsep.join(parts), *main]

    def environment(self, name: str = SUPERVISOR) -> dict[str, str]:
        """What a daemon, and the workers if it is a supervisor, need to have in theirs."""
        return {"STORM_CONF_DIR": str(self._folder("conf", name))}


def failed(home: Path, name: str) -> Path:
    """The file that is there while a daemon is to stay down."""
    return home / "failed" / name


def clear(home: Path, logs: bool) -> None:
    """Remove what a cluster keeps in its home; its logs only if that is asked for."""
    for folder in FOLDERS:
        if folder != "logs" or logs:
            shutil.rmtree(home / folder, ignore_errors=True)
