"""What the system tells of processes."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


def children_of(parent: int) -> list[int]:
    """The pids of those that a process has started and that have not ended."""
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                state, ppid = (entry / 'stat').read_text().rpartition(')')[2].split()[:2]
            except OSError:  # it has just gone
                continue
            if int(ppid) == parent and state not in 'ZX':
                found.append(int(entry.name))
    return found


@dataclass(frozen=True)
class Holdings:
    """What a process holds. rss_kib: memory; pss_kib: the same, where what is shared counts in parts."""

    rss_kib: int
    pss_kib: int
    descriptors: int
    threads: int


def holdings_of(pid: int) -> Holdings:
    folder = Path('/proc') / str(pid)
    memory = _table(folder / 'smaps_rollup')
    return Holdings(int(memory['Rss'].split()[0]), int(memory['Pss'].split()[0]),
                    len(list((folder / 'fd').iterdir())),
                    int(_table(folder / 'status')['Threads']))


def _table(path: Path) -> dict[str, str]:
    parts = (line.partition(':') for line in path.read_text().splitlines())
    return {name: value.strip() for name, colon, value in parts if colon}
