"""What must not depend on how much there is: the cost of a tuple while ids pile up, and in a
topology of many tasks."""
from __future__ import annotations

import dataclasses
import os

from cases import Case
from children import STORMCELL
from drive import run_case
from plan import Plan, Result, in_turn, progress
from table import show_table, spread
from wire import write_input

IDS_ABOUT = 'CPU a tuple with 1, 1,000 and 1,000,000 ids that are not acked; stormcell only'
TASKS_ABOUT = 'CPU a tuple with 1 and 1,000 tasks in the context; stormcell only'

IN_FLIGHT = 8192
"""Tuples on their way beside those that the bolt keeps."""


def measure_ids(plan: Plan, noop: Case) -> list[Result]:
    sizes = [1, 1000] if plan.quick else [1, 1000, 1_000_000]
    # All run on the same bytes: those of the largest.
    case = dataclasses.replace(noop, name='liveids', component='bolts.Keep')
    progress('preparing tuples for live ids')
    write_input(case, plan.input(case.name), sizes[-1] + 2 * IN_FLIGHT)
    results = []
    for repetition in range(plan.repetitions):
        for size in in_turn(sizes, repetition):
            progress(f'live ids {repetition + 1}: {size:,}')
            os.environ['BENCH_KEEP'] = str(size)
            options = ['--keeps', str(size), '--window', str(size + IN_FLIGHT), *plan.clock()]
            results.append({'size': size, 'repetition': repetition,
                            **run_case(plan, case, STORMCELL, options)})
    return results


def measure_tasks(plan: Plan, wordcount: Case) -> list[Result]:
    cases = {}
    for size in 1, 1000:
        cases[size] = dataclasses.replace(wordcount, name=f'tasks-{size}')
        write_input(cases[size], plan.input(f'tasks-{size}'), sinks=size)
    results = []
    for repetition in range(plan.repetitions):
        for size in in_turn(list(cases), repetition):
            progress(f'tasks {repetition + 1}: {size:,}')
            results.append({'size': size, 'repetition': repetition,
                            **run_case(plan, cases[size], STORMCELL, plan.clock())})
    return results


def summarize(results: list[Result]) -> list[Result]:
    by_size: dict[int, dict[int, float]] = {}
    for result in results:
        by_size.setdefault(result['size'], {})[result['repetition']] = result['cpu_us']
    first = by_size[1]
    return [{'size': size, 'cpu_us_per_tuple': spread(costs.values()),
             'ratio_to_1': spread(cost / first[repetition] for repetition, cost in costs.items())}
            for size, costs in sorted(by_size.items())]


def show_ids(rows: list[Result]) -> None:
    _show('live ids', rows)


def show_tasks(rows: list[Result]) -> None:
    _show('tasks', rows)


def _show(what: str, rows: list[Result]) -> None:
    show_table(
        (what, 'CPU us/tuple', 'min - max', '/ 1', '(min - max)'),
        [(f"{row['size']:,}", f"{row['cpu_us_per_tuple']['median']:.3f}",
          f"{row['cpu_us_per_tuple']['min']:.3f} - {row['cpu_us_per_tuple']['max']:.3f}",
          f"{row['ratio_to_1']['median']:.2f}",
          f"({row['ratio_to_1']['min']:.2f} - {row['ratio_to_1']['max']:.2f})") for row in rows],
        left=1)
