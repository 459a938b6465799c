"""Python under a real Storm, through the shim. Each test looks on at the topology in its mark."""

from __future__ import annotations

import ast
import atexit
import math
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from conftest import RESOURCES
from localstorm import PATIENCE, SHIM, Event, LocalStorm, Topology, marked

topology = pytest.mark.topology


def streams(*fields: str, **others: Event) -> dict[str, Event]:
    """The default stream's fields, and further streams in whole."""
    return {"default": {"fields": fields}, **others}


def stream(*fields: str, direct: bool = False) -> Event:
    return {"fields": fields, "direct": direct}


def reads(source: str, grouping: str = "shuffle", *fields: str, of: str = "default") -> Event:
    return {"from": source, "stream": of, "grouping": grouping, "fields": fields}


def component(kind: str, what: str, inputs: Sequence[Event], more: Event) -> Event:
    """A class of resources/parts.py, as a component that is named after it."""
    command = [SHIM, f"parts.{what}"]
    return {"name": what.lower(), "kind": kind, "command": command, "inputs": inputs, **more}


def spout(what: str, **more: Any) -> Event:
    return component("spout", what, [], more)


def bolt(what: str, *inputs: Event, **more: Any) -> Event:
    return component("bolt", what, inputs, more)


def feed(*values: Any) -> Event:
    """A Java spout that emits each value in a tuple of its own."""
    args = {"tuples": [[value] for value in values]}
    outputs = streams("value")
    return {"name": "feed", "kind": "spout", "java": "FeedSpout", "outputs": outputs, "args": args}


def probe(*inputs: Event, name: str = "probe", parallelism: int = 1, **args: Any) -> Event:
    """A Java bolt that tells of what it gets."""
    java = {"java": "ProbeBolt", "args": args, "parallelism": parallelism}
    return {"name": name, "kind": "bolt", "inputs": inputs, **java}


def values(events: Sequence[Event]) -> list[Any]:
    return [event["values"] for event in events]


def firsts(events: Sequence[Event]) -> list[Any]:
    return [event["values"][0] for event in events]


ANIMALS = ("cow", "dog", "ant")
THINGS = ("moon", "fence", "dog")
SENTENCES = [f"the {animal} jumps over the {thing}" for animal in ANIMALS for thing in THINGS] * 50


@topology(
    spout("Sentences", outputs=streams("sentence"), config={"test.sentences": SENTENCES}),
    bolt("Split", reads("sentences"), outputs=streams("word"), parallelism=2),
    bolt("Count", reads("split", "fields", "word"), outputs=streams("word", "n"), parallelism=2),
    probe(reads("count")),
)
def test_word_count_is_exact(running: Topology) -> None:
    expected = Counter(" ".join(SENTENCES).split())
    running.wait_for("log", text="all acked")
    counted = values(running.seen("tuple"))
    assert len(counted) == sum(expected.values())
    assert expected == {word: max(n for other, n in counted if other == word) for word in expected}


LETTERS = "abcdefgh"


@topology(
    feed(*LETTERS * 20),
    bolt("Count", reads("feed", "fields", "value"), outputs=streams("word", "n"), parallelism=3),
    probe(reads("count")),
)
def test_fields_grouping_keeps_a_word_at_one_task(running: Topology) -> None:
    counted = running.wait_for("tuple", count=20 * len(LETTERS))
    tasks = defaultdict(set)
    for event in counted:
        tasks[event["values"][0]].add(event["source_task"])
    assert all(len(where) == 1 for where in tasks.values()), tasks
    assert len(set.union(*tasks.values())) > 1, "all words went to one task"
    assert Counter(map(tuple, values(counted))) == Counter(product(LETTERS, range(1, 21)))


RECORDS = Path(tempfile.mkdtemp(prefix="stormcell-records-"))
atexit.register(shutil.rmtree, RECORDS, ignore_errors=True)


@topology(
    feed(*LETTERS),
    bolt("Count", reads("feed"), outputs=streams("word", "n"),
         config={"stormcell.record": str(RECORDS)}),
    probe(reads("count")),
)
def test_what_a_worker_recorded_can_be_replayed(running: Topology) -> None:
    running.wait_for("tuple", count=len(LETTERS))
    running.kill()
    [recording] = RECORDS.iterdir()
    command = [sys.executable, "-m", "stormcell", "replay", str(recording)]
    replayed = subprocess.run(command, capture_output=True, text=True, cwd=RESOURCES)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    text = recording.read_text(encoding="utf-8")
    assert all(f'["{letter}",1]' in text for letter in LETTERS)


FAILURES = {"fine": 0, "twice": 2, "hopeless": 99}


@topology(
    spout("Insistent", outputs=streams("word"), config={"test.words": list(FAILURES)}),
    probe(reads("insistent"), fail=FAILURES),
)
def test_a_failed_tuple_is_replayed_until_it_is_given_up(running: Topology) -> None:
    for word in FAILURES:
        running.wait_for("log", text=f"settled {word}")
    times = Counter(firsts(running.seen("tuple")))
    assert times == {"fine": 1, "twice": 3, "hopeless": 1 + 3}, "max_fails is 3"


EVERY_SECOND = {"topology.tick.tuple.freq.secs": 1}


@topology(
    feed(),
    bolt("Ticking", reads("feed"), outputs=streams("who", "what"), config=EVERY_SECOND),
    probe(reads("ticking")),
)
def test_ticks(running: Topology) -> None:
    assert values(running.wait_for("tuple", count=2))[:2] == [["__system", "__tick"]] * 2


@topology(
    feed("one", "two"),
    bolt("Pointing", reads("feed"), outputs={"pointed": stream("word", "task", direct=True)}),
    probe(reads("pointing", "direct", of="pointed"), name="target", parallelism=3),
)
def test_emit_to_a_task_of_choice(running: Topology) -> None:
    got = running.wait_for("tuple", count=6)
    assert [event["values"][1] for event in got] == [event["task"] for event in got]
    assert Counter(firsts(got)) == {"one": 3, "two": 3}


COLOURS = ["red", "green", "blue", "grey"]
ANSWERS = streams("word", answers=stream("word", "tasks"))
ANSWERED = [
    probe(reads("asking"), name="target", parallelism=3),
    probe(reads("asking", of="answers")),
]


@topology(feed(*COLOURS), bolt("Asking", reads("feed"), outputs=ANSWERS), *ANSWERED)
def test_storm_tells_a_bolt_which_tasks_got_a_tuple(running: Topology) -> None:
    check_answers(running)


@topology(
    spout("AskingSpout", name="asking", outputs=ANSWERS, config={"test.words": COLOURS}),
    *ANSWERED,
)
def test_storm_tells_a_spout_which_tasks_got_a_tuple(running: Topology) -> None:
    check_answers(running)


def check_answers(running: Topology) -> None:
    told = dict(values(running.wait_for("tuple", component="probe", count=len(COLOURS))))
    got = running.wait_for("tuple", component="target", count=len(COLOURS))
    assert told == {event["values"][0]: [event["task"]] for event in got}


ODD_TEXT = 'quote " backslash \\ slash / tab \t line \n nul \0 del \x7f'
VALUES = [
    None, True, False,
    0, -1, 2**31 - 1, -(2**31), 2**31, 2**53 + 1, 2**63 - 1, -(2**63),
    0.0, -0.0, 1.5, 0.1, 0.1 + 0.2, 1e300, 5e-324, 123456789.123456789,
    "", "plain", ODD_TEXT, "grüße, мир, 你好", "𝄞 😀", "\u2028",
    [], [1, [2.5, ["three", None]]], {}, {"a": {"b": [True, {"ключ 😀": -1}]}, "": 0},
]  # fmt: skip

# What values may become in Storm: it reads small integers as Integer, long floats as BigDecimal.
JAVA = {
    type(None): {"null"},
    bool: {"java.lang.Boolean"},
    int: {"java.lang.Integer", "java.lang.Long"},
    float: {"java.lang.Double", "java.math.BigDecimal"},
    str: {"java.lang.String"},
}


def same(ours: Any, theirs: Any) -> bool:
    """Equal, of the same type, and of the same sign even if zero."""
    if type(ours) is not type(theirs) or ours != theirs:
        return False
    return not isinstance(ours, float) or math.copysign(1, ours) == math.copysign(1, theirs)


ECHO = bolt("Echo", reads("feed"), outputs=streams("value", spelled=stream("text")))


@topology(
    feed(*VALUES),
    ECHO,
    probe(reads("echo"), name="back"),
    probe(reads("echo", of="spelled"), name="in_python"),
)
def test_values_of_every_kind_come_and_go(running: Topology) -> None:
    back = running.wait_for("tuple", component="back", count=len(VALUES))
    spelled = firsts(running.wait_for("tuple", component="in_python", count=len(VALUES)))
    for value, spelling, event in zip(VALUES, spelled, back, strict=True):
        assert same(value, ast.literal_eval(spelling)), f"{value!r} reached Python as {spelling}"
        (came,) = event["values"]
        assert same(value, came), f"{value!r} came back as {came!r}"
        (java,) = event["classes"]
        assert java in JAVA.get(type(value), {java}), f"{value!r} is a {java} in Storm"


@topology(
    feed(2**64, -(10**30)),
    bolt("Spell", reads("feed"), outputs=streams("text")),
    probe(reads("spell")),
)
def test_an_integer_past_64_bits_reaches_python_whole(running: Topology) -> None:
    assert firsts(running.wait_for("tuple", count=2)) == [str(2**64), str(-(10**30))]


MEGABYTE = ("0123456789 äöü 𝄞\n" * 2**16)[: 2**20]


@topology(feed(MEGABYTE), ECHO, probe(reads("echo")))
def test_a_megabyte_in_one_tuple(running: Topology) -> None:
    (event,) = running.wait_for("tuple")
    assert event["values"] == [MEGABYTE]


@topology(
    feed("good", "bad", "good again"),
    bolt("Fragile", reads("feed"), outputs=streams("word", "pid")),
    probe(reads("fragile")),
)
def test_a_python_exception_is_a_report_and_the_worker_lives(running: Topology) -> None:
    running.wait_for("failed", id=1)
    good, again = values(running.wait_for("tuple", count=2))
    assert (good[0], again[0]) == ("good", "good again")
    assert good[1] == again[1], "the process changed"
    (event,) = running.wait_for("error", component="fragile")
    assert "ValueError: no good: 𝄞" in event["text"]
    assert "parts.py" in event["text"] and "in process" in event["text"]
    (shown,) = running.errors()
    assert shown["component"] == "fragile" and "ValueError: no good: 𝄞" in shown["text"]


@topology(feed("word"), bolt("Unready", reads("feed")))
def test_an_exception_in_initialize_of_a_bolt_is_shown_by_storm(running: Topology) -> None:
    check_start_error(running)


@topology(spout("UnreadySpout", name="unready", outputs=streams("word")))
def test_an_exception_in_initialize_of_a_spout_is_shown_by_storm(running: Topology) -> None:
    check_start_error(running)


def check_start_error(running: Topology) -> None:
    (event, *_) = running.wait_for("error", component="unready")
    assert "RuntimeError: nothing to begin with" in event["text"]
    assert any("nothing to begin with" in shown["text"] for shown in running.errors())


PRINTED = (
    "print says grüß 𝄞",
    "stderr says this",
    "os.write says this",
    "C says this",
    "a child says this",
    "a child complains",
)


@topology(
    feed("word"),
    bolt("Talkative", reads("feed"), outputs=streams("word")),
    probe(reads("talkative")),
)
def test_whatever_is_printed_is_a_log_line(running: Topology) -> None:
    for line in PRINTED:
        running.wait_for("log", partial(mentions, line), component="talkative")
    for level in ("trace", "debug", "info", "warn", "error"):
        (log, *_) = running.wait_for("log", text=f"a log of 𝄞 at {level}")
        assert log["level"] == level.upper()
    assert firsts(running.wait_for("tuple")) == ["word"], "the wire survived"


def mentions(line: str, event: Event) -> bool:
    return line in event["text"]


MARK = str(uuid.uuid4())


@topology(
    spout("Insistent", outputs=streams("word"), config={"test.words": ["word"]}),
    bolt("Count", reads("insistent"), outputs=streams("word", "n"), parallelism=2),
    env={"STORMCELL_TEST": MARK},
)
def test_a_killed_topology_leaves_no_process(running: Topology, storm: LocalStorm) -> None:
    running.wait_for("log", text="settled word")
    pids = {event["pid"] for event in running.wait_for("started", count=3)}
    assert pids <= set(marked("STORMCELL_TEST", MARK))
    running.kill()
    running.wait_for("closed", count=3)
    deadline = time.monotonic() + PATIENCE
    while marked("STORMCELL_TEST", MARK) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert marked("STORMCELL_TEST", MARK) == []
    assert not storm.over
