"""From single results in a real Storm to a table: medians, spread, ratios within a repetition."""
from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import datetime, timezone

from bars import bar
from children import FLOOR, PYSTORM, STORMCELL
from measure import processor
from plan import Result
from table import Spread, show_table, spread

HEAD = ('bolt', 'tuples/s', 'min - max', f'x {PYSTORM.name}', '(min - max)', f'x {FLOOR.name}',
        '(min - max)', 'its CPU us/tuple', "Storm's")


def facts(arguments: argparse.Namespace, storm: str, versions: dict[str, str]) -> Result:
    """What was measured, where and how."""
    java = subprocess.run(['java', '-version'], check=True, capture_output=True, text=True).stderr
    return {
        'date': datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'command': ' '.join(['bench/run', '--storm', *sys.argv[1:]]),
        'machine': f'{processor()}, {len(os.sched_getaffinity(0))} CPUs, '
                   f'Linux {platform.release()}',
        'versions': {'storm': f'Storm {storm}, {java.splitlines()[0]}', **versions},
        'repetitions': arguments.repeat,
        'seconds': arguments.seconds,
        'warm_up_seconds': arguments.warm_up,
    }


def ratios(results: list[Result], group: list[Result], to: str) -> Spread | None:
    """The group's rates over another child's in the same repetitions, if that was measured."""
    others = {each['repetition']: each['rate'] for each in results if each['child'] == to}
    if not others:
        return None
    return spread([each['rate'] / others[each['repetition']] for each in group])


def summarize(results: list[Result]) -> list[Result]:
    """A row for each child, in the order in which they were first measured."""
    rows = []
    for name in dict.fromkeys(result['child'] for result in results):
        group = [result for result in results if result['child'] == name]
        rows.append({
            'child': name,
            'tuples_per_s': spread([each['rate'] for each in group]),
            f'ratio_to_{PYSTORM.name}': ratios(results, group, PYSTORM.name),
            f'ratio_to_{FLOOR.name}': ratios(results, group, FLOOR.name),
            'cpu_us_per_tuple': spread([each['child_cpu_us'] for each in group]),
            'storm_cpu_us_per_tuple': spread([each['storm_cpu_us'] for each in group]),
        })
    return rows


def ratio_cells(ratio: Spread | None) -> tuple[str, str]:
    if ratio is None:
        return '', ''
    return f"{ratio['median']:.2f}", f"({ratio['min']:.2f} - {ratio['max']:.2f})"


def cells(row: Result) -> tuple[str, ...]:
    rate = row['tuples_per_s']
    return (
        row['child'],
        f"{rate['median']:,.0f}",
        f"{rate['min']:,.0f} - {rate['max']:,.0f}",
        *ratio_cells(row[f'ratio_to_{PYSTORM.name}']),
        *ratio_cells(row[f'ratio_to_{FLOOR.name}']),
        f"{row['cpu_us_per_tuple']['median']:.2f}",
        f"{row['storm_cpu_us_per_tuple']['median']:.2f}",
    )


def bars(rows: list[Result]) -> list[Result]:
    """What Stormcell is to clear, of what was measured."""
    found = []
    for row in rows:
        for to, least in [(FLOOR.name, 0.9), (PYSTORM.name, 3.5)]:
            ratio = row[f'ratio_to_{to}']
            if row['child'] == STORMCELL.name and ratio is not None:
                found.append(bar(f"word count through Storm's ShellBolt: times {to}",
                                 ratio['median'], least=least))
    return found


def show(about: Result, rows: list[Result]) -> None:
    """Print what was measured, and the table."""
    print(f"{about['date']}, {about['machine']}")
    for name, text in about['versions'].items():
        print(f'  {name}: {text}')
    print(f"word count through Storm's ShellBolt, 1,000 tuples pending; medians of "
          f"{about['repetitions']} interleaved repetitions of {about['seconds']:g} s\n"
          f"after {about['warm_up_seconds']:g} s, each in a fresh JVM; "
          'ratios within a repetition\n')
    show_table(HEAD, [cells(row) for row in rows], left=1)
