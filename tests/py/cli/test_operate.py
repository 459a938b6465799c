"""The commands that operate a cluster, told to a stand-in for Nimbus."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import nimbus_standin
from commanding import COMMAND, PATIENCE, flow, refused, stormcell, write
from nimbus_standin import Standin, refusal
from operated import COUNTS, REPORT
from stormcell.nimbus import structures as storm

def said(*arguments: str | Path) -> list[str]:
    """The lines that a command says when all is well."""
    done = stormcell(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done
    return [line.rstrip() for line in done.stdout.splitlines()]


def rows(*arguments: str | Path) -> list[list[str]]:
    return [line.split() for line in said(*arguments)]


def as_json(*arguments: str | Path) -> Any:
    return json.loads("\n".join(said(*arguments, "--json")))


def error(text: str, at: float, port: int = 6700) -> Any:
    return storm.ErrorInfo(error=text, error_time_secs=int(at), host="127.0.0.1", port=port)


# ---- list ----

def test_list(nimbus: Standin) -> None:
    nimbus.run("words")
    nimbus.run("alerts", status="INACTIVE", uptime_s=90061)
    assert rows("list") == [
        ["topology", "status", "uptime", "workers", "executors", "tasks", "owner"],
        ["alerts", "INACTIVE", "1", "d", "1", "h", "2", "3", "5", "storm"],
        ["words", "ACTIVE", "1", "m", "1", "s", "2", "3", "5", "storm"]]


def test_list_as_json(nimbus: Standin) -> None:
    nimbus.run("words")
    assert as_json("list") == [{"id": "words-1-1795700000", "name": "words", "status": "ACTIVE", "uptime_s": 61,
                                "workers": 2, "executors": 3, "tasks": 5, "owner": "storm"}]


def test_list_of_none(nimbus: Standin) -> None:
    assert said("list") == ["no topologies"]
    assert as_json("list") == []


# ---- which topology ----

@pytest.mark.parametrize("command", ["kill", "activate", "deactivate", "rebalance", "stats", "errors", "tail",
                                     "top", "set_log_level"])
def test_a_name_that_there_is_not(nimbus: Standin, command: str) -> None:
    nimbus.run("words")
    assert refused(command, "wrods") == (
        "stormcell: the cluster has no topology 'wrods'; did you mean 'words'?")
    assert refused(command, "x") == "stormcell: the cluster has no topology 'x', but 'words'"


def test_the_projects_only_topology_is_the_default(nimbus: Standin, folder: Path) -> None:
    flow(folder)
    nimbus.run("flow")
    assert said("deactivate") == ["flow is inactive"]
    write(folder, "topologies/other.py", "")
    assert refused("deactivate") == (
        "stormcell: which topology? Name it (`stormcell list` shows those that there are)")


def test_two_names(nimbus: Standin) -> None:
    assert "which topology, 'a' or 'b'?" in refused("kill", "a", "-n", "b")
    nimbus.run("a")
    assert said("deactivate", "a", "-n", "a") == ["a is inactive"]


# ---- activate and deactivate ----

def test_activate_and_deactivate(nimbus: Standin) -> None:
    nimbus.run("words")
    assert said("activate", "words") == ["words is active already: nothing to do"]
    assert said("deactivate", "-n", "words") == ["words is inactive"]
    assert said("deactivate", "words") == ["words is inactive already: nothing to do"]
    assert said("activate", "words") == ["words is active"]
    assert [name for name, _ in nimbus.calls if "activate" in name] == ["deactivate", "activate"]


@pytest.mark.parametrize("status, doing", [("KILLED", "being killed"), ("REBALANCING", "being rebalanced")])
def test_what_cannot_be_activated(nimbus: Standin, status: str, doing: str) -> None:
    nimbus.run("words", status=status)
    assert refused("activate", "words") == (
        f"stormcell: words is {doing}: until that is done, Storm can neither activate nor deactivate it")
    assert refused("rebalance", "words").startswith(f"stormcell: words is {doing}: ")


# ---- kill ----

def test_kill_returns_when_it_is_gone(nimbus: Standin) -> None:
    nimbus.run("words")
    assert said("kill", "words", "--wait", "1") == [
        "killing words: its spouts are off, its workers end in 1 s", "words is gone"]
    assert nimbus.topologies == {}
    assert nimbus.called("killTopologyWithOpts") == [("words", storm.KillOptions(wait_secs=1))]


def test_kill_returns_at_once(nimbus: Standin) -> None:
    nimbus.run("words")
    assert said("kill", "words", "--no-follow", "--wait", "600") == [
        "killing words: its spouts are off, its workers end in 600 s"]
    assert nimbus.topologies["words"].status == "KILLED"
    assert said("kill", "words", "--wait", "0") == [
        "killing words: once more: its spouts are off, its workers end in 0 s", "words is gone"]


def test_ctrl_c_while_it_is_being_killed(nimbus: Standin) -> None:
    nimbus.run("words")
    with started("kill", "words", "--wait", "60") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "killing words: its spouts are off, its workers end in 60 s\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "words is still being killed: Storm goes on with it by itself\n"
        assert process.wait(PATIENCE) == 1


def test_nimbus_goes_while_it_is_being_killed(nimbus: Standin) -> None:
    nimbus.run("words")
    nimbus.fail["getClusterInfo", 2] = nimbus_standin.CLOSES
    done = stormcell("kill", "words")
    assert done.returncode == 2
    assert done.stderr.startswith("stormcell: words is still being killed as far as is known; Nimbus no longer "
                                  f"answers: {nimbus.address}")


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


# ---- rebalance ----

def test_rebalance_says_what_changes(nimbus: Standin) -> None:
    nimbus.run("words").settings["topology.max.spout.pending"] = 100
    assert said("rebalance", "words", "--workers", "3", "--executors", "counts=4", "--wait", "0",
                "-o", "topology.max.spout.pending=200") == [
        "rebalancing words: workers 2 to 3, executors of counts 2 to 4 and topology.max.spout.pending 100 to 200; "
        "its spouts are off, its workers start anew in 0 s",
        "words is rebalanced: 2 workers and 4 executors of counts; they start within seconds"]
    [(name, options)] = nimbus.called("rebalance")
    assert (name, options.wait_secs, options.num_workers, options.num_executors) == ("words", 0, 3, {"counts": 4})
    assert json.loads(options.topology_conf_overrides) == {"topology.max.spout.pending": 200}


def test_rebalance_onto_slots_that_there_are_not(nimbus: Standin) -> None:
    nimbus.run("words")
    lines = said("rebalance", "words", "--workers", "9", "--wait", "0")
    assert lines[1] == "the cluster has 4 slots in all: there will be no more workers"


def test_rebalance_of_nothing_but_the_places(nimbus: Standin) -> None:
    nimbus.run("words")
    assert said("rebalance", "words", "--no-follow") == [
        "rebalancing words: spread anew; its spouts are off, its workers start anew in 5 s"]
    [(_, options)] = nimbus.called("rebalance")
    assert (options.num_workers, options.num_executors, options.topology_conf_overrides) == (None, None, None)


def test_rebalance_with_more_executors_than_tasks(nimbus: Standin) -> None:
    nimbus.run("words")
    assert refused("rebalance", "words", "--executors", "counts=5") == (
        "stormcell: 'counts' cannot have 5 executors: it has 4 tasks, whose number is fixed when a topology is "
        "submitted")
    assert nimbus.called("rebalance") == []


@pytest.mark.parametrize("given", ["counts", "counts=", "counts=0", "=3", "counts=two"])
def test_executors_that_are_none(nimbus: Standin, given: str) -> None:
    assert refused("rebalance", "words", "--executors", given) == (
        f"stormcell: --executors is given as COMPONENT=N, N from 1, not {given!r}")


def test_rebalance_of_a_component_that_there_is_not(nimbus: Standin) -> None:
    nimbus.run("words")
    assert refused("rebalance", "words", "--executors", "count=1") == (
        "stormcell: 'words' has no component 'count'; did you mean 'counts'?")


# ---- stats ----

def test_stats_of_the_cluster(nimbus: Standin) -> None:
    nimbus.run("words")
    lines = said("stats")
    assert lines[1].split() == [nimbus.address, "leads", "1", "m", "40", "s", "2.8.3"]
    assert lines[4].split() == ["127.0.0.1", "2", "1", "1", "h", "1", "m", "2.8.3"]
    assert lines[-1].split()[:2] == ["words", "ACTIVE"]
    assert as_json("stats")["supervisors"][1]["host"] == "127.0.0.2"


def test_stats_of_a_topology(nimbus: Standin) -> None:
    nimbus.run("words", stats=COUNTS).errors["counts"] = [error(REPORT, time.time() - 200)]
    lines = said("stats", "words")
    assert lines[0] == "words  ACTIVE  up 1 m 1 s  2 workers  words-1-1795700000"
    assert lines[3].split() == ["10", "minutes", "7,900", "7,900", "3,960", "40", "12.5"]
    assert [line.split() for line in lines if line.startswith(("words  ", "counts  "))][1:] == [
        ["words", "1/1", "4,000", "3,960", "40", "12.5"],
        ["counts", "2/4", "3,900", "3,920", "3,900", "0", "0.750", "0.25"]]
    assert lines[-1].startswith("counts: 3 m ") and lines[-1].endswith("6700: ValueError: word 'dog' is bad")


def test_stats_before_there_are_any(nimbus: Standin) -> None:
    nimbus.settings["executor.metrics.frequency.secs"] = 20
    nimbus.run("words")
    lines = said("stats", "-n", "words")
    assert "in" not in [line.split()[0] for line in lines if line]
    assert ["counts", "2/4"] in [line.split()[:2] for line in lines]
    assert lines[-1] == "no counts yet: workers report them every 20 s"
    assert "no counts yet: workers report them every 20 s" in said("stats", "words", "-c", "counts")


def test_the_window_is_asked_for(nimbus: Standin) -> None:
    nimbus.run("words", stats=COUNTS)
    for option, window in (("10m", "600"), ("3h", "10800"), ("1d", "86400"), ("all", ":all-time")):
        said("stats", "words", "--window", option, "--sys")
        assert nimbus.called("getTopologyPageInfo")[-1][1:] == (window, True)


def test_stats_of_a_component(nimbus: Standin) -> None:
    nimbus.run("words", stats=COUNTS).errors["counts"] = [error(REPORT, time.time())]
    lines = said("stats", "words", "-c", "counts")
    assert lines[0] == "counts  bolt of words  2 threads, 4 tasks"
    assert ["words", "default", "3,920", "3,900", "0", "0.750", "0.750"] in map(str.split, lines)
    assert ["default", "3,900", "3,900"] in map(str.split, lines)
    assert [line.split()[0] for line in lines if ":670" in line and " counts" not in line] == ["1-2", "3-4"]
    assert lines[-1] == "ValueError: word 'dog' is bad"
    assert "org.apache.storm" not in "\n".join(lines)
    assert "org.apache.storm.task.ShellBolt" in "\n".join(said("stats", "words", "-c", "counts", "--raw"))


def test_stats_of_a_component_that_there_is_not(nimbus: Standin) -> None:
    nimbus.run("words")
    assert refused("stats", "words", "-c", "count") == (
        "stormcell: 'words' has no component 'count'; did you mean 'counts'?")
    assert refused("stats", "-c", "counts") == (
        "stormcell: --component and --all are about a topology: name it")


def test_stats_of_all_components(nimbus: Standin) -> None:
    nimbus.run("words", stats=COUNTS)
    told = as_json("stats", "words", "--all")
    assert [each["name"] for each in told] == ["words", "counts"]
    assert told[1]["windows"]["10m"] == {
        "emitted": 3900, "transferred": 3900, "acked": 3900, "failed": 0, "executed": 3920, "complete_ms": None,
        "process_ms": 0.75, "execute_ms": 0.75, "capacity": 0.25}


# ---- errors ----

def test_errors_are_readable_and_brought_together(nimbus: Standin) -> None:
    now = time.time()
    topology = nimbus.run("words")
    topology.errors["counts"] = [error(REPORT.replace("dog", "cat"), now), error(REPORT, now - 30),
                                 error(REPORT.replace("line 24", "line 9"), now - 40)]
    topology.errors["words"] = [error("java.lang.NullPointerException: it was null\n\tat a.B.c(D.java:1)\n", now - 9)]
    lines = said("errors", "words")
    headings = [line for line in lines if line.startswith("words: ")]
    assert [heading.split("  ")[0] for heading in headings] == ["words: counts", "words: words", "words: counts"]
    assert "and 1 more like it since" in headings[0]
    assert lines[lines.index(headings[0]) + 8] == "ValueError: word 'cat' is bad"
    assert lines[lines.index(headings[1]) + 1] == "java.lang.NullPointerException: it was null"
    assert "\tat " not in "\n".join(lines)


def test_all_errors_of_all_topologies(nimbus: Standin) -> None:
    now = time.time()
    nimbus.run("words").errors["counts"] = [error(REPORT, now - 1), error(REPORT, now - 2)]
    nimbus.run("other").errors["counts"] = [error(REPORT, now)]
    headings = [line for line in said("errors", "--all") if ": counts" in line]
    assert [heading.split(":")[0] for heading in headings] == ["other", "words", "words"]
    told = as_json("errors")
    assert [(each["topology"], each["component"], each["port"]) for each in told][0] == ("other", "counts", 6700)
    assert told[0]["text"] == REPORT


def test_no_errors(nimbus: Standin) -> None:
    assert said("errors") == ["no errors"]
    nimbus.run("words")
    assert said("errors", "words") == ["no errors of words"]


def test_so_many_errors(nimbus: Standin) -> None:
    nimbus.run("words").errors["counts"] = [error(REPORT.replace("line 24", f"line {n}"), n) for n in range(5)]
    assert said("errors", "--limit", "2")[-1] == "... and 3 more (`stormcell errors --limit 5` shows them)"


def test_errors_that_follow(nimbus: Standin) -> None:
    topology = nimbus.run("words")
    topology.errors["counts"] = [error(REPORT, time.time() - 5)]
    with started("errors", "-f", "--interval", "0.1") as process:
        assert process.stdout is not None
        while process.stdout.readline() != "ValueError: word 'dog' is bad\n":
            pass
        topology.errors["counts"] = [error(REPORT.replace("dog", "new"), time.time()), *topology.errors["counts"]]
        while process.stdout.readline() != "ValueError: word 'new' is bad\n":
            pass
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""
        assert process.wait(PATIENCE) == 0


# ---- slot_usage and worker_uptime ----

def test_slot_usage(nimbus: Standin) -> None:
    nimbus.run("words")
    nimbus.run("more", workers=[("127.0.0.2", 6701)])
    assert rows("slot_usage") == [
        ["host", "slots", "free", "more", "words"],
        ["127.0.0.1", "2", "1", "-", "1", "(2)"],
        ["127.0.0.2", "2", "0", "1", "(3)", "1", "(1)"]]
    assert [each["tasks"] for each in as_json("slot_usage")["workers"]] == [
        {"counts": 2, "words": 1}, {"counts": 2}, {"counts": 4, "words": 1}]


def test_worker_uptime(nimbus: Standin) -> None:
    nimbus.run("words", stats=COUNTS)
    log = "words-1-1795700000/6700/worker.log"
    assert rows("worker_uptime")[1:] == [
        ["127.0.0.1", "6700", "words", "1", "m", "1", "s", log],
        ["127.0.0.2", "6700", "words", "1", "m", "1", "s", log]]
    assert [each["uptime_s"] for each in as_json("worker_uptime")] == [61, 61]


# ---- set_log_level ----

def test_log_levels(nimbus: Standin) -> None:
    levels = nimbus.run("words").levels
    assert said("set_log_level", "words") == ["words logs at the levels of its workers' configuration"]
    lines = said("set_log_level", "words", "ROOT=warn", "com.acme=DEBUG:60", "--components", "TRACE")
    assert [line.split()[:2] for line in lines[1:]] == [
        ["ROOT", "WARN"], ["com.acme", "DEBUG"], ["org.apache.storm.spout.ShellSpout", "TRACE"],
        ["org.apache.storm.task.ShellBolt", "TRACE"]]
    assert lines[1].split()[2] == "--reset" and ":" in lines[2].split()[2]
    assert levels["com.acme"].reset_log_level_timeout_secs == 60
    assert len(said("set_log_level", "words", "--reset", "ROOT")) == 4
    assert said("set_log_level", "words", "--reset")[-1].startswith("words logs at the levels of")
    assert levels == {}


@pytest.mark.parametrize("given", ["ROOT", "ROOT=", "ROOT=LOUD", "=INFO", "ROOT=INFO:", "ROOT=INFO:soon"])
def test_levels_that_are_none(nimbus: Standin, given: str) -> None:
    assert f"{given.lstrip('=')!r} is no LOGGER=LEVEL[:SECONDS], LEVEL one of ALL, TRACE, " in refused(
        "set_log_level", "words", given)


def test_levels_that_cannot_be_reset(nimbus: Standin) -> None:
    nimbus.run("words")
    said("set_log_level", "words", "ROOT=WARN")
    assert refused("set_log_level", "words", "--reset", "ROTO") == (
        "stormcell: no level of 'ROTO' is set; did you mean 'ROOT'?")
    assert refused("set_log_level", "words", "--reset", "ROOT=INFO").startswith("stormcell: --reset takes loggers")


# ---- what can go wrong with Nimbus ----

COMMANDS = {
    "list": ["list"], "kill": ["kill", "words"], "activate": ["activate", "words"],
    "deactivate": ["deactivate", "words"], "rebalance": ["rebalance", "words"], "stats": ["stats"],
    "stats -n": ["stats", "words"], "slot_usage": ["slot_usage"], "worker_uptime": ["worker_uptime"],
    "tail": ["tail", "words"], "set_log_level": ["set_log_level", "words"], "errors": ["errors"],
    "top": ["top", "--once"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_nimbus_is_down(folder: Path, command: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert refused(*command, "--nimbus", f"127.0.0.1:{port}") == (
        f"stormcell: no Nimbus answers: 127.0.0.1:{port}: connection refused")


@pytest.mark.parametrize("command", [COMMANDS["list"], COMMANDS["kill"]], ids=["list", "kill"])
def test_something_else_listens_there(folder: Path, command: list[str]) -> None:
    class Web(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        line = refused(*command, "--nimbus", f"127.0.0.1:{server.server_port}")
        server.shutdown()
    assert line.startswith(f"stormcell: no Nimbus answers: 127.0.0.1:{server.server_port}: ")


@pytest.mark.parametrize("command", [COMMANDS["list"], COMMANDS["top"]], ids=["list", "top"])
def test_nimbus_takes_too_long(nimbus: Standin, command: list[str]) -> None:
    nimbus.run("words")
    nimbus.fail["getLeader"] = nimbus_standin.HANGS
    assert refused(*command, "--timeout", "300").startswith(
        f"stormcell: no Nimbus answers: {nimbus.address}: no answer within 0.3 s")


@pytest.mark.parametrize("command", [COMMANDS["list"], COMMANDS["tail"]], ids=["list", "tail"])
def test_the_one_that_is_asked_does_not_lead(nimbus: Standin, command: list[str]) -> None:
    nimbus.leader = "127.0.0.1", 1
    assert refused(*command) == (f"stormcell: no Nimbus answers: {nimbus.address} says that the leader is "
                                 "127.0.0.1:1: connection refused")


@pytest.mark.parametrize("command, method, since", [
    (["stats", "words"], "getTopologyPageInfo", "1.0"),
    (["stats", "words", "-c", "counts"], "getComponentPageInfo", "1.0"),
    (["slot_usage"], "getSupervisorPageInfo", "1.1"),
    (["worker_uptime"], "getSupervisorPageInfo", "1.1"),
    (["set_log_level", "words"], "getLogConfig", "1.0"),
    (["set_log_level", "words", "ROOT=WARN"], "setLogConfig", "1.0"),
])
def test_an_older_storm(nimbus: Standin, command: list[str], method: str, since: str) -> None:
    nimbus.run("words")
    nimbus.fail[method] = nimbus_standin.IS_OLDER
    assert refused(*command) == (
        f"stormcell: Nimbus at {nimbus.address} does not know {method}, which Storm has from {since} on: its Storm "
        "is older than that")


@pytest.mark.parametrize("command, method", [
    (["kill", "words"], "killTopologyWithOpts"), (["activate", "words"], "activate"),
    (["deactivate", "words"], "deactivate"), (["rebalance", "words"], "rebalance"),
    (["rebalance", "words"], "getTopologyPageInfo"), (["stats", "words"], "getTopologyPageInfo"),
    (["stats", "words"], "getTopologyInfoWithOpts"), (["stats", "words", "-c", "counts"], "getComponentPageInfo"),
    (["errors", "words"], "getTopologyInfo"), (["top", "words", "--once"], "getTopologyInfo"),
    (["set_log_level", "words", "ROOT=WARN"], "setLogConfig"), (["tail", "words"], "getTopologyPageInfo"),
])
@pytest.mark.parametrize("how", ["NotAliveException", "internal error"])
def test_a_topology_that_goes_between_two_calls(nimbus: Standin, command: list[str], method: str, how: str) -> None:
    if how == "NotAliveException" and method == "setLogConfig":
        pytest.skip("it declares no exception")
    nimbus.run("words", status="INACTIVE" if command[0] == "activate" else "ACTIVE")
    gone = refusal("NotAliveException", "words-1-1795700000")
    if how == "NotAliveException":
        nimbus.fail[method] = gone
    else:
        # It has gone from the list as well by then.
        nimbus.fail[method] = nimbus_standin.BREAKS
        nimbus.vanishes[method] = "words"
    assert refused(*command) == "stormcell: the topology 'words' has gone meanwhile"


def test_who_may_not(nimbus: Standin) -> None:
    nimbus.run("words")
    nimbus.fail["killTopologyWithOpts"] = refusal("AuthorizationException", "killTopology on words is not authorized")
    assert refused("kill", "words") == "stormcell: killTopology on words is not authorized"
