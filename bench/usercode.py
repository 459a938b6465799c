"""The same plain loop in the executable, in the extension and in the interpreter itself."""
from __future__ import annotations

import dataclasses
import os

from cases import Case
from children import EXTENSION, HERE, PYTHON, STORMCELL, Child
from drive import drive
from plan import Plan, Result, in_turn, progress
from table import show_table, spread

ABOUT = 'CPU of a plain Python loop in stormcell-shim, in `python3 -m stormcell.run`, in python3'

PLAIN = Child('python3', lambda case: [PYTHON, '-c', 'import loop; loop.report()'], [HERE])
PROCESSES = 15
"""Of each kind: where a process happens to lie in memory moves it by some per cent."""
ROUNDS = 15


def measure(plan: Plan, noop: Case) -> list[Result]:
    loop = dataclasses.replace(noop, component='bolts.Loop')
    told = plan.folder / 'loop'
    os.environ['BENCH_RESULT'] = str(told)
    os.environ['BENCH_ROUNDS'] = '1' if plan.quick else str(ROUNDS)
    results = []
    for repetition in range(1 if plan.quick else PROCESSES):
        for child in in_turn([PLAIN, STORMCELL, EXTENSION], repetition):
            progress(f'user code {repetition + 1}: {child.name}')
            until = 'exit' if child is PLAIN else 'answer'
            drive('usercode', [*plan.place, '--start', until, plan.input(noop.name)],
                  child.command(loop), child)
            results.append({'child': child.name, 'repetition': repetition,
                            'cpu_ms': float(told.read_text(encoding='utf-8')) * 1000})
    return results


def summarize(results: list[Result]) -> list[Result]:
    by_child: dict[str, list[float]] = {}
    for result in results:
        by_child.setdefault(result['child'], []).append(result['cpu_ms'])
    plain = by_child[PLAIN.name]
    return [{'child': name, 'cpu_ms': spread(used),
             'ratio_to_python': spread(a / b for a, b in zip(used, plain)),
             'ratio_of_least': min(used) / min(plain)}
            for name, used in by_child.items()]


def show(rows: list[Result]) -> None:
    show_table(
        ('user code alone', 'CPU ms', 'min - max', '/ python3', '(min - max)', 'least / least'),
        [(row['child'], f"{row['cpu_ms']['median']:.1f}",
          f"{row['cpu_ms']['min']:.1f} - {row['cpu_ms']['max']:.1f}",
          f"{row['ratio_to_python']['median']:.3f}",
          f"({row['ratio_to_python']['min']:.3f} - {row['ratio_to_python']['max']:.3f})",
          f"{row['ratio_of_least']:.3f}") for row in rows], left=1)
