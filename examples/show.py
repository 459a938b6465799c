"""Runs an example on a real Storm and shows what its Python bolts count; for examples/run --storm."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "storm"))

from localstorm import PATIENCE, Event, LocalStorm, StormError  # noqa: E402

from stormcell.load import folders, load  # noqa: E402
from stormcell.plan import make_plan  # noqa: E402

RATE_OVER = 2.0  # seconds that a rate is measured over
ROWS = 15
LOGGED_PER_SECOND = 50
SETTINGS = {"topology.acker.executors": 1, "localstorm.log.lines.per.second": 5}
SCREEN = {
    "name": "screen", "kind": "bolt", "java": "TableBolt", "inputs": [{"from": "count", "grouping": "global"}],
}


class Log:
    """What the components say, in a file; never so much that it fills the disk."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8", buffering=1)
        self._second = 0
        self._written = 0

    def write(self, event: Event) -> None:
        second = int(time.monotonic())
        if second != self._second:
            left_out = max(0, self._written - LOGGED_PER_SECOND)
            self._second, self._written = second, 0
            if left_out:
                self._file.write(f"({left_out} messages more were left out)\n")
        self._written += 1
        if self._written <= LOGGED_PER_SECOND:
            self._file.write(self._text(event))

    @staticmethod
    def _text(event: Event) -> str:
        who = f"{event['component']}-{event['task']}"
        before = f"{who}: {event['dropped']} lines left out\n" if event.get("dropped") else ""
        return f"{before}{who} {event.get('level', event['event'])}: {event['text']}\n"


class Counts:
    """What was heard from the topology: each word's newest count, as a Python bolt emitted it."""

    def __init__(self, log: Log) -> None:
        self.newest: dict[str, tuple[int, int]] = {}  # word -> count, task
        self.problem = ""
        self.dead = ""
        self.began = 0.0
        self.latest = 0.0
        self._past: deque[tuple[float, dict[str, int]]] = deque()
        self._log = log

    def hear(self, event: Event) -> None:
        if event["event"] == "table":
            self._count(event["rows"])
        elif event["event"] in ("log", "error", "died"):
            self._log.write(event)
        if event["event"] == "error":
            self.problem = f"{event['component']}: {last_line(event['text'])}"
        elif event["event"] == "died":
            self.dead = event["component"]

    @property
    def total(self) -> int:
        return sum(count for count, _ in self.newest.values())

    @property
    def seconds(self) -> float:
        """How long counts have been coming."""
        return self.latest - self.began

    @property
    def rate(self) -> float:
        return sum(map(self.rate_of, self.newest))

    def rate_of(self, word: str) -> float:
        """Words a second, over the last few seconds."""
        then, counts = self._past[0]
        counted = self.newest[word][0] - counts.get(word, 0)
        return counted / (self.latest - then) if self.latest > then else 0.0

    def _count(self, rows: list[Any]) -> None:
        self.latest = time.monotonic()
        self.began = self.began or self.latest
        for word, count, task in rows:
            self.newest[word] = count, task
        self._past.append((self.latest, {word: count for word, (count, _) in self.newest.items()}))
        while self.latest - self._past[0][0] > RATE_OVER:
            self._past.popleft()


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def table(counts: Counts) -> list[str]:
    """The most frequent words, by name so that none jumps about, and the sum of all."""
    words = most_frequent(counts)
    wide = max([8, *map(len, words)])
    lines = [f"{'word':<{wide}} {'count':>12} {'task':>5} {'rate/s':>10}"]
    for word in words:
        count, task = counts.newest[word]
        lines.append(f"{word:<{wide}} {count:>12,} {task:>5} {counts.rate_of(word):>10,.0f}")
    if len(words) < len(counts.newest):
        lines.append(f"and {len(counts.newest) - len(words):,} more words")
    return [*lines, f"{'total':<{wide}} {counts.total:>12,} {'':>5} {counts.rate:>10,.0f}"]


def most_frequent(counts: Counts) -> list[str]:
    return sorted(sorted(counts.newest, key=lambda word: -counts.newest[word][0])[:ROWS])


class Screen:
    """A terminal: the table is drawn again in its place."""

    period = 0.25

    def __init__(self) -> None:
        self._drawn = 0

    def say(self, text: str) -> None:
        self._draw([text])

    def show(self, counts: Counts, title: str) -> None:
        lines = [f"{title}, up {counts.seconds:.0f} s; Ctrl-C ends it", "", *table(counts)]
        self._draw(lines + (["", f"last error of {counts.problem}"] if counts.problem else []))

    def leave(self) -> None:
        self._draw([])

    def _draw(self, lines: list[str]) -> None:
        size = shutil.get_terminal_size()
        lines = [line[: size.columns - 1] for line in lines][: size.lines - 1]
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        sys.stdout.write(f"{up}\r\x1b[J" + "".join(line + "\n" for line in lines))
        sys.stdout.flush()
        self._drawn = len(lines)


class Lines:
    """A file or a pipe: a line a second."""

    period = 1.0

    def say(self, text: str) -> None:
        print(text, flush=True)

    def show(self, counts: Counts, title: str) -> None:
        parts = [f"{counts.seconds:.0f} s", f"total {counts.total:,}", f"{counts.rate:,.0f}/s"]
        parts += [f"{word} {counts.newest[word][0]:,}" for word in most_frequent(counts)]
        self.say("  ".join(parts + ([f"last error of {counts.problem}"] if counts.problem else [])))

    def leave(self) -> None:
        pass


def described(folder: Path) -> dict[str, Any]:
    """An example's topology as LocalStorm takes it, with a bolt in Java that tells what `count` emits."""
    file = folder / "topologies" / f"{folder.name}.py"
    topology = load(file)
    directory = str(folders(file)[0])
    plan = make_plan(topology, name=folder.name, environment=None, options={**SETTINGS, **topology.config},
                     directory=directory, run={})
    components = [component(name, planned) for name, planned in plan["components"].items()]
    return {"name": plan["name"], "resources": directory, "config": plan["conf"],
            "components": [*components, SCREEN]}


def component(name: str, planned: dict[str, Any]) -> dict[str, Any]:
    """The engine's description of a component as LocalStorm's."""
    inputs = [
        {
            "from": taken["component"],
            "stream": taken["stream"],
            "grouping": taken["grouping"]["type"].replace("-", "_"),
            "fields": taken["grouping"].get("fields", []),
        }
        for taken in planned.get("inputs", [])
    ]
    keys = ("kind", "command", "parallelism", "outputs")
    return {"name": name, "config": planned["conf"], "inputs": inputs, **{key: planned[key] for key in keys}}


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C, SIGTERM or a closed terminal end the block, and disturb nothing after it."""

    def all_signals(handler: Any) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, handler)

    def end(*_: Any) -> None:
        all_signals(signal.SIG_IGN)
        raise KeyboardInterrupt

    all_signals(end)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        all_signals(signal.SIG_IGN)


def watch(
    storm: LocalStorm, counts: Counts, view: Screen | Lines, title: str, seconds: int
) -> None:
    """Shows the counts until the time is up (never, if it is 0). Raises StormError if they end."""
    storm.wait(
        lambda: bool(counts.began or counts.dead), PATIENCE, lambda: "nothing has been counted"
    )
    end = counts.began + seconds if seconds else float("inf")
    while not counts.dead and time.monotonic() < end:
        with storm.news:
            view.show(counts, title)
        storm.rest(min(view.period, max(0.0, end - time.monotonic())))
    if counts.dead:
        with contextlib.suppress(StormError):  # some die without a word
            storm.wait(lambda: bool(counts.problem), 2.0, lambda: "")
        raise StormError(f"{counts.dead} ended by itself; {counts.problem or 'see the logs'}")


def summary(counts: Counts) -> list[str]:
    if not counts.newest:
        return ["nothing was counted"]
    tasks = len({task for _, task in counts.newest.values()})
    pace = counts.total / max(counts.seconds, 1.0)
    time_taken = f"in {counts.seconds:.0f} s, {pace:,.0f} a second"
    return [*table(counts), f"{counts.total:,} words counted by {tasks} Python tasks {time_taken}"]


def run(folder: Path, seconds: int) -> int:
    topology = described(folder)
    place = ROOT / "build" / "examples" / folder.name
    storm = LocalStorm(place)
    counts = Counts(Log(place / "components.log"))
    view = Screen() if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb" else Lines()
    failure = ""
    with interruptible():
        try:
            view.say("starting Apache Storm")
            storm.start()
            storm.submit(topology, listener=counts.hear)
            view.say(f"starting {folder.name}")
            watch(storm, counts, view, f"{folder.name} on Apache Storm {storm.version}", seconds)
        except StormError as error:
            failure = str(error)
    with storm.news:
        lines = summary(counts)
    view.say("stopping")
    left = storm.stop()
    view.leave()
    print(*lines, f"logs: {place}", sep="\n")
    if left:
        failure = failure or f"processes {left} did not end and were killed"
    if failure:
        print(f"examples/run: {failure}", file=sys.stderr)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), int(sys.argv[2])))
