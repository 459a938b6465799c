"""One JVM for all tests here, and all their topologies started at once.

Storm takes seconds over a topology, which it spends waiting.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localstorm import SHIM, LocalStorm, Topology

RESOURCES = Path(__file__).resolve().parent / "resources"

# JSON's nested values reach Storm as classes of its own shaded parser (one from 2.6 on, another
# before that), and long floats as BigDecimal. Between workers these need to be registered, and
# `always.try.serialize` makes one worker as strict as two.
SHADED = "org.apache.storm.shade."
CONFIG: dict[str, Any] = {
    "topology.acker.executors": 1,
    "topology.max.spout.pending": 100,
    "topology.testing.always.try.serialize": True,
    "topology.skip.missing.kryo.registrations": True,
    "topology.kryo.register": [
        "java.math.BigDecimal",
        *(
            SHADED + library + kind
            for library in ("net.minidev.json.", "org.json.simple.")
            for kind in ("JSONArray", "JSONObject")
        ),
    ],
}


# The local engine does as Storm has done since 2.6, when its JSON parser became another one.
storm_version = os.environ.get("STORM_VERSION", "2.8").split(".")
as_the_engine_does = pytest.mark.skipif(
    (int(storm_version[0]), int(storm_version[1])) < (2, 6), reason="the engine does as Storm >= 2.6"
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "topology(*components, **more): what runs in Storm for this test"
    )


@pytest.fixture(scope="session")
def storm(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStorm]:
    """Storm, with the topologies of all chosen tests in it."""
    assert shutil.which(SHIM), f"{SHIM} is not there: build it, or set STORMCELL_SHIM to its path"
    storm = LocalStorm(tmp_path_factory.mktemp("storm"), os.environ.get("STORM_VERSION"))
    with storm:
        for test in request.session.items:
            for mark in test.iter_markers("topology"):
                storm.submit(described(test, mark))
        yield storm
        left = storm.stop()
    assert left == [], f"processes {left} outlived Storm"


@pytest.fixture
def running(storm: LocalStorm, request: pytest.FixtureRequest) -> Iterator[Topology]:
    """The topology of the test's mark."""
    topology = storm.topologies[name_of(request.node)]
    yield topology
    if topology.alive:
        topology.kill()


def described(test: pytest.Item, mark: pytest.Mark) -> dict[str, Any]:
    return {
        "name": name_of(test),
        "resources": str(RESOURCES),
        "config": CONFIG,
        "components": mark.args,
        **mark.kwargs,
    }


def name_of(test: pytest.Item) -> str:
    return re.sub(r"\W", "_", test.name)  # Storm makes file names of it
