"""The process that watches a cluster, with daemons that only listen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stormcell.cluster import Cluster, ClusterError, space
from stormcell.cluster.artifacts import Storm
from stormcell.cluster.failing import fail, start
from stormcell.cluster.layout import Layout
from stormcell.cluster.processes import MARK, Process, marked, space_of
from stormcell.cluster.state import State

PATIENCE = 120.0

JAVA = f"""\
#!{sys.executable}
import os, socket, sys, time
ports = {{"ZooKeeperServerMain": 2181, "Nimbus": 6627, "Supervisor": 6628}}
names = [word.rpartition(".")[2] for word in sys.argv if word.startswith("org.apache.storm.")]
[port] = [ports[name] for name in names if name in ports]
port += "-Ddaemon.name=supervisor-2" in sys.argv
if os.path.exists("reluctant") and port == 6628:
    sys.exit(9)
listening = socket.create_server(("127.0.0.1", port))
print("listening", flush=True)
while True:
    if os.path.exists("fatal") and port == 6627:
        sys.exit(9)
    time.sleep(0.1)
"""


class Watched:
    """A home with a watcher in it."""

    def __init__(self, home: Path, java: Path) -> None:
        self.home = home
        layout = Layout(home, Storm(home / "storm", "2.8.3"), supervisors=2)
        layout.write()
        State(str(home / "storm"), "2.8.3", str(java), layout.ports, space_of(os.getpid()), supervisors=2).write(home)
        with (home / "logs" / "watcher.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*space.own_space(), sys.executable, "-m", "stormcell.cluster.watcher", str(home)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, MARK: str(home)})

    @property
    def state(self) -> State:
        found = State.read(self.home)
        assert found is not None
        return found

    @property
    def said(self) -> str:
        return (self.home / "logs" / "watcher.log").read_text()

    def wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Starts a watcher, in a home in which these files are; the daemons know what they are for."""
    started: list[Watched] = []
    try:
        space.own_space()
    except ClusterError as error:
        pytest.skip(str(error))

    def watched(*files: str) -> Watched:
        java = tmp_path / "java"
        java.write_text(JAVA)
        java.chmod(0o755)
        (tmp_path / "home").mkdir()
        for file in files:
            (tmp_path / "home" / file).touch()
        started.append(Watched(tmp_path / "home", java))
        return started[0]

    yield watched
    for one in started:
        one.process.terminate()
        one.process.wait(PATIENCE)
        assert marked(one.home) == []


def test_it_starts_all_and_ends_all(watched: Callable[..., Watched]) -> None:
    one = watched()
    one.wait_for(lambda: one.state.phase == "up")
    assert list(one.state.daemons) == ["zookeeper", "nimbus", "supervisor", "supervisor-2"]
    assert all(daemon.process.alive and daemon.restarts == 0 for daemon in one.state.daemons.values())
    assert one.state.watcher == [one.process.pid, Process.of(one.process.pid).start]  # type: ignore[union-attr]
    cluster = Cluster(one.home, one.state)
    with cluster.connect("127.0.0.1", 6627, 10.0) as connection:
        assert connection.getpeername() == ("127.0.0.1", 6627)
    with pytest.raises(ConnectionRefusedError):
        cluster.connect("127.0.0.1", 6630, 10.0)
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(PATIENCE) == 0
    assert marked(one.home) == [] and State.read(one.home) is None
    assert one.said.endswith("told to end by SIGTERM\n" + one.said.splitlines()[-1] + "\n")
    assert one.said.endswith(" all has ended\n")


def test_a_connection_that_nobody_takes(watched: Callable[..., Watched]) -> None:
    one = watched()
    one.wait_for(lambda: one.state.phase == "up")
    cluster = Cluster(one.home, one.state)
    waiting = []
    began = time.monotonic()
    # The fake daemons accept nothing: when their queue is full, nobody answers.
    with pytest.raises(TimeoutError, match="127.0.0.1:6627 in the cluster: no connection within 0.5 s"):
        for _ in range(300):
            waiting.append(cluster.connect("127.0.0.1", 6627, 0.5))
    assert time.monotonic() - began >= 0.5
    for connection in waiting:
        connection.close()


def test_one_that_dies_again_and_again_is_given_up(watched: Callable[..., Watched]) -> None:
    one = watched()
    one.wait_for(lambda: one.state.phase == "up")
    supervisor = one.state.daemons["supervisor"]
    (one.home / "fatal").touch()
    one.wait_for(lambda: one.state.phase == "broken")
    assert one.state.why == ("nimbus is not started any more: ended 5 times in a row within 30 s: exit status 9")
    assert one.said.count("nimbus started") == 5
    assert not one.state.daemons["nimbus"].process.alive
    assert one.state.daemons["supervisor"] == supervisor and supervisor.process.alive


def test_one_that_fails_stays_down_until_it_is_started(watched: Callable[..., Watched]) -> None:
    """If it fails, one cannot see what becomes of a cluster of which a machine is lost."""
    one = watched()
    one.wait_for(lambda: one.state.phase == "up")
    before = one.state.daemons
    assert fail(one.home, "supervisor-2") == 1
    one.wait_for(lambda: one.said.endswith(" supervisor-2 is to stay down\n"))
    os.kill(before["supervisor"].pid, signal.SIGKILL)  # the other one is looked after as ever
    one.wait_for(lambda: one.state.daemons["supervisor"].restarts == 1)
    assert not before["supervisor-2"].process.alive and one.state.daemons["supervisor-2"].restarts == 0
    start(one.home, "supervisor-2")
    assert one.state.daemons["supervisor-2"].process.alive and one.state.daemons["supervisor-2"].restarts == 1
    assert (one.state.phase, one.state.daemons["nimbus"]) == ("up", before["nimbus"])


def test_what_cannot_fail(watched: Callable[..., Watched], tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="nothing is up in .*; stormcell cluster up starts it"):
        fail(tmp_path / "none", "nimbus")
    one = watched()
    one.wait_for(lambda: one.state.phase == "up")
    with pytest.raises(ClusterError, match="^the cluster has no daemon 'ui'; it has zookeeper, nimbus, supervisor"):
        fail(one.home, "ui")


def test_one_that_does_not_start_ends_all(watched: Callable[..., Watched]) -> None:
    one = watched("reluctant")
    assert one.process.wait(PATIENCE) == 1
    assert (one.state.phase, one.state.why) == ("failed", "supervisor has not started: exit status 9")
    assert marked(one.home) == []


def test_a_java_that_goes(watched: Callable[..., Watched]) -> None:
    one = watched()
    one.wait_for(lambda: one.state.phase == "up")
    java = Path(one.state.java)
    java.rename(java.with_name("elsewhere"))
    (one.home / "fatal").touch()
    one.wait_for(lambda: one.state.phase == "broken")
    assert one.state.why == f"nimbus is not started any more: {java} does not start: No such file or directory"
