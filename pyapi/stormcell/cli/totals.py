"""What is known of a run: what the engine's events have told up to now."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

RATE_SECONDS = 2.0
"""How long a time a rate is measured over."""

REASONS = {
    "tuples": "all the tuples asked for have been emitted",
    "seconds": "the time is up",
    "idle": "there was nothing more to do",
    "interrupted": "interrupted",
    "failed": "it cannot go on",
}


@dataclass
class Component:
    """One component's numbers, as they are in the engine's newest `stats`."""

    kind: str = ""
    tasks: int = 0
    stats: dict[str, Any] = field(default_factory=dict)
    last_error: str = ""
    history: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def tuples(self) -> int:
        """What its rate is of: a spout's tuples emitted, the tuples that a bolt was given."""
        return int(self.stats.get("executed", self.stats.get("emitted", 0)))

    @property
    def rate(self) -> float:
        """Tuples a second, over the last few seconds."""
        if len(self.history) < 2:
            return 0.0
        (then, before), (now, tuples) = self.history[0], self.history[-1]
        return (tuples - before) / (now - then) if now > then else 0.0

    def hear(self, at: float, stats: dict[str, Any]) -> None:
        self.kind = stats["kind"]
        self.stats = stats
        if not self.history or at > self.history[-1][0]:
            self.history.append((at, self.tuples))
        while len(self.history) > 2 and at - self.history[0][0] > RATE_SECONDS:
            self.history.popleft()


class Totals:
    """The components in the topology's order, how long the run has lasted, and how it ended."""

    def __init__(self, name: str, components: Iterable[str]) -> None:
        self.name = name
        self.components = {component: Component() for component in components}
        self.seconds = 0.0
        self.began: float | None = None
        self.ending = False
        self.reason = ""

    def hear(self, event: dict[str, Any]) -> None:
        """Take in what an event says, if it is of a kind that matters here."""
        self.seconds = event["at"]
        kind = event["event"]
        if kind == "tasks":
            self._hear_tasks(event["tasks"])
        elif kind == "running":
            self.began = self.seconds
        elif kind in ("stats", "end"):
            for name, stats in event["components"].items():
                self.components[name].hear(self.seconds, stats)
        elif kind in ("error", "died"):
            died = "died: " if kind == "died" else ""
            what = f"task {event['task']}: {died}{gist(event['text'])}"
            self.components[event["component"]].last_error = what
        if kind == "end":
            self._hear_end(event["reason"])
        elif kind == "note":
            self.ending = True

    def _hear_tasks(self, tasks: dict[str, str]) -> None:
        for name in tasks.values():
            if not name.startswith("__"):
                self.components[name].tasks += 1

    def _hear_end(self, reason: str) -> None:
        """From now on a rate is the average of the whole run."""
        self.reason = reason
        for component in self.components.values():
            if self.began is not None:
                component.history = deque([(self.began, 0), (self.seconds, component.tuples)])

    def sum(self, key: str, kind: str | None = None) -> int:
        return sum(component.stats.get(key, 0) for component in self.components.values()
                   if kind in (None, component.kind))

    @property
    def left(self) -> int:
        """Tuples in flight: a spout's until all that came of it is settled, or else those of bolts."""
        return self.sum("in.flight", "spout") or self.sum("in.flight", "bolt")

    def verdict(self) -> str:
        """How it ended and what went wrong, in one line."""
        wrong = [
            (self.sum("failed", "spout"), "tuple failed", "tuples failed"),
            (self.sum("timed.out"), "of them timed out", "of them timed out"),
            (self.sum("errors"), "error", "errors"),
            (self.sum("restarts"), "restart", "restarts"),
            (self.left, "tuple left in flight", "tuples left in flight"),
        ]
        said = [counted(*each) for each in wrong if each[0]]
        how = REASONS.get(self.reason, self.reason)
        return f"ended after {self.seconds:.1f} s ({how}): {', '.join(said) or 'nothing failed'}"

    def as_json(self, status: int) -> dict[str, Any]:
        """What `--json` writes: the engine's own names, and each component's last error."""
        return {
            "name": self.name,
            "status": status,
            "reason": self.reason,
            "seconds": self.seconds,
            "in.flight": self.left,
            "components": {
                name: {**each.stats, "tasks": each.tasks, "last.error": each.last_error or None}
                for name, each in self.components.items()
            },
        }


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def gist(text: str) -> str:
    """The one line of a report that says what it is about: of a traceback the last."""
    lines = text.strip().splitlines() or ["no reason given"]
    return lines[-1] if any(line.startswith("Traceback ") for line in lines) else lines[0]
