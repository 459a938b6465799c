"""What is to be measured, and how the driver plays Storm for it."""
from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cases import Case

Result = dict[str, Any]


class Wrong(Exception):
    """A child that died or answered wrongly; the text says which and how."""


@dataclass(frozen=True)
class Mode:
    """How the driver plays Storm. window: tuples in flight. options: more of the driver's own."""

    name: str
    about: str
    window: int | None = None
    options: list[str] = field(default_factory=list)
    one_core: bool = False

    def driver_options(self, case: Case) -> list[str]:
        place = ['--cpus', f'{cpus()[0]},{cpus()[0]}'] if self.one_core else []
        window = [] if self.window is None else ['--window', str(self._window_for(case))]
        return [*window, *self.options, *place]

    def _window_for(self, case: Case) -> int:
        """A batch is answered when all of it has come, and the next should be on its way then."""
        assert self.window is not None
        return self.window if case.group == 1 else max(self.window, 2 * case.group)


MODES = [
    Mode('flood', 'as fast as the pipe takes it'),
    Mode('100', '100 tuples in flight', 100),
    Mode('1', 'one tuple in flight; the driver spins for the answer', 1),
    Mode('1-core', 'one tuple in flight; driver and child on one CPU, the driver sleeps', 1,
         ['--sleep'], one_core=True),
    Mode('storm', '1000 in flight, one message a write, sleeps in poll, as Storm does', 1000,
         ['--single', '--sleep']),
]


@dataclass
class Plan:
    """
    quick: all that is asked is whether the answers are right.
    time_ms, warm_up_ms: of each run.
    place: the driver's options for where it and the child run.
    folder: for what is prepared and thrown away.
    """

    quick: bool
    cases: list[Case]
    extras: list[Any]  # of extras.EXTRAS
    modes: list[Mode]
    repetitions: int
    time_ms: int
    warm_up_ms: int
    place: list[str]
    folder: Path

    def input(self, name: str) -> Path:
        """Where the bytes that are prepared for a case or anything else are."""
        return self.folder / f'{name}.input'

    def clock(self) -> list[str]:
        return ['--time', str(self.time_ms), '--warm-up', str(self.warm_up_ms)]


def cpus() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def in_turn(things: list[Any], repetition: int) -> list[Any]:
    """Each goes first in turn, so that none always runs behind the same other one."""
    first = repetition % len(things)
    return things[first:] + things[:first]


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)
