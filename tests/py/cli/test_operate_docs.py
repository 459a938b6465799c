"""docs/operating.md: its commands run, against the stand-in for Nimbus, and say what it shows."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path

import pytest

from commanding import ROOT, stormcell, write
from nimbus_standin import Standin
from stormcell.nimbus import structures as storm
from operated import COUNTS, REPORT

PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")

EXAMPLES = re.findall(r"```sh\n(.*?)```\n(?:```text\n(.*?)```)?", PAGE, re.DOTALL)

LOG = """\
2026-11-26 13:48:19.000 o.a.s.d.Worker main [INFO] something of Storm's
2026-11-26 13:48:20.001 o.a.s.t.ShellBolt Thread-23 [INFO] ShellLog pid:9, name:counts counted 5000
"""


def shown(text: str) -> list[str]:
    """Lines, without how columns are set, and without what is of the hour."""
    lines = [" ".join(re.sub(r"  ?\d\d:\d\d:\d\d.*", "", line).split()) for line in text.splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("commands, says", EXAMPLES, ids=[commands.split("\n")[0] for commands, _ in EXAMPLES])
def test_what_it_shows(nimbus: Standin, folder: Path, commands: str, says: str) -> None:
    write(folder, "logs/workers-artifacts/words-1-1795700000/6700/worker.log", LOG)
    nimbus.run("words", stats=COUNTS).errors["counts"] = [
        storm.ErrorInfo(error=REPORT, error_time_secs=int(time.time()), host="127.0.0.1", port=6700)]
    said = "".join(run(command) for command in commands.splitlines())
    missing = [line for line in shown(says) if line not in shown(said)]
    assert not missing, said


def run(command: str) -> str:
    program, *arguments = shlex.split(command)
    assert program == "stormcell"
    done = stormcell(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_all_commands_are_on_it() -> None:
    for name in ("list", "kill", "activate", "deactivate", "rebalance", "stats", "slot_usage", "worker_uptime",
                 "tail", "set_log_level", "errors", "top"):
        assert any(f"stormcell {name}" in commands for commands, _ in EXAMPLES), name
