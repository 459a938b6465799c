"""One JVM for all tests here. It takes seconds to start; a topology in it takes one or two."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest

from localstorm import Event, LocalStorm, Topology

Run = Callable[..., Topology]
RESOURCES = Path(__file__).resolve().parent / 'resources'
SHIM = os.environ.get('STORMCELL_SHIM', 'stormcell-shim')

# JSON's nested values reach Storm as classes of its own shaded parser (2.6 and later, then up to 2.5), and long floats as
# BigDecimal: between workers these need to be registered, and `always.try.serialize` makes one worker as strict as two.
SHADED = 'org.apache.storm.shade.'
CONFIG: Dict[str, Any] = {
    'topology.acker.executors': 1,
    'topology.max.spout.pending': 100,
    'topology.testing.always.try.serialize': True,
    'topology.skip.missing.kryo.registrations': True,
    'topology.kryo.register': [
        'java.math.BigDecimal',
        *(SHADED + library + kind for library in ('net.minidev.json.', 'org.json.simple.') for kind in ('JSONArray', 'JSONObject')),
    ],
}


@pytest.fixture(scope='session')
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStorm]:
    assert shutil.which(SHIM), f'{SHIM} is not there: build it, or set STORMCELL_SHIM to its path'
    storm = LocalStorm(tmp_path_factory.mktemp('storm'), os.environ.get('STORM_VERSION'))
    storm.start()
    yield storm
    left = storm.stop()
    assert left == [], f'processes {left} outlived Storm'


@pytest.fixture
def run(storm: LocalStorm, request: pytest.FixtureRequest) -> Iterator[Run]:
    """Starts a topology of these components, named after the test; kills it after the test."""
    started: List[Topology] = []

    def run(*components: Event, **more: Any) -> Topology:
        config = {**CONFIG, **more.pop('config', {})}
        name = re.sub(r'\W', '_', request.node.name)  # Storm makes file names of it
        topology = {'name': name, 'resources': str(RESOURCES), 'config': config, 'components': components, **more}
        started.append(storm.submit(topology))
        return started[-1]

    yield run
    for topology in started:
        if topology.alive:
            topology.kill()
