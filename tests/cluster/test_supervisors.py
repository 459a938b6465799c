"""Two supervisors, each of which stands for a machine: what is said of both, what goes from one to the other, and what
becomes of a topology that loses one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storm import Storm, up
from submitting import TOPOLOGIES, Submitted, all_done, eventually

pytestmark = pytest.mark.slow

ONE, OTHER = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def pair() -> Iterator[Storm]:
    """Two slots on each of two hosts."""
    with up("--supervisors", "2", "--tune") as storm:
        yield storm


@pytest.fixture(scope="module")
def counting(pair: Storm, tmp_path_factory: pytest.TempPathFactory) -> Submitted:
    """The topology `counting` on two workers, which soon emits again what is lost."""
    return Submitted.start(pair, "counting", tmp_path_factory.mktemp("counting"), "-w", "2", "-a", "2", "-o",
                           "topology.message.timeout.secs=5")


def said(storm: Storm, *arguments: str) -> str:
    done = storm.stormcell(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def hosts(counting: Submitted) -> dict[int, str]:
    """The host that each task runs on."""
    return {task: one.host for one in counting.executors()
            for task in range(one.executor_info.task_start, one.executor_info.task_end + 1)}


def ways(counting: Submitted) -> set[tuple[str, str]]:
    """From which host to which numbers have come, of those that `middle` sends to `sink`."""
    on = hosts(counting)
    passed, arrived = ({who.task: counting.numbers(f"{name}-{who.task}-*") for who in counting.of(name)}
                       for name in ("middle", "sink"))
    return {(on[sender], on[receiver]) for sender, sent in passed.items() for receiver, got in arrived.items()
            if sent & got}


def test_a_probe_tells_of_both(pair: Storm, tmp_path: Path) -> None:
    """If it fails, what one host lacks is found when workers end there."""
    (tmp_path / "config.json").write_text(json.dumps({"envs": {"here": {}}}))
    done = pair.stormcell("check", TOPOLOGIES / "idle.py", "--config", tmp_path / "config.json", "--cluster", "here",
                          "--probe")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and "ok  1 worker; 4 of 4 slots are free" in lines, done
    for host in (ONE, OTHER):
        assert f"ok  {host}: idle" in lines and any(line.startswith(f"ok  {host}: Python 3.") for line in lines), done


def test_what_is_told_names_the_hosts(pair: Storm, counting: Submitted) -> None:
    """If it fails, one looks for a worker, or for its log, on the wrong machine."""
    assert set(hosts(counting).values()) == {ONE, OTHER}
    rows = [line.split() for line in said(pair, "slot_usage").splitlines()[1:]]
    assert [row[:4] for row in rows] == [[ONE, "2", "1", "1"], [OTHER, "2", "1", "1"]]
    workers = json.loads(said(pair, "worker_uptime", "--json"))
    places = {one["port"]: one["host"] for one in workers}
    assert sorted(places.values()) == [ONE, OTHER] and places.items() <= pair.here.hosts.items()
    threads = json.loads(said(pair, "stats", "counting", "-c", "middle", "--json"))["threads"]
    assert {(one["port"], one["host"]) for one in threads} == set(places.items())
    told = said(pair, "tail", "counting", "-l", "1")
    assert {line.split()[0] for line in told.splitlines()} == {f"{host}:{port}" for port, host in places.items()}
    told = said(pair, "cluster", "status")
    assert f"2 of 4 slots are used ({ONE}: 1 of 2, {OTHER}: 1 of 2)\n" in told
    processes = {row["name"]: row.get("host") for row in pair.told()["processes"]}
    assert {f"worker {port}": host for port, host in places.items()}.items() <= processes.items()
    assert (processes["supervisor"], processes["supervisor-2"]) == (ONE, OTHER)


def test_tuples_go_from_host_to_host(counting: Submitted) -> None:
    """If it fails, a topology is as many topologies as it has hosts."""
    everyway = {(sender, receiver) for sender in (ONE, OTHER) for receiver in (ONE, OTHER)}
    eventually(lambda: ways(counting) == everyway, "numbers do not take each way")


def test_a_host_is_lost(pair: Storm, counting: Submitted) -> None:
    """If it fails: what ran there does not come back elsewhere, or what it had in hand is lost with it."""
    all_done(counting, 1)
    before = counting.processes()
    there = {task for task, host in hosts(counting).items() if host == OTHER}
    assert said(pair, "cluster", "fail", "supervisor-2").startswith("supervisor-2 is down: ")
    assert not any(Path(f"/proc/{before[task].interpreter}").exists() for task in there & set(before))
    eventually(lambda: moved(counting, before, there), "what ran on the lost host does not begin elsewhere")
    all_done(counting, 100)
    assert set(hosts(counting).values()) == {ONE}
    assert [one["host"] for one in pair.told()["supervisors"]] == [ONE]
    assert pair.pid("supervisor-2") is None
    # It comes back, with nothing to do.
    assert said(pair, "cluster", "start", "supervisor-2") == "supervisor-2 is up\n"
    eventually(lambda: [one["used_slots"] for one in pair.told()["supervisors"]] == [2, 0], "it does not come back")


def moved(counting: Submitted, before: dict[int, Any], tasks: set[int]) -> bool:
    """Whether somebody else runs each of these tasks."""
    now = counting.processes()
    return all(now[task].interpreter != before[task].interpreter for task in tasks & set(before))


def test_in_the_end_all_is_done(counting: Submitted) -> None:
    """If it fails: something that was emitted has been forgotten."""
    (counting.folder / "stop").touch()
    eventually(lambda: counting.numbers("emitted") == counting.numbers("acked"), "not all is acked")
    assert counting.numbers("middle-*") == counting.numbers("sink-*") == counting.numbers("emitted")
