"""The pytest plugin: a fixture that runs topologies, and what components reported in tests that fail.

Installed with the package. Nothing is imported by it before a test needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stormcell.testing.topologies import TopologyRun

HARNESS = "stormcell.testing.harness"


@pytest.fixture
def topology_runner() -> Callable[..., TopologyRun]:
    """stormcell.testing.topologies.run_topology: runs a topology on the local engine."""
    from stormcell.testing.topologies import run_topology

    return run_topology


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Where a test fails, show the errors that its components reported: they may be the reason."""
    _errors()
    yield
    errors = _errors()
    if errors:
        item.add_report_section("call", "errors that components reported", "\n\n".join(errors))


def _errors() -> list[str]:
    """What has been reported to harnesses since the last call."""
    harness = sys.modules.get(HARNESS)
    return harness.take_reported() if harness is not None else []
