"""The processor time that processes have used, from /proc."""
from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf('SC_CLK_TCK')


@dataclass(frozen=True)
class Used:
    """Seconds: of the JVM, and of all that it has started."""

    java: float
    others: float


def used(pids: Iterable[int]) -> Used:
    """What these processes have used so far; those that have ended count nothing."""
    seconds = {True: 0.0, False: 0.0}
    for pid in pids:
        with contextlib.suppress(OSError):
            text = Path(f'/proc/{pid}/stat').read_text(encoding='utf-8', errors='replace')
            name = text[text.index('(') + 1:text.rindex(')')]
            fields = text[text.rindex(')') + 2:].split()
            seconds[name == 'java'] += (int(fields[11]) + int(fields[12])) / TICKS
    return Used(java=seconds[True], others=seconds[False])
