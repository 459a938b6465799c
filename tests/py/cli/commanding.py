"""What the tests of the command line share: projects, the command as a process, and who is left of it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUILT = Path(os.environ.get("STORMCELL_SHIM") or ROOT / "build" / "release" / "stormcell-shim").parent
COMMAND = [sys.executable, "-m", "stormcell"]

PLUGIN = ["-p", "stormcell.testing.plugin"]
"""For pytest, where Stormcell is not installed: what is installed is found."""

PATIENCE = 120.0
"""What has not happened by then does not, however slow the machine; in seconds."""

COMPONENTS = """
    import os, time
    from stormcell import Bolt, Spout

    class Numbers(Spout):
        outputs = ["number"]
        number = 0
        def next_tuple(self):
            self.number += 1
            self.emit([self.number], tup_id=self.number)

    class Pass(Bolt):
        outputs = ["number"]
        def process(self, tup):
            self.emit(tup.values)

    class Keep(Bolt):
        "Never settles a tuple."
        outputs = ["number"]
        auto_ack = False
        def process(self, tup):
            self.log("kept %d" % tup.values[0])

    class Waits(Bolt):
        "Is done with a tuple when there is a file `go`."
        outputs = ["number"]
        def process(self, tup):
            self.log("waiting")
            while not os.path.exists("go"):
                time.sleep(0.01)

    class Raises(Bolt):
        outputs = ["number"]
        def process(self, tup):
            raise ValueError("number %d is bad" % tup.values[0])

    class Dies(Bolt):
        outputs = ["number"]
        def process(self, tup):
            if tup.values[0] == 2:
                os._exit(7)
    """

TOPOLOGY = """
    from stormcell import Grouping, Topology
    from components import {bolt}, Numbers

    class Flow(Topology):
        numbers = Numbers.spec()
        bolt = {bolt}.spec(inputs=[numbers])
    """


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests/run says, or, where one test is run by itself, the release build."""
    programs = {"STORMCELL_SHIM": BUILT / "stormcell-shim", "STORMCELL_ENGINE": BUILT / "stormcell-engine"}
    paths = {"PYTHONPATH": f"{ROOT / 'pyapi'}{os.pathsep}{BUILT}", **programs}
    for name, path in paths.items():
        if not os.environ.get(name):
            monkeypatch.setenv(name, str(path))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, in which no process is left in the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(make(tmp_path / "tmp")))
    yield tmp_path
    wait_for(lambda: not living(tmp_path), lambda: f"left behind: {living(tmp_path)}")


def make(path: Path) -> Path:
    path.mkdir()
    return path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def flow(folder: Path, bolt: str = "Pass") -> Path:
    """A project with the topology `flow`: numbers, and this bolt behind them."""
    write(folder, "src/components.py", COMPONENTS)
    return write(folder, "topologies/flow.py", TOPOLOGY.format(bolt=bolt))


def stormcell(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command, from start to end, without a terminal."""
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False)


def refused(*arguments: str | Path) -> str:
    """The one line that the command says of what it cannot use."""
    done = stormcell(*arguments)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.rstrip("\n")


def living(folder: Path) -> list[str]:
    """The processes at work within a folder: their numbers and commands."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                if (entry / "cwd").readlink().is_relative_to(folder):
                    found.append(f"{entry.name} {(entry / 'comm').read_text().strip()}")
        except OSError:
            continue  # it has ended
    return found


def wait_for(condition: Callable[[], object], otherwise: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.02)
