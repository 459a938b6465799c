"""Writes docs/hostile.md from what a run saw, and from nothing else but ways.py."""

from __future__ import annotations

import datetime
import platform
import re
from pathlib import Path

from stormcell.cluster.artifacts import VERSION
from trials import TIMEOUT, Outcome
from ways import WAYS, Case, Way

Results = dict[str, Outcome]
"""What came of a case, by its name and the host."""

PAGE = """\
# What a component can do to its worker

In Storm, one wrong message of one child process ends the worker's JVM with every task in it. These are
the 33 ways to get there that are known from Storm's source, and what came of each, for Storm's own
`storm.py` and for Stormcell. `tests/hostile/run` wrote this page, on {date}, with Storm {storm}
and Python {python}.

## In a real worker

One topology a row and host, each with a worker of its own, from Nimbus and a supervisor whose intervals
are Storm's defaults; a child has 10 s for a sign of life (`topology.subprocess.timeout.secs`). *dies* is
what the supervisor logged of the worker's process: 11 or 1 as Storm asked for it, 20 where its shutdown
took longer than the 3 s that Storm gives it. A bolt was given the tuples "before", "bad" and "after";
"tuple" means the bad one, as the spout in Java heard of it in the end, which for one that a child never
settles is Storm's message timeout.

{totals}

| | way | storm.py | Stormcell | how |
|--:|---|---|---|---|
{ways}

## Against a strict parent

Every case of every way, in a process whose parent holds it to the rules of all versions from 1.x to 3.0
taken together, with a timeout of {timeout} s. What a version at hand lets pass may be a violation here: Storm
before 2.6, for one, ends a worker over NaN.

| way | case | storm.py | Stormcell |
|--:|---|---|---|
{cases}
"""


def write_page(page: Path, parent: Results, real: Results) -> list[str]:
    """Write it; the rows where Stormcell has lost what a child can keep."""
    page.parent.mkdir(exist_ok=True)
    text = PAGE.format(
        date=datetime.date.today().isoformat(),
        storm=VERSION,
        python=platform.python_version(),
        totals=totals(real),
        ways="\n".join(way_row(way, real) for way in WAYS),
        timeout=TIMEOUT,
        cases="\n".join(case_row(way, case, parent) for way in WAYS for case in way.cases),
    )
    page.write_text(text, encoding="utf-8")
    return [*lost("parent", parent), *lost("worker", real)]


def lost(where: str, results: Results) -> list[str]:
    cases = [(way.number, case) for way in WAYS if not way.storms for case in way.cases]
    found = [(number, case, results.get(f"{case.name} ours")) for number, case in cases]
    return [
        f"{where}: way {number}, {case.name}: {outcome.verdict} ({outcome.why})"
        for number, case, outcome in found
        if outcome and not is_well(case, outcome)
    ]


def is_well(case: Case, outcome: Outcome) -> bool:
    settled = outcome.settled == case.settled or not is_told(case, outcome)
    return outcome.verdict == "lives" and settled


def is_told(case: Case, outcome: Outcome) -> bool:
    """How the bad tuple ended is part of the case, and there was somebody left to be told of it."""
    return case.settled is not None and (outcome.settled is not None or case.play != "term")


def totals(real: Results) -> str:
    ways = [way for way in WAYS if way.cases and not way.storms]
    ends = {host: sum(is_end(way, host, real) for way in ways) for host in ("stock", "ours")}
    return (
        f"Of the {len(ways)} ways that a child can prevent, storm.py's worker came to harm by "
        f"{ends['stock']} and Stormcell's by {ends['ours']}. The other {len(WAYS) - len(ways)} are "
        "Storm's part or its operator's; they are marked with *."
    )


def is_end(way: Way, host: str, real: Results) -> bool:
    assert way.real
    return real[f"{way.real.name} {host}"].verdict != "lives"


def way_row(way: Way, real: Results) -> str:
    mark = "*" if way.storms else ""
    if way.real is None:
        return f"| {way.number}{mark} | {way.what} | not run | not run | {way.how} |"
    cells = both(way.real, real)
    return f"| {way.number}{mark} | {way.what} | {cells} | {way.how} |"


def case_row(way: Way, case: Case, parent: Results) -> str:
    return f"| {way.number} | {case.name} | {both(case, parent)} |"


def both(case: Case, results: Results) -> str:
    return " | ".join(cell(case, results[f"{case.name} {host}"]) for host in ("stock", "ours"))


def cell(case: Case, outcome: Outcome) -> str:
    """What was seen, in a few words."""
    words = [f"**{outcome.verdict}**" if outcome.verdict != "lives" else "lives"]
    if outcome.why:
        words.append(shortened(outcome.why))
    if is_told(case, outcome) and outcome.verdict == "lives":
        words.append(f"tuple {outcome.settled}ed" if outcome.settled else "tuple never settled")
    if outcome.errors and outcome.verdict == "lives":
        words.append("error reported")
    return "; ".join(words)


def shortened(text: str) -> str:
    """The violation without the message that it was found in, fit for a cell."""
    return text.partition(": {")[0].partition(": b'")[0].replace("|", "\\|").replace("\n", " ")
