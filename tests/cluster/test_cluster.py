"""`stormcell cluster`, with a real Storm."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import plain
from stormcell.cluster.artifacts import fetched
from stormcell.cluster.processes import Process, everything, space_of
from storm import PATIENCE, Storm

DAEMONS = ("zookeeper", "nimbus", "supervisor")


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"no {what} after {PATIENCE:g} s"
        time.sleep(0.2)


def space(storm: Storm) -> str:
    resident = storm.here.resident()
    assert resident is not None
    return space_of(resident.pid)


def inhabitants(name: str) -> list[Process]:
    """All processes in a network namespace."""
    return [process for process in everything() if space_of(process.pid) == name]


# ---- one that stays up -----------------------------------------------------------------------


def test_it_is_up_and_says_so(cluster: Storm) -> None:
    done = cluster.stormcell("cluster", "status")
    assert done.returncode == 0, done
    assert done.stdout.startswith(f"Storm 2.8.3 in {cluster.home} is up; Nimbus: 127.0.0.1:6627\n")
    assert " of 2 slots are used" in done.stdout and f"logs: {cluster.logs}\n" in done.stdout
    told = json.loads(cluster.stormcell("cluster", "status", "--json").stdout)
    assert told["status"] == "up" and told["slots"] == 2
    assert {"watcher", *DAEMONS} <= {row["name"] for row in told["processes"]}
    assert all(row["memory"] > 1_000_000 and row["uptime_secs"] >= 0 for row in told["processes"])


def test_up_once_more_leaves_it_as_it_is(cluster: Storm) -> None:
    before = {name: cluster.pid(name) for name in DAEMONS}
    done = cluster.stormcell("cluster", "up")
    assert done.returncode == 0 and " is up already, in " in done.stdout
    assert {name: cluster.pid(name) for name in DAEMONS} == before


def test_nobody_else_reaches_it(cluster: Storm) -> None:
    assert space(cluster) != space_of(os.getpid())
    for port in (2181, 6627, 6628):
        cluster.connect("127.0.0.1", port).close()
    listening = cluster.stormcell("cluster", "run", "cat", "/proc/net/tcp", "/proc/net/tcp6").stdout
    assert ":19E3 " in listening  # 6627
    assert os.path.realpath("/proc/self/ns/net") != space(cluster)


def test_a_connection_is_a_plain_socket(cluster: Storm) -> None:
    with cluster.connect("localhost", 2181, 5.0) as connection:
        assert connection.gettimeout() == 5.0 and connection.getpeername()[1] == 2181
        connection.sendall(b"srvr")
        assert connection.makefile("rb").read()  # ZooKeeper closes
    with cluster.connect("127.0.0.1", 2181, None) as connection:
        assert connection.getblocking()
        connection.sendall(b"srvr")
        assert connection.recv(1000)
        os.fstat(connection.fileno())


def test_a_connection_that_cannot_be(cluster: Storm) -> None:
    with pytest.raises(ConnectionRefusedError, match="Connection refused"):
        cluster.connect("127.0.0.1", 1)
    with pytest.raises(OSError, match="Network is unreachable"):
        cluster.connect("192.0.2.1", 80, 1.0)
    with pytest.raises(socket.gaierror):
        cluster.connect("nobody.example", 80, 1.0)


def test_a_connection_does_not_take_long(cluster: Storm) -> None:
    took = []
    for _ in range(20):
        began = time.monotonic()
        cluster.connect("127.0.0.1", 6627).close()
        took.append(time.monotonic() - began)
    assert min(took) < 0.5, took


def test_a_command_runs_inside(cluster: Storm) -> None:
    done = cluster.stormcell("cluster", "run", "sh", "-c", "readlink /proc/self/ns/net; exit 7")
    assert (done.stdout.strip(), done.returncode) == (space(cluster), 7)
    # Within, the cluster is found as it is outside.
    inner = cluster.stormcell("cluster", "run", *plain.PYTHON, "-c", plain.CONNECT)
    assert (inner.stdout, inner.stderr) == ("connected\n", "")
    done = cluster.stormcell("cluster", "run", "no-such-program")
    assert done.returncode != 0 and "no-such-program" in done.stderr


def test_logs(cluster: Storm) -> None:
    done = cluster.stormcell("cluster", "logs")
    assert f"{cluster.logs}/nimbus.log\n" in done.stdout
    assert "nimbus listens on 6627" in cluster.stormcell("cluster", "logs", "watcher").stdout
    done = cluster.stormcell("cluster", "logs", "nobody")
    assert (done.returncode, done.stderr) == (2, f"stormcell: {cluster.logs} has no log 'nobody'\n")


def test_workers_have_nothing_of_the_authors_environment(cluster: Storm) -> None:
    pid = cluster.pid("supervisor")
    names = {line.partition("=")[0] for line in Path(f"/proc/{pid}/environ").read_text().split("\0")}
    assert {"PYTHONPATH", "STORMCELL_SHIM", "STORMCELL_CLUSTER", "VIRTUAL_ENV"} & names == set()
    assert {"PATH", "STORM_CONF_DIR"} <= names


def test_it_holds_nothing_of_whoever_started_it(cluster: Storm) -> None:
    for process in cluster.processes():
        if process.pid in (cluster.pid("watcher"), *map(cluster.pid, DAEMONS)):
            standard = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)]
            assert standard[0] == "/dev/null"
            assert all(Path(path).is_relative_to(cluster.logs) for path in standard[1:]), standard
            assert os.getsid(process.pid) == process.pid


@pytest.mark.parametrize("name, number", [
    ("zookeeper", signal.SIGKILL),
    ("nimbus", signal.SIGTERM),  # killed, it would lead on in ZooKeeper until its session is over
    ("supervisor", signal.SIGKILL),
])
def test_a_daemon_that_ends_is_started_anew(cluster: Storm, name: str, number: signal.Signals) -> None:
    before = cluster.process(name)
    os.kill(before["pid"], number)
    wait_for(lambda: cluster.pid(name) not in (None, before["pid"]), f"new {name}")
    wait_for(lambda: cluster.told()["status"] == "up", "answer of Nimbus")
    after = cluster.process(name)
    how = "SIGKILL" if number == signal.SIGKILL else "exit status 143"
    assert after["restarts"] == before["restarts"] + 1 and after["note"].endswith(f": {how}"), after
    assert f"{name}, pid {before['pid']}, has ended: {how}" in (cluster.logs / "watcher.log").read_text()
    assert f"started anew {after['restarts']} time" in cluster.stormcell("cluster", "status").stdout


# ---- those that come and go --------------------------------------------------------------------


def test_down_leaves_nothing(own: Storm) -> None:
    process = own.start("cluster", "up", "--slots", "1", "--tune", start_new_session=True)
    said, complaints = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaints) == (0, "")
    assert said.startswith("Storm 2.8.3 with 1 slot is up after ") and said.count("\n") == 1
    assert said.endswith("to end it: stormcell cluster down\n")
    with pytest.raises(ProcessLookupError):  # a terminal's Ctrl-C does not reach it
        os.killpg(process.pid, signal.SIGINT)
    plain.submit(own, "flow", workers=1)
    wait_for(lambda: plain.acked(own, "flow"), "acked tuple")
    within = space(own)
    commands = [" ".join(process.command) for process in inhabitants(within)]
    assert "sleep 1000" in commands  # it has lost the mark, and is found all the same
    done = own.stormcell("cluster", "down")
    assert (done.returncode, done.stdout) == (0, f"Storm is down; its logs are in {own.logs}\n")
    assert own.processes() == [] and inhabitants(within) == []
    assert sorted(os.listdir(own.home)) == ["lock", "logs"]
    assert own.told()["status"] == "down" and own.stormcell("cluster", "status").returncode == 1
    assert own.stormcell("cluster", "down", "--purge").stdout == f"nothing is up in {own.home}\n"
    assert not own.home.exists()


def test_two_at_once_one_without_its_watcher(cluster: Storm, own: Storm) -> None:
    assert own.stormcell("cluster", "up").returncode == 0
    assert own.here.nimbus == cluster.here.nimbus and space(own) != space(cluster)
    watcher = own.pid("watcher")
    assert watcher is not None
    os.kill(watcher, signal.SIGKILL)
    done = own.stormcell("cluster", "status")
    assert done.returncode == 2
    assert done.stdout.startswith(f"Storm 2.8.3 in {own.home} is broken: its watcher has been killed\n")
    own.connect("127.0.0.1", 6627).close()
    done = own.stormcell("cluster", "up")
    assert (done.returncode, done.stderr) == (2, f"stormcell: what is in {own.home} is broken: its watcher has "
                                                 "been killed; first: stormcell cluster down\n")
    within, here = space(own), own.here
    assert own.stormcell("cluster", "down").returncode == 0
    assert inhabitants(within) == [] and cluster.told()["status"] == "up"
    with pytest.raises(ConnectionRefusedError, match="has ended"):
        here.connect("127.0.0.1", 6627, 1.0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_up_that_is_interrupted_leaves_nothing(own: Storm, number: signal.Signals) -> None:
    process = own.start("cluster", "up", start_new_session=True)
    wait_for(lambda: len(own.processes()) > 2, "Nimbus")
    within = space(own)
    os.killpg(process.pid, number)
    said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and said[1].strip() == "stormcell: interrupted"
    assert own.processes() == [] and inhabitants(within) == []
    assert sorted(os.listdir(own.home)) == ["lock", "logs"]


def test_an_up_that_is_killed_is_taken_over_and_a_lost_state_is_no_lost_cluster(own: Storm) -> None:
    process = own.start("cluster", "up")
    wait_for(lambda: len(own.processes()) > 1, "watcher")
    process.kill()
    process.communicate()
    done = own.stormcell("cluster", "up")
    assert done.returncode == 0, done
    assert own.told()["status"] == "up"
    within = space(own)
    (own.home / "state.json").write_text("{")
    done = own.stormcell("cluster", "status")
    assert done.returncode == 2 and "state.json cannot be read" in done.stdout
    shutil.rmtree(own.home)
    assert own.stormcell("cluster", "down").returncode == 0
    assert inhabitants(within) == []


def test_a_daemon_that_does_not_start(own: Storm) -> None:
    java = own.home.parent / "java"
    real = shutil.which("java")
    java.write_text(f"#!/bin/sh\ncase $* in\n*Nimbus) echo 'no room for the heap'; exit 3;;\nesac\nexec {real} \"$@\"\n")
    java.chmod(0o755)
    done = own.stormcell("cluster", "up", "--java", str(java))
    assert done.returncode == 2
    assert done.stderr == (f"stormcell: nimbus has not started: exit status 3; the end of "
                           f"{own.logs}/nimbus.out:\n  no room for the heap\n")
    assert own.processes() == []


WEB = """\
package org.apache.storm.daemon.{package};
/** Stands for the one that cannot be had: it listens. */
public class {name} {{
    public static void main(String[] arguments) throws Exception {{
        var server = com.sun.net.httpserver.HttpServer.create(new java.net.InetSocketAddress({port}), 0);
        server.createContext("/", exchange -> {{
            byte[] said = System.getProperty("storm.home").getBytes();
            exchange.sendResponseHeaders(200, said.length);
            exchange.getResponseBody().write(said);
            exchange.close();
        }});
        server.start();
    }}
}}
"""


def install(folder: Path) -> None:
    """A Storm as one that has been installed: what was fetched, and something for UI and logviewer."""
    shutil.copytree(fetched().folder, folder, copy_function=os.symlink)
    sources = folder / "sources"
    for package, name, port in (("ui", "UIServer", 8080), ("logviewer", "LogviewerServer", 8000)):
        file = sources / f"{name}.java"
        file.parent.mkdir(exist_ok=True)
        file.write_text(WEB.format(package=package, name=name, port=port))
    subprocess.run(["javac", "-d", sources / "classes", *sources.glob("*.java")], check=True)
    (folder / "lib-webapp").mkdir()
    subprocess.run(["jar", "cf", folder / "lib-webapp" / "web.jar", "-C", sources / "classes", "."], check=True)


def test_an_installed_storm_is_run_with_what_it_has(own: Storm) -> None:
    folder = own.home.parent / "installed"
    install(folder)
    done = own.stormcell("cluster", "up", "--storm-home", str(folder), "--slots", "1")
    assert done.returncode == 0, done
    assert own.here.version == "2.8.3"
    assert {"ui", "logviewer"} <= {row["name"] for row in own.told()["processes"]}
    asked = "import urllib.request as r; print([r.urlopen(f'http://127.0.0.1:{port}').read() for port in (8080, 8000)])"
    done = own.stormcell("cluster", "run", sys.executable, "-c", asked)
    assert done.stdout == f"{[str(folder).encode()] * 2}\n", done
