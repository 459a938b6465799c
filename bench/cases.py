"""The cases: what goes into a component, which component it is, and what must come out of it."""
from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from values import WIDE_FIELDS, a_line, a_map_list, a_word, doubles, foreign, wide

Values = list[Any]
Answers = list[dict[str, Any]]
"""What a component says to one group of tuples, without ids and anchors."""
Expect = Callable[[Sequence[Values]], Iterable[Answers]]

BATCH = 1000
ALL_MODES = ('flood', '100', '1', '1-core', 'storm')


@dataclass(frozen=True)
class Case:
    """
    about: for people.
    component: the class in bolts.py or noop.py.
    takes, emits: field names of the tuples that come and of those that are emitted ([]: none is).
    make: the values of one tuple that comes (of a spout's command: none).
    expect: the answers to each group of tuples that came, in their order.
    floor: what bench/floor.c is to do.
    modes: those that make sense for it.
    spout: `make` is not called; what comes are commands.
    group: tuples that are answered together, a tick at their end.
    emitted, logged: emits of a group, logs of a tuple.
    prepared: tuples: more than any child reads ahead, so that a flood never runs dry.
    checked: tuples whose answers are read word for word before anything is measured.
    """

    name: str
    about: str
    component: str
    takes: list[str]
    emits: list[str]
    make: Callable[[Random], Values]
    expect: Expect
    floor: list[str]
    modes: Sequence[str] = ALL_MODES
    spout: bool = False
    group: int = 1
    emitted: int = 1
    logged: int = 0
    prepared: int = 8192
    checked: int = 1000


def emit(values: Values) -> dict[str, Any]:
    return {'command': 'emit', 'tuple': values}


def _counted(came: Sequence[Values]) -> Iterator[Answers]:
    counts: Counter[str] = Counter()
    for [word] in came:
        counts[word] += 1
        yield [emit([word, counts[word]])]


def _nothing(came: Sequence[Values]) -> Iterator[Answers]:
    return ([] for _ in came)


def echoed(came: Sequence[Values]) -> Iterator[Answers]:
    return ([emit(values)] for values in came)


def _one_more(came: Sequence[Values]) -> Iterator[Answers]:
    return ([emit([*values[:2], values[2] + 1, *values[3:]])] for values in came)


def _fields(came: Sequence[Values]) -> Iterator[Answers]:
    return ([emit([len(line)])] for [line] in came)


def _logged(came: Sequence[Values]) -> Iterator[Answers]:
    return ([{'command': 'log', 'msg': f'the word is {word}'}] for [word] in came)


def _batches(came: Sequence[Values]) -> Iterator[Answers]:
    for start in range(0, len(came), BATCH + 1):
        words = {word for [word] in came[start:start + BATCH]}
        yield [emit([len(words)])]


def _numbers(at_once: int) -> Expect:
    def expect(came: Sequence[Values]) -> Iterator[Answers]:
        for start in range(1, len(came) * at_once + 1, at_once):
            yield [emit(['storm', number]) for number in range(start, start + at_once)]
    return expect


def floor_expect(case: Case) -> Expect:
    """What the C child answers, which does less than a bolt."""
    action, *arguments = case.floor
    if action == 'ack':
        return _nothing
    if action == 'echo':
        return echoed
    if action == 'log':
        said = [{'command': 'log', 'msg': arguments[0]}]
    else:
        times = int(arguments[0]) if action == 'next' else 1
        said = [emit(json.loads(arguments[-1]))] * times
    return lambda came: (said for _ in range(0, len(came), case.group))


def _spout(name: str, at_once: int, component: str, checked: int) -> Case:
    return Case(
        name, f'{at_once} emit{"s" * (at_once > 1)} a `next`; a tuple is an emit', component,
        takes=[], emits=['word', 'number'], make=lambda chance: [], expect=_numbers(at_once),
        floor=['next', str(at_once), '["storm",123456]'],
        # Storm sends no second command before the sync: a window of 100 is no spout's life. In the
        # flood, commands queue up all the same, to show what the host costs without any waiting.
        modes=('flood', '1', '1-core'), spout=True, emitted=at_once, prepared=1024, checked=checked)


DOUBLES = [f'x{n}' for n in range(20)]
ECHO = ['echo']
CASES = [
    Case('wordcount', 'a word in, the word and its count out', 'bolts.WordCount', ['word'],
         ['word', 'count'], a_word, _counted, ECHO),
    Case('noop', 'a word in, only acked', 'noop.Noop', ['word'], [], a_word, _nothing, ['ack'],
         emitted=0),
    Case('wide', '10 fields of all kinds, 478 bytes a message, one changed', 'bolts.Wide',
         WIDE_FIELDS, WIDE_FIELDS, wide, _one_more, ECHO),
    Case('big', "a line of 16 KB with Storm's escapes in, its length out",
         'bolts.Big', ['line'], ['fields'], a_line, _fields, ['emit', '[16]'],
         prepared=1024, checked=200),
    Case('floats', '20 doubles, echoed', 'bolts.Echo', DOUBLES, DOUBLES, doubles, echoed, ECHO),
    Case('nested', 'a list of maps, echoed', 'bolts.Echo', ['order', 'items'], ['order', 'items'],
         a_map_list, echoed, ECHO),
    Case('utf8', 'Chinese, Japanese and Korean text and emoji, echoed', 'bolts.Echo', ['text'],
         ['text'], foreign, echoed, ECHO),
    _spout('spout', 1, 'bolts.Numbers', 1000),
    _spout('spout100', 100, 'bolts.Numbers100', 50),
    Case('batch', f'{BATCH} tuples and a tick, then one emit anchored to all', 'bolts.Batches',
         ['word'], ['words'], a_word, _batches, ['batch', '[1234]'], modes=('flood', 'storm'),
         group=BATCH + 1, prepared=8 * (BATCH + 1), checked=2 * (BATCH + 1)),
    Case('log', 'a word in, a line logged', 'bolts.Log', ['word'], [], a_word, _logged,
         ['log', 'the word is bench'], emitted=0, logged=1),
]
