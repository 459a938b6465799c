"""From single results to a table: medians, spread, and ratios within a repetition."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

from children import FLOOR, FLOOR_ECHO, PYSTORM, STORM_PY, STORM_PY_UNREAD

Result = dict[str, Any]
Spread = dict[str, float]

AGAINST = {
    'pystorm': [PYSTORM.name],
    'storm.py': [STORM_PY.name],
    'storm.py at best': [STORM_PY.name, STORM_PY_UNREAD.name],  # whichever of the two is better
    'C child': [FLOOR.name],
    'C child, echo': [FLOOR_ECHO.name],
}
"""Whom the others are held against."""


def spread(numbers: Iterable[float]) -> Spread:
    all_of_them = list(numbers)
    return {'median': median(all_of_them), 'min': min(all_of_them), 'max': max(all_of_them)}


def ratios(group: list[Result], peers: list[Result], what: str,
           best: Callable[[Iterable[float]], float] = max) -> Spread | None:
    """Of each of the group's numbers to the best of the peers' in the same repetition; None where
    these were not measured."""
    by_repetition: dict[int, list[float]] = {}
    for peer in peers:
        if what in peer:
            by_repetition.setdefault(peer['repetition'], []).append(peer[what])
    found = [each[what] / best(by_repetition[each['repetition']]) for each in group
             if what in each and each['repetition'] in by_repetition]
    return spread(found) if found else None


def summarize(results: list[Result]) -> list[Result]:
    """A row for each case, mode and child."""
    groups: dict[tuple[str, str], dict[str, list[Result]]] = {}
    for result in results:
        in_mode = groups.setdefault((result['case'], result['mode']), {})
        in_mode.setdefault(result['child'], []).append(result)
    rows = []
    for (case, mode), children in groups.items():
        peers = {name: [each for child in who for each in children.get(child, [])]
                 for name, who in AGAINST.items()}
        rows += [{'case': case, 'mode': mode, 'child': child, **summary(group, peers)}
                 for child, group in children.items()]
    return rows


def summary(group: list[Result], peers: dict[str, list[Result]]) -> Result:
    """What is said of one child."""
    row = {
        'tuples_per_s': spread(each['rate'] for each in group),
        'ratio_to': {name: ratios(group, who, 'rate') for name, who in peers.items()},
        'cpu_us_per_tuple': spread(each['cpu_us'] for each in group),
        'cpu_ratio_to': {name: ratios(group, who, 'cpu_us', min) for name, who in peers.items()},
        'driver_busy': median(each['driver_busy'] for each in group),
    }
    if 'p50_us' in group[0]:
        row['p50_us'] = spread(each['p50_us'] for each in group)
        row['p99_us'] = spread(each['p99_us'] for each in group)
        row['p50_ratio_to'] = {name: ratios(group, who, 'p50_us', min)
                               for name, who in peers.items()}
    return row


HEAD = ('case', 'mode', 'child', 'tuples/s', 'min - max', 'x pystorm', '(min - max)', 'x storm.py',
        'CPU us/tuple', 'CPU x pystorm', 'CPU x storm.py', 'p50 us', 'p99 us', 'p50 / C child')


def times(found: Spread | None) -> str:
    return '' if found is None else f"{found['median']:.2f}"


def less(found: Spread | None) -> str:
    return '' if found is None else f"{1 / found['median']:.2f}"


def cells(row: Result) -> tuple[str, ...]:
    rate, ratio, cpu = row['tuples_per_s'], row['ratio_to']['pystorm'], row['cpu_ratio_to']
    latency = [f"{row[what]['median']:.1f}" if what in row else '' for what in ('p50_us', 'p99_us')]
    return (
        row['case'], row['mode'], row['child'],
        f"{rate['median']:,.0f}", f"{rate['min']:,.0f} - {rate['max']:,.0f}",
        times(ratio), f"({ratio['min']:.2f} - {ratio['max']:.2f})" if ratio else '',
        times(row['ratio_to']['storm.py at best']), f"{row['cpu_us_per_tuple']['median']:.2f}",
        less(cpu['pystorm']), less(cpu['storm.py at best']),
        *latency, times(row['p50_ratio_to']['C child'] if 'p50_us' in row else None),
    )


def show(about: dict[str, Any], rows: list[Result], repetitions: int) -> None:
    """Print what was measured, and the table."""
    print(f"{about['date']}, {about['machine']}")
    for name, text in about['versions'].items():
        print(f'  {name}: {text}')
    if not rows:
        print()
        return
    print(f'medians of {repetitions} interleaved repetitions; ratios within a repetition, to the '
          "better of the two ways\nwith storm.py; CPU: all of the child's processes\n")
    show_table(HEAD, [cells(row) for row in rows], left=3, apart=2)


def show_table(head: Sequence[str], lines: Sequence[Sequence[str]], left: int,
               apart: int = 0) -> None:
    """The first `left` columns flush left; a blank line where the first `apart` change."""
    whole = [head, *lines]
    widths = [max(len(line[column]) for line in whole) for column in range(len(head))]
    for number, line in enumerate(whole):
        if number > 1 and line[:apart] != whole[number - 1][:apart]:
            print()
        sides = [cell.ljust(width) if column < left else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(line, widths))]
        print('  '.join(sides).rstrip())
    print()
