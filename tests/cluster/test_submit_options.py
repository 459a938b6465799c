"""The options of `stormcell submit` arrive at the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storm import Storm
from stormcell.submission.upload import upload_jar
from submitting import TOPOLOGIES, Submitted, ids, kill, nimbus, submit, topologies

IDLE = TOPOLOGIES / "idle.py"


@pytest.fixture
def name(cluster: Storm, words: Submitted) -> Iterator[str]:
    """A name for a topology, of which nothing is left in the end."""
    yield "chosen"
    kill(cluster, "chosen")


def test_settings(cluster: Storm, name: str) -> None:
    """If it fails, an option says something that Storm is not told."""
    done = submit(cluster, IDLE, "-N", name, "-w", "7", "-a", "3", "-d", "-o", "topology.max.spout.pending=9",
                  "-o", "my.own=[1, {\"a\": null}]", "-o", "topology.worker.childopts=-Xmx200m")
    assert done.returncode == 0, done
    found = Submitted.named(cluster, name)
    assert done.stdout.endswith(f"\n{name} is submitted: {found.id}\n")
    conf = found.conf()
    wanted = {
        "topology.name": name, "topology.workers": 7, "topology.acker.executors": 3, "topology.debug": True,
        "topology.max.spout.pending": 9, "my.own": [1, {"a": None}], "topology.worker.childopts": "-Xmx200m",
        "topology.subprocess.timeout.secs": 60}
    assert {key: conf[key] for key in wanted} == wanted
    registered = conf["topology.kryo.register"]
    assert "java.math.BigDecimal" in registered and len(registered) == 3


def test_inactive_until_it_is_activated(cluster: Storm, name: str) -> None:
    """If it fails, a topology begins before it is told to, or does not when it is."""
    assert submit(cluster, IDLE, "-N", name, "--inactive").returncode == 0
    assert topologies(cluster)[name].status == "INACTIVE"
    assert cluster.stormcell("activate", name).returncode == 0
    assert topologies(cluster)[name].status == "ACTIVE"


def test_force_replaces(cluster: Storm, name: str) -> None:
    """If it fails, the old topology goes on beside the new one, or in its place."""
    assert submit(cluster, IDLE, "-N", name, "-o", "my.own=old").returncode == 0
    old = ids(cluster)[name]
    done = submit(cluster, IDLE, "-N", name, "-o", "my.own=new", "--force", "--wait", "0")
    assert done.returncode == 0 and f"killing the {name} that runs" in done.stdout, done
    found = Submitted.named(cluster, name)
    assert found.id != old and found.conf()["my.own"] == "new"
    assert old not in ids(cluster).values()


def test_a_jar_that_was_made_before(cluster: Storm, name: str, tmp_path: Path) -> None:
    """If it fails, what `stormcell jar` makes is of no use, or is made anew all the same."""
    jar = tmp_path / "made.jar"
    assert cluster.stormcell("jar", IDLE, "-o", jar).returncode == 0
    done = submit(cluster, IDLE, "-N", name, "--local_jar_path", jar)
    assert done.returncode == 0, done
    assert f"sending made.jar, {jar.stat().st_size:,} bytes" in done.stdout and "the jar: " not in done.stdout
    assert name in ids(cluster)


def test_a_jar_that_nimbus_has(cluster: Storm, name: str, tmp_path: Path) -> None:
    """If it fails, a jar is sent once more, or Nimbus does not find the one it is told of."""
    jar = tmp_path / "made.jar"
    assert cluster.stormcell("jar", IDLE, "-o", jar).returncode == 0
    with nimbus(cluster) as connection:
        place = upload_jar(connection, jar, lambda size: None)
    done = submit(cluster, IDLE, "-N", name, "-R", place)
    assert done.returncode == 0 and "sending" not in done.stdout, done
    assert name in ids(cluster)
    done = submit(cluster, IDLE, "-N", "other", "-R", f"{place}.missing")
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done
    assert done.stderr.startswith("stormcell: Storm refused the topology: ")
    assert "other" not in ids(cluster)
