"""Measures the hosts of Python components side by side. Started by bench/run, which builds."""
from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import bars
import table
from cases import CASES
from children import (BUILT, CHILDREN, ECHO_CASE, FLOOR, FLOOR_ECHO, HERE, PYSTORM, STORMCELL, Child,
                      versions)
from drive import check, run_case
from extras import EXTRAS
from plan import MODES, Mode, Plan, Result, Wrong, cpus, in_turn, progress
from wire import write_input

CHART_PYTHON = BUILT / 'chart' / 'bin' / 'python'

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
        beside = {'flood': [PYSTORM, FLOOR], '1-core': [FLOOR]}
        return [STORMCELL, *beside.get(mode.name, [])]
    everywhere = case_name == 'wordcount' or mode.name in ('flood', '100')
    echo = [FLOOR_ECHO] if case_name == ECHO_CASE else []
    return [child for child in CHILDREN if child.everywhere or everywhere] + echo


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
        'extras': {extra.name: extra.about for extra in EXTRAS},
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
                        choices=[*(case.name for case in CASES), *(extra.name for extra in EXTRAS)],
                        help='this case or measurement (repeatable)')
    parser.add_argument('--mode', metavar='MODE', action='append', default=[],
                        choices=[mode.name for mode in MODES],
                        help='the cases in this mode (repeatable)')
    parser.add_argument('--repeat', metavar='N', type=int, help='repetitions (5)')
    parser.add_argument('--pin', choices=['same', 'apart'],
                        help='driver and child on one CPU, or on one each')
    parser.add_argument('--json', metavar='FILE', type=Path, help='write all results to FILE')
    parser.add_argument('--chart', metavar='FILE', type=Path,
                        help='draw the flood of each case into FILE, an SVG')
    arguments = parser.parse_args(given)
    if arguments.repeat is not None and arguments.repeat < 1:
        parser.error('--repeat takes a number from 1 up')
    arguments.as_given = given
    return arguments


def legend() -> str:
    lines = ['cases:', *(f'  {case.name:<10} {case.about}' for case in CASES),
             'modes of these:', *(f'  {mode.name:<10} {mode.about}' for mode in MODES),
             'beside the cases:', *(f'  {extra.name:<10} {extra.about}' for extra in EXTRAS)]
    return '\n'.join(lines)


def wanted(things: list[Any], names: list[str]) -> list[Any]:
    return [each for each in things if each.name in names or not names]


def make_plan(arguments: argparse.Namespace, folder: Path) -> Plan:
    quick = arguments.quick
    return Plan(
        quick=quick,
        cases=wanted(CASES, arguments.only),
        extras=wanted(EXTRAS, arguments.only) if arguments.only or not arguments.mode else [],
        modes=wanted(MODES, arguments.mode),
        repetitions=arguments.repeat or (1 if quick else 5),
        time_ms=60 if quick else 300,
        warm_up_ms=30 if quick else 100,
        place=place(arguments.pin),
        folder=folder,
    )


def prepare(plan: Plan) -> None:
    """Write what is sent and check every child's answers to it. Wrong."""
    for case in plan.cases:
        checked = write_input(case, plan.input(case.name))
        for child in CHILDREN:
            progress(f'checking {case.name}, {child.name}')
            check(plan, case, child, checked)


def measure_extras(plan: Plan) -> dict[str, list[Result]]:
    """Single results of each extra. Wrong."""
    cases = {case.name: case for case in CASES}
    results = {}
    for extra in plan.extras:
        case = cases[extra.case]
        if case not in plan.cases:
            write_input(case, plan.input(case.name))
        results[extra.name] = extra.measure(plan, case)
    progress('')
    return results


def say_end(results: list[Result], of_extras: dict[str, list[Result]]) -> None:
    everything = results + [each for some in of_extras.values() for each in some]
    acked = sum(result.get('acks', 0) for result in everything)
    print(f'{len(everything)} runs passed: {acked:,} tuples, each acked once, with all their emits')


def run(arguments: argparse.Namespace, folder: Path) -> None:
    plan = make_plan(arguments, folder)
    about = facts(arguments)
    prepare(plan)
    results = measure(plan)
    extra_results = measure_extras(plan)
    rows = table.summarize(results)
    extra_rows = {extra.name: extra.summarize(extra_results[extra.name]) for extra in plan.extras}
    cleared = bars.bars(rows, extra_rows)
    table.show(about, rows, plan.repetitions)
    for extra in plan.extras:
        extra.show(extra_rows[extra.name])
    bars.show(cleared)
    told = folder / 'results.json'
    told.write_text(json.dumps({
        **about, 'bars': cleared, 'summary': rows, 'summary_of_extras': extra_rows,
        'results': results, 'results_of_extras': extra_results}, indent=2) + '\n',
        encoding='utf-8')
    if arguments.json is not None:
        shutil.copyfile(told, arguments.json)
    if arguments.chart is not None:
        subprocess.run([CHART_PYTHON, HERE / 'chart.py', told, arguments.chart], check=True,
                       env=FLOOR.environment())
    say_end(results, extra_results)


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
