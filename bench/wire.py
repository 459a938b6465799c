"""The bytes that Storm would send to a component: its handshake, and its tuples or commands."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from cases import Case, Values

SOURCE, BOLT = 'source', 'bolt'
BOLT_TASK = 4
SOURCE_TASKS = [12, 13, 14, 15]
FIRST_SINK_TASK = 1000
NEXT = {'id': '', 'command': 'next'}

# What Storm's JSON writer escapes beyond what JSON must.
_ESCAPED = re.compile('[/\x7f-\x9f\u2000-\u20ff]')


def _escape(found: re.Match[str]) -> str:
    return '\\/' if found[0] == '/' else f'\\u{ord(found[0]):04X}'


def frame(message: Any) -> str:
    """As Storm's JSON writer has it: no blanks, raw UTF-8, slashes escaped."""
    text = json.dumps(message, separators=(',', ':'), ensure_ascii=False)
    return _ESCAPED.sub(_escape, text) + '\nend\n'


def _an_id(chance: Random) -> str:
    return str(chance.randint(-(2**63), 2**63 - 1))


def tuple_message(values: Values, chance: Random) -> dict[str, Any]:
    """A tuple with its members in the order in which Storm's hash map writes them."""
    return {
        'comp': SOURCE,
        'tuple': values,
        'task': chance.choice(SOURCE_TASKS),
        'stream': 'default',
        'id': _an_id(chance),
    }


def tick_message(chance: Random) -> dict[str, Any]:
    return {'comp': '__system', 'tuple': [1], 'task': -1, 'stream': '__tick', 'id': _an_id(chance)}


def messages_of(case: Case, count: int) -> Iterator[dict[str, Any]]:
    """What is sent after the handshake."""
    chance = Random(f'{case.name}: the same bytes in every run')
    for number in range(1, count + 1):
        if case.spout:
            yield NEXT
        elif case.group > 1 and number % case.group == 0:
            yield tick_message(chance)
        else:
            yield tuple_message(case.make(chance), chance)


def context(case: Case, sinks: int) -> dict[str, Any]:
    """The topology as the component's task sees it: source -> component -> sink."""
    tasks = {'1': '__acker', '2': '__acker', '3': '__eventlogger', str(BOLT_TASK): BOLT}
    tasks |= {str(task): SOURCE for task in SOURCE_TASKS}
    tasks |= {str(FIRST_SINK_TASK + number): 'sink' for number in range(sinks)}
    shuffle = {'type': 'SHUFFLE'}
    streams = {'default': case.emits} if case.emits else {}
    sources = {} if case.spout else {SOURCE: {'default': shuffle}}
    return {
        'task->component': tasks,
        'taskid': BOLT_TASK,
        'componentid': BOLT,
        'streams': list(streams),
        'stream->outputfields': streams,
        'stream->target->grouping': {stream: {'sink': shuffle} for stream in streams},
        'source->stream->grouping': sources,
        'source->stream->fields': {source: {'default': case.takes} for source in sources},
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


def write_input(case: Case, path: Path, count: int | None = None,
                sinks: int = 7) -> list[dict[str, Any]]:
    """Write the handshake and `count` tuples or commands to `path`, as many as the case prepares
    without it; those that are checked."""
    checked: list[dict[str, Any]] = []
    greeting = {'pidDir': str(path.parent), 'conf': conf(), 'context': context(case, sinks)}
    with path.open('w', encoding='utf-8') as file:
        file.write(frame(greeting))
        for message in messages_of(case, count or case.prepared):
            file.write(frame(message))
            if len(checked) < case.checked:
                checked.append(message)
    return checked
