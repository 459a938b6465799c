"""A submission that is interrupted says how the cluster is left, and that is how it is left."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from gate import ANSWER, CALL, Gate
from storm import PATIENCE, Storm
from submitting import TOPOLOGIES, Submitted, eventually, ids, kill, submit, topologies

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]

IDLE = TOPOLOGIES / "idle.py"

SENT = "no topology was touched; what was sent of the jar Nimbus removes within the hour"


class Step(NamedTuple):
    """A moment of a submission: the message with Nimbus that is held.

    left: what is said of the cluster.
    state: of the topology of that name, which runs before where there is --force.
    """

    method: str
    what: str
    skip: int
    force: bool
    left: str
    state: str


STEPS = {
    "connecting": Step("getLeader", CALL, 0, False, "the cluster is as it was", "none"),
    "asking": Step("isTopologyNameAllowed", CALL, 0, False, "the cluster is as it was", "none"),
    "sending": Step("uploadChunk", CALL, 3, False, SENT, "none"),
    "sent": Step("finishFileUpload", ANSWER, 0, False, SENT, "none"),
    "about to kill": Step("killTopologyWithOpts", CALL, 0, True, "the NAME that runs goes on", "old"),
    "killing": Step("killTopologyWithOpts", ANSWER, 0, True, "the NAME that ran is being killed (stormcell list shows "
                    "it), and the new one has not been submitted", "killed"),
    "about to submit": Step("submitTopologyWithOpts", CALL, 0, False, "NAME was not submitted", "none"),
    "submitting": Step("submitTopologyWithOpts", ANSWER, 0, False, "but NAME has been submitted: it is ID", "new"),
}


@pytest.fixture
def gate(cluster: Storm) -> Iterator[Gate]:
    with Gate(lambda: cluster.connect(*cluster.nimbus)) as gate:
        yield gate


@pytest.fixture
def name(cluster: Storm, words: Submitted) -> Iterator[str]:
    """A name for a topology, of which nothing is left in the end."""
    yield "interrupted"
    if "interrupted" in topologies(cluster):
        kill(cluster, "interrupted")


def interrupt(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """The last line that it says."""
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    if number == signal.SIGKILL:
        assert process.returncode == -number
        return ""
    said = [line for line in stderr.splitlines() if not line.startswith("note: ")]
    assert process.returncode == 2 and len(said) == 1, (stdout, stderr)
    return said[0]


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
def test_it_leaves_what_it_says(cluster: Storm, gate: Gate, name: str, tmp_path: Path, step: Step,
                                number: signal.Signals) -> None:
    """If it fails, nobody knows after Ctrl-C what the cluster does."""
    jar = tmp_path / "large.jar"
    jar.write_bytes(bytes(2_000_000))  # seven messages
    if step.force:
        assert submit(cluster, IDLE, "-N", name).returncode == 0
    old = ids(cluster).get(name)
    gate.hold(step.method, step.what, step.skip)
    more = ["--force", "--wait", "60"] if step.force else []
    process = cluster.start("submit", str(IDLE), "-N", name, "--nimbus", gate.address, "-j", str(jar), *more)
    gate.wait()
    said = interrupt(process, number)
    gate.close()
    found = topologies(cluster).get(name)
    state = "none" if found is None else "killed" if found.status == "KILLED" else "old" if found.id == old else "new"
    assert state == step.state
    if said:
        left = step.left.replace("NAME", name).replace("ID", found.id if found else "")
        assert said == f"stormcell: interrupted; {left}"


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_while_the_jar_is_built(cluster: Storm, name: str, tmp_path: Path, number: signal.Signals) -> None:
    """If it fails, files are left behind here, or something has been sent."""
    folder, scratch = tmp_path / "topologies", tmp_path / "scratch"
    scratch.mkdir()
    folder.mkdir()
    (folder / "flow.py").write_text("from stormcell import Spout, Topology\n\n\nclass Idle(Spout):\n    "
                                    "outputs = ['nothing']\n\n\nclass Flow(Topology):\n    idle = Idle.spec()\n")
    with (folder / "large.bin").open("wb") as file:
        file.truncate(3 << 30)  # takes no room, and seconds to pack
    process = cluster.start("submit", str(folder / "flow.py"), "-N", name,
                            variables={"TMPDIR": str(scratch)})
    eventually(lambda: list(scratch.glob("stormcell-*/*")), "no jar is begun")
    said = interrupt(process, number)
    assert said == ("" if number == signal.SIGKILL else "stormcell: interrupted; the cluster is as it was")
    assert name not in topologies(cluster)
    if number != signal.SIGKILL:
        assert os.listdir(scratch) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_while_it_waits_for_its_worker(cluster: Storm, name: str, number: signal.Signals) -> None:
    """If it fails, one that waits no longer takes it that the topology is gone."""
    process = cluster.start("submit", str(IDLE), "-N", name, "--wait", bufsize=1)
    assert process.stdout is not None
    line = next(line for line in process.stdout if " is submitted: " in line)
    process.send_signal(number)
    stderr = process.communicate(timeout=PATIENCE)[1]
    topology_id = line.split()[-1]
    assert (process.returncode, stderr) == (1, f"stormcell: interrupted; {topology_id} stays submitted\n")
    assert ids(cluster)[name] == topology_id
