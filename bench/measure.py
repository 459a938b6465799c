"""Measures the hosts of Python components side by side. Started by bench/run, which builds first."""
from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import table
from cases import CASES
from children import CHILDREN, FLOOR, PYSTORM, STORMCELL, Child, versions
from drive import check, run_case
from plan import MODES, Mode, Plan, Result, Wrong, cpus, in_turn, progress
from wire import write_input

ABOUT = """
Measures what a host of Python components costs a tuple: Stormcell, its peers pystorm, streamparse
and Storm's own storm.py, and a C program without Python as the floor, with the same components and
the same bytes. One process plays Storm for one child at a time; the children take turns, repetition
by repetition, and ratios are formed within a repetition. Every tuple must be acked exactly once and
every emit be there, or the run fails. What is missing is installed and built first (the peers into
build/bench, not into the system). --storm measures in a real Storm: bench/run --storm --help.
"""


def children_for(plan: Plan, case_name: str, mode: Mode) -> list[Child]:
    """Who is measured. The lesser peers show in two modes how they compare with pystorm."""
    if plan.quick:
        return [STORMCELL, FLOOR, *([PYSTORM] if mode.name == 'flood' else [])]
    everywhere = case_name == 'wordcount' or mode.name in ('flood', '100')
    return [child for child in CHILDREN if child.everywhere or everywhere]


def measure(plan: Plan) -> list[Result]:
    """One result for each case, mode, repetition and child. Wrong."""
    results = []
    for repetition in range(plan.repetitions):
        for case in plan.cases:
            for mode in plan.modes:
                if mode.name not in case.modes:
                    continue
                for child in in_turn(children_for(plan, case.name, mode), repetition):
                    progress(f'repetition {repetition + 1} of {plan.repetitions}: '
                             f'{case.name}, {mode.name}, {child.name}')
                    options = [*mode.driver_options(case), *plan.clock()]
                    results.append({'case': case.name, 'mode': mode.name, 'child': child.name,
                                    'repetition': repetition,
                                    **run_case(plan, case, child, options)})
    progress('')
    return results


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
    if pin == 'apart' and len(cpus()) < 2:
        sys.exit('bench/run: --pin apart needs two CPUs')
    return ['--cpus', f'{cpus()[0]},{cpus()[0 if pin == "same" else 1]}']


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='bench/run', description=ABOUT, epilog=legend(),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quick', action='store_true',
                        help='one short repetition: are the answers right? The numbers are rough')
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
        quick=quick,
        cases=[case for case in CASES if case.name in arguments.only or not arguments.only],
        modes=[mode for mode in MODES if mode.name in arguments.mode or not arguments.mode],
        repetitions=arguments.repeat or (1 if quick else 5),
        time_ms=60 if quick else 350,
        warm_up_ms=30 if quick else 100,
        place=place(arguments.pin),
        folder=folder,
    )


def prepare(plan: Plan) -> None:
    """Write what is sent and check every child's answers to it. Wrong."""
    for case in plan.cases:
        messages = write_input(case, plan.input(case.name))
        for child in CHILDREN:
            progress(f'checking {case.name}, {child.name}')
            check(plan, case, child, messages)


def run(arguments: argparse.Namespace, folder: Path) -> None:
    plan = make_plan(arguments, folder)
    about = facts(arguments)
    prepare(plan)
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
