"""What stands in the way of a submission is one line that says what it is, and how the cluster is left."""

from __future__ import annotations

import os
import re
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from gate import Gate
from storm import PATIENCE, Storm
from submitting import TOPOLOGIES, Submitted, ask, eventually, ids, kill, submit, workers
from stormcell.nimbus import NimbusError

IDLE = TOPOLOGIES / "idle.py"

SENT = "no topology was touched; what was sent of the jar Nimbus removes within the hour"

MIB = 1 << 20


def refusal(done: CompletedProcess[str]) -> str:
    """The one line that it says, without who says it."""
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done
    assert done.stderr.startswith("stormcell: ")
    return done.stderr.removeprefix("stormcell: ").rstrip("\n")


@pytest.fixture
def name(cluster: Storm, words: Submitted) -> Iterator[str]:
    """A name for a topology, of which nothing is left in the end."""
    yield "refused"
    kill(cluster, "refused")


def test_a_name_that_is_taken(cluster: Storm, name: str) -> None:
    """If it fails, one topology comes into another's place, or a jar is sent in vain."""
    assert submit(cluster, IDLE, "-N", name).returncode == 0
    before = ids(cluster)
    done = submit(cluster, IDLE, "-N", name)
    assert refusal(done) == (f"there is a topology {name!r} already: --force replaces it, --override_name NAME makes "
                             "another one; the cluster is as it was")
    assert ids(cluster) == before and "sending" not in done.stdout


def test_nimbus_says_nothing(cluster: Storm, name: str) -> None:
    """If it fails, `submit` waits for ever for a machine that hangs."""
    pid = cluster.pid("nimbus")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        done = submit(cluster, IDLE, "-N", name, "--timeout", "1000")
    finally:
        os.kill(pid, signal.SIGCONT)
        eventually(lambda: leads(cluster), "Nimbus does not answer")
    assert refusal(done) == "no Nimbus answers: 127.0.0.1:6627: no answer within 1 s (getLeader)"
    assert name not in ids(cluster)


def leads(cluster: Storm) -> bool:
    """Whether Nimbus does what only a leader does: one that starts anew waits for its own former session to end."""
    try:
        ask(cluster, "beginFileUpload")
    except NimbusError:
        return False
    return True


def test_nimbus_dies_during_the_upload(cluster: Storm, name: str) -> None:
    """If it fails: what is said after a broken connection is wrong, Nimbus does not come back, or what runs does not
    go on without it."""
    running, pid = sorted(workers(cluster)), cluster.pid("nimbus")
    assert pid is not None
    with Gate(lambda: cluster.connect(*cluster.nimbus)) as gate:
        gate.hold("uploadChunk")
        process = cluster.start("submit", str(IDLE), "-N", name, "--nimbus", gate.address)
        gate.wait()
        try:
            os.kill(pid, signal.SIGKILL)
            down = submit(cluster, IDLE, "-N", name)
            gate.open()
            stdout, stderr = process.communicate(timeout=PATIENCE)
        finally:
            eventually(lambda: leads(cluster), "Nimbus does not come back")
    assert process.returncode == 2, stdout
    assert re.fullmatch(rf"stormcell: {re.escape(gate.address)}: .*\(?uploadChunk.*; {SENT}\n", stderr), stderr
    assert refusal(down) == "no Nimbus answers: 127.0.0.1:6627: connection refused"
    assert list(ids(cluster)) == ["wordcount"] and sorted(workers(cluster)) == running


@pytest.mark.parametrize("port", [2181, 6628, 6700])
def test_another_port(cluster: Storm, words: Submitted, port: int) -> None:
    """If it fails, who has mistaken the port is not told so: ZooKeeper's, the supervisor's, a worker's."""
    with Gate(lambda: cluster.connect("127.0.0.1", port), raw=True) as gate:
        said = refusal(submit(cluster, IDLE, "--nimbus", gate.address, "--timeout", "3000"))
    assert said.startswith(f"no Nimbus answers: {gate.address}: ")
    hints = ("is this Nimbus' Thrift port", "its Thrift port is 6627", "no answer within 3 s")
    assert any(hint in said for hint in hints), said


def test_a_jar_that_is_too_large(cluster: Storm, name: str, tmp_path: Path) -> None:
    """If it fails, a full disk of Nimbus is an error that nobody understands. It may write files of 64 MiB."""
    jar = tmp_path / "large.jar"
    with jar.open("wb") as file:
        file.truncate(70 * MIB)
    pid = cluster.pid("nimbus")
    assert pid is not None
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (64 * MIB, before[1]))
    try:
        done = submit(cluster, IDLE, "-N", name, "-j", jar)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    said = refusal(done)
    assert said.startswith(f"the jar ({70 * MIB:,} bytes) could not be stored: "), said
    assert "failed at uploadChunk" in said and said.endswith(
        f"is its disk full, or was it started just now and does not lead yet? {SENT}")
    assert name not in ids(cluster)
    assert submit(cluster, IDLE, "-N", name).returncode == 0


def test_no_slot_is_left(cluster: Storm, name: str) -> None:
    """If it fails, --wait waits for what does not come, without a word."""
    done = submit(cluster, IDLE, "-N", name, "--wait")
    assert (done.returncode, done.stderr) == (
        1, f"stormcell: {name} waits for a worker: the cluster's slots, 2 in all, are taken; it stays submitted, and "
        "begins when one is free (stormcell slot_usage tells whose they are)\n")
    assert name in ids(cluster)
