"""Runs our executable under valgrind, from a file to a file, and says what each process executed.

Nothing here depends on the machine's speed: the child finds all of its input there at once, as in a
flood, and so reads and writes in the same portions each time.
"""
from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cases import Case
from children import HERE, STORMCELL
from plan import Wrong
from wire import write_input

ROOT = HERE.parent


@dataclass(frozen=True)
class Counts:
    """Instructions of the two processes. profile: valgrind's file about the interpreter's."""

    interpreter: int
    guardian: int
    profile: Path


def environment(root: Path) -> dict[str, str]:
    """For a child that finds this repository at `root`. It is always the same, and as long: Python's
    cache of methods goes by addresses, and a few bytes more or less can cost 3 % in collisions."""
    return {
        'PATH': os.defpath,
        'LANG': 'C.UTF-8',
        'PYTHONPATH': STORMCELL.environment()['PYTHONPATH'].replace(str(ROOT), str(root)),
        'PYTHONHASHSEED': '0',  # dicts of strings have the same collisions, too
    }


def reported(said: Path) -> str:
    """The text of the last error that a child told Storm, if any."""
    errors = re.findall(r'^\{"command": ?"error".*$', said.read_text(errors='replace'), re.M)
    return str(json.loads(errors[-1])['msg']) if errors else ''


def converse(command: list[str], folder: Path, messages: int) -> int:
    """Run a command over the folder's input; its pid, when it has answered everything. Wrong."""
    said, root = folder / 'said', folder / 'root'
    root.symlink_to(ROOT)
    command = [word.replace(str(ROOT), str(root)) for word in command]
    with (folder / 'input').open('rb') as source, said.open('wb') as sink:
        with subprocess.Popen(command, stdin=source, stdout=sink, stderr=subprocess.PIPE,
                              cwd=folder, env=environment(root)) as process:
            try:
                complaint = process.communicate()[1].decode(errors='replace').strip()
            except BaseException:
                process.kill()
                raise
    # Each tuple is acked once; a spout syncs once for each command.
    answers = len(re.findall(rb'"command": ?"(?:ack|sync)"', said.read_bytes()))
    if process.returncode != 0 or answers != messages:
        raise Wrong(f'{folder.name}: {" ".join(command)} ended with status {process.returncode} '
                    f'after {answers} of {messages} answers\n{complaint}\n{reported(said)}'.strip())
    return process.pid


def start_once(case: Case, folder: Path) -> None:
    """Run a case without valgrind: it shows that it can, and leaves compiled modules. Wrong."""
    folder.mkdir()
    write_input(case, folder / 'input', case.group)
    converse(STORMCELL.command(case), folder, case.group)


def count(case: Case, messages: int, folder: Path, tool: str) -> Counts:
    """Run a case with so many messages under one of valgrind's tools that count. Wrong."""
    folder.mkdir()
    write_input(case, folder / 'input', messages)
    valgrind = ['valgrind', f'--tool={tool}', f'--{tool}-out-file={folder}/counts.%p',
                f'--log-file={folder}/log.%p', '--trace-children=yes']
    if tool == 'cachegrind':
        valgrind.append('--cache-sim=no')
    guardian = converse([*valgrind, *STORMCELL.command(case)], folder, messages)
    counted = {int(path.suffix[1:]): path for path in folder.glob('counts.*')}
    others = [pid for pid in counted if pid != guardian]
    if guardian not in counted or len(others) != 1:
        raise Wrong(f'{case.name}: valgrind saw {len(counted)} processes instead of two')
    profile = counted[others[0]]
    return Counts(total(profile), total(counted[guardian]), profile)


def total(counts: Path) -> int:
    """The sum in what valgrind wrote at the end of a process."""
    found = re.findall(r'^(?:summary|totals): *(\d+)', counts.read_text(errors='replace'), re.M)
    if not found:
        raise Wrong(f'{counts.parent.name}: valgrind counted nothing in one process')
    return int(found[-1])


def functions(counts: Counts, inclusive: bool) -> Counter[str]:
    """What each function of the interpreter's process took, from a run with callgrind: by itself,
    for each file that it has lines of (inlined), or with what it calls."""
    done = subprocess.run(
        ['callgrind_annotate', '--auto=no', '--threshold=100', '--show-percs=no',
         f'--inclusive={"yes" if inclusive else "no"}', str(counts.profile)],
        check=True, capture_output=True, text=True, errors='replace')
    found: Counter[str] = Counter()
    for number, path, function in re.findall(
            r'^ *([\d,]+) +(\S*?):(.+?)(?: \[.*\])?$', done.stdout, re.M):
        instructions = int(number.replace(',', ''))
        if inclusive:  # each of its files has the whole
            found[function] = max(found[function], instructions)
        else:
            found[f'{os.path.basename(path)}:{function}'] += instructions
    return found
