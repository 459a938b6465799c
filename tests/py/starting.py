"""The fixture `start`: a test writes the module of the component it needs, and has it hosted as Storm
would. For the conftest.py of each folder of tests that hosts components."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from jvm import Topology
from parent import ROOT, RUNNER, RUNTIME, SHIM, Parent

# Tests of what needs no process import the package themselves.
for folder in (ROOT / "pyapi", Path(SHIM).parent):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
if RUNTIME:
    sys.path.insert(0, str(RUNNER))

PRELUDE = """\
import os
from stormcell import (BatchingBolt, Bolt, Component, ReliableSpout, Spout, StormWentAwayError,
                       TicklessBatchingBolt, Tuple)
def gate():
    "Wait until the test opens the gate."
    os.read(int(os.environ["GATE"]), 1)
"""

Start = Callable[..., Parent]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


PASSED = pytest.StashKey[bool]()


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start the class `Subject` of a module with this source, in a folder of its own.

    The source finds the package's names imported, and gate() (see Parent.open_gate). By default the
    handshake is done, and an interpreter that is lost is not replaced (`replaced=True`: it is). What
    still runs when the test has passed must end in order when stdin does.
    """
    started: list[Parent] = []

    def start(
        source: str,
        *arguments: str,
        prelude: str = PRELUDE,
        handshake: bool = True,
        replaced: bool = False,
        topology: Topology | None = None,
        **more: Any,
    ) -> Parent:
        topology = topology or Topology()
        if not replaced:
            topology.conf.setdefault("stormcell.restart", {"max": 0})
        (tmp_path / "subject.py").write_text(prelude + textwrap.dedent(source), encoding="utf-8")
        parent = Parent(*(arguments or ["subject.Subject"]), folder=tmp_path, topology=topology, **more)
        started.append(parent)
        if handshake:
            parent.shake_hands()
        return parent

    yield start
    try:
        if request.node.stash.get(PASSED, False):
            for parent in started:
                end_in_order(parent)
    finally:
        for parent in started:
            parent.kill()


def end_in_order(parent: Parent) -> None:
    if parent.process.poll() is None and parent.jvm.pid is not None:
        assert parent.finish() == 0
