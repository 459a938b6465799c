"""The programs that are measured, and how each is started for a case."""
from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cases import Case, Values, echoed

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent / 'build' / 'bench'
PEERS_PYTHON = BUILT / 'peers' / 'bin' / 'python'
SHIM = os.environ.get('STORMCELL_SHIM', '')

Expect = Callable[[Sequence[Values]], Iterable[list[Values]]]


@dataclass(frozen=True)
class Child:
    """command: for a case. path: folders of Python modules. expect: what it emits."""

    name: str
    command: Callable[[Case], list[str]]
    path: list[Path | str]
    expect: Callable[[Case], Expect]

    def environment(self) -> dict[str, str]:
        """This process's own, without what leads to another Python or another child's modules."""
        ours = {name: value for name, value in os.environ.items()
                if not name.startswith(('PYTHON', 'VIRTUAL_ENV', 'STORMCELL_'))}
        return ours | {'PYTHONPATH': os.pathsep.join(map(str, self.path))}


def _pystorm(case: Case) -> list[str]:
    return [str(PEERS_PYTHON), str(HERE / 'hosts' / 'pystorm' / 'start.py'), case.component]


STORMCELL = Child(
    'stormcell',
    lambda case: [SHIM, case.component],
    [HERE / 'hosts' / 'stormcell', HERE, *os.environ.get('PYTHONPATH', '').split(os.pathsep)],
    lambda case: case.expect,
)
PYSTORM = Child('pystorm', _pystorm, [HERE / 'hosts' / 'pystorm', HERE], lambda case: case.expect)
FLOOR = Child(
    'C child',
    lambda case: [str(BUILT / 'floor'), 'emit' if case.emits else 'ack'],
    [],
    lambda case: echoed if case.emits else case.expect,
)
CHILDREN = [STORMCELL, PYSTORM, FLOOR]

PEER_FACTS = """
import platform, sys
from importlib.metadata import version
from simplejson.encoder import c_make_encoder
from simplejson.scanner import c_make_scanner
if not (c_make_encoder and c_make_scanner):
    sys.exit('simplejson came without its C part, which would be unfair to pystorm')
print(version('pystorm'), version('simplejson'), platform.python_version())
"""


def versions() -> dict[str, str]:
    """Who is measured. subprocess.CalledProcessError."""
    ours = subprocess.run([SHIM, '--version'], check=True, capture_output=True, text=True).stdout
    peers = subprocess.run(
        [PEERS_PYTHON, '-c', PEER_FACTS], check=True, capture_output=True, text=True
    ).stdout.split()
    return {
        'stormcell': ours.strip().partition(' at ')[0],
        'pystorm': f'pystorm {peers[0]}, simplejson {peers[1]} with its C part, Python {peers[2]}',
        'C child': 'bench/floor.c: no Python, finds the id and repeats the values',
    }
