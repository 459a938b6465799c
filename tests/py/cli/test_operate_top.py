"""`stormcell top`, and how rates are made of reports."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from commanding import COMMAND, PATIENCE, refused, stormcell
from nimbus_standin import CLOSES, Standin
from stormcell.nimbus import structures as storm
from stormcell.operate.rates import Rates
from stormcell.operate.state import Counts, Thread
from terminals import CTRL_C, HIDE, SHOW, terminal


def thread(uptime_s: int, executed: int, task: int = 1, *, acked: int = 0, recent: int = 0,
           component: str = "counts", kind: str = "bolt") -> Thread:
    """A report. recent: what has been executed in ten minutes, at a millisecond each."""
    return Thread(component, kind, task, task, "host:6700", uptime_s,
                  Counts(acked=acked, executed=executed if kind == "bolt" else None),
                  Counts(acked=recent, executed=recent if kind == "bolt" else None, process_ms=2.0, execute_ms=1.0,
                         complete_ms=20.0 * task))


def heard(*reports: list[Thread]) -> Rates:
    rates = Rates()
    for each in reports:
        rates.hear(each)
    return rates


# ---- rates ----

def test_a_rate_is_between_the_last_two_reports() -> None:
    # Nimbus was asked more often than an executor reports, and each at another time.
    first, second = [thread(60, 600), thread(30, 0, 2)], [thread(60, 600), thread(90, 60, 2)]
    third = [thread(121, 1820), thread(90, 60, 2)]
    [speed] = heard(first, first, second, second, third, third).speeds()
    assert speed.rate.executed == pytest.approx(1220 / 61 + 1)
    assert not speed.rate.rough


def test_with_one_report_it_is_an_average() -> None:
    [speed] = heard([thread(120, 999, recent=240)]).speeds()
    assert (speed.rate.executed, speed.rate.rough) == (2.0, True)
    [speed] = heard([thread(9999, 999, recent=1200)]).speeds()
    assert (speed.rate.executed, speed.rate.rough) == (2.0, True)


def test_a_worker_that_starts_anew_is_never_negative() -> None:
    again = thread(20, 100, recent=100)
    [speed] = heard([thread(60, 60000)], [thread(120, 120000)], [again]).speeds()
    assert (speed.rate.executed, speed.rate.rough) == (5.0, True)
    [speed] = heard([thread(60, 60000)], [again], [thread(40, 300, recent=300)]).speeds()
    assert (speed.rate.executed, speed.rate.rough) == (10.0, False)


def test_one_that_has_started_anew_and_is_older_than_the_last_report() -> None:
    """What gives it away then is only that it has counted less."""
    [speed] = heard([thread(60, 60000)], [thread(65, 130, recent=130)]).speeds()
    assert (speed.rate.executed, speed.rate.rough) == (2.0, True)


def test_an_executor_that_is_gone_is_forgotten() -> None:
    rates = heard([thread(60, 600), thread(60, 600, 2)], [thread(120, 1200), thread(120, 1200, 2)])
    assert rates.speeds()[0].rate.executed == 20
    rates.hear([thread(120, 1200)])
    assert rates.speeds()[0].rate.executed == 10
    assert rates.speeds()[0].threads == 1


def test_reports_that_come_often_are_taken_over_a_longer_time() -> None:
    """Ages are whole seconds, so that two reports three seconds apart may say two or four."""
    reports = [[thread(age, age * 100)] for age in (3, 7, 9, 13, 15, 19, 21)]
    assert heard(*reports).speeds()[0].rate.executed == 100
    assert heard(*reports[:2]).speeds()[0].rate.executed == 100


def test_before_the_first_report() -> None:
    [speed] = heard([Thread("counts", "", 1, 1, "host:6700", 0, Counts(), Counts())]).speeds()
    assert (speed.rate.executed, speed.rate.rough, speed.latency_ms, speed.capacity) == (0.0, False, None, None)


def test_latency_and_capacity() -> None:
    """Of latencies the mean, of capacities the highest."""
    spouts = [thread(60, 0, 1, recent=300, component="words", kind="spout"),
              thread(60, 0, 2, recent=100, component="words", kind="spout")]
    bolts = [thread(60, 0, 3, recent=6000), thread(60, 0, 4, recent=30000)]
    words, counts = heard([*bolts, *spouts]).speeds()
    assert (words.component, words.latency_ms, words.capacity) == ("words", 25.0, None)
    assert (counts.component, counts.latency_ms, counts.capacity) == ("counts", 2.0, 0.5)


# ---- the command ----

COUNTS = {"words": {"emitted": 6000, "acked": 6000, "failed": 60, "latency": 12.5, "uptime_s": 60},
          "counts": {"emitted": 6000, "acked": 6000, "executed": 6000, "latency": 2.0, "uptime_s": 60}}

LATER = {"words": {"emitted": 18000, "acked": 12000, "failed": 60, "latency": 12.5, "uptime_s": 120},
         "counts": {"emitted": 18000, "acked": 18000, "executed": 18000, "latency": 2.0, "uptime_s": 120}}


def once(*arguments: str) -> list[list[str]]:
    """The rows of the table, below its heading."""
    done = stormcell("top", "--once", "--interval", "0.05", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split() for line in done.stdout.splitlines()][3:]


def test_topologies_once(nimbus: Standin) -> None:
    nimbus.run("words", stats=COUNTS)
    nimbus.run("idle", status="INACTIVE")
    idle, words, about = once()
    assert words == ["words", "ACTIVE", "2", "~200", "~100", "~1.0", "12.5", "0"]
    assert idle == ["idle", "INACTIVE", "2", "0", "0", "0", "-", "0"]
    assert about[0] == "~" and about[-2:] == ["60", "s"]
    assert len(nimbus.called("getTopologyInfo")) == 4


def test_components_once(nimbus: Standin) -> None:
    late = storm.ErrorInfo(error="java.lang.Exception: Shell Process Exception: no more words",
                           error_time_secs=int(time.time()) - 120, host="h", port=6700)
    early = storm.ErrorInfo(error="old", error_time_secs=int(time.time()) - 1200, host="h", port=6700)
    nimbus.run("words", stats=COUNTS).errors["counts"] = [late, early]
    words, counts, _, error = once("words")
    assert words == ["words", "~100", "~100", "~1.0", "12.5", "0"]
    assert counts == ["counts", "x2", "~100", "~100", "~100", "0", "2.0", "0.10", "1"]
    assert " ".join(error) == "counts: 2 m ago, h:6700: no more words"


def test_before_there_are_counts(nimbus: Standin) -> None:
    nimbus.run("words")
    assert " ".join(once("words")[-1]) == "no counts yet: workers report them every 60 s"


def test_a_topology_that_goes_is_left_out_of_all(nimbus: Standin) -> None:
    nimbus.run("words")
    nimbus.run("other")
    nimbus.vanishes["getTopologyInfo"] = "words"
    assert [row[0] for row in once()][:1] == ["other"]


def test_the_topology_that_is_watched_goes(nimbus: Standin) -> None:
    nimbus.run("words", stats=COUNTS)
    with subprocess.Popen([*COMMAND, "top", "words", "--interval", "0.05"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        nimbus.topologies.clear()
        assert process.stderr.read() == "stormcell: the cluster has no topology 'words', nor any other\n"
        assert process.wait(PATIENCE) == 2


def test_nimbus_goes(nimbus: Standin) -> None:
    nimbus.run("words", stats=COUNTS)
    nimbus.fail["getClusterInfo", 2] = CLOSES
    assert refused("top", "--once", "--interval", "0.05").startswith(f"stormcell: {nimbus.address}: closed ")


def test_lines_where_there_is_no_terminal(nimbus: Standin) -> None:
    topology = nimbus.run("words", stats=COUNTS)
    with subprocess.Popen([*COMMAND, "top", "--interval", "0.05"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert next(line for line in lines if line.startswith("words")).split()[3:5] == ["~200", "~100"]
        topology.stats = LATER
        assert next(line for line in lines if line.startswith("words") and "~" not in line).split()[3:6] == [
            "400", "100", "0"]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("columns", [80, 120])
def test_in_a_terminal_it_lives(nimbus: Standin, columns: int) -> None:
    busy = {name: {**counts, "emitted": 987654321, "acked": 987654321, "executed": 987654321, "failed": 987654,
                    "latency": 0.05}
            for name, counts in COUNTS.items()}
    topology = nimbus.run("words", stats=busy)
    with terminal("top", "words", "--interval", "0.05", columns=columns) as seen:
        seen.until("~16.46 M")
        topology.stats = {name: {**counts, "uptime_s": 120, "executed": 987654321 + 60 * 12345}
                          for name, counts in busy.items()}
        seen.until(" 12,345 ")
        seen.press(CTRL_C)
        assert seen.finish() == 0
    assert seen.raw.rindex(SHOW) > seen.raw.rindex(HIDE)
    assert max(map(len, re.split(r"[\r\n]+|\^C", seen.text))) <= columns
    assert re.search(r"counts x2 +~16.46 M +~16.46 M +~16.46 M +~16,461 +0.050 +411.52 +0", seen.text)
