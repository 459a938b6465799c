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

LOOKS = {
    'stormcell': ('#1f6feb', 'o'),
    'pystorm': ('#d97706', 's'),
    'streamparse': ('#8f5902', 'x'),
    'storm.py': ('#2e8b57', '<'),
    'storm.py, ids unread': ('#2e8b57', '>'),
    'C child': ('#8b949e', '|'),
}
"""A colour and a mark each, so that it can be read in print too."""

Spread = dict[str, float]


def rates(results: dict[str, Any]) -> dict[str, dict[str, Spread]]:
    """case -> child -> tuples a second, in the flood."""
    found: dict[str, dict[str, Spread]] = {}
    for row in results['summary']:
        if row['mode'] == 'flood':
            found.setdefault(row['case'], {})[row['child']] = row['tuples_per_s']
    return found


def draw_child(axes: Any, child: str, found: dict[int, Spread]) -> None:
    """Its median in each case's row, and a line from the least to the most."""
    colour, mark = LOOKS[child]
    medians = [rate['median'] for rate in found.values()]
    axes.hlines(list(found), [rate['min'] for rate in found.values()],
                [rate['max'] for rate in found.values()], color=colour, linewidth=1, alpha=0.5)
    axes.plot(medians, list(found), mark, color=colour, label=child, markersize=6,
              markeredgewidth=1.5)


def draw(results: dict[str, Any], path: Path) -> None:
    by_case = rates(results)
    figure, axes = pyplot.subplots(figsize=(8, 1.2 + 0.3 * len(by_case)), layout='constrained')
    for child in LOOKS:
        found = {place: rows[child] for place, rows in enumerate(by_case.values())
                 if child in rows}
        if found:
            draw_child(axes, child, found)
    axes.set_yticks(range(len(by_case)), list(by_case))
    axes.invert_yaxis()
    axes.set_xscale('log')
    axes.set_xlabel('tuples a second, as fast as the pipe takes them (logarithmic)')
    axes.grid(color='#d0d7de', linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.tick_params(axis='y', length=0)
    figure.legend(loc='outside upper center', ncols=len(LOOKS), frameon=False, fontsize='small')
    figure.savefig(path, metadata={'Date': None})


if __name__ == '__main__':
    draw(json.loads(Path(sys.argv[1]).read_text(encoding='utf-8')), Path(sys.argv[2]))
