"""A word count on a real Storm's two workers: the spout in one JVM, the bolt in the other."""
from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from cases import CASES
from children import HERE, HOSTS, OURS, PYTHON, RUNNER, STORMCELL, Child
from plan import Wrong

COUNT = next(case for case in CASES if case.name == 'wordcount')
STORMCELL_COMMAND = os.environ.get('BENCH_STORMCELL', 'stormcell').split()
TOLD = re.compile(r'(\d+ \d+ \d+)$')
START = re.compile(r'(?:Opening spout|Preparing bolt) (words|count):')
PATIENCE = 180.0
"""Seconds that Storm may take until the spout tells something."""

OWN = {
    'src/declared.py': '''
import bolts, words

class Words(words.Words):
    outputs = ['word']

class WordCount(bolts.WordCount):
    outputs = ['word', 'count']
''',
    'topologies/bench.py': '''
from declared import WordCount, Words
from stormcell import Grouping, Topology

class Bench(Topology):
    words = Words.spec()
    count = WordCount.spec(inputs={words: Grouping.fields('word')})
''',
}
OTHERS = '''
from stormcell import Grouping, ShellBolt, ShellSpout, Topology

class Bench(Topology):
    words = ShellSpout.spec(command='sh', script=WORDS, outputs=['word'])
    count = ShellBolt.spec(command='sh', script=COUNT, outputs=['word', 'count'],
                           inputs={words: Grouping.fields('word')})
'''


def on_workers(child: Child, folder: Path, seconds: float, pending: int) -> Iterator[str]:
    """What the spout logs, line by line. Wrong."""
    cluster = folder / 'storm'
    project(child, folder)
    settings = ['-o', f'topology.max.spout.pending={pending}', '-w', '2', '-a', '2']
    try:
        stormcell(folder, 'cluster', 'up', '--home', str(cluster))
        stormcell(folder, 'submit', '--python', PYTHON, *settings)
        artifacts = cluster / 'logs' / 'workers-artifacts'
        for number, told in enumerate(logged(artifacts, seconds)):
            if number == 0:
                check_crossing(artifacts)
            yield told
    finally:
        stormcell(folder, 'cluster', 'down', '--home', str(cluster))


def stormcell(folder: Path, *words: str) -> None:
    """Run the command line, as its users do. Wrong."""
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(OURS), 'STORMCELL_RUNNER': str(RUNNER),
                   'STORMCELL_CLUSTER': str(folder / 'storm')}
    done = subprocess.run([*STORMCELL_COMMAND, *words], cwd=folder, env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Wrong(f'stormcell {words[0]}: {done.stdout.strip()}')


def project(child: Child, folder: Path) -> None:
    """Make what is to be submitted: with Stormcell's own components in the jar, or started by scripts."""
    for name in ('src', 'topologies'):
        (folder / name).mkdir()
    if child is STORMCELL:
        for source in (HERE / 'words.py', HERE / 'bolts.py', HOSTS / 'stormcell' / 'host.py'):
            shutil.copy(source, folder / 'src')
        for name, text in OWN.items():
            (folder / name).write_text(text, encoding='utf-8')
        return
    scripts = {name: script(child, folder, name) for name in ('Words', 'WordCount')}
    text = OTHERS.replace('WORDS', repr(scripts['Words'])).replace('COUNT', repr(scripts['WordCount']))
    (folder / 'topologies' / 'bench.py').write_text(text, encoding='utf-8')


def script(child: Child, folder: Path, name: str) -> str:
    """What starts a component: Storm passes one argument only."""
    path = folder / f'{name}.sh'
    command = [*child.command(COUNT)[:-1], f'words.{name}']
    modules = os.pathsep.join(map(str, child.path))
    path.write_text(f'cd {shlex.quote(str(HERE))}\n'
                    f'PYTHONPATH={shlex.quote(modules)} exec {shlex.join(command)}\n', encoding='utf-8')
    return str(path)


def logged(artifacts: Path, seconds: float) -> Iterator[str]:
    """What the spout tells, in whichever worker it is, as it comes. Wrong."""
    places: dict[Path, int] = {}
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for path in sorted(artifacts.glob('*/*/worker.log')):
            with path.open('rb') as file:
                file.seek(places.get(path, 0))
                text = file.read()
            whole = text.rpartition(b'\n')[0]
            places[path] = places.get(path, 0) + len(whole) + bool(whole)
            for line in whole.decode(errors='replace').splitlines():
                found = TOLD.search(line)
                if found and 'words' in line:
                    deadline = time.monotonic() + seconds + PATIENCE
                    yield found[1]
        time.sleep(0.05)
    raise Wrong('nothing was heard of the spout')


def check_crossing(artifacts: Path) -> None:
    """Wrong: spout and bolt are in one worker, and nothing goes from one to the other."""
    ports = {}
    for path in artifacts.glob('*/*/worker.log'):
        for name in START.findall(path.read_text(encoding='utf-8', errors='replace')):
            ports[name] = path.parent.name
    if set(ports) != {'words', 'count'} or ports['words'] == ports['count']:
        raise Wrong(f'spout and bolt are not in two workers: {ports}')
