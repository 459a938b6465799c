"""The few most telling ways in a real worker, all at once: tests/hostile/run has them all.

They need a namespace of their own (python -m stormcell.cluster space) and what tests/hostile/build made in the
folder that HOSTILE_FOLDER names, for the class path in HOSTILE_CLASS_PATH.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from cluster import Cluster
from real import Trial
from trials import Outcome
from ways import CASES

OURS = ["AckTwice", "Prints", "Exits", "Hangs", "Busy", "SpoutExits", "Blocks"]
STOCK = ["Exits"]
Outcomes = dict[tuple[str, str], "Future[Outcome]"]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """What comes of each, as it comes."""
    jobs = [(name, "ours") for name in OURS] + [(name, "stock") for name in STOCK]
    jar = Path(os.environ["HOSTILE_FOLDER"], "topologies.jar")
    home = tmp_path_factory.mktemp("storm")
    with (
        Cluster(home, os.environ["HOSTILE_CLASS_PATH"], jar, len(jobs)) as storm,
        ThreadPoolExecutor(len(jobs)) as pool,
    ):
        yield {job: pool.submit(Trial(storm, CASES[job[0]], job[1]).run) for job in jobs}


@pytest.mark.parametrize("name", OURS)
def test_stormcell_keeps_the_worker(name: str, outcomes: Outcomes) -> None:
    outcome, case = outcomes[name, "ours"].result(), CASES[name]
    assert (outcome.verdict, outcome.why) == ("lives", "")
    assert outcome.settled == case.settled
    assert bool(outcome.errors) == bool(case.error)
    assert re.search(case.error, "\n".join(outcome.errors))


@pytest.mark.parametrize("name", STOCK)
def test_storm_py_ends_the_worker(name: str, outcomes: Outcomes) -> None:
    outcome = outcomes[name, "stock"].result()
    assert outcome.verdict == "dies"
    assert outcome.why.startswith("worker exit "), outcome.why
