"""What is measured beside the cases."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import flat
import memory
import startup
import usercode
from cases import Case
from plan import Plan, Result


@dataclass(frozen=True)
class Extra:
    """case: the one that it starts from. measure: single results. summarize: rows of these."""

    name: str
    about: str
    case: str
    measure: Callable[[Plan, Case], list[Result]]
    summarize: Callable[[list[Result]], list[Result]]
    show: Callable[[list[Result]], None]


EXTRAS = [
    Extra('startup', startup.ABOUT, 'noop', startup.measure, startup.summarize, startup.show),
    Extra('memory', memory.ABOUT, 'noop', memory.measure, memory.summarize, memory.show),
    Extra('usercode', usercode.ABOUT, 'noop', usercode.measure, usercode.summarize,
          usercode.show),
    Extra('liveids', flat.IDS_ABOUT, 'noop', flat.measure_ids, flat.summarize, flat.show_ids),
    Extra('tasks', flat.TASKS_ABOUT, 'wordcount', flat.measure_tasks, flat.summarize,
          flat.show_tasks),
]
