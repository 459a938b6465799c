"""The most memory that each child's processes ever held: VmHWM of /proc/PID/status."""
from __future__ import annotations

import subprocess
from pathlib import Path

from cases import Case
from children import CHILDREN, EXTENSION, PYTHON, Child
from drive import run_case
from plan import Plan, Result, in_turn, progress
from table import show_table, spread

ABOUT = "most memory ever held (VmHWM), no-op bolt; beside python3 -c 'import json'"

PLAIN = Child("python3 -c 'import json'", lambda case: [], [])
# Tells when it is there to be looked at, and waits; os is loaded in every Python.
LOOK_AT_ME = "import json, os; os.write(1, b'.'); os.read(0, 1)"


def measure(plan: Plan, noop: Case) -> list[Result]:
    results = []
    for repetition in range(1 if plan.quick else plan.repetitions):
        results.append({'child': PLAIN.name, 'repetition': repetition, 'start': [plain_peak()]})
        for child in in_turn([*CHILDREN, EXTENSION], repetition):
            progress(f'memory {repetition + 1}: {child.name}')
            one = run_case(plan, noop, child, ['--window', '1', '--tuples', '1'])
            flood = run_case(plan, noop, child, plan.clock())
            results.append({'child': child.name, 'repetition': repetition,
                            'start': one['peak_kib'], 'flood': flood['peak_kib']})
    return results


def plain_peak() -> int:
    with subprocess.Popen([PYTHON, '-c', LOOK_AT_ME], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env=PLAIN.environment()) as python:
        assert python.stdin is not None and python.stdout is not None
        python.stdout.read(1)
        status = Path(f'/proc/{python.pid}/status').read_text(encoding='utf-8')
        python.stdin.close()
    return int(status.partition('VmHWM:')[2].split()[0])


def summarize(results: list[Result]) -> list[Result]:
    """Where there are two processes, the larger is the interpreter and the other its guardian."""
    by_child: dict[str, list[Result]] = {}
    for result in results:
        by_child.setdefault(result['child'], []).append(result)
    plain = spread(max(each['start']) for each in by_child[PLAIN.name])['median']
    rows = []
    for name, group in by_child.items():
        row: Result = {'child': name}
        for when in ('start', 'flood'):
            if when in group[0]:
                row[f'{when}_kib'] = spread(max(each[when]) for each in group)
                row[f'{when}_kib_over_python'] = row[f'{when}_kib']['median'] - plain
        if len(group[0]['start']) > 1:
            row['guardian_kib'] = spread(min(each['flood']) for each in group)
        rows.append(row)
    return rows


def show(rows: list[Result]) -> None:
    def kib(row: Result, what: str) -> str:
        return f"{row[what]['median']:,.0f}" if what in row else ''

    show_table(
        ('memory, KiB', 'after a tuple', 'over python3', 'after a flood', 'over python3',
         'guardian'),
        [(row['child'], kib(row, 'start_kib'), f"{row['start_kib_over_python']:+,.0f}",
          kib(row, 'flood_kib'),
          f"{row['flood_kib_over_python']:+,.0f}" if 'flood_kib' in row else '',
          kib(row, 'guardian_kib')) for row in rows], left=1)
