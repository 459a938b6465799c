"""The process that a cluster hangs on: it is in the cluster's namespace, starts the daemons, starts one that
dies anew, and ends everything when it is told to.

    unshare -n python -m stormcell.cluster.watcher HOME    # after `control.up` has laid HOME out

If it is killed, the daemons live on, and `stormcell cluster down` ends them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path

from stormcell.cluster import space
from stormcell.cluster.ending import end_cluster
from stormcell.cluster.java import java_home
from stormcell.cluster.layout import Layout, failed
from stormcell.cluster.processes import MARK, PART, Process
from stormcell.cluster.state import FILE, Daemon, State

LOOK = 0.05
"""Between two looks at the daemons' ports, in seconds."""

REST = 1.0
"""From a daemon's death to its next start, in seconds."""

SHORT_LIFE, SHORT_LIVES = 30.0, 5
"""A daemon that lives less than so many seconds so many times in a row is not started any more."""

HEEDED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
LOOK_AGAIN = signal.SIGUSR1
"""Tells it that a daemon that was to stay down is to be started."""

SIGNALS = HEEDED | {signal.SIGCHLD, LOOK_AGAIN}

OURS = ("PYTHON", "STORMCELL_", "STORM_", "VIRTUAL_ENV", "MAVEN_", "JAVA_HOME")
"""How the names of variables begin that no worker of a usual cluster would have."""

PR_SET_CHILD_SUBREAPER = 36


class Watcher:
    """home: the cluster's, laid out, with a state in it."""

    def __init__(self, home: Path) -> None:
        state = State.read(home)
        assert state is not None
        self.home = home
        self.state = state
        self.layout = state.layout(home)
        self.pids: dict[int, str] = {}  # the daemons that run
        self.due: dict[str, float] = {}  # those that are to be started, and when, by time.monotonic()
        self.short_lives: dict[str, int] = {}
        self.awaited = list(self.layout.daemons)  # that do not listen yet
        self.ending = False

    def run(self) -> int:
        """Watch until told to end. The exit status."""
        me = Process.of(os.getpid())
        assert me is not None
        self.state.watcher = [me.pid, me.start]
        self.state.write(self.home)
        self.due["zookeeper"] = 0.0
        try:
            while not self.ending:
                self.turn()
        except Exception:
            traceback.print_exc()
            self.fail("the watcher has a defect: see logs/watcher.log")
        end_cluster(self.home, self.state, self.say)
        self.say("all has ended")
        if self.state.phase == "failed":
            self.state.write(self.home)
            return 1
        with contextlib.suppress(OSError):
            (self.home / FILE).unlink()
        return 0

    def turn(self) -> None:
        """Do what there is to do, and sleep until there may be more."""
        self.reap()
        self.start_those_due()
        if self.state.phase == "starting":
            self.look()
        if not self.ending:
            told = signal.sigtimedwait(SIGNALS, self.pause())
            if told and told.si_signo in HEEDED:
                self.say(f"told to end by {signal.Signals(told.si_signo).name}")
                self.ending = True
            elif told and told.si_signo == LOOK_AGAIN:
                self.look_again()

    def pause(self) -> float:
        """How long there is nothing to do, in seconds."""
        if self.state.phase == "starting":
            return LOOK
        return max(0.0, min(self.due.values(), default=time.monotonic() + 3600) - time.monotonic())

    def start_those_due(self) -> None:
        for name in [name for name, at in self.due.items() if at <= time.monotonic()]:
            del self.due[name]
            if not failed(self.home, name).exists():
                self.start(name)

    def start(self, name: str) -> None:
        """Start a daemon."""
        try:
            pid = self.spawn(name)
        except OSError as error:
            self.lost(name, f"{self.state.java} does not start: {error.strerror}")
            return
        self.pids[pid] = name
        process = Process.of(pid) or Process(pid, 0)
        before = self.state.daemons.get(name)
        restarts, note = (before.restarts + 1, before.note) if before else (0, "")
        self.state.daemons[name] = Daemon(pid, process.start, restarts, note)
        self.state.write(self.home)
        self.say(f"{name} started, pid {pid}")

    def spawn(self, name: str) -> int:
        """The number of a new process of a daemon's, which has nothing of whoever started us."""
        out = str(self.home / "logs" / f"{name}.out")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.posix_spawn(
            self.state.java, self.layout.command(name, self.state.java),
            environment(self.layout, self.state.java, name),
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                          (os.POSIX_SPAWN_OPEN, 1, out, flags, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)],
            setsid=True, setsigmask=())

    def look(self) -> None:
        """Whether the daemons listen: when ZooKeeper does, the others are started."""
        for name in [name for name in self.awaited if name in self.state.daemons and listens(self.layout.port(name))]:
            self.awaited.remove(name)
            self.say(f"{name} listens on {self.layout.port(name)}")
            if name == "zookeeper":
                self.due = {other: 0.0 for other in self.layout.daemons if other != name}
        if not self.awaited:
            self.state.phase = "up"
            self.state.write(self.home)

    def look_again(self) -> None:
        """Start the daemons that were to stay down and are not any more."""
        for name in self.layout.daemons:
            if name not in self.pids.values() and name not in self.due and not failed(self.home, name).exists():
                self.short_lives[name] = 0
                self.due[name] = 0.0

    def reap(self) -> None:
        """Ask how those ended that did: daemons, and workers whose supervisor has gone."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                name = self.pids.pop(pid, None)
                if name is not None:
                    self.died(name, status)

    def died(self, name: str, status: int) -> None:
        """Have it started anew, unless that is of no use."""
        code = os.waitstatus_to_exitcode(status)
        how = f"exit status {code}" if code >= 0 else signal.Signals(-code).name
        daemon = self.state.daemons[name]
        daemon.note = f"ended at {time.strftime('%H:%M:%S')}: {how}"
        self.say(f"{name}, pid {daemon.pid}, has ended: {how}")
        lived = Process(daemon.pid, daemon.start).age
        self.short_lives[name] = self.short_lives.get(name, 0) + 1 if lived < SHORT_LIFE else 0
        if self.short_lives[name] >= SHORT_LIVES:
            how = f"ended {SHORT_LIVES} times in a row within {SHORT_LIFE:g} s: {how}"
        if failed(self.home, name).exists():
            self.say(f"{name} is to stay down")
        elif self.state.phase == "starting" or self.short_lives[name] >= SHORT_LIVES:
            self.lost(name, how)
        else:
            self.due[name] = time.monotonic() + REST
        self.state.write(self.home)

    def lost(self, name: str, how: str) -> None:
        """It is not started any more."""
        if self.state.phase == "starting":
            self.fail(f"{name} has not started: {how}")
            return
        self.state.phase, self.state.why = "broken", f"{name} is not started any more: {how}"
        self.say(self.state.why)
        self.state.write(self.home)

    def fail(self, why: str) -> None:
        self.state.phase, self.state.why = "failed", why
        self.ending = True

    def say(self, text: str) -> None:
        print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def environment(layout: Layout, java: str, name: str) -> dict[str, str]:
    """A daemon's, and so that of its workers, who on a usual cluster have nothing of an author's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    # The supervisor starts workers by $JAVA_HOME/bin/java, or else by the java on PATH.
    installation, path = java_home(java), kept.get("PATH", os.defpath)
    # Only then in front of the rest, for there may be a python3 beside it that is not the user's.
    found = {"JAVA_HOME": str(installation), "PATH": path} if installation else {
        "PATH": os.pathsep.join([os.path.dirname(java), path])}
    return {**kept, **found, MARK: str(layout.home), PART: name, **layout.environment(name)}


def main() -> int:
    """The module as a program."""
    home = Path(sys.argv[1])
    os.chdir(home)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    # Workers outlive their supervisor; when they end, somebody has to ask how.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    space.raise_loopback()
    return Watcher(home).run()


if __name__ == "__main__":
    sys.exit(main())
