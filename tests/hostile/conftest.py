"""Components that do what no component should, hosted as those of tests/py are. What plays Storm is in
tests/py, and a real Storm in tests/storm."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
for folder in (TESTS / "py", TESTS / "storm"):
    sys.path.append(str(folder))

from starting import PRELUDE, Start, pytest_runtest_makereport
from starting import start as start_once

__all__ = ["PRELUDE", "Start", "pytest_runtest_makereport", "start_once"]


@pytest.fixture
def start(start_once: Start) -> Start:
    """An interpreter that is lost is replaced, as it is by default."""
    return partial(start_once, replaced=True)
