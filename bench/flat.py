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

IDS_ABOUT = ('CPU a tuple while 1, 1,000 and 1,000,000 others are not acked; if each ack is for the '
             'oldest of so many; and if so many are kept that are acked; ours only')
TASKS_ABOUT = 'CPU a tuple with 1 and 1,000 tasks in the context; ours only'

BESIDE = ['oldest', 'acked']
IN_FLIGHT = 8192
"""Tuples on their way beside those that the bolt keeps."""


def measure_ids(plan: Plan, noop: Case) -> list[Result]:
    sizes = [1, 1000] if plan.quick else [1, 1000, 1_000_000]
    # All run on the same bytes: those of the largest.
    held = dataclasses.replace(noop, name='liveids', component='keep.Held')
    queued = dataclasses.replace(held, component='keep.Queued')
    acked = dataclasses.replace(held, component='keep.Acked')
    progress('preparing tuples for live ids')
    write_input(held, plan.input(held.name), sizes[-1] + 2 * IN_FLIGHT)
    results = []
    for repetition in range(plan.repetitions):
        for size in in_turn(sizes, repetition):
            progress(f'live ids {repetition + 1}: {size:,}')
            os.environ['BENCH_KEEP'] = str(size)
            window = ['--window', str(size + IN_FLIGHT), '--keeps', str(size)]
            result = run_case(plan, held, STORMCELL, [*window, *plan.clock()])
            oldest = run_case(plan, queued, STORMCELL, [*window, *plan.clock()])
            beside = run_case(plan, acked, STORMCELL, ['--window', str(IN_FLIGHT), *plan.clock()])
            results.append({'size': size, 'repetition': repetition, **result,
                            'oldest_cpu_us': oldest['cpu_us'],
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
    for what in BESIDE:
        if f'{what}_cpu_us' in costs[0]:
            row[f'{what}_cpu_us_per_tuple'] = spread(each[f'{what}_cpu_us']
                                                     for each in costs.values())
            row[f'{what}_ratio_to_1'] = of_first(f'{what}_cpu_us')
    return row


def _beside(row: Result) -> tuple[str, ...]:
    return tuple(text for what in BESIDE
                 for text in (f"{row[f'{what}_cpu_us_per_tuple']['median']:.3f}",
                              f"{row[f'{what}_ratio_to_1']['median']:.2f}"))


def show_ids(rows: list[Result]) -> None:
    _show('live ids', rows, _beside, ('oldest acked', '/ 1', 'kept, acked', '/ 1'))


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
