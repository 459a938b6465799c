"""At least once: whoever is killed, and whatever is moved, each number that was emitted is processed and acked."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from storm import Storm
from submitting import Submitted, Who, all_done, ask, clear, eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(cluster: Storm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submitted]:
    """The topology `counting` on two workers: numbers, emitted for as long as the tests run."""
    clear(cluster)
    yield Submitted.start(cluster, "counting", tmp_path_factory.mktemp("counting"), "-w", "2", "-a", "2")
    clear(cluster)


@pytest.fixture
def counting(running: Submitted) -> Submitted:
    """The same, at work: each component has done something."""
    all_done(running, 1)
    return running


def begun_anew(counting: Submitted, before: Who) -> Who:
    """Who runs the task now: wait until it is somebody else, who has done something."""
    def new() -> Who | None:
        now = counting.processes()[before.task]
        return now if now.interpreter != before.interpreter else None

    after = eventually(new, f"nobody has come in place of {before}")
    if before.component != "numbers":
        files = f"{after.component}-{after.task}-{after.interpreter}"
        eventually(lambda: counting.numbers(files), f"nothing comes to {after}")
    return after


@pytest.mark.parametrize("component", ["sink", "numbers"])
def test_an_interpreter_is_killed(counting: Submitted, component: str) -> None:
    """If it fails: the guardian does not start another one, or what the lost one had in hand is lost with it."""
    before = counting.of(component)[0]
    os.kill(before.interpreter, signal.SIGKILL)
    after = begun_anew(counting, before)
    assert (after.guardian, after.worker) == (before.guardian, before.worker)
    all_done(counting, 100)


@pytest.mark.parametrize("component", ["middle", "numbers"])
def test_a_guardian_is_killed(counting: Submitted, component: str) -> None:
    """If it fails: the worker does not notice, or does not come back, or an interpreter is left behind that
    nobody listens to."""
    before = counting.of(component)[0]
    os.kill(before.guardian, signal.SIGKILL)
    after = begun_anew(counting, before)
    assert after.guardian != before.guardian
    eventually(lambda: not Path(f"/proc/{before.interpreter}").exists(), "its interpreter lives on")
    all_done(counting, 100)


def test_a_worker_is_killed(counting: Submitted) -> None:
    """If it fails: the worker is not started anew, its components outlive it, or what it had in hand is lost."""
    before = counting.of("middle")[-1]
    sharing = [one for one in counting.processes().values() if one.worker == before.worker]
    assert len(sharing) > 1
    os.kill(before.worker, signal.SIGKILL)
    for one in sharing:
        assert begun_anew(counting, one).worker != before.worker
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (one.guardian, one.interpreter)),
                   f"{one} lives on")
    all_done(counting, 100)


def test_the_supervisor_is_killed(counting: Submitted) -> None:
    """If it fails: workers do not outlive their supervisor, or the new one does not take them over."""
    def uptime() -> int:
        return max((one.uptime_secs for one in ask(counting.storm, "getClusterInfo").supervisors), default=0)

    before, up = counting.processes(), uptime()
    old = counting.storm.pid("supervisor")
    assert old is not None
    os.kill(old, signal.SIGKILL)
    all_done(counting, 100)
    eventually(lambda: 0 < uptime() < up, "no new supervisor has told Nimbus of itself")
    assert counting.processes() == before
    # It looks after the workers that it has found.
    victim = counting.of("sink")[0]
    os.kill(victim.worker, signal.SIGKILL)
    assert begun_anew(counting, victim).worker != victim.worker
    all_done(counting, 100)


def test_the_sink_gets_more_executors(counting: Submitted) -> None:
    """If it fails: a rebalance loses tuples, or the tasks that have moved do nothing."""
    def executors() -> int:
        return sum(one.component_id == "sink" for one in counting.executors())

    assert executors() == 2
    before = counting.of("sink")
    assert len(before) == 4
    done = counting.storm.stormcell("rebalance", "counting", "--executors", "sink=4", "--wait", "0")
    assert done.returncode == 0, done
    eventually(lambda: executors() == 4, "the sink has not got its executors")
    for one in before:
        begun_anew(counting, one)
    all_done(counting, 100)
    used = {one.port for one in counting.executors() if one.component_id == "sink"}
    assert len(used) == 2, "all executors of the sink are in one worker"


def test_in_the_end_all_is_done(counting: Submitted) -> None:
    """If it fails: something that was emitted has been forgotten."""
    (counting.folder / "stop").touch()
    eventually(lambda: counting.numbers("emitted") == counting.numbers("acked"), "not all is acked")
    emitted = counting.numbers("emitted")
    assert emitted == set(range(1, max(emitted) + 1))
    assert counting.numbers("middle-*") == counting.numbers("sink-*") == emitted
    # A worker that ends may report that its pipes have closed. Of Python there is nothing to report.
    errors = ask(counting.storm, "getTopologyInfo", counting.id).errors
    assert not [one.error for some in errors.values() for one in some if "Traceback" in one.error]
