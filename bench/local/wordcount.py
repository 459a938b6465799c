"""Measures word counts from end to end. Started by bench/local/run, which builds first."""
from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parent), str(HERE.parent.parent / 'tests' / 'storm')]

import bars
import workers
from cases import CASES
from children import (PYSTORM, SHIM, STORM_PY, STORMCELL, STREAMPARSE, Child, clean_environment,
                      versions)
from localstorm import LocalStorm, StormError
from plan import Result, Wrong, in_turn, progress
from table import show_table, spread

ENGINE = str(Path(SHIM).with_name('stormcell-engine'))
COUNT = next(case for case in CASES if case.name == 'wordcount')
PENDING = 5000
LEAST = 500_000
"""Tuples a second on the engine, on two processors."""

ABOUT = """
Measures a word count from end to end: a spout that emits a word each time it is asked, a bolt that counts
them, one task each, ackers on, 5,000 tuples pending; on the local engine, in a LocalCluster of a real Apache
Storm, and on a real Storm's two workers, spout and bolt in a worker each, with the same components on each
host. The spout tells every second how many of its tuples
have been acked; none may fail. Also how long the engine takes to its first tuple.
"""


@dataclass(frozen=True)
class Span:
    warm_up: float
    seconds: float


@dataclass(frozen=True)
class Runner:
    """tell: run it, and give what the spout logs, line by line."""

    name: str
    child: Child
    tell: Callable[[Child, Path, float], Iterator[str]]


def command(child: Child, name: str) -> list[str]:
    """As bench/children.py starts a component, for one of words.py."""
    return [*child.command(COUNT)[:-1], f'words.{name}']


# ---- who runs it -------------------------------------------------------------------------------


def engine_plan(child: Child, run: dict[str, Any]) -> dict[str, Any]:
    def outputs(*fields: str) -> dict[str, Any]:
        return {'default': {'fields': fields, 'direct': False}}

    grouping = {'type': 'fields', 'fields': ['word']}
    return {'name': 'bench', 'directory': str(HERE.parent),
            'conf': {'topology.max.spout.pending': PENDING},
            'components': {
                'words': {'kind': 'spout', 'command': command(child, 'Words'), 'parallelism': 1,
                          'outputs': outputs('word')},
                'count': {'kind': 'bolt', 'command': command(child, 'WordCount'), 'parallelism': 1,
                          'outputs': outputs('word', 'count'),
                          'inputs': [{'component': 'words', 'stream': 'default',
                                      'grouping': grouping}]}},
            'run': run}


def engine_events(child: Child, folder: Path, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    plan = folder / 'plan.json'
    plan.write_text(json.dumps(engine_plan(child, run)), encoding='utf-8')
    with subprocess.Popen([ENGINE, str(plan)], stdout=subprocess.PIPE, text=True,
                          env=child.environment()) as engine:
        assert engine.stdout is not None
        try:
            for line in engine.stdout:
                yield json.loads(line)
        finally:
            engine.terminate()


def on_engine(child: Child, folder: Path, seconds: float) -> Iterator[str]:
    for event in engine_events(child, folder, {'seconds': seconds}):
        if event['event'] in ('died', 'error'):
            raise Wrong(event['text'])
        if event['event'] == 'log' and event['component'] == 'words':
            yield event['text']


def in_cluster(child: Child, folder: Path, seconds: float) -> Iterator[str]:
    topology = {
        'name': 'bench', 'resources': str(HERE.parent), 'env': child.environment(),
        'config': {'topology.acker.executors': 1, 'topology.max.spout.pending': PENDING},
        'components': [
            {'name': 'words', 'kind': 'spout', 'command': command(child, 'Words'),
             'outputs': {'default': {'fields': ['word']}}},
            {'name': 'count', 'kind': 'bolt', 'command': command(child, 'WordCount'),
             'inputs': [{'from': 'words', 'grouping': 'fields', 'fields': ['word']}],
             'outputs': {'default': {'fields': ['word', 'count']}}}]}
    with LocalStorm(folder) as storm:
        running = storm.submit(topology)
        for count in range(1, 10_000):
            found = running.wait_for('log', component='words', count=count, seconds=60)
            yield found[count - 1]['text']


def on_two_workers(child: Child, folder: Path, seconds: float) -> Iterator[str]:
    return workers.on_workers(child, folder, seconds, PENDING)


RUNNERS = [Runner('engine, stormcell', STORMCELL, on_engine),
           Runner('engine, pystorm', PYSTORM, on_engine),
           Runner('LocalCluster, stormcell', STORMCELL, in_cluster),
           Runner('LocalCluster, storm.py', STORM_PY, in_cluster),
           Runner('LocalCluster, streamparse', STREAMPARSE, in_cluster),
           Runner('two workers, stormcell', STORMCELL, on_two_workers),
           Runner('two workers, storm.py', STORM_PY, on_two_workers),
           Runner('two workers, streamparse', STREAMPARSE, on_two_workers)]
OURS = RUNNERS[0]


# ---- one measurement ---------------------------------------------------------------------------


def measure_one(runner: Runner, span: Span, folder: Path) -> Result:
    """The rate between the first line behind the warm-up and the last. Wrong."""
    folder.mkdir()
    first: tuple[int, int] | None = None
    begun = 0
    try:
        for text in runner.tell(runner.child, folder, span.warm_up + span.seconds + 5):
            if len(text.split()) != 3:  # pystorm says that it logs
                continue
            now, acked, failed = map(int, text.split())
            if failed:
                raise Wrong(f'{failed} tuples failed')
            begun = begun or now
            if first is None and now - begun >= span.warm_up * 1e9:
                first = now, acked
            elif first is not None and now - first[0] >= (span.seconds - 0.5) * 1e9:
                return {'rate': (acked - first[1]) / (now - first[0]) * 1e9, 'acked': acked}
    except (Wrong, StormError) as error:
        raise Wrong(f'{runner.name}: {error}') from None
    raise Wrong(f'{runner.name}: it ended before it was measured')


def first_tuple(folder: Path) -> float:
    """Milliseconds from the engine's start to the end of its first tuple. Wrong."""
    folder.mkdir()
    start = time.monotonic()
    events = engine_events(STORMCELL, folder, {'tuples': 1, 'report.ms': 1, 'emits': True})
    for event in events:
        if event['event'] == 'emit' and event['component'] == 'count':
            found = time.monotonic() - start
            events.close()  # type: ignore[attr-defined]
            return found * 1e3
    raise Wrong('the engine ended without a tuple')


def measure(arguments: argparse.Namespace, runners: list[Runner], folder: Path) -> list[Result]:
    results: list[Result] = []
    span = Span(arguments.warm_up, arguments.seconds)
    for repetition in range(arguments.repeat):
        for runner in in_turn(runners, repetition):
            progress(f'repetition {repetition + 1} of {arguments.repeat}: {runner.name}')
            found = measure_one(runner, span, folder / str(len(results)))
            results.append({'runner': runner.name, 'repetition': repetition, **found})
        results[-1]['first_tuple_ms'] = first_tuple(folder / f'first-{repetition}')
    progress('')
    return results


# ---- the report --------------------------------------------------------------------------------


def summarize(results: list[Result]) -> list[Result]:
    ours = {each['repetition']: each['rate'] for each in results if each['runner'] == OURS.name}
    rows = []
    for name in dict.fromkeys(each['runner'] for each in results):
        group = [each for each in results if each['runner'] == name]
        row = {'runner': name, 'tuples_per_s': spread(each['rate'] for each in group)}
        if ours:
            row['of_it'] = spread(ours[each['repetition']] / each['rate'] for each in group)
        rows.append(row)
    return rows


def show(rows: list[Result], first: dict[str, float]) -> None:
    show_table(('who', 'tuples/s', 'min - max', f'{OURS.name}: times'), [
        (row['runner'], f"{row['tuples_per_s']['median']:,.0f}",
         f"{row['tuples_per_s']['min']:,.0f} - {row['tuples_per_s']['max']:,.0f}",
         f"{row['of_it']['median']:.1f}" if 'of_it' in row else '') for row in rows], left=1)
    print(f"\nfrom the engine's start to the end of the first tuple: {first['median']:.0f} ms "
          f"({first['min']:.0f} - {first['max']:.0f})")


def cleared(rows: list[Result], first: dict[str, float]) -> list[Result]:
    found = [bars.bar('first tuple on the engine, ms', first['median'], most=500)]
    for row in rows:
        if row['runner'] == OURS.name:
            found.append(bars.bar('word count on the engine, tuples/s',
                                  row['tuples_per_s']['median'], least=LEAST))
    return found


def run(arguments: argparse.Namespace, folder: Path) -> None:
    runners = [runner for runner in RUNNERS
               if not arguments.only or runner.name in arguments.only]
    who = versions()
    clean_environment()
    results = measure(arguments, runners, folder)
    rows = summarize(results)
    first = spread(each['first_tuple_ms'] for each in results if 'first_tuple_ms' in each)
    for name, text in who.items():
        print(f'  {name}: {text}')
    print(f'word count from end to end, {PENDING:,} tuples pending; medians of {arguments.repeat} '
          f'interleaved repetitions of {arguments.seconds:g} s after {arguments.warm_up:g} s\n')
    show(rows, first)
    met = cleared(rows, first)
    bars.show(met)
    if arguments.json is not None:
        text = json.dumps({'versions': who, 'bars': met, 'summary': rows, 'first_tuple_ms': first,
                           'results': results}, indent=2)
        arguments.json.write_text(text + '\n', encoding='utf-8')


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser('bench/run --local', description=ABOUT)
    names = [runner.name for runner in RUNNERS]
    parser.add_argument('--quick', action='store_true',
                        help='1 repetition of 2 s after 1 s: shows that it works, no more')
    parser.add_argument('--only', metavar='WHO', action='append', default=[], choices=names,
                        help='this one (repeatable): ' + '; '.join(names))
    parser.add_argument('--repeat', metavar='N', type=int, help='repetitions (5)')
    parser.add_argument('--seconds', metavar='S', type=float, help='measured each time (8)')
    parser.add_argument('--warm-up', metavar='S', type=float, help='before it (5)')
    parser.add_argument('--json', metavar='FILE', type=Path, help='write all results to FILE')
    arguments = parser.parse_args(given)
    for name, quick, full in [('repeat', 1, 5), ('seconds', 2.0, 8.0), ('warm_up', 1.0, 5.0)]:
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else full)
    if arguments.repeat < 1 or arguments.seconds < 1 or arguments.warm_up < 0:
        parser.error('--repeat and --seconds take numbers from 1 up, --warm-up from 0')
    return arguments


def main() -> None:
    arguments = parse(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    if not os.access(ENGINE, os.X_OK):
        sys.exit(f'bench/run --local: {ENGINE} is not there')
    try:
        with tempfile.TemporaryDirectory(prefix='bench-local-') as folder:
            run(arguments, Path(folder))
    except Wrong as wrong:
        progress('')
        sys.exit(f'bench/run --local: {wrong}')
    except KeyboardInterrupt:
        progress('')
        sys.exit(128 + signal.SIGINT)


if __name__ == '__main__':
    main()
