"""The values that the tuples of the cases carry: made up, the same in every run."""
from __future__ import annotations

from random import Random
from typing import Any


def _vocabulary(size: int) -> list[str]:
    letters = Random(7)
    words: set[str] = set()
    while len(words) < size:
        words.add(''.join(letters.choices('etaoinshrdlu', k=letters.randint(3, 10))))
    return sorted(words)


WORDS = _vocabulary(1000)
# Word n comes up with weight 1/n, which is about how a language uses its words.
WEIGHTS = [1 / n for n in range(1, len(WORDS) + 1)]


def a_word(chance: Random) -> list[Any]:
    return chance.choices(WORDS, WEIGHTS)


WIDE_FIELDS = ['user', 'url', 'visits', 'time_ms', 'score', 'price', 'member', 'referrer', 'city',
               'agent']
CITIES = ['Zürich', 'São Paulo', 'Kraków', 'Reykjavík', 'Malmö', 'Düsseldorf']


def wide(chance: Random) -> list[Any]:
    """A page view: text, some of it not ASCII, ints, floats, a bool and a null."""
    return [
        f'user-{chance.randint(10**9, 10**10 - 1)}@mail.example.com',
        f'https://shop.example.com/{chance.choice(WORDS)}/{chance.choice(WORDS)}'
        f'?session={chance.getrandbits(128):032x}&page={chance.randint(10000, 99999)}',
        chance.randint(1, 10000),
        chance.randint(1_700_000_000_000, 1_800_000_000_000),
        chance.random(),
        chance.randint(100, 99999) / 100,
        chance.random() < 0.5,
        None,
        chance.choice(CITIES),
        'Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007) AppleWebKit/537.36 '
        f'(KHTML, like Gecko) Chrome/{chance.randint(100, 140)}.0.6099.144 Mobile Safari/537.36 '
        f'[{chance.getrandbits(136):034x}]',
    ]


def a_line(chance: Random) -> list[Any]:
    """16 KB of a web server's log in one line, a tab before each kilobyte or so. Storm escapes the
    tabs, the quotes and the slashes."""
    fields: list[str] = []
    for _ in range(16):
        requests: list[str] = []
        while sum(map(len, requests)) < 1000:
            requests.append(_request(chance))
        fields.append(' '.join(requests))
    return ['\t'.join(fields)[:16 << 10]]


def _request(chance: Random) -> str:
    address = '/'.join(chance.choices(WORDS, k=3))
    return (f'"GET /{address}?session={chance.getrandbits(128):032x}" 200 '
            f'{chance.randint(1, 999)} ms {chance.randint(100, 99999)} bytes')


def doubles(chance: Random) -> list[Any]:
    """All digits that a double has, of many sizes."""
    return [chance.uniform(-1, 1) * 10 ** chance.randint(-6, 6) for _ in range(20)]


def a_map_list(chance: Random) -> list[Any]:
    """An order: its number and its items."""
    return [chance.randint(1, 10**9), [_item(chance) for _ in range(6)]]


def _item(chance: Random) -> dict[str, Any]:
    return {
        'sku': f'{chance.choice(WORDS)}-{chance.randint(100, 999)}',
        'quantity': chance.randint(1, 9),
        'price': chance.randint(100, 9999) / 100,
        'gift': chance.random() < 0.2,
        'tags': chance.choices(WORDS, k=2),
    }


ALPHABETS = ['的一是不了人我在有他这中大来上国', 'のにはたいをるがでてしかもな日本語',
             '이다는에의을가고하지을한도로서', '😀🚀🌍🔥✨👍🏽🎉🧪📈🐍']


def foreign(chance: Random) -> list[Any]:
    """Some hundred characters of three and four bytes, with blanks between the words."""
    words = (''.join(chance.choices(chance.choice(ALPHABETS), k=chance.randint(2, 6)))
             for _ in range(30))
    return [' '.join(words)]
