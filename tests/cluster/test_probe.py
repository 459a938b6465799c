"""`check --cluster --probe`: each host tries the jar, before anything is submitted and nothing stays."""

from __future__ import annotations

import json
import os
from pathlib import Path
from subprocess import CompletedProcess

from storm import Storm
from submitting import TOPOLOGIES, clear, eventually, topologies, used_slots


def check(cluster: Storm, folder: Path, topology: str, settings: dict[str, str]) -> CompletedProcess[str]:
    """Check with a module on this machine's path that no worker has."""
    clear(cluster)
    eventually(lambda: not used_slots(cluster), "slots that are used")
    (folder / "only_the_author_has_it.py").touch()
    (folder / "config.json").write_text(json.dumps({"envs": {"here": settings}}))
    path = f"{folder}{os.pathsep}{cluster.environment['PYTHONPATH']}"
    done = cluster.stormcell("check", TOPOLOGIES / topology, "--config", folder / "config.json", "--cluster", "here",
                             "--probe", PYTHONPATH=path)
    assert topologies(cluster) == {}, "the probe stays on the cluster"
    return done


def test_a_module_that_a_host_does_not_have(cluster: Storm, tmp_path: Path) -> None:
    """If it fails, what is missing on one host is found only when it ends workers there."""
    done = check(cluster, tmp_path, "failing.py", {})
    assert done.returncode == 1, done
    lines = done.stdout.splitlines()
    assert "ok  broken" in lines  # here it can be imported
    assert any(line.startswith("NO  127.0.0.1: broken: importing 'failing' failed:") for line in lines), done.stdout
    assert "ok  127.0.0.1: idle" in lines


def test_a_host_without_the_python_that_is_asked_for(cluster: Storm, tmp_path: Path) -> None:
    """If it fails, one learns of it from workers that end."""
    done = check(cluster, tmp_path, "idle.py", {"python": "python9.9"})
    assert done.returncode == 1, done
    assert any(line.startswith("NO  127.0.0.1: Python: ") and "no Python 3.10 or newer on this worker: not on PATH: python9.9" in line
               for line in done.stdout.splitlines()), done.stdout
