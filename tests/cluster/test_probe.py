"""`check --cluster --probe`: each host tries the jar, before anything is submitted and nothing stays."""

from __future__ import annotations

import json
import os
from pathlib import Path
from subprocess import Popen

import pytest

from storm import PATIENCE, Storm
from submitting import TOPOLOGIES, clear, eventually, topologies, used_slots


@pytest.fixture(scope="module")
def checked(cluster: Storm, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What two checks have said that went on at the same time, each on a slot: of a topology with a module on this
    machine's path that no worker has, and of one for a Python that no host has."""
    clear(cluster)
    eventually(lambda: not used_slots(cluster), "slots that are used")
    folder = tmp_path_factory.mktemp("author")
    (folder / "only_the_author_has_it.py").touch()
    (folder / "config.json").write_text(json.dumps({"envs": {"import": {}, "python": {"python": "python9.9"}}}))
    started = {name: start(cluster, folder, name, topology)
               for name, topology in {"import": "failing.py", "python": "idle.py"}.items()}
    said = {name: process.communicate(timeout=2 * PATIENCE) for name, process in started.items()}
    assert {process.returncode for process in started.values()} == {1}, said
    assert topologies(cluster) == {}, "a probe stays on the cluster"
    return {name: stdout.splitlines() for name, (stdout, _) in said.items()}


def start(cluster: Storm, folder: Path, environment: str, topology: str) -> Popen[str]:
    path = f"{folder}{os.pathsep}{cluster.environment['PYTHONPATH']}"
    return cluster.start("check", TOPOLOGIES / topology, "--config", folder / "config.json", "--cluster", environment,
                         "--probe", variables={"PYTHONPATH": path})


def test_a_module_that_a_host_does_not_have(checked: dict[str, list[str]]) -> None:
    """If it fails, what is missing on one host is found only when it ends workers there."""
    lines = checked["import"]
    assert "ok  broken" in lines  # here it can be imported
    assert any(line.startswith("NO  127.0.0.1: broken: importing 'failing' failed:") for line in lines), lines
    assert "ok  127.0.0.1: idle" in lines


def test_a_host_without_the_python_that_is_asked_for(checked: dict[str, list[str]]) -> None:
    """If it fails, one learns of it from workers that end."""
    lines = checked["python"]
    reason = "no Python 3.10 or newer on this worker: not on PATH: python9.9"
    assert any(line.startswith("NO  127.0.0.1: Python: ") and reason in line for line in lines), lines
