"""What must not depend on how much there is: the cost of a tuple while ids pile up, and in a
topology of many tasks."""
from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

from cases import Case
from children import STORMCELL
from drive import run_case
from plan import Plan, Result, in_turn, progress
from table import show_table, spread
from wire import write_input

IDS_ABOUT = ('CPU a tuple with 1, 1,000 and 1,000,000 ids not acked, beside as many tuples that are '
             'kept and acked; ours only')
TASKS_ABOUT = 'CPU a tuple with 1 and 1,000 tasks in the context; ours only'

IN_FLIGHT = 8192
"""Tuples on their way beside those that the bolt keeps."""


def measure_ids(plan: Plan, noop: Case) -> list[Result]:
    sizes = [1, 1000] if plan.quick else [1, 1000, 1_000_000]
    # All run on the same bytes: those of the largest.
    unacked = dataclasses.replace(noop, name='liveids', component='keep.Unacked')
    acked = dataclasses.replace(unacked, component='keep.Acked')
    progress('preparing tuples for live ids')
    write_input(unacked, plan.input(unacked.name), sizes[-1] + 2 * IN_FLIGHT)
    results = []
    for repetition in range(plan.repetitions):
        for size in in_turn(sizes, repetition):
            progress(f'live ids {repetition + 1}: {size:,}')
            os.environ['BENCH_KEEP'] = str(size)
            window = ['--window', str(size + IN_FLIGHT), '--keeps', str(size)]
            result = run_case(plan, unacked, STORMCELL, [*window, *plan.clock()])
            beside = run_case(plan, acked, STORMCELL, ['--window', str(IN_FLIGHT), *plan.clock()])
            results.append({'size': size, 'repetition': repetition, **result,
                            'acked_cpu_us': beside['cpu_us']})
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
    by_size: dict[int, dict[int, Result]] = {}
    for result in results:
        by_size.setdefault(result['size'], {})[result['repetition']] = result
    return [_row(size, by_size[size], by_size[1]) for size in sorted(by_size)]


def _row(size: int, costs: dict[int, Result], first: dict[int, Result]) -> Result:
    def of_first(what: str) -> dict[str, float]:
        return spread(each[what] / first[repetition][what] for repetition, each in costs.items())

    row = {'size': size, 'cpu_us_per_tuple': spread(each['cpu_us'] for each in costs.values()),
           'ratio_to_1': of_first('cpu_us')}
    if 'acked_cpu_us' in costs[0]:
        row['acked_cpu_us_per_tuple'] = spread(each['acked_cpu_us'] for each in costs.values())
        row['acked_ratio_to_1'] = of_first('acked_cpu_us')
    return row


def show_ids(rows: list[Result]) -> None:
    _show('live ids', rows, lambda row: (f"{row['acked_cpu_us_per_tuple']['median']:.3f}",
                                         f"{row['acked_ratio_to_1']['median']:.2f}"),
          ('kept, acked', '/ 1'))


def show_tasks(rows: list[Result]) -> None:
    _show('tasks', rows)


def _show(what: str, rows: list[Result],
          more: Callable[[Result], tuple[str, ...]] = lambda row: (),
          head: tuple[str, ...] = ()) -> None:
    show_table(
        (what, 'CPU us/tuple', 'min - max', '/ 1', '(min - max)', *head),
        [(f"{row['size']:,}", f"{row['cpu_us_per_tuple']['median']:.3f}",
          f"{row['cpu_us_per_tuple']['min']:.3f} - {row['cpu_us_per_tuple']['max']:.3f}",
          f"{row['ratio_to_1']['median']:.2f}",
          f"({row['ratio_to_1']['min']:.2f} - {row['ratio_to_1']['max']:.2f})",
          *more(row)) for row in rows],
        left=1)
