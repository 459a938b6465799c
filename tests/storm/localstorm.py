"""Drives a real Apache Storm: a LocalCluster whose JVM takes topologies as JSON, and tells of them.

::

    with LocalStorm(folder) as storm:
        words = storm.submit({'name': 'words', 'resources': ..., 'components': [...]})
        words.wait_for('tuple', count=3, component='probe')
        words.kill()

Plan.java, in ``src/main/java/stormcell/localstorm``, shows a topology's JSON. An event is a dict:
its name under ``event``, then ``topology``, ``component`` and ``task``, then what it tells:

========== =======================================================================================
started    a multilang child has answered the handshake: ``pid``
tuple      a ProbeBolt got one: ``values``, their Java ``classes``, ``source``, ``source_task``,
           ``stream``, and whether it ``failed`` it
acked      a FeedSpout's tuple has been processed to the end: ``id``; or ``failed`` instead
log        a child's log message: ``level``, ``text``, ``dropped`` (lines left out before it)
error      a component reported an error, and Storm keeps it: ``text``
table      rows that changed: ``rows``, ``tuples`` (how many came in all)
died       a multilang child ended by itself, or never started: ``text``
closed     a multilang child has been let go
========== =======================================================================================
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

Event = dict[str, Any]

HERE = Path(__file__).resolve().parent
SHIM = os.environ.get("STORMCELL_SHIM", "stormcell-shim")
PATIENCE = 60.0  # seconds until a wait is given up; only a failing test ever waits that long
MARK = "STORMCELL_LOCALSTORM"  # in the environment of the JVM and of all that it starts
SPACE = [sys.executable, "-m", "stormcell.cluster", "space"]  # it listens on every address
JAVA_FLAGS = [
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:+PerfDisableSharedMem",  # leaves nothing in /tmp
    "-Dfile.encoding=UTF-8",
    f"-Dstorm.log.level={os.environ.get('STORM_LOG_LEVEL', 'warn')}",
]


def marked(name: str, value: str) -> list[int]:
    """Returns the pids of the running processes with this name and value in their environment."""
    mark = f"{name}={value}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended, or belongs to somebody else
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


class StormError(Exception):
    """Storm refused a command, ended, or did not do in time what was waited for."""


def class_path(*version: str) -> str:
    """Storm and this folder's classes, laid out if need be; of the usual version unless another is given."""
    build = subprocess.run([str(HERE / "build"), *version], stdout=subprocess.PIPE, text=True)
    if build.returncode:
        raise StormError("tests/storm/build failed; its lines above say why")
    return build.stdout.strip()


class Topology:
    """A topology that was submitted. Its events are kept, or handed to a listener."""

    def __init__(
        self, storm: LocalStorm, name: str, listener: Callable[[Event], None] | None
    ) -> None:
        self.name = name
        self.alive = True
        self._storm = storm
        self._listener = listener
        self._events: list[Event] = []

    def seen(
        self, event: str, where: Callable[[Event], bool] = lambda _: True, **fields: Any
    ) -> list[Event]:
        """Returns the events so far of that name, with these fields, that `where` holds for."""

        def fits(one: Event) -> bool:
            return (
                one["event"] == event
                and all(one.get(k) == v for k, v in fields.items())
                and where(one)
            )

        with self._storm.news:
            return [one for one in self._events if fits(one)]

    def wait_for(
        self,
        event: str,
        where: Callable[[Event], bool] = lambda _: True,
        *,
        count: int = 1,
        seconds: float = PATIENCE,
        **fields: Any,
    ) -> list[Event]:
        """Waits until `count` such events (see `seen`) have come, and returns all of them.

        Raises StormError if the time runs out, a child dies or Storm ends before that.
        """

        def found() -> list[Event]:
            return self.seen(event, where, **fields)

        def missing() -> str:
            return self._missing(event, fields, count, len(found()))

        self._storm.wait(lambda: len(found()) >= count or bool(self.seen("died")), seconds, missing)
        if len(found()) < count:
            raise StormError(missing())
        return found()

    def kill(self) -> None:
        """Tells Storm to end the topology now; ``closed`` comes for each child that it lets go."""
        self._storm.ask("kill", self.name)
        self.alive = False

    def errors(self) -> list[Event]:
        """Returns the errors that Storm keeps: dicts of ``component``, ``text`` and ``seconds``."""
        return list(self._storm.ask("errors", self.name))

    def stats(self) -> dict[str, Any]:
        """Returns ``status``, ``uptime`` in seconds, ``emitted`` by component and stream."""
        return dict(self._storm.ask("stats", self.name))

    def take(self, event: Event) -> None:
        """Called for each event, on the thread that reads them."""
        if self._listener:
            self._listener(event)
        else:
            self._events.append(event)

    def _missing(self, event: str, fields: Mapping[str, Any], count: int, found: int) -> str:
        wanted = ", ".join(
            [f"{count} {event!r} events"] + [f"{k} = {v!r}" for k, v in fields.items()]
        )
        told = [one for one in self._events if one["event"] in ("died", "error", "log")][-10:]
        lines = [f"topology {self.name!r}: waited for {wanted}; {found} came"]
        lines += [f"  {one['event']} of {one['component']}: {one['text']}" for one in told]
        return "\n".join(lines)


class LocalStorm:
    """The JVM, from `start` to `stop`; a context manager does both.

    `folder` takes its log (``storm.log``) and what it keeps while it runs. `version` is Storm's,
    by default the one that `stormcell cluster` has. `classes` is a folder with further components in Java.
    """

    def __init__(
        self, folder: Path, version: str | None = None, classes: Path | None = None
    ) -> None:
        self.log = folder / "storm.log"
        self.version = ""  # until it runs
        self.topologies: dict[str, Topology] = {}
        self.news = threading.Condition()  # guards all that events change, and tells of each
        self._folder = folder
        self._wanted = [version] if version else []
        self._classes = [str(classes)] if classes else []
        self._mark = str(uuid.uuid4())
        self._answers: dict[int, Event] = {}
        self._asked = 0
        self._over = False
        self._jvm: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def __enter__(self) -> LocalStorm:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Lays Storm out if need be, starts the JVM and waits until it takes topologies."""
        if not shutil.which("java"):
            raise StormError("java is missing (Debian: openjdk-17-jre-headless)")
        classes = os.pathsep.join([*self._classes, class_path(*self._wanted)])
        self._folder.mkdir(parents=True, exist_ok=True)
        scratch = self._folder / "tmp"
        scratch.mkdir(exist_ok=True)
        command = [*SPACE, "java", *JAVA_FLAGS, f"-Djava.io.tmpdir={scratch}"]
        with self.log.open("wb") as log:
            self._jvm = subprocess.Popen(
                [*command, "-cp", classes, "stormcell.localstorm.Main"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
                env={**os.environ, MARK: self._mark},
                start_new_session=True,  # a terminal's Ctrl-C is for us, who then stop Storm
            )
        assert self._jvm.stdout
        self._reader = threading.Thread(
            target=self._read, args=(self._jvm.stdout,), name="events of Storm", daemon=True
        )
        self._reader.start()
        try:
            self.wait(lambda: bool(self.version), PATIENCE, lambda: "Storm has not started")
        except BaseException:
            self.stop()
            raise

    def submit(
        self, topology: Mapping[str, Any], listener: Callable[[Event], None] | None = None
    ) -> Topology:
        """Starts a topology. A listener gets its events, on another thread; then none is kept."""
        name = topology["name"]
        with self.news:
            handle = self.topologies[name] = Topology(self, name, listener)
        self.ask("submit", topology)
        return handle

    def ask(self, do: str, topology: Any) -> Any:
        """Sends a command and returns the answer's value. Raises StormError with Storm's reason."""
        with self.news:
            self._asked += 1
            number = self._asked
        self._send({"id": number, "do": do, "topology": topology})
        self.wait(
            lambda: number in self._answers, PATIENCE, lambda: f"Storm has not answered to {do!r}"
        )
        answer = self._answers.pop(number)
        if "error" in answer:
            raise StormError(f"Storm refused to {do}: {answer['error']}")
        return answer.get("value")

    def wait(self, done: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
        """Waits until `done()`, asked again after every event. Raises StormError(`why()` ...)."""
        with self.news:
            if not self.news.wait_for(lambda: done() or self._over, seconds):
                raise StormError(f"{why()} in {seconds:g} s; {self._last_lines()}")
            if not done():
                raise StormError(f"{why()}; {self._obituary()}")

    def rest(self, seconds: float) -> None:
        """Lets time pass. Raises StormError if Storm ends."""
        with self.news:
            if self.news.wait_for(lambda: self._over, seconds):
                raise StormError(self._obituary())

    @property
    def over(self) -> bool:
        """Whether the JVM has ended or closed its end of the line."""
        return self._over

    def stop(self) -> list[int]:
        """Stops Storm in order. Returns the pids that had to be killed: none, if all is well."""
        if not self._jvm:
            return []
        jvm, self._jvm = self._jvm, None
        assert jvm.stdin
        if not self.version:
            jvm.terminate()  # not even started: there is nothing to put in order
        with contextlib.suppress(BrokenPipeError):
            jvm.stdin.close()  # the end of its commands is a command to stop
        with contextlib.suppress(subprocess.TimeoutExpired):
            jvm.wait(PATIENCE)
        left = self._end_the_rest()
        jvm.wait()
        if self._reader:
            self._reader.join()
        shutil.rmtree(self._folder / "tmp", ignore_errors=True)
        return left

    def processes(self) -> list[int]:
        """Returns the pids of all that the JVM has started and that still runs, and its own."""
        return marked(MARK, self._mark)

    def _end_the_rest(self) -> list[int]:
        """Children may need a moment longer than the JVM; those that need more are killed."""
        deadline = time.monotonic() + 10
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        left = self.processes()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left

    def _send(self, command: Event) -> None:
        if not (self._jvm and self._jvm.stdin):
            raise StormError("Storm is not running")
        try:
            self._jvm.stdin.write(json.dumps(command).encode() + b"\n")
            self._jvm.stdin.flush()
        except BrokenPipeError:
            raise StormError(self._obituary()) from None

    def _read(self, events: IO[bytes]) -> None:
        for line in events:
            event = json.loads(line)
            with self.news:
                self._take(event)
                self.news.notify_all()
        with self.news:
            self._over = True
            self.news.notify_all()

    def _take(self, event: Event) -> None:
        if event["event"] == "ready":
            self.version = event["storm"]
        elif event["event"] == "answer":
            self._answers[event["id"]] = event
        elif event.get("topology") in self.topologies:
            self.topologies[event["topology"]].take(event)

    def _obituary(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._jvm:
                self._jvm.wait(5)  # its end is near: it has closed its stdout
        code = self._jvm.poll() if self._jvm else None
        how = f"exit code {code}"
        if code is not None and code < 0:
            how = f"killed by {signal.Signals(-code).name}"
        return f"Storm has ended ({how}); {self._last_lines()}"

    def _last_lines(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        lines = text.splitlines()[-12:]
        return "\n  ".join([f"the end of {self.log}:", *lines]) if lines else f"{self.log} is empty"
