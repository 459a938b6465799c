"""Each way against a parent that is as strict as a worker: Stormcell lives, storm.py as ways.py says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trials import play
from ways import CASES, WAYS, Case

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_case
def test_stormcell(case: Case, tmp_path: Path) -> None:
    outcome = play(case, "ours", tmp_path)
    assert (outcome.verdict, outcome.why) == ("lives", "")
    assert outcome.settled == case.settled
    assert len(outcome.errors) == bool(case.error), outcome.errors
    assert re.search(case.error, "\n".join(outcome.errors))
    assert re.search(case.log, "\n".join(outcome.logs))


@every_case
def test_storm_py(case: Case, tmp_path: Path) -> None:
    outcome = play(case, "stock", tmp_path)
    if case.stock:
        assert outcome.verdict != "lives"
        assert re.search(case.stock, outcome.why), outcome.why
    else:
        assert (outcome.verdict, outcome.why) == ("lives", "")


def test_all_ways_are_here() -> None:
    assert [way.number for way in WAYS] == list(range(1, 34))
    assert sum(len(way.cases) for way in WAYS) == len(CASES), "two cases have one name"
