"""Commands that go on until they are ended outlive the Nimbus that they ask."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from commanding import COMMAND, PATIENCE, refused, wait_for, write
from nimbus_standin import CLOSES, Standin
from operated import COUNTS

COMMANDS = {
    "errors": ["errors", "-f", "--interval", "0.05"],
    "tail": ["tail", "words", "-f", "--logs", "logs"],
    "top": ["top", "words", "--interval", "0.05"],
}


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """The lines up to the one with this text."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"no {text!r} in {lines}")


@pytest.fixture
def going_on(nimbus: Standin, folder: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A command at work."""
    nimbus.run("words", stats=COUNTS)
    write(folder, f"logs/workers-artifacts/{nimbus.topologies['words'].id}/6700/worker.log", "first\n")
    process = subprocess.Popen([*COMMAND, *COMMANDS[request.param]], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    with process:
        read_until(process, {"errors": "no errors", "tail": "6700 first", "top": "counts x2"}[request.param])
        yield process
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def lose(nimbus: Standin) -> None:
    """From now on each connection is closed without an answer."""
    nimbus.fail.update(dict.fromkeys(("getClusterInfo", "getTopologyInfo", "getLeader"), CLOSES))


@pytest.mark.parametrize("going_on", ["errors", "tail"], indirect=True)
def test_nimbus_goes_and_comes_back(nimbus: Standin, going_on: subprocess.Popen[str]) -> None:
    """It is said once, and once when it is over."""
    lose(nimbus)
    [line] = read_until(going_on, "it is asked again")
    assert line.startswith(f"{nimbus.address}: closed the connection at ")
    tries = len(nimbus.called("getLeader"))
    wait_for(lambda: len(nimbus.called("getLeader")) >= tries + 2, lambda: "it is not asked again")
    nimbus.fail.clear()
    assert read_until(going_on, "answers") == ["Nimbus answers again\n"]
    nimbus.topologies.clear()


@pytest.mark.parametrize("going_on", ["top"], indirect=True)
def test_top_shows_what_was_last_seen(nimbus: Standin, going_on: subprocess.Popen[str]) -> None:
    lose(nimbus)
    seen = read_until(going_on, "no Nimbus answers")
    assert sum("counts x2" in line for line in seen) >= 1
    nimbus.fail.clear()
    nimbus.topologies["words"].status = "INACTIVE"
    read_until(going_on, "INACTIVE")


@pytest.mark.parametrize("command", [["errors", "-f"], ["tail", "words", "-f", "--logs", "."], ["top"]])
def test_a_nimbus_that_never_was_there(nimbus: Standin, command: list[str]) -> None:
    lose(nimbus)
    assert refused(*command).startswith(f"stormcell: no Nimbus answers: {nimbus.address}: ")
