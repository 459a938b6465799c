"""From single results to a table: medians, spread, and ratios within a repetition."""
from __future__ import annotations

from statistics import median
from typing import Any

PEER = 'pystorm'

Result = dict[str, Any]


def spread(numbers: list[float]) -> dict[str, float]:
    return {'median': median(numbers), 'min': min(numbers), 'max': max(numbers)}


def ratios(results: list[Result], group: list[Result], what: str) -> list[float]:
    """Each of the group's numbers over the peer's in the same repetition."""
    case, mode = group[0]['case'], group[0]['mode']
    peer = {each['repetition']: each[what] for each in results
            if (each['case'], each['mode'], each['child']) == (case, mode, PEER)}
    return [each[what] / peer[each['repetition']] for each in group]


def summarize(results: list[Result]) -> list[Result]:
    """A row for each case, mode and child, in the order in which they were first measured."""
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result['case'], result['mode'], result['child']), []).append(result)
    rows = []
    for (case, mode, child), group in groups.items():
        row = {
            'case': case,
            'mode': mode,
            'child': child,
            'tuples_per_s': spread([each['rate'] for each in group]),
            f'ratio_to_{PEER}': spread(ratios(results, group, 'rate')),
            'cpu_us_per_tuple': spread([each['cpu_us'] for each in group]),
            f'cpu_ratio_to_{PEER}': spread(ratios(results, group, 'cpu_us')),
            'driver_busy': median(each['driver_busy'] for each in group),
        }
        if 'p50_us' in group[0]:
            row['p50_us'] = median(each['p50_us'] for each in group)
            row['p99_us'] = median(each['p99_us'] for each in group)
        rows.append(row)
    return rows


HEAD = ('case', 'mode', 'child', 'tuples/s', 'min - max', f'x {PEER}', '(min - max)',
        'CPU us/tuple', f'{PEER} / it', 'p50 / p99 us')


def cells(row: Result) -> tuple[str, ...]:
    rate, ratio = row['tuples_per_s'], row[f'ratio_to_{PEER}']
    latency = f"{row['p50_us']:.1f} / {row['p99_us']:.1f}" if 'p50_us' in row else ''
    return (
        row['case'], row['mode'], row['child'],
        f"{rate['median']:,.0f}", f"{rate['min']:,.0f} - {rate['max']:,.0f}",
        f"{ratio['median']:.2f}", f"({ratio['min']:.2f} - {ratio['max']:.2f})",
        f"{row['cpu_us_per_tuple']['median']:.2f}",
        f"{1 / row[f'cpu_ratio_to_{PEER}']['median']:.1f}", latency,
    )


def show(about: dict[str, Any], rows: list[Result], repetitions: int) -> None:
    """Print what was measured, and the table."""
    print(f"{about['date']}, {about['machine']}")
    for text in about['versions'].values():
        print(f'  {text}')
    print(f'medians of {repetitions} interleaved repetitions; '
          f'ratios within a repetition; CPU: all of the child\'s processes\n')
    lines = [HEAD, *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    for number, line in enumerate(lines):
        if number > 1 and line[:2] != lines[number - 1][:2]:
            print()
        left = [cell.ljust(width) for cell, width in zip(line[:3], widths)]
        right = [cell.rjust(width) for cell, width in zip(line[3:], widths[3:])]
        print('  '.join(left + right).rstrip())
    print()
