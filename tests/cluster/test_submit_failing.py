"""Topologies that run, and whose components do not: --wait says why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from storm import PATIENCE, Storm
from submitting import TOPOLOGIES, clear

Said = tuple[int | None, str, str]


@pytest.fixture(scope="module")
def said(cluster: Storm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Said]]:
    """What `submit --wait` of two topologies said, and its statuses."""
    clear(cluster)
    folder = tmp_path_factory.mktemp("author")
    (folder / "only_the_author_has_it.py").touch()
    path = f"{folder}{os.pathsep}{cluster.environment['PYTHONPATH']}"
    started = {
        "import": cluster.start("submit", str(TOPOLOGIES / "failing.py"), "--wait",
                                variables={"PYTHONPATH": path}),
        "python": cluster.start("submit", str(TOPOLOGIES / "idle.py"), "--wait", "--python", "python9.9"),
    }
    yield {name: outcome(process) for name, process in started.items()}
    clear(cluster)


def outcome(process: Popen[str]) -> Said:
    stdout, stderr = process.communicate(timeout=2 * PATIENCE)
    return process.returncode, stdout, stderr


def test_a_module_that_workers_do_not_have(said: dict[str, Said]) -> None:
    """If it fails, `submit --wait` says that all is well, or not what is missing where."""
    status, stdout, stderr = said["import"]
    assert status == 1 and stdout.endswith("it runs, but not all of it well\n"), said
    lines = stderr.splitlines()
    assert lines[0].startswith("broken reports: ") and "component 'broken'" in lines[0]
    assert "resources/failing.py" in stderr
    assert "ModuleNotFoundError: No module named 'only_the_author_has_it'" in lines
    assert "idle reports" not in stderr


def test_a_python_that_workers_do_not_have(said: dict[str, Said]) -> None:
    """If it fails, a worker without the Python that was asked for does not say so."""
    status, _, stderr = said["python"]
    assert status == 1, said
    [line] = stderr.splitlines()
    assert line.startswith("idle reports: ") and "not on PATH: python9.9" in line
