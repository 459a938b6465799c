"""chart.py RESULTS.json CHART.svg: draws the flood of each case. Run by matplotlib's own Python."""
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use('svg')
# The same results give the same file: ids are not random, and no date is written.
matplotlib.rcParams['svg.hashsalt'] = 'stormcell'
matplotlib.rcParams['svg.fonttype'] = 'none'  # text stays text, so the file stays small
matplotlib.rcParams['font.family'] = 'sans-serif'

from matplotlib import pyplot  # noqa: E402

COLOURS = {
    'C child': '#c9ced6',
    'stormcell': '#1f6feb',
    'storm.py, ids unread': '#8fc1a9',
    'storm.py': '#4f9d7c',
    'streamparse': '#f2b880',
    'pystorm': '#d97706',
}
"""From the top of a case's bars to the bottom; a colour each that differs in print too."""
BAR = 0.14


def rates(results: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """case -> child -> tuples a second, in the flood."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row in results['summary']:
        if row['mode'] == 'flood':
            found.setdefault(row['case'], {})[row['child']] = row['tuples_per_s']
    return found


def draw(results: dict[str, Any], path: Path) -> None:
    by_case = rates(results)
    children = [name for name in COLOURS if any(name in rows for rows in by_case.values())]
    figure, axes = pyplot.subplots(figsize=(8, 0.6 + 0.85 * len(by_case)), layout='constrained')
    for number, child in enumerate(children):
        places, lengths, spans = [], [], []
        for place, rows in enumerate(by_case.values()):
            if child in rows:
                rate = rows[child]
                places.append(place + (number - (len(children) - 1) / 2) * BAR)
                lengths.append(rate['median'])
                spans.append((rate['median'] - rate['min'], rate['max'] - rate['median']))
        axes.barh(places, lengths, BAR * 0.9, label=child, color=COLOURS[child],
                  xerr=list(zip(*spans)), error_kw={'elinewidth': 0.6, 'ecolor': '#57606a'})
    axes.set_yticks(range(len(by_case)), list(by_case))
    axes.invert_yaxis()
    axes.set_xscale('log')
    axes.set_xlabel('tuples a second, as fast as the pipe takes them: median, least and most '
                    '(logarithmic)')
    axes.grid(axis='x', color='#d0d7de', linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.tick_params(axis='y', length=0)
    figure.legend(loc='outside upper center', ncols=len(children), frameon=False, fontsize='small')
    figure.savefig(path, metadata={'Date': None})


if __name__ == '__main__':
    draw(json.loads(Path(sys.argv[1]).read_text(encoding='utf-8')), Path(sys.argv[2]))
