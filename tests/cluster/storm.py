"""A Storm of the tests' own: the fixture `cluster`, up from the first test that uses it to the last."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import stormcell.cluster
from commanding import BUILT, ROOT
from stormcell.cli.cluster import report
from stormcell.cluster.control import examine
from stormcell.cluster.processes import Process, marked

PATIENCE = 180.0
"""What has not happened by then does not, however busy the machine; in seconds."""

COMMAND = [sys.executable, "-m", "stormcell"]


@dataclass(frozen=True)
class Storm:
    """A home for a cluster, and the command `stormcell` with it.

    Attributes:
        home: the cluster's.
    """

    home: Path

    @property
    def here(self) -> stormcell.cluster.Cluster:
        """The cluster that is up in the home."""
        found = stormcell.cluster.running(self.home)
        assert found is not None, f"nothing is up in {self.home}"
        return found

    @property
    def nimbus(self) -> tuple[str, int]:
        return self.here.nimbus

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def connect(self, host: str, port: int, timeout_s: float | None = 20.0) -> socket.socket:
        """As `Cluster.connect`: for Nimbus.connect's open_socket."""
        return self.here.connect(host, port, timeout_s)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find Stormcell as it is built here, and this cluster."""
        built = {"STORMCELL_SHIM": str(BUILT / "stormcell-shim"), "STORMCELL_ENGINE": str(BUILT / "stormcell-engine"),
                 "PYTHONPATH": f"{ROOT / 'pyapi'}{os.pathsep}{BUILT}"}
        return {**built, **os.environ, "STORMCELL_CLUSTER": str(self.home)}

    def stormcell(self, *arguments: str | Path, cwd: Path | None = None,
                  **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, without a terminal.

        more: further variables of its environment.
        """
        return subprocess.run([*COMMAND, *map(str, arguments)], env={**self.environment, **more}, cwd=cwd,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False)

    def start(self, *arguments: str | Path, variables: Mapping[str, str] | None = None,
              **more: Any) -> subprocess.Popen[str]:
        """Start the command, its output in pipes.

        variables: further ones of its environment.
        """
        return subprocess.Popen([*COMMAND, *map(str, arguments)], env={**self.environment, **(variables or {})},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
                                **more)

    def told(self) -> dict[str, Any]:
        """What `stormcell cluster status --json` tells."""
        return report(examine(self.home))

    def process(self, name: str) -> dict[str, Any]:
        """What is told of the process that goes by this name: "nimbus", "worker 6700"."""
        found = [row for row in self.told()["processes"] if row["name"] == name]
        return found[0] if found else {"name": name, "pid": None}

    def pid(self, name: str) -> int | None:
        """Its number; None: it does not run."""
        found: int | None = self.process(name)["pid"]
        return found

    def processes(self) -> list[Process]:
        """All that runs of it."""
        return marked(self.home)

    def log(self, topology: str, file: str = "worker.log") -> str:
        """What the workers of all topologies of this name have logged, and what their children had logged."""
        folder = self.logs / "workers-artifacts"
        return "".join(path.read_text(errors="replace") for path in sorted(folder.glob(f"{topology}-[0-9]*/*/{file}")))


def place() -> Path:
    """A new folder with a short path, on a disk."""
    return Path(tempfile.mkdtemp(prefix="storm-", dir="/tmp"))


@contextlib.contextmanager
def up(*options: str) -> Iterator[Storm]:
    """A Storm that `cluster up` starts with these options, and of which nothing is left in the end."""
    storm = Storm(place() / "storm")
    try:
        done = storm.stormcell("cluster", "up", *options)
        assert done.returncode == 0, done.stderr
        yield storm
    finally:
        done = storm.stormcell("cluster", "down", "--purge")
        left = storm.processes()
        shutil.rmtree(storm.home.parent)
    assert done.returncode == 0 and left == [], (done, left)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Storm]:
    """A Storm with two slots and Storm's own intervals."""
    with up() as storm:
        yield storm


@pytest.fixture
def own() -> Iterator[Storm]:
    """A home of the test's own, in which nothing is up yet."""
    storm = Storm(place() / "storm")
    yield storm
    storm.stormcell("cluster", "down")
    left = storm.processes()
    shutil.rmtree(storm.home.parent)
    assert left == []
