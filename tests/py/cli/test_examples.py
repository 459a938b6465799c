"""The examples run on the local engine, as examples/run has it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from commanding import PATIENCE, ROOT, stormcell

EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/topologies"))


def test_there_are_examples() -> None:
    assert "wordcount" in EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_runs(folder: Path, name: str) -> None:
    file = ROOT / "examples" / name / "topologies" / f"{name}.py"
    done = stormcell("run", file, "--tuples", "1000")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("nothing failed\n")


@pytest.mark.slow
def test_from_the_checkout_it_is_one_command() -> None:
    """Which builds what is missing."""
    done = subprocess.run([str(ROOT / "examples" / "run"), "wordcount", "--seconds", "1"],
                          capture_output=True, text=True, timeout=10 * PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.endswith("(the time is up): nothing failed\n")
