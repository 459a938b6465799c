"""From fork(2) to the handshake answered, of each child; and plain Python's whole life."""
from __future__ import annotations

from cases import Case
from children import CHILDREN, EXTENSION, PYSTORM, PYTHON, Child
from drive import drive
from plan import Plan, Result, in_turn, progress
from table import show_table, spread

ABOUT = 'from start to handshake answered, every .pyc file cached; beside `python3 -I -c pass`'

PLAIN = Child('python3 -I -c pass', lambda case: [PYTHON, '-I', '-c', 'pass'], [])
STARTS = 41


def measure(plan: Plan, noop: Case) -> list[Result]:
    who = [PLAIN, *CHILDREN, EXTENSION]
    results = []
    # The first of all is not counted: it writes .pyc files and warms the disk's cache.
    for repetition in range(-1, 2 if plan.quick else STARTS):
        for child in in_turn(who, repetition):
            progress(f'start {repetition + 1}: {child.name}')
            until = 'exit' if child is PLAIN else 'answer'
            result = drive('startup', [*plan.place, '--start', until, plan.input(noop.name)],
                           child.command(noop), child)
            if repetition >= 0:
                results.append({'child': child.name, 'repetition': repetition, **result})
    return results


def summarize(results: list[Result]) -> list[Result]:
    by_child: dict[str, list[float]] = {}
    for result in results:
        by_child.setdefault(result['child'], []).append(result['start_ms'])
    plain, pystorm = by_child[PLAIN.name], by_child[PYSTORM.name]
    return [{'child': name, 'start_ms': spread(starts),
             'ms_over_python': spread(a - b for a, b in zip(starts, plain)),
             'ratio_to_pystorm': spread(a / b for a, b in zip(starts, pystorm))}
            for name, starts in by_child.items()]


def show(rows: list[Result]) -> None:
    show_table(
        ('startup', 'ms', 'min - max', 'over python3', '/ pystorm'),
        [(row['child'], f"{row['start_ms']['median']:.1f}",
          f"{row['start_ms']['min']:.1f} - {row['start_ms']['max']:.1f}",
          f"{row['ms_over_python']['median']:+.1f}", f"{row['ratio_to_pystorm']['median']:.2f}")
         for row in rows], left=1)
