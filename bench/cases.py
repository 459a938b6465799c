"""The cases: what goes into a bolt, which bolt it is, and what must come out of it."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

Values = list[Any]


@dataclass(frozen=True)
class Case:
    """
    about: for people.
    component: the bolt in bolts.py.
    takes, emits: field names of the tuples that come and of those that are emitted ([]: none is).
    make: the values of one tuple that comes.
    expect: the values emitted for each of the tuples that came, in their order.
    """

    name: str
    about: str
    component: str
    takes: list[str]
    emits: list[str]
    make: Callable[[Random], Values]
    expect: Callable[[Sequence[Values]], Iterable[list[Values]]]


def _vocabulary(size: int) -> list[str]:
    letters = Random(7)
    words: set[str] = set()
    while len(words) < size:
        words.add(''.join(letters.choices('etaoinshrdlu', k=letters.randint(3, 10))))
    return sorted(words)


WORDS = _vocabulary(1000)
# Word n comes up with weight 1/n, which is about how a language uses its words.
WEIGHTS = [1 / n for n in range(1, len(WORDS) + 1)]


def _a_word(chance: Random) -> Values:
    return chance.choices(WORDS, WEIGHTS)


def _counted(came: Sequence[Values]) -> Iterator[list[Values]]:
    counts: Counter[str] = Counter()
    for [word] in came:
        counts[word] += 1
        yield [[word, counts[word]]]


def _nothing(came: Sequence[Values]) -> Iterator[list[Values]]:
    return ([] for _ in came)


def echoed(came: Sequence[Values]) -> Iterator[list[Values]]:
    """What the C child emits wherever a bolt emits something: the values that it got."""
    return ([values] for values in came)


CASES = [
    Case('wordcount', 'a word in, the word and its count out', 'bolts.WordCount', ['word'],
         ['word', 'count'], _a_word, _counted),
    Case('noop', 'a word in, only acked', 'bolts.Noop', ['word'], [], _a_word, _nothing),
]
