"""Waiting for a topology that has been submitted, and what is heard of its components meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import projects  # noqa: F401 - makes the package importable
from stormcell.submission import waiting
from stormcell.submission.steps import SubmitError
from stormcell.submission.waiting import wait_until_running


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: None)


class Starting:
    """A Nimbus of which a topology's executors are heard one look after the other."""

    def __init__(self, *ups: int, errors: dict[str, list[Any]] | None = None) -> None:
        self.ups, self.errors, self.looks = ups, errors or {}, 0
        self.patience: set[float | None] = set()
        self.supervisors = [SimpleNamespace(num_workers=2, num_used_workers=1)]

    def call(self, method: str, *arguments: str, timeout: float | None = None) -> Any:
        if method == "getClusterInfo":
            return SimpleNamespace(supervisors=self.supervisors)
        assert (method, *arguments) == ("getTopologyInfo", "words-1")
        self.looks += 1
        self.patience.add(timeout)
        executors = [SimpleNamespace(component_id=f"c{n}", uptime_secs=1 if self.looks > up else 0)
                     for n, up in enumerate(self.ups)]
        return SimpleNamespace(name="words", executors=executors, errors=self.errors)


def test_it_waits_for_the_last_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SETTLED_SECONDS", 0.0)
    starting = Starting(0, 3, 1)
    assert wait_until_running(starting, "words-1", 60) == {}  # type: ignore[arg-type]
    assert starting.looks == 4
    assert starting.patience == {60}, "an answer may take as long as one is ready to wait"


def test_what_went_wrong_meanwhile() -> None:
    errors = [SimpleNamespace(error="first", error_time_secs=1), SimpleNamespace(error="second", error_time_secs=2)]
    starting = Starting(0, errors={"c0": errors, "c1": []})
    assert wait_until_running(starting, "words-1", 60) == {"c0": "second"}  # type: ignore[arg-type]


def test_it_waits_for_what_a_component_says_of_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    starting, now = Starting(0), iter(range(100))
    late = [SimpleNamespace(error="import failed", error_time_secs=1)]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: float(next(now)))
    monkeypatch.setattr(waiting.time, "sleep", lambda _: starting.errors.update(c0=late) if starting.looks == 3 else None)
    assert wait_until_running(starting, "words-1", 60) == {"c0": "import failed"}  # type: ignore[arg-type]
    assert starting.looks == 4


def test_what_a_component_says_tells_more_than_what_its_worker_does() -> None:
    own = "java.lang.Exception: Shell Process Exception:no Python"
    errors = [SimpleNamespace(error="NoOutputException: Pipe to subprocess seems to be broken!", error_time_secs=2),
              SimpleNamespace(error=own, error_time_secs=1)]
    assert wait_until_running(Starting(0, errors={"c0": errors}), "words-1", 60) == {"c0": own}  # type: ignore[arg-type]


@pytest.mark.parametrize("ups, said", [((0, 10**9), "nothing is heard of c1"), ((), "it has been given no workers")])
def test_what_does_not_come_up(ups: tuple[int, ...], said: str) -> None:
    with pytest.raises(SubmitError, match=f"after -1 s not all of words runs: {said}"):
        wait_until_running(Starting(*ups), "words-1", -1)  # type: ignore[arg-type]


@pytest.mark.parametrize("slots, said", [
    ([(2, 2), (1, 1)], "the cluster's slots, 3 in all, are taken"), ([], "the cluster has no supervisor that is alive")])
def test_no_slot_is_left(slots: list[tuple[int, int]], said: str,
                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SLOT_SECONDS", -1.0)
    starting = Starting()
    starting.supervisors = [SimpleNamespace(num_workers=all_, num_used_workers=used) for all_, used in slots]
    with pytest.raises(SubmitError, match=f"words waits for a worker: {said}; it stays submitted"):
        wait_until_running(starting, "words-1", 60)  # type: ignore[arg-type]
