"""The programs that are measured, and how each is started for a component."""
from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cases import Case, Expect, echoed, floor_expect

HERE = Path(__file__).resolve().parent
HOSTS = HERE / 'hosts'
BUILT = HERE.parent / 'build' / 'bench'
PEERS = BUILT / 'peers' / 'bin'
PYTHON = str(PEERS / 'python')
"""The one interpreter, in the one environment, for Stormcell, the peers and what is held against
them: what its site-packages cost at start and in memory is the same for all."""
STORMPY = BUILT / 'storm.py'
SHIM = os.environ.get('STORMCELL_SHIM', '')
RUNNER = Path(os.environ.get('STORMCELL_RUNNER', ''))
"""What is in jars: an executable without Python, and the module for every Python."""
OURS = os.environ.get('PYTHONPATH', '').split(os.pathsep)
LEADING = ('PYTHON', 'VIRTUAL_ENV', 'STORMCELL_')
"""How variables begin that lead to another Python or another child's modules."""


@dataclass(frozen=True)
class Child:
    """
    command: to start a case's component.
    path: folders of Python modules.
    expect: what it answers.
    options: the driver's.
    everywhere: measured in every mode, and not in `flood` and `100` alone (of `wordcount`: in all).
    """

    name: str
    command: Callable[[Case], list[str]]
    path: list[Path | str]
    expect: Callable[[Case], Expect] = lambda case: case.expect
    options: list[str] = field(default_factory=list)
    everywhere: bool = True

    def environment(self) -> dict[str, str]:
        """This process's own, without what leads elsewhere."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(LEADING)}
        return ours | {'PYTHONPATH': os.pathsep.join(map(str, self.path)),
                       'STORMCELL_PYTHON': PYTHON}

    @property
    def reads_task_ids(self) -> bool:
        return '--task-ids' in self.options


def clean_environment() -> None:
    """What Storm starts inherits its variables: none may lead a child to another's Python."""
    for name in list(os.environ):
        if name.startswith(LEADING):
            del os.environ[name]


def _started_by(*command: Path | str) -> Callable[[Case], list[str]]:
    return lambda case: [*map(str, command), case.component]


STORMCELL = Child('stormcell', _started_by(SHIM), [HOSTS / 'stormcell', HERE, *OURS])
IN_A_JAR = Child('stormcell, jar', _started_by(RUNNER / 'stormcell-shim'),
                 [HOSTS / 'stormcell', HERE, OURS[0], RUNNER], everywhere=False)
EXTENSION = Child('stormcell.run', _started_by(PYTHON, '-m', 'stormcell.run'), STORMCELL.path)
PYSTORM = Child('pystorm', _started_by(PYTHON, HOSTS / 'start.py'), [HOSTS / 'pystorm', HERE])
STREAMPARSE = Child('streamparse', _started_by(PEERS / 'streamparse_run'),
                    [HOSTS / 'streamparse', HERE], everywhere=False)


def soaked_environment() -> dict[str, str]:
    """Stormcell's, in the Python that it was built for: no peers are needed."""
    found = STORMCELL.environment()
    del found['STORMCELL_PYTHON']
    return found


def _stormpy(name: str, *hosts: Path) -> Child:
    # Its Python has no simplejson, which storm.py would take if it were there, and be slower.
    return Child(name, _started_by(STORMPY / 'bin' / 'python', HOSTS / 'start.py'),
                 [*hosts, HERE, STORMPY / 'resources'], options=['--task-ids'], everywhere=False)


STORM_PY = _stormpy('storm.py', HOSTS / 'stormpy')
STORM_PY_UNREAD = _stormpy('storm.py, ids unread', HOSTS / 'stormpy-unread', HOSTS / 'stormpy')
FLOOR = Child('C child', lambda case: [str(BUILT / 'floor'), *case.floor], [], floor_expect)

# Answers a line of 16 KB with as much, where a bolt answers with a number: the pipe's price, both ways.
FLOOR_ECHO = Child('C child, echo', lambda case: [str(BUILT / 'floor'), 'echo'], [],
                   lambda case: echoed)
ECHO_CASE = 'big'

CHILDREN = [STORMCELL, IN_A_JAR, PYSTORM, STREAMPARSE, STORM_PY, STORM_PY_UNREAD, FLOOR]
if not (PEERS / 'streamparse_run').exists():
    CHILDREN.remove(STREAMPARSE)  # bench/run has said why

PEER_FACTS = """
import platform, sys
from importlib.metadata import PackageNotFoundError, version
from simplejson.encoder import c_make_encoder
from simplejson.scanner import c_make_scanner
if not (c_make_encoder and c_make_scanner):
    sys.exit('simplejson came without its C part, which would be unfair to pystorm')
for name in 'pystorm', 'streamparse':
    try:
        print(f'{name} {version(name)}')
    except PackageNotFoundError:
        print(f'{name}: does not install here, left out')
print(f"simplejson {version('simplejson')} with its C part, Python {platform.python_version()}")
"""


def versions() -> dict[str, str]:
    """Who is measured. subprocess.CalledProcessError."""
    ours = subprocess.run([SHIM, '--version'], check=True, capture_output=True, text=True).stdout
    pystorm, streamparse, python = subprocess.run(
        [PYTHON, '-c', PEER_FACTS], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    storm = (STORMPY / 'version').read_text(encoding='utf-8').strip()
    return {
        STORMCELL.name: ours.strip().partition(' at ')[0],
        IN_A_JAR.name: 'the same as jars have it: a Python that is found, by exec, and the module that is '
                       'one for all Pythons',
        PYSTORM.name: f'{pystorm}, {python}',
        STREAMPARSE.name: f'{streamparse}, {python}',
        STORM_PY.name: f'storm.py of Storm {storm} by its own emit(), which waits for task ids; '
                       "json of Python's own library (faster than with simplejson)",
        STORM_PY_UNREAD.name: 'the same storm.py by emitBolt(), which does not wait; it never '
                              'forgets an id that it got',
        FLOOR.name: 'bench/floor.c: no Python, finds the id and answers with what lies ready',
    }
