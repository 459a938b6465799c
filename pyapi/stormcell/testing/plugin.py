"""The pytest plugin: a fixture that runs topologies, and what components reported in tests that fail.

Installed with the package. Nothing is imported by it before a test needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stormcell.testing.topologies import TopologyRun
    from stormcell.topology import Topology

HARNESS = "stormcell.testing.harness"


@pytest.fixture
def topology_runner(pytestconfig: pytest.Config) -> Callable[..., TopologyRun]:
    """stormcell.testing.run_topology: runs a topology on the local engine. A file that is not in the
    working directory is looked for in pytest's rootdir."""
    from stormcell.testing.topologies import run_topology

    def run(topology: type[Topology] | str | Path, **arguments: Any) -> TopologyRun:
        if isinstance(topology, (str, Path)) and not Path(topology).exists():
            topology = pytestconfig.rootpath / topology
        return run_topology(topology, **arguments)

    return run


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
