"""The bytes that Storm would send to a bolt: its handshake and its tuples."""
from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from cases import Case, Values

SOURCE, BOLT = 'source', 'bolt'
BOLT_TASK = 4
SOURCE_TASKS = [12, 13, 14, 15]


def frame(message: Any) -> str:
    """As Storm's JSON writer has it: no blanks, raw UTF-8, slashes escaped."""
    text = json.dumps(message, separators=(',', ':'), ensure_ascii=False)
    return text.replace('/', '\\/') + '\nend\n'


def tuple_message(values: Values, chance: Random) -> dict[str, Any]:
    """A tuple with its members in the order in which Storm's hash map writes them."""
    return {
        'comp': SOURCE,
        'tuple': values,
        'task': chance.choice(SOURCE_TASKS),
        'stream': 'default',
        'id': str(chance.randint(-(2**63), 2**63 - 1)),
    }


def context(case: Case) -> dict[str, Any]:
    """The topology as the bolt's task sees it: source -> bolt -> sink."""
    tasks = {'1': '__acker', '2': '__acker', '3': '__eventlogger', str(BOLT_TASK): BOLT}
    tasks |= {str(task): 'sink' for task in range(5, 12)}
    tasks |= {str(task): SOURCE for task in SOURCE_TASKS}
    shuffle = {'type': 'SHUFFLE'}
    streams = {'default': case.emits} if case.emits else {}
    return {
        'task->component': tasks,
        'taskid': BOLT_TASK,
        'componentid': BOLT,
        'streams': list(streams),
        'stream->outputfields': streams,
        'stream->target->grouping': {stream: {'sink': shuffle} for stream in streams},
        'source->stream->grouping': {SOURCE: {'default': shuffle}},
        'source->stream->fields': {SOURCE: {'default': case.takes}},
    }


def conf() -> dict[str, Any]:
    """A topology's configuration, in size and shape; a bolt's host looks at a handful of keys."""
    told = {
        'topology.name': 'bench',
        'topology.id': 'bench-1-1700000000',
        'topology.workers': 1,
        'topology.acker.executors': 2,
        'topology.message.timeout.secs': 30,
        'topology.max.spout.pending': 1000,
        'topology.debug': False,
        'topology.multilang.serializer': 'org.apache.storm.multilang.JsonSerializer',
        'topology.subprocess.timeout.secs': 30,
        'topology.tick.tuple.freq.secs': None,
        'topology.kryo.register': None,
        'topology.environment': {'LANG': 'C.UTF-8'},
        'storm.zookeeper.servers': ['localhost'],
        'storm.zookeeper.port': 2181,
        'supervisor.slots.ports': [6700, 6701, 6702, 6703],
        'worker.childopts': '-Xmx%HEAP-MEM%m -XX:+PrintGCDetails -Xloggc:artifacts/gc.log',
    }
    # A real one has some 300 keys in 15 kB.
    rest = {f'bench.stands.for.a.default.of.storm.{n:03}': n * 1000 for n in range(280)}
    return told | rest


def write_input(case: Case, tuples: int, pid_dir: Path, path: Path) -> list[dict[str, Any]]:
    """Write the handshake and as many tuples to `path`; the tuples."""
    chance = Random(f'{case.name}: the same bytes in every run')
    messages = [tuple_message(case.make(chance), chance) for _ in range(tuples)]
    greeting = {'pidDir': str(pid_dir), 'conf': conf(), 'context': context(case)}
    path.write_text(''.join(map(frame, [greeting, *messages])), encoding='utf-8')
    return messages
