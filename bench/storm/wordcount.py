"""Measures word counts in a real Storm. Started by bench/storm/run, which builds first."""
from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parent), str(HERE.parent.parent / 'tests' / 'storm')]

import bars
import processor_time
import report
from cases import CASES
from children import BUILT, CHILDREN, FLOOR, Child, clean_environment, versions
from localstorm import LocalStorm, StormError, Topology
from plan import Result, Wrong, in_turn, progress

CASE = next(case for case in CASES if case.name == 'wordcount')
JAVA = 'Java bolt'
NAMES = [child.name for child in CHILDREN] + [JAVA]
WORDS = 1 << 16
"""Drawn once; the spout begins anew at their end."""
MARGIN = 1.0
"""Seconds that the spout goes on after the measured ones, so that the last are like the others."""
START_SECONDS = 60.0

ABOUT = """
Measures word counts inside a real Apache Storm: a LocalCluster, a spout and a sink in Java, 1,000
tuples pending, one acker, and between them one task of a bolt, which is in turn each host's through
Storm's own ShellBolt, and one in Java. Each measurement has a fresh JVM. Every tuple must be acked,
none failed, and the sink must get each word with its right count, or the run fails. Nearly all of
the time is Storm's own: it reads and writes for a child on two threads that share the processors
with it.
"""

Event = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """Seconds of warming up and of measuring, and the words that are sent meanwhile."""

    warm_up: float
    seconds: float
    words: list[str]


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser('bench/run --storm', description=ABOUT)
    parser.add_argument('--quick', action='store_true',
                        help='1 repetition of 3 s after 3 s: shows that it works, no more')
    parser.add_argument('--only', metavar='CHILD', action='append', default=[], choices=NAMES,
                        help='this child (repeatable): ' + ', '.join(NAMES))
    parser.add_argument('--repeat', metavar='N', type=int, help='repetitions (5)')
    parser.add_argument('--seconds', metavar='S', type=float, help='measured each time (10)')
    parser.add_argument('--warm-up', metavar='S', type=float, help='before it (10)')
    parser.add_argument('--json', metavar='FILE', type=Path, help='write all results to FILE')
    arguments = parser.parse_args(given)
    for name, quick, full in [('repeat', 1, 5), ('seconds', 3.0, 10.0), ('warm_up', 3.0, 10.0)]:
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else full)
    if arguments.repeat < 1 or arguments.seconds < 1 or arguments.warm_up < 0:
        parser.error('--repeat and --seconds take numbers from 1 up, --warm-up from 0')
    return arguments


# ---- the topology ------------------------------------------------------------------------------


def bolt(child: Child | None) -> dict[str, Any]:
    """The component under test: how it is started, and what it emits."""
    start = {'java': 'CountBolt'} if child is None else {'command': child.command(CASE)}
    # The C child repeats the word and has no count.
    fields = CASE.takes if child is FLOOR else CASE.emits
    return {'name': 'bolt', 'kind': 'bolt', 'inputs': [{'from': 'source'}],
            'outputs': {'default': {'fields': fields}}, **start}


def topology(span: Span, name: str) -> dict[str, Any]:
    child = next((child for child in CHILDREN if child.name == name), None)
    spout_args = {'words': span.words, 'seconds': span.warm_up + span.seconds + MARGIN}
    return {
        'name': 'bench',
        'resources': str(HERE),
        'env': child.environment() if child else {},
        'config': {'topology.acker.executors': 1, 'topology.max.spout.pending': 1000},
        'components': [
            {'name': 'source', 'kind': 'spout', 'java': 'WordSpout', 'args': spout_args,
             'outputs': {'default': {'fields': CASE.takes}}},
            bolt(child),
            {'name': 'sink', 'kind': 'bolt', 'java': 'TallyBolt', 'inputs': [{'from': 'bolt'}]},
        ],
    }


# ---- one measurement ---------------------------------------------------------------------------


def count_after(running: Topology, ns: int, seconds: float) -> Event:
    """What the spout has counted at that time, when it comes. StormError, Wrong."""
    found = running.wait_for('count', lambda event: event['acked'] > 0 and event['ns'] >= ns,
                             component='source', seconds=seconds)[0]
    reject_failures(running, found)
    return found


def reject_failures(running: Topology, counted: Event) -> None:
    if counted['failed'] > 0:
        told = [event['text'] for event in running.seen('error')][-3:]
        raise Wrong('\n  '.join([f"{counted['failed']} tuples failed", *told]))


def converse(running: Topology, span: Span, storm: LocalStorm) -> Result:
    """Wait for the counts; what they say. StormError, Wrong."""
    first = count_after(running, 0, START_SECONDS)
    start = count_after(running, first['ns'] + int(span.warm_up * 1e9), span.warm_up + 10)
    at_start = processor_time.used(storm.processes())
    end = count_after(running, start['ns'] + int(span.seconds * 1e9), span.seconds + 10)
    at_end = processor_time.used(storm.processes())
    tuples = end['acked'] - start['acked']
    if tuples == 0:
        raise Wrong(f'no tuple was acked in {span.seconds:g} s')
    check_totals(running)
    return {
        'rate': tuples / (end['ns'] - start['ns']) * 1e9,
        'acks': end['acked'],
        'child_cpu_us': (at_end.others - at_start.others) / tuples * 1e6,
        'storm_cpu_us': (at_end.java - at_start.java) / tuples * 1e6,
    }


def check_totals(running: Topology) -> None:
    """Wait for the last acks and hold the sink's numbers against the spout's. StormError, Wrong."""
    drained = running.wait_for('drained', component='source')[0]
    reject_failures(running, drained)
    emitted = drained['emitted']
    if drained['acked'] != emitted:
        raise Wrong(f"{emitted} tuples were acked {drained['acked']} times")
    # Events come in their order of time: this one tells of all that came before the last ack.
    seen = len(running.seen('tally'))
    tally = running.wait_for('tally', component='sink', count=seen + 1)[-1]
    if (tally['tuples'], tally['sum']) != (emitted, drained['sum']):
        raise Wrong(f"{emitted} words were sent, and the sink got {tally['tuples']}"
                    f"{'' if tally['tuples'] != emitted else ', but not the same'}")
    if tally['wrong'] > 0:
        raise Wrong(f"{tally['wrong']} of {emitted} counts are wrong")


def measure_one(span: Span, name: str, folder: Path) -> Result:
    """One child in a JVM of its own. Wrong."""
    storm = LocalStorm(folder, classes=BUILT / 'storm')
    try:
        with storm:
            running = storm.submit(topology(span, name))
            result = converse(running, span, storm)
            result['storm'] = storm.version
            left = storm.stop()
    except (Wrong, StormError) as error:
        raise Wrong(f'{name}: {error}') from None
    if left:
        raise Wrong(f'{name}: {len(left)} of its processes outlived Storm')
    return result


def measure(span: Span, names: list[str], repetitions: int, folder: Path) -> list[Result]:
    """One result for each repetition and child. Wrong."""
    results: list[Result] = []
    for repetition in range(repetitions):
        for name in in_turn(names, repetition):
            progress(f'repetition {repetition + 1} of {repetitions}: {name}')
            result = measure_one(span, name, folder / f'{len(results)}')
            results.append({'child': name, 'repetition': repetition, **result})
    progress('')
    return results


# ---- the program -------------------------------------------------------------------------------


def run(arguments: argparse.Namespace, folder: Path) -> None:
    chance = Random('the same words in every run')
    words = [CASE.make(chance)[0] for _ in range(WORDS)]
    span = Span(arguments.warm_up, arguments.seconds, words)
    names = [name for name in NAMES if name in arguments.only or not arguments.only]
    who = versions()
    clean_environment()
    results = measure(span, names, arguments.repeat, folder)
    about = report.facts(arguments, results[0]['storm'], who)
    rows = report.summarize(results)
    report.show(about, rows)
    cleared = report.bars(rows)
    bars.show(cleared)
    if arguments.json is not None:
        text = json.dumps(
            {**about, 'bars': cleared, 'summary': rows, 'results': results}, indent=2)
        arguments.json.write_text(text + '\n', encoding='utf-8')
    acked = sum(result['acks'] for result in results)
    print(f'{len(results)} runs passed: over {acked:,} tuples, each acked once, none failed, '
          'each word at the sink with its right count')


def main() -> None:
    arguments = parse(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        with tempfile.TemporaryDirectory(prefix='bench-storm-') as folder:
            run(arguments, Path(folder))
    except Wrong as wrong:
        progress('')
        sys.exit(f'bench/run --storm: {wrong}')
    except subprocess.CalledProcessError as error:
        sys.exit(f'bench/run --storm: {(error.stderr or str(error)).strip()}')
    except KeyboardInterrupt:
        progress('')
        sys.exit(128 + signal.SIGINT)


if __name__ == '__main__':
    main()
