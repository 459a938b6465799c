"""Submissions at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gate import Gate
from storm import PATIENCE, Storm
from submitting import TOPOLOGIES, Submitted, clear, eventually, ids, kill

IDLE = TOPOLOGIES / "idle.py"


@pytest.fixture
def gates(cluster: Storm) -> Iterator[list[Gate]]:
    with Gate(lambda: cluster.connect(*cluster.nimbus)) as one, Gate(lambda: cluster.connect(*cluster.nimbus)) as other:
        yield [one, other]


def test_of_two_of_one_name_one_succeeds(cluster: Storm, words: Submitted, gates: list[Gate]) -> None:
    """If it fails: both, or none, or the loser does not say so. Both have found the name free before."""
    for gate in gates:
        gate.hold("submitTopologyWithOpts")
    processes = [cluster.start("submit", str(IDLE), "-N", "twice", "--nimbus", gate.address) for gate in gates]
    try:
        for gate in gates:
            gate.wait()
        for gate in gates:
            gate.open()
        said = {process: process.communicate(timeout=PATIENCE) for process in processes}
        assert sorted(process.returncode for process in processes) == [0, 2], said
        [loser] = [process for process in processes if process.returncode]
        assert said[loser][1] == ("stormcell: somebody else has just submitted a topology 'twice'; this one was not "
                                  "submitted\n")
        [winner] = [process for process in processes if not process.returncode]
        assert said[winner][0].endswith(f"twice is submitted: {ids(cluster)['twice']}\n")
    finally:
        kill(cluster, "twice")


def test_two_of_different_names_both_run(cluster: Storm, tmp_path: Path) -> None:
    """If it fails: they come in each other's way, or --inactive begins at once, or never."""
    clear(cluster)
    folders = {name: tmp_path / name for name in ("one", "two")}
    for folder in folders.values():
        folder.mkdir()
    processes = [
        cluster.start("submit", str(IDLE), "-N", name, "--wait", "-o", f"test.folder={folder}",
                      *(["--inactive"] if name == "two" else []))
        for name, folder in folders.items()]
    said = [process.communicate(timeout=2 * PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    one, two = (Submitted(cluster, name, ids(cluster)[name], folder) for name, folder in folders.items())
    assert not (two.folder / "processes").exists(), "a component that is not active has been started"
    assert cluster.stormcell("activate", "two").returncode == 0
    eventually(lambda: (two.folder / "processes").exists(), "what was activated does not begin")
    [first], [second] = one.of("idle"), two.of("idle")
    assert first.worker != second.worker
    clear(cluster)
