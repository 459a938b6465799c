"""Which hosts of a cluster a probe waits for. tests/cluster has real ones."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

import projects  # noqa: F401 - makes the package importable
from stormcell.submission import probe


class Nimbus:
    """Has supervisors, of which each is a host, a number of slots, and how many are used; each of these hosts has
    answered."""

    def __init__(self, *supervisors: tuple[str, int, int]) -> None:
        self.supervisors = [SimpleNamespace(host=host, num_workers=slots, num_used_workers=used)
                            for host, slots, used in supervisors]
        self.workers: list[int] = []

    def call(self, method: str, *_: Any) -> Any:
        if method == "getClusterInfo":
            return SimpleNamespace(supervisors=self.supervisors)
        text = "stormcell check: " + json.dumps({"python": "3.11", "at": "/python3", "wrong": {}})
        answers = [SimpleNamespace(host=one.host, error=text, error_time_secs=1) for one in self.supervisors]
        return SimpleNamespace(errors={"probe": answers})


def hosts(nimbus: Nimbus, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that are told of, where there is no time to wait for one more."""
    def order(*given: Any) -> None:
        nimbus.workers.append(given[4])

    monkeypatch.setattr(probe, "_order", order)
    monkeypatch.setattr(probe, "_kill", lambda *_: None)
    monkeypatch.setattr(probe, "Steps", lambda *_: SimpleNamespace(run=lambda: "id"))
    monkeypatch.setattr(probe, "LOOK_SECONDS", 0.0)
    anything = cast(Any, None)
    return [told.host for told in probe.probe(cast(Any, nimbus), anything, {}, {}, anything, 60.0)]


@pytest.mark.timeout(30)
def test_a_host_with_two_supervisors_answers_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it fails, the check waits to its end for an answer that has been given."""
    nimbus = Nimbus(("one", 2, 0), ("one", 2, 1), ("other", 1, 0))
    assert hosts(nimbus, monkeypatch) == ["one", "other"]
    assert nimbus.workers == [3]  # Storm gives each supervisor one before any gets another


def test_without_a_slot_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    nimbus = Nimbus(("one", 2, 2))
    assert hosts(nimbus, monkeypatch) == [] and nimbus.workers == []
