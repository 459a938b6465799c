"""Topologies of the tests on the tests' Storm: submitted by the command, looked at through Nimbus."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeVar

import pytest

from stormcell.nimbus import Nimbus, NimbusError, structures
from storm import PATIENCE, Storm

HERE = Path(__file__).resolve().parent
TOPOLOGIES = HERE / "topologies"
sys.path.append(str(HERE / "src"))  # tests look into the modules of components

Found = TypeVar("Found")

LOG_LINES = 15
"""How much of each log a failure shows."""

NOISE = "CGroupMetricsBase"
"""In lines of a worker's log that say nothing."""


def eventually(look: Callable[[], Found], what: str, patience: float = PATIENCE) -> Found:
    """What `look` returns once that is true."""
    deadline = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"after {patience:g} s still: {what}"
        time.sleep(0.1)


# ---- the cluster -------------------------------------------------------------------------------


@contextlib.contextmanager
def nimbus(storm: Storm) -> Iterator[Nimbus]:
    with Nimbus.connect([storm.nimbus], 30.0, storm.connect) as connection:
        yield connection


def ask(storm: Storm, method: str, *arguments: Any) -> Any:
    with nimbus(storm) as connection:
        return connection.call(method, *arguments)


def topologies(storm: Storm) -> dict[str, Any]:
    """The summaries of all topologies, by name."""
    return {one.name: one for one in ask(storm, "getClusterInfo").topologies}


def ids(storm: Storm) -> dict[str, str]:
    """The topologies' ids, by name."""
    return {name: one.id for name, one in topologies(storm).items()}


def used_slots(storm: Storm) -> int:
    return sum(one.num_used_workers for one in ask(storm, "getClusterInfo").supervisors)


def workers(storm: Storm) -> list[int]:
    """The pids of the workers' JVMs."""
    return [process.pid for process in storm.processes()
            if "org.apache.storm.daemon.worker.Worker" in process.command
            and "org.apache.storm.LogWriter" not in process.command]


def kill(storm: Storm, *names: str) -> None:
    """Kill topologies, and wait until nothing of them is left."""
    with nimbus(storm) as connection:
        for name in names:
            with contextlib.suppress(NimbusError):
                connection.call("killTopologyWithOpts", name, structures.KillOptions(0))
    eventually(lambda: not set(names) & set(topologies(storm)), f"{names} not gone")


def clear(storm: Storm) -> None:
    """Kill all topologies, so that all slots are free."""
    kill(storm, *topologies(storm))
    eventually(lambda: not workers(storm), "there are workers")


def ends_of_logs(storm: Storm) -> str:
    """The end of each worker's log, and of those of Nimbus and supervisor."""
    workers_logs = sorted((storm.logs / "workers-artifacts").glob("*/*/worker.log"),
                          key=lambda path: path.stat().st_mtime)
    parts = []
    for path in [storm.logs / "nimbus.log", storm.logs / "supervisor.log", *workers_logs[-2:]]:
        lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
        kept = [line[:300] for line in lines if NOISE not in line]
        parts += [f"the end of {path}:", *(f"    {line}" for line in kept[-LOG_LINES:])]
    return "\n".join(parts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[
        None, pytest.TestReport, pytest.TestReport]:
    """Of a test that fails, the ends of Storm's logs are shown."""
    report = yield
    storm = getattr(item, "funcargs", {}).get("cluster")
    if report.failed and storm is not None:
        report.sections.append(("Storm's logs", ends_of_logs(storm)))
    return report


# ---- a topology --------------------------------------------------------------------------------


def submit(storm: Storm, *arguments: str | Path, **more: Any) -> CompletedProcess[str]:
    """`stormcell submit` with these arguments, to its end. On a machine with more to do, Nimbus takes its time."""
    return storm.stormcell("submit", "--timeout", "60000", *arguments, **more)


@dataclass(frozen=True)
class Submitted:
    """A topology that runs.

    Attributes:
        folder: where its components write what the test reads (the setting test.folder).
    """

    storm: Storm
    name: str
    id: str
    folder: Path

    @classmethod
    def start(cls, storm: Storm, name: str, folder: Path, *arguments: str) -> Submitted:
        """Submit topologies/NAME.py, and wait until it runs."""
        folder.mkdir(parents=True, exist_ok=True)
        done = submit(storm, TOPOLOGIES / f"{name}.py", "--wait", "-o", f"test.folder={folder}", *arguments)
        assert done.returncode == 0, done
        return cls(storm, name, ids(storm)[name], folder)

    @classmethod
    def named(cls, storm: Storm, name: str) -> Submitted:
        """One that has been submitted already."""
        return cls(storm, name, ids(storm)[name], Path())

    def conf(self) -> dict[str, Any]:
        conf: dict[str, Any] = json.loads(ask(self.storm, "getTopologyConf", self.id))
        return conf

    def executors(self) -> list[Any]:
        """Nimbus' ExecutorSummary of each executor of ours."""
        return [one for one in ask(self.storm, "getTopologyInfo", self.id).executors
                if not one.component_id.startswith("__")]

    def ports(self) -> dict[int, int]:
        """The port of the worker that each task runs in."""
        return {task: one.port for one in self.executors()
                for task in range(one.executor_info.task_start, one.executor_info.task_end + 1)}

    # ---- what components wrote down --------------------------------------------------------

    def processes(self) -> dict[int, Who]:
        """Who runs each task, as far as it has introduced itself."""
        lines = (self.folder / "processes").read_text().splitlines()
        return {one.task: one for one in (Who(**json.loads(line)) for line in lines)}

    def of(self, component: str) -> list[Who]:
        """Those who run the tasks of a component, in the order of these."""
        found = self.processes()
        return [found[task] for task in sorted(found) if found[task].component == component]

    def numbers(self, pattern: str) -> set[int]:
        """What is in the files of that name: a number a line."""
        return {int(line) for path in self.folder.glob(pattern) for line in path.read_text().split()}


@dataclass(frozen=True)
class Who:
    """Who runs a task: three processes, and the words that Storm's first one became."""

    component: str
    task: int
    interpreter: int
    guardian: int
    worker: int
    command: list[str]


def all_done(counting: Submitted, more: int) -> None:
    """Wait until all that the topology `counting` has emitted by now, and so many numbers more, are acked: nothing is
    lost. Each of them has been processed by both bolts."""
    goal = max(counting.numbers("emitted"), default=0) + more
    wanted = set(range(1, goal + 1))

    def missing() -> set[int]:
        return wanted - counting.numbers("acked")

    try:
        eventually(lambda: not missing(), "not all is acked")
    except AssertionError:
        lost = sorted(missing())
        raise AssertionError(f"{len(lost)} of {goal} are not acked: {lost[:20]}…") from None
    for bolt in ("middle", "sink"):
        assert wanted <= counting.numbers(f"{bolt}-*"), f"acked, and not processed by {bolt}"


# ---- a cluster without a free slot -------------------------------------------------------------


@pytest.fixture(scope="session")
def project(cluster: Storm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `stormcell quickstart` makes."""
    folder = tmp_path_factory.mktemp("project")
    assert cluster.stormcell("quickstart", "words", cwd=folder).returncode == 0
    return folder / "words"


@pytest.fixture
def words(cluster: Storm, project: Path) -> Submitted:
    """The project's word count on both slots, so that what is submitted besides gets no worker and costs
    nothing. It is not active: it would leave no processor time to others."""
    if "wordcount" not in topologies(cluster):
        clear(cluster)
        done = submit(cluster, "--wait", "--inactive", "-w", "2", "-a", "2", cwd=project)
        assert done.returncode == 0, done
    return Submitted.named(cluster, "wordcount")
