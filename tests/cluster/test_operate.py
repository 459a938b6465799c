"""The commands that operate a cluster, told to a real Storm."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from commanding import write
from storm import PATIENCE, Storm
from submitting import clear

COMPONENTS = """
    import time
    from stormcell import Bolt, ReliableSpout

    class Numbers(ReliableSpout):
        outputs = ["number"]
        number = 0
        def next_tuple(self):
            time.sleep(0.005)
            self.number += 1
            self.emit([self.number], tup_id=self.number)

    class Halves(Bolt):
        outputs = ["half"]
        def process(self, tup):
            number = tup.values.number
            if number % 100 == 0:
                self.log("passed %d" % number)
                self.log("in detail %d" % number, "debug")
            if number % 500 == 0:
                self.refuse(number)
            self.emit([number // 2])
        def refuse(self, number):
            raise ValueError("number %d is refused" % number)
    """

TOPOLOGY = """
    from stormcell import Topology
    from components import Halves, Numbers

    class Operated(Topology):
        numbers = Numbers.spec()
        halves = Halves.spec(inputs=[numbers], par=2, config={"topology.tasks": 4})
    """

NAME = "operated"


@pytest.fixture(scope="module")
def project(cluster: Storm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose topology runs on both slots."""
    folder = tmp_path_factory.mktemp(NAME)
    write(folder, "src/components.py", COMPONENTS)
    write(folder, f"topologies/{NAME}.py", TOPOLOGY)
    clear(cluster)
    done = cluster.stormcell("submit", "-o", "topology.workers=2", cwd=folder)
    assert done.returncode == 0, done.stderr
    yield folder
    cluster.stormcell("kill", NAME, "--wait", "0", cwd=folder)


def said(cluster: Storm, folder: Path, *arguments: str) -> list[str]:
    done = cluster.stormcell(*arguments, cwd=folder)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


def told(cluster: Storm, folder: Path, *arguments: str) -> Any:
    return json.loads("\n".join(said(cluster, folder, *arguments, "--json")))


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """What the condition gives when it holds."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"no {what} after {PATIENCE:g} s"
        time.sleep(0.5)


def page(cluster: Storm, project: Path) -> Any:
    return told(cluster, project, "stats", NAME, "--window", "all")


def counted(cluster: Storm, project: Path) -> Any:
    """The topology's page when all components have been reported of."""
    def all_are() -> Any:
        found = page(cluster, project)
        return found if all(each["counts"]["acked"] for each in found["components"]) else None

    return wait_for(all_are, "counts")


def test_it_is_listed(cluster: Storm, project: Path) -> None:
    [topology] = told(cluster, project, "list")
    assert (topology["name"], topology["status"]) == (NAME, "ACTIVE")
    assert said(cluster, project, "list")[1].split()[:2] == [NAME, "ACTIVE"]


def test_what_is_counted(cluster: Storm, project: Path) -> None:
    components = {each["name"]: each for each in counted(cluster, project)["components"]}
    assert (components["halves"]["executors"], components["halves"]["tasks"]) == (2, 4)
    assert components["numbers"]["counts"]["complete_ms"] > 0
    assert components["halves"]["counts"]["executed"] % 20 == 0
    halves = told(cluster, project, "stats", "-n", NAME, "-c", "halves")
    assert [(each["component"], each["stream"]) for each in halves["inputs"]] == [("numbers", "default")]
    assert [(each["first_task"], each["last_task"]) for each in halves["threads"]][0][0] > 0
    drawn = "\n".join(said(cluster, project, "stats", NAME, "--all"))
    assert "halves  bolt of operated  2 threads, 4 tasks" in drawn
    assert "spout of operated" in drawn


def test_where_it_runs(cluster: Storm, project: Path) -> None:
    counted(cluster, project)
    workers = told(cluster, project, "worker_uptime")
    assert sorted(each["port"] for each in workers) == cluster.here.slots
    assert all(each["uptime_s"] > 0 for each in workers)
    assert sum(each["tasks"].get("halves", 0) for each in workers) == 4
    [_, host] = said(cluster, project, "slot_usage")
    assert re.search(r" 2 +0 +2 \(\d+\)", host)


def test_errors_are_pythons_own(cluster: Storm, project: Path) -> None:
    lines = wait_for(lambda: "\n".join(said(cluster, project, "errors", NAME)).partition("no errors")[0], "error")
    assert re.search(r"^ValueError: number \d+00 is refused$", lines, re.MULTILINE)
    assert "in refuse" in lines and "Traceback (most recent call last):" in lines
    assert "org.apache.storm" not in lines
    assert "org.apache.storm.task.ShellBolt" in "\n".join(said(cluster, project, "errors", "--raw"))


def test_top(cluster: Storm, project: Path) -> None:
    counted(cluster, project)
    process = cluster.start("top", NAME, "--interval", "1", cwd=project)
    assert process.stdout is not None
    exact = next(line.split() for line in process.stdout if line.startswith("halves x2") and "~" not in line)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    assert exact[:2] == ["halves", "x2"]
    # A tuple every five milliseconds at the most.
    assert 0 < float(exact[3].replace(",", "")) < 300


def test_tail_and_log_levels(cluster: Storm, project: Path) -> None:
    process = cluster.start("tail", "-f", "-l", "0", "-c", "halves", cwd=project)
    assert process.stdout is not None
    assert re.search(r"^670\d .*name:halves (passed|Python|in detail)", process.stdout.readline())
    set_to = told(cluster, project, "set_log_level", NAME, "--components", "DEBUG:600")
    assert [each["level"] for each in set_to] == ["DEBUG", "DEBUG"]
    assert any("name:halves in detail" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    assert told(cluster, project, "set_log_level", NAME, "--reset") == []


def test_off_and_on(cluster: Storm, project: Path) -> None:
    assert said(cluster, project, "deactivate") == [f"{NAME} is inactive"]
    assert told(cluster, project, "list")[0]["status"] == "INACTIVE"
    assert said(cluster, project, "activate") == [f"{NAME} is active"]
    assert said(cluster, project, "activate") == [f"{NAME} is active already: nothing to do"]


def test_rebalance_to_four_executors(cluster: Storm, project: Path) -> None:
    done = cluster.stormcell("rebalance", NAME, "--executors", "halves=5", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert "it has 4 tasks, whose number is fixed" in done.stderr
    lines = said(cluster, project, "rebalance", NAME, "--executors", "halves=4", "--wait", "1",
                 "-o", "topology.max.spout.pending=50")
    assert lines[0].startswith(f"rebalancing {NAME}: executors of halves 2 to 4 and topology.max.spout.pending ")
    assert lines[-1].startswith(f"{NAME} is rebalanced: 2 workers and 4 executors of halves")
    halves = next(each for each in page(cluster, project)["components"] if each["name"] == "halves")
    assert (halves["executors"], halves["tasks"]) == (4, 4)
    assert page(cluster, project)["settings"]["topology.max.spout.pending"] == 50


def test_a_name_that_there_is_not(cluster: Storm, project: Path) -> None:
    done = cluster.stormcell("stats", "operatde", cwd=project)
    assert done.stderr == f"stormcell: the cluster has no topology 'operatde'; did you mean '{NAME}'?\n"
    done = cluster.stormcell("stats", NAME, "-c", "halfs", cwd=project)
    assert done.stderr == f"stormcell: '{NAME}' has no component 'halfs'; did you mean 'halves'?\n"


def test_kill(cluster: Storm, project: Path) -> None:
    process = cluster.start("tail", "-f", NAME, cwd=project)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    assert said(cluster, project, "kill", "--wait", "1") == [
        f"killing {NAME}: its spouts are off, its workers end in 1 s", f"{NAME} is gone"]
    assert process.stderr.read() == f"{NAME} is gone\n"
    assert process.wait(PATIENCE) == 0
    assert said(cluster, project, "list") == ["no topologies"]
