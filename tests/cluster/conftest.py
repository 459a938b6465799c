"""One Storm for all tests here, and what they share with those of the command line."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for folder in (TESTS / "py", TESTS / "py" / "cli", TESTS.parent / "pyapi"):
    sys.path.append(str(folder))

from storm import cluster, own
from submitting import project, pytest_runtest_makereport, words

__all__ = ["cluster", "own", "project", "pytest_runtest_makereport", "words"]
