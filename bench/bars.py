"""The bars that Stormcell is to clear, and what was measured of each."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from children import EXTENSION, STORMCELL
from plan import Result
from table import show_table

MEMORY_ROOM_KIB = 2048

FASTER = [
    ('word count, flood', 'wordcount', 'flood', 'pystorm', 30),
    ('word count, flood', 'wordcount', 'flood', 'storm.py', 25),
    ('word count, flood', 'wordcount', 'flood', 'storm.py at best', 25),
    ('word count, 100 in flight', 'wordcount', '100', 'pystorm', 16),
    ('no-op, flood', 'noop', 'flood', 'pystorm', 60),
    ('wide, flood', 'wide', 'flood', 'pystorm', 16),
    ('big, flood', 'big', 'flood', 'pystorm', 8),
    ('big, flood', 'big', 'flood', 'C child', 0.95),
    ('big, flood', 'big', 'flood', 'C child, echo', 0.95),
    ('spout, 100 emits a next, flood', 'spout100', 'flood', 'pystorm', 15),
]


def bars(rows: list[Result], extras: dict[str, list[Result]]) -> list[Result]:
    """{'what', 'measured', 'least' or 'most'} for all that this run can tell."""
    ours = {(row['case'], row['mode']): row for row in rows if row['child'] == STORMCELL.name}
    return [*_of_cases(ours), *_of_start(extras), *_of_user_code(extras), *_of_size(extras)]


def _of_cases(ours: dict[tuple[str, str], Result]) -> Iterator[Result]:
    for what, case, mode, peer, least in FASTER:
        row = ours.get((case, mode))
        if row is not None and row['ratio_to'].get(peer) is not None:
            yield bar(f'{what}: times {peer}', row['ratio_to'][peer]['median'], least=least)
    for case in 'noop', 'wordcount':
        row = ours.get((case, '1-core'))
        if row is not None:
            yield bar(f'{case}, one in flight, p50 on one core: of the C child',
                      row['p50_ratio_to']['C child']['median'], most=1.25)


def _of_start(extras: dict[str, list[Result]]) -> Iterator[Result]:
    for row in _ours(extras.get('startup')):
        yield bar('start to handshake answered: of pystorm', row['ratio_to_pystorm']['median'],
                  most=0.5)
        yield bar('start to handshake answered: ms over python3 -I -c pass',
                  row['ms_over_python']['median'], most=3)
    for row in _ours(extras.get('memory')):
        yield bar("peak memory after a flood: KiB over python3 -c 'import json'",
                  row['flood_kib_over_python'], most=MEMORY_ROOM_KIB)


def _of_user_code(extras: dict[str, list[Result]]) -> Iterator[Result]:
    for name in STORMCELL.name, EXTENSION.name:
        for row in _ours(extras.get('usercode'), name):
            yield bar(f'user code alone, {name}: of python3', row['ratio_to_python']['median'],
                      most=1.03)


def _of_size(extras: dict[str, list[Result]]) -> Iterator[Result]:
    for name, what in ('liveids', 'live ids'), ('tasks', 'tasks'):
        for row in extras.get(name, [])[1:]:
            yield bar(f"CPU a tuple, {row['size']:,} {what}: of 1", row['ratio_to_1']['median'],
                      most=1.1)


def _ours(rows: list[Result] | None, name: str = STORMCELL.name) -> list[Result]:
    return [row for row in rows or [] if row['child'] == name]


def bar(what: str, measured: float, **limit: Any) -> Result:
    met = measured >= limit['least'] if 'least' in limit else measured <= limit['most']
    return {'what': what, 'measured': measured, **limit, 'met': met}


def show(found: list[Result]) -> None:
    if found:
        show_table(('bar', 'measured', 'wanted', ''), [
            (each['what'], f"{each['measured']:,.4g}",
             f">= {each['least']:,}" if 'least' in each else f"<= {each['most']:,}",
             'met' if each['met'] else 'missed') for each in found], left=1)
