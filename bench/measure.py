"""Measures the hosts of Python bolts side by side. Started by bench/run, which builds first."""
from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import table
from cases import CASES, Case
from children import BUILT, CHILDREN, HERE, Child, versions
from wire import write_input

TUPLES = 8192
"""Prepared for each case: more than any child reads ahead, so that a flood never runs dry."""
CHECKED = 2000
"""Tuples whose answers are read word for word before anything is measured."""

ABOUT = """
Measures what a host of Python bolts costs a tuple: Stormcell, pystorm from PyPI, and a C program
without Python as the floor, with the same bolts and the same bytes. One process plays Storm for one
child at a time; the children take turns, repetition by repetition, and ratios are formed within a
repetition. Every tuple must be acked exactly once and every emit be there, or the run fails.
What is missing is installed and built first (the peers into build/bench, not into the system).
"""


@dataclass(frozen=True)
class Mode:
    """How the driver plays Storm. options: the driver's own."""

    name: str
    about: str
    options: list[str]


MODES = [
    Mode('flood', 'as fast as the pipe takes it', []),
    Mode('100', '100 tuples in flight', ['--window', '100']),
    Mode('1', 'one tuple in flight; the driver spins for the answer', ['--window', '1']),
    Mode('storm', '1000 in flight, one message a write, sleeps in poll, as Storm does',
         ['--window', '1000', '--single', '--sleep']),
]


class Wrong(Exception):
    """A child that died or answered wrongly; the text says which and how."""


@dataclass
class Plan:
    """inputs: each case's prepared bytes. place: options for where the driver and the child run."""

    cases: list[Case]
    modes: list[Mode]
    repetitions: int
    time_ms: int
    warm_up_ms: int
    place: list[str]
    folder: Path

    def input(self, case: Case) -> Path:
        return self.folder / f'{case.name}.input'


def drive(plan: Plan, case: Case, child: Child, options: list[str]) -> str:
    """Run the driver with a child; what it prints. Wrong."""
    emits = ['--emits', '1' if case.emits else '0']
    command = [str(BUILT / 'driver'), *options, *emits, *plan.place, str(plan.input(case)),
               *child.command(case)]
    done = subprocess.run(command, check=False, capture_output=True, text=True,
                          errors='replace', cwd=HERE, env=child.environment())
    if done.returncode != 0:
        said = '\n  '.join(readable(line) for line in done.stderr.splitlines()[-30:])
        raise Wrong(f'{case.name}, {child.name}: failed with {" ".join(options)}\n  {said}')
    return done.stdout


def readable(line: str) -> str:
    """A line of the driver's; where it quotes an error message of the child's, what that says."""
    before, brace, message = line.partition('{')
    try:
        return before + str(json.loads(brace + message)['msg']).strip().replace('\n', '\n  ')
    except (ValueError, KeyError):
        return line


def check(plan: Plan, case: Case, child: Child, messages: list[dict[str, Any]]) -> None:
    """Hold what a child answers to the first tuples against what the case expects. Wrong."""
    copy = plan.folder / 'answers'
    drive(plan, case, child,
          ['--tuples', str(CHECKED), '--window', '100', '--copy', str(copy)])
    answers = told(copy)
    came = messages[:CHECKED]
    for message, emitted in zip(came, child.expect(case)([each['tuple'] for each in came])):
        ident = message['id']
        # need_task_ids: the driver sends none, so nobody may wait for them.
        emits = [{'command': 'emit', 'anchors': [ident], 'tuple': values, 'need_task_ids': False}
                 for values in emitted]
        for want in [*emits, {'command': 'ack', 'id': ident}]:
            got = next(answers, {})
            if any(got.get(key) != value for key, value in want.items()):
                raise Wrong(f'{case.name}, {child.name}: to {message}\n'
                            f'  it answers {got}\n  and not    {want}')


def told(copy: Path) -> Iterator[dict[str, Any]]:
    """The answers in a copy of what a child said: no pid, no logs."""
    for text in copy.read_text(encoding='utf-8').split('\nend\n')[:-1]:
        message = json.loads(text)
        if message.get('command') in ('emit', 'ack'):
            yield message


def measure(plan: Plan) -> list[dict[str, Any]]:
    """One result for each case, mode, repetition and child. Wrong."""
    results = []
    clock = ['--time', str(plan.time_ms), '--warm-up', str(plan.warm_up_ms)]
    for repetition in range(plan.repetitions):
        # Each goes first in turn, so that none always runs behind the same other one.
        first = repetition % len(CHILDREN)
        turns = CHILDREN[first:] + CHILDREN[:first]
        for case in plan.cases:
            for mode in plan.modes:
                for child in turns:
                    progress(f'repetition {repetition + 1} of {plan.repetitions}: '
                             f'{case.name}, {mode.name}, {child.name}')
                    result = json.loads(drive(plan, case, child, [*mode.options, *clock]))
                    results.append({'case': case.name, 'mode': mode.name, 'child': child.name,
                                    'repetition': repetition, **result})
    progress('')
    return results


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)


def processor() -> str:
    for line in Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.machine()


def facts(arguments: argparse.Namespace) -> dict[str, Any]:
    """What was measured, where and how."""
    return {
        'date': datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'command': ' '.join(['bench/run', *arguments.as_given]),
        'machine': f'{processor()}, {len(os.sched_getaffinity(0))} CPUs, '
                   f'Linux {platform.release()}',
        'versions': versions(),
        'cases': {case.name: case.about for case in CASES},
        'modes': {mode.name: mode.about for mode in MODES},
    }


def place(pin: str | None) -> list[str]:
    """The driver's options for --pin."""
    if pin is None:
        return []
    cpus = sorted(os.sched_getaffinity(0))
    if pin == 'apart' and len(cpus) < 2:
        sys.exit('bench/run: --pin apart needs two CPUs')
    return ['--cpus', f'{cpus[0]},{cpus[0 if pin == "same" else 1]}']


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='bench/run', description=ABOUT, epilog=legend(),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quick', action='store_true',
                        help='2 short repetitions: are the answers right? The numbers are rough')
    parser.add_argument('--only', metavar='CASE', action='append', default=[],
                        choices=[case.name for case in CASES], help='this case (repeatable)')
    parser.add_argument('--mode', metavar='MODE', action='append', default=[],
                        choices=[mode.name for mode in MODES], help='this mode (repeatable)')
    parser.add_argument('--repeat', metavar='N', type=int, help='repetitions (5)')
    parser.add_argument('--pin', choices=['same', 'apart'],
                        help='driver and child on one CPU, or on one each')
    parser.add_argument('--json', metavar='FILE', type=Path, help='write all results to FILE')
    arguments = parser.parse_args(given)
    if arguments.repeat is not None and arguments.repeat < 1:
        parser.error('--repeat takes a number from 1 up')
    arguments.as_given = given
    return arguments


def legend() -> str:
    lines = ['cases:', *(f'  {case.name:<10} {case.about}' for case in CASES),
             'modes:', *(f'  {mode.name:<10} {mode.about}' for mode in MODES)]
    return '\n'.join(lines)


def make_plan(arguments: argparse.Namespace, folder: Path) -> Plan:
    quick = arguments.quick
    return Plan(
        cases=[case for case in CASES if case.name in arguments.only or not arguments.only],
        modes=[mode for mode in MODES if mode.name in arguments.mode or not arguments.mode],
        repetitions=arguments.repeat or (2 if quick else 5),
        time_ms=250 if quick else 1000,
        warm_up_ms=100 if quick else 250,
        place=place(arguments.pin),
        folder=folder,
    )


def run(arguments: argparse.Namespace, folder: Path) -> None:
    plan = make_plan(arguments, folder)
    about = facts(arguments)
    for case in plan.cases:
        messages = write_input(case, TUPLES, folder, plan.input(case))
        for child in CHILDREN:
            progress(f'checking {case.name}, {child.name}')
            check(plan, case, child, messages)
    results = measure(plan)
    rows = table.summarize(results)
    table.show(about, rows, plan.repetitions)
    if arguments.json is not None:
        arguments.json.write_text(
            json.dumps({**about, 'summary': rows, 'results': results}, indent=2) + '\n',
            encoding='utf-8')
    acked = sum(result['acks'] for result in results)
    print(f'{len(results)} runs passed: {acked:,} tuples, each acked once, with all their emits')


def main() -> None:
    arguments = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with tempfile.TemporaryDirectory(prefix='bench-') as folder:
            run(arguments, Path(folder))
    except Wrong as wrong:
        progress('')
        sys.exit(f'bench/run: {wrong}')
    except subprocess.CalledProcessError as error:
        sys.exit(f'bench/run: {(error.stderr or str(error)).strip()}')
    except KeyboardInterrupt:
        progress('')
        sys.exit(128 + signal.SIGINT)


if __name__ == '__main__':
    main()
