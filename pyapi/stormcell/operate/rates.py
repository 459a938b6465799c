"""How fast a topology runs, out of what its executors report, which they do about once a minute.

A report holds all that an executor has counted since its start, and its age then. So a rate is what two
reports of the same executor differ by, over the difference of their ages: it does not matter when Nimbus is
asked, and an executor that starts anew begins anew, without what it had counted before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from stormcell.operate.state import Thread

SPAN_S = 10
"""Over so many seconds a rate is taken at least, where reports come more often: ages are whole seconds."""

RECENT_S = 600
"""The window of a report's `recent`, in seconds."""

Key = tuple[str, int, int, str]


@dataclass
class Rate:
    """Tuples a second. rough: some of it is an average of the last ten minutes, or of less since the start,
    since there has been only one report."""

    emitted: float = 0.0
    acked: float = 0.0
    failed: float = 0.0
    executed: float = 0.0
    rough: bool = False

    def add(self, other: Rate) -> None:
        self.emitted += other.emitted
        self.acked += other.acked
        self.failed += other.failed
        self.executed += other.executed
        self.rough |= other.rough


@dataclass
class Speed:
    """A component as it runs now. latency_ms: of a spout from emit to ack, of a bolt until its ack, over ten
    minutes, or None: nothing has been settled; capacity: as in Counts, the highest of its executors."""

    component: str
    kind: str
    threads: int
    rate: Rate
    latency_ms: float | None
    capacity: float | None


class Rates:
    """Hears the reports of the executors of one topology."""

    def __init__(self) -> None:
        self._heard: dict[Key, deque[Thread]] = {}

    def hear(self, threads: Iterable[Thread]) -> None:
        """Take in what is known of all executors now; of those that are missing nothing is kept."""
        there = {_key(each): each for each in threads}
        self._heard = {key: self._heard.get(key, deque()) for key in there}
        for key, thread in there.items():
            _append(self._heard[key], thread)

    def speeds(self) -> list[Speed]:
        """The components: spouts, then bolts, by name."""
        found: dict[str, list[deque[Thread]]] = {}
        for key, heard in self._heard.items():
            found.setdefault(key[0], []).append(heard)
        speeds = [_speed(name, heard) for name, heard in found.items()]
        return sorted(speeds, key=lambda each: (each.kind == "bolt", each.component))


def rate(heard: deque[Thread]) -> Rate:
    """An executor's rate, out of its reports, the oldest first."""
    last = heard[-1]
    base = next((each for each in reversed(heard) if last.uptime_s - each.uptime_s >= SPAN_S), heard[0])
    seconds = last.uptime_s - base.uptime_s
    if seconds > 0:
        now, then = last.total, base.total
        return Rate((now.emitted - then.emitted) / seconds, (now.acked - then.acked) / seconds,
                    (now.failed - then.failed) / seconds,
                    ((now.executed or 0) - (then.executed or 0)) / seconds)
    seconds = min(RECENT_S, last.uptime_s)
    if not seconds:
        return Rate()
    recent = last.recent
    return Rate(recent.emitted / seconds, recent.acked / seconds, recent.failed / seconds,
                (recent.executed or 0) / seconds, rough=True)


def _append(heard: deque[Thread], thread: Thread) -> None:
    if heard and thread.uptime_s == heard[-1].uptime_s:
        return
    if heard and _began_anew(heard[-1], thread):
        heard.clear()
    heard.append(thread)
    while len(heard) > 2 and thread.uptime_s - heard[1].uptime_s >= SPAN_S:
        heard.popleft()


def _began_anew(before: Thread, now: Thread) -> bool:
    return now.uptime_s < before.uptime_s or any(
        (getattr(now.total, key) or 0) < (getattr(before.total, key) or 0)
        for key in ("emitted", "acked", "failed", "executed"))


def _speed(name: str, heard: list[deque[Thread]]) -> Speed:
    total, last = Rate(), [each[-1] for each in heard]
    for each in heard:
        total.add(rate(each))
    kind = next((each.kind for each in last if each.kind), "")
    capacities = [each for each in map(_capacity, last) if each is not None]
    return Speed(name, kind, len(heard), total, _latency(last), max(capacities, default=None))


def _latency(last: list[Thread]) -> float | None:
    settled, spent = 0, 0.0
    for each in last:
        mean = each.recent.process_ms if each.kind == "bolt" else each.recent.complete_ms
        settled += each.recent.acked
        spent += each.recent.acked * (mean or 0.0)
    return spent / settled if settled else None


def _capacity(thread: Thread) -> float | None:
    counts = thread.recent
    if counts.executed is None or counts.execute_ms is None or not thread.uptime_s:
        return None
    return counts.executed * counts.execute_ms / 1000 / min(RECENT_S, thread.uptime_s)


def _key(thread: Thread) -> Key:
    return thread.component, thread.first_task, thread.last_task, thread.place
