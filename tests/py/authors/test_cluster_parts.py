"""The parts of stormcell.cluster: processes, states, settings, and Java's versions."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stormcell.cluster import Cluster, ClusterError, running
from stormcell.cluster.artifacts import Storm, installed
from stormcell.cluster.control import Wanted
from stormcell.cluster.java import needed_java
from stormcell.cluster.layout import TUNED, Layout
from stormcell.cluster.processes import MARK, PART, Process, ancestors, marked, members, space_of
from stormcell.cluster.state import Daemon, State
from stormcell.cluster.watcher import environment
from stormcell.nimbus import sasl
from stormcell.nimbus.client import framed

DIGEST = "org.apache.storm.security.auth.digest.DigestSaslTransportPlugin"


def state(**more: Any) -> State:
    return State(**{"storm": "/storm", "version": "2.8.3", "java": "/bin/java", "slots": [6700, 6701],
                    "outside": space_of(os.getpid()), **more})


def mine() -> Process:
    found = Process.of(os.getpid())
    assert found is not None
    return found


# ---- processes ---------------------------------------------------------------------------------


def test_a_process_is_more_than_its_number() -> None:
    me = mine()
    assert me.alive and not Process(me.pid, me.start - 1).alive
    assert me.memory > 1_000_000 and 0 < me.age < 86400 * 365
    assert me.command[0].rpartition("/")[2].startswith("python") and me.parent == os.getppid()
    assert {me.pid, me.parent} <= ancestors()


def test_one_that_has_ended_is_not_alive_though_nobody_asked() -> None:
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as child:
        deadline = time.monotonic() + 30
        while Process.of(child.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert Path(f"/proc/{child.pid}").exists() and Process.of(child.pid) is None
        assert Process(child.pid, 1).memory == 0
    assert Process(child.pid, 1).command == [] and Process(child.pid, 1).parent == 0


def test_what_is_marked_belongs_to_the_home(tmp_path: Path) -> None:
    homes = [tmp_path / "home", tmp_path / "home2"]
    part = {PART: "supervisor-2"}
    children = [subprocess.Popen(["sleep", "1000"], env={**os.environ, MARK: str(home), **part}) for home in homes]
    children.append(subprocess.Popen(["sleep", "1000"], env={**os.environ, "OTHER": str(homes[0])}))
    try:
        deadline = time.monotonic() + 30
        while len(marked(homes[0])) + len(marked(homes[1])) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [process.pid for process in marked(homes[0])] == [children[0].pid]
        assert marked(homes[0], "supervisor-2") == marked(homes[0]) and marked(homes[0], "supervisor") == []
        # None of those in this namespace is taken for the cluster's.
        assert members(homes[0], None) == marked(homes[0])
        assert members(homes[0], space_of(os.getpid())) == marked(homes[0])
    finally:
        for child in children:
            child.kill()
            child.wait()


# ---- states -----------------------------------------------------------------------------------


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert State.read(tmp_path) is None
    written = state(phase="up", watcher=[1, 2], daemons={"nimbus": Daemon(3, 4, 5, "ended")})
    written.write(tmp_path)
    assert State.read(tmp_path) == written
    assert os.listdir(tmp_path) == ["state.json"]


def test_what_runs_is_running(tmp_path: Path) -> None:
    me = mine()
    assert running(tmp_path) is None
    state(phase="up", daemons={"nimbus": Daemon(me.pid, me.start)}).write(tmp_path)
    here = running(tmp_path)
    assert here is not None
    assert (here.home, here.logs, here.version) == (tmp_path, tmp_path / "logs", "2.8.3")
    assert here.nimbus == ("127.0.0.1", 6627) and here.slots == [6700, 6701]
    assert here.hosts == {6700: "127.0.0.1", 6701: "127.0.0.1"}
    assert here.command(["true"]) == ["true"]  # in the namespace that we are in
    state(phase="failed", daemons={"nimbus": Daemon(me.pid, me.start)}).write(tmp_path)
    assert running(tmp_path) is None
    state(phase="up", daemons={"nimbus": Daemon(me.pid, me.start - 1)}).write(tmp_path)
    assert running(tmp_path) is None
    (tmp_path / "state.json").write_text("?")
    assert running(tmp_path) is None


def test_a_cluster_that_has_ended_has_no_connections(tmp_path: Path) -> None:
    gone = Cluster(tmp_path, state(watcher=[2**22 - 1, 1]))
    with pytest.raises(ConnectionRefusedError, match="the cluster in .* has ended"):
        gone.connect("127.0.0.1", 6627, 1.0)
    with pytest.raises(ClusterError, match="the cluster in .* has ended"):
        gone.command(["true"])


# ---- Storm and Java ------------------------------------------------------------------------------


@pytest.fixture
def storm(tmp_path: Path) -> Callable[..., Storm]:
    def storm(*jars: str, web: bool = False) -> Storm:
        for name in ("lib", "lib-worker", *(["lib-webapp"] if web else [])):
            (tmp_path / "storm" / name).mkdir(parents=True, exist_ok=True)
        for jar in jars:
            (tmp_path / "storm" / "lib" / jar).touch()
        return installed(tmp_path / "storm")

    return storm


def test_an_installed_storm(storm: Callable[..., Storm]) -> None:
    with pytest.raises(ClusterError, match="is no Apache Storm 2"):
        storm()
    plain = storm("storm-client-2.6.4.jar")
    assert plain.version == "2.6.4" and not plain.has_metric_store and not plain.has_web
    whole = storm("rocksdbjni-10.2.1.jar", web=True)
    assert whole.has_metric_store and whole.has_web


@pytest.mark.parametrize("version, java", [("2.0.0", 8), ("2.5.0", 8), ("2.6.4", 11), ("2.7.1", 11), ("2.8.3", 17),
                                           ("3.0.0-SNAPSHOT", 21), ("1.2.4", 8)])
def test_the_java_that_a_storm_needs(version: str, java: int) -> None:
    assert needed_java(version) == java


def test_settings(storm: Callable[..., Storm], tmp_path: Path) -> None:
    found = storm("storm-client-2.8.3.jar")
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "old.log").touch()
    layout = Layout(home, found, 3)
    layout.write()
    text = (home / "conf" / "storm.yaml").read_text()
    assert 'supervisor.slots.ports: [6700, 6701, 6702]\n' in text
    assert f'storm.local.dir: "{home}/local"\n' in text and 'storm.metricstore.class: "none"\n' in text
    assert os.listdir(home / "logs") == []
    # How workers die is left to Storm, unless that is asked for.
    assert not {"supervisor.worker.timeout.secs", "supervisor.worker.shutdown.sleep.secs",
                "nimbus.task.timeout.secs"} & set(layout.all_settings())
    tuned = Layout(home, found, 3, TUNED).all_settings()
    assert tuned["supervisor.worker.timeout.secs"] == 10 and tuned["nimbus.monitor.freq.secs"] == 1


def test_further_settings(storm: Callable[..., Storm], tmp_path: Path) -> None:
    wanted = Wanted(tune=True, settings={"nimbus.monitor.freq.secs": 5, "topology.workers": 3})
    settings = wanted.layout(tmp_path / "home", storm("storm-client-2.8.3.jar")).all_settings()
    assert (settings["nimbus.monitor.freq.secs"], settings["topology.workers"]) == (5, 3)
    assert settings["supervisor.worker.timeout.secs"] == 10 and settings["nimbus.seeds"] == ["127.0.0.1"]
    with pytest.raises(ClusterError, match="^nimbus.thrift.port cannot be chosen"):
        Wanted(settings={"nimbus.thrift.port": 7000}).layout(tmp_path, storm())


def test_a_storm_that_asks_who_one_is(storm: Callable[..., Storm], tmp_path: Path) -> None:
    wanted = Wanted(settings={"storm.thrift.transport": DIGEST})
    settings = wanted.layout(tmp_path / "home", storm("storm-client-2.8.3.jar")).all_settings()
    # A digest says the server's name, and Storm takes but this one.
    assert settings["nimbus.seeds"] == ["localhost"] and settings["storm.local.hostname"] == "localhost"
    state(transport=DIGEST).write(tmp_path)
    found = State.read(tmp_path)
    assert found is not None and Cluster(tmp_path, found).transport is sasl.digest
    assert Cluster(tmp_path, state()).transport is framed


def test_supervisors_stand_for_machines(storm: Callable[..., Storm], tmp_path: Path) -> None:
    """If it fails, two of them take the same port, keep their files in one place, or cannot be told apart."""
    home = tmp_path / "home"
    layout = Layout(home, storm("storm-client-2.8.3.jar"), 2, supervisors=3)
    layout.write()
    assert layout.daemons == ["zookeeper", "nimbus", "supervisor", "supervisor-2", "supervisor-3"]
    assert layout.ports == [6700, 6701, 6702, 6703, 6704, 6705]
    assert [layout.port(name) for name in layout.daemons] == [2181, 6627, 6628, 6629, 6630]
    keys = ("storm.local.hostname", "storm.local.dir", "supervisor.slots.ports", "supervisor.thrift.port")
    settings = [[layout.all_settings(name)[key] for key in keys] for name in layout.supervisor_names]
    assert settings == [
        ["127.0.0.1", f"{home}/local", [6700, 6701], 6628],
        ["127.0.0.2", f"{home}/local/supervisor-2", [6702, 6703], 6629],
        ["127.0.0.3", f"{home}/local/supervisor-3", [6704, 6705], 6630]]
    assert 'storm.local.hostname: "127.0.0.3"\n' in (home / "conf" / "supervisor-3" / "storm.yaml").read_text()
    command = layout.command("supervisor-2", "java")
    assert command[command.index("-cp") + 1].startswith(f"{home}/conf/supervisor-2:")
    assert "-Dlogfile.name=supervisor-2.log" in command and command[-1].endswith(".Supervisor")
    assert layout.environment("supervisor-2") == {"STORM_CONF_DIR": f"{home}/conf/supervisor-2"}
    assert layout.environment("nimbus") == layout.environment("supervisor") == {"STORM_CONF_DIR": f"{home}/conf"}


def test_the_web_is_started_where_it_is_there(storm: Callable[..., Storm], tmp_path: Path) -> None:
    assert Layout(tmp_path, storm("storm-client-2.8.3.jar")).daemons == ["zookeeper", "nimbus", "supervisor"]
    layout = Layout(tmp_path, storm("rocksdbjni-10.2.1.jar", web=True))
    assert layout.daemons == ["zookeeper", "nimbus", "supervisor", "ui", "logviewer"]
    for name, webapp in (("ui", True), ("logviewer", True), ("nimbus", False)):
        path = layout.command(name, "java")[layout.command(name, "java").index("-cp") + 1]
        assert (f"{tmp_path}/storm/lib-webapp/*" in path) == webapp
        assert path.startswith(f"{tmp_path}/conf:") and f":{tmp_path}/storm/lib/*:" in path
    assert "storm.metricstore.class" not in layout.all_settings()


def test_daemons_have_nothing_of_an_authors_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "STORMCELL_CLUSTER", "STORM_CONF_DIR", "JAVA_HOME"):
        monkeypatch.setenv(name, "/author")
    monkeypatch.setenv("LANG", "C.UTF-8")
    java = tmp_path / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.touch()
    (tmp_path / "java").symlink_to(java)
    found = environment(Layout(tmp_path / "home", Storm(tmp_path, "2.8.3")), str(tmp_path / "java"), "nimbus")
    assert "/author" not in found.values()
    assert found["LANG"] == "C.UTF-8" and found["JAVA_HOME"] == str(tmp_path / "jdk")
    assert found[MARK] == str(tmp_path / "home") and found["STORM_CONF_DIR"] == str(tmp_path / "home" / "conf")


def test_without_a_command_the_module_says_what_it_does() -> None:
    done = subprocess.run([sys.executable, "-m", "stormcell.cluster"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "fetch [VERSION]" in done.stderr
