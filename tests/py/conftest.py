"""The fixtures of starting.py for the tests in this folder."""

from __future__ import annotations

from starting import PRELUDE, Start, pytest_runtest_makereport, start

__all__ = ["PRELUDE", "Start", "pytest_runtest_makereport", "start"]
