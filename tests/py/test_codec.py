"""The codec as a component sees it, against Python's json: what comes in by a tuple and goes out by
emit(), over values and texts that hypothesis makes."""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starting import PRELUDE, Start
from jvm import INT64
from parent import Parent

KEYS = """
class Subject(Bolt):
    def process(self, tup):
        self.emit([[{number: None} for number in tup.values[0]]])
"""

ECHO = """
class Subject(Bolt):
    def process(self, tup):
        values = list(tup.values)
        self.emit([repr(values)])
        if tup.stream == "pairs":
            self.emit(values, "pair")
"""

examples = settings(max_examples=200, deadline=None)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(INT64.start, INT64.stop - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


@contextmanager
def running(code: str, folder: Path) -> Iterator[Parent]:
    (folder / "subject.py").write_text(PRELUDE + code, encoding="utf-8")
    parent = Parent("subject.Subject", folder=folder)
    try:
        parent.shake_hands()
        yield parent
        assert parent.finish() == 0
    finally:
        parent.kill()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parent]:
    """A bolt that makes keys of numbers: JSON has them in quotes, so their very text can be seen."""
    with running(KEYS, tmp_path_factory.mktemp("keys")) as parent:
        yield parent


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parent]:
    """A bolt that says how Python writes what it gets, and emits the two values of a pair again."""
    with running(ECHO, tmp_path_factory.mktemp("echo")) as parent:
        yield parent


def message_of(echo: Parent, text: str) -> str:
    """A tuple's message around the JSON of its only value."""
    _, message = echo.jvm.new_tuple([], "words", "default", 2)
    return message.decode().removesuffix("\nend\n").replace("[]", f"[{text}]")


def what_python_saw(echo: Parent, message: str) -> str | None:
    """repr() of the values in the component, or None where it did not get them."""
    echo.write(message.encode() + b"\nend\n")
    echo.barrier()
    said = echo.take_all()
    seen = [row["tuple"][0] for row in said if row["command"] == "emit"]
    assert len(seen) == 1 or any(row["command"] == "error" for row in said)
    return seen[0] if seen else None


@examples
@given(values, values)
def test_values_go_in_and_out(echo: Parent, first: object, second: object) -> None:
    _, said = echo.exchange(first, second, stream="pairs")
    assert [row["command"] for row in said] == ["emit", "emit", "ack"]
    assert said[0]["tuple"] == [repr([first, second])]
    assert repr(said[1]["tuple"]) == repr([first, second]), "equal, of the same types, in order"


@examples
@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]), st.sampled_from([",", " , "]))
def test_texts_in_every_style(
    echo: Parent, value: object, ascii: bool, indent: int | str | None, comma: str
) -> None:
    text = json.dumps(value, ensure_ascii=ascii, indent=indent, separators=(comma, " : "))
    assert what_python_saw(echo, message_of(echo, text)) == repr([value])


numbers = st.from_regex(
    r"-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
) | st.sampled_from(["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "-0", "-0.0"])


@examples
@given(st.lists(numbers, min_size=1, max_size=5))
def test_numbers_of_any_length(echo: Parent, texts: list[str]) -> None:
    text = f"[{','.join(texts)}]"
    assert what_python_saw(echo, message_of(echo, text)) == repr([json.loads(text)])


def check_floats(keys: Parent, floats: list[float]) -> None:
    """They come in exactly, and go out as Python writes them."""
    _, said = keys.exchange(floats)
    [emitted] = [row["tuple"][0] for row in said if row["command"] == "emit"]
    assert [text for [text] in emitted] == [repr(number) for number in floats]


@examples
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_are_written_as_by_repr(keys: Parent, floats: list[float]) -> None:
    check_floats(keys, floats)


@pytest.mark.parametrize("kind", ["bits", "ratios", "money", "beside powers of two"])
def test_many_floats(keys: Parent, kind: str) -> None:
    chance = random.Random(kind)
    found: list[float] = []
    while len(found) < 20000:
        number: float
        if kind == "bits":
            [number] = struct.unpack("d", chance.randbytes(8))
        elif kind == "ratios":
            number = chance.random() * 10 ** chance.randrange(-8, 20)
        elif kind == "money":
            number = chance.randrange(10**9) / 100
        else:
            power = math.ldexp(1, chance.randrange(-1074, 1024))
            number = math.nextafter(power, chance.choice([0, power, math.inf]))
        if math.isfinite(number):
            found.append(number)
    check_floats(keys, found)


units = st.integers(0xD7F0, 0xE00F) | st.integers(0, 0xFFFF)
pieces = (
    st.sampled_from([r"\"", r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t"])
    | units.map(lambda unit: f"\\u{unit:04x}")
    | units.map(lambda unit: f"\\u{unit:04X}")
    | st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters='"\\')
)


@examples
@given(st.lists(pieces, max_size=20).map("".join))
def test_strings_of_every_escape(echo: Parent, inside: str) -> None:
    """As values and as keys, surrogates without their other half as well."""
    text = f'{{"{inside}":"{inside}"}}'
    assert what_python_saw(echo, message_of(echo, text)) == repr([json.loads(text)])


meaning = st.text('[]{}:,"\\0123456789.-+eEnulNaIty \t', max_size=2)
damage = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 2), meaning), min_size=1, max_size=3
)


@examples
@given(values, damage)
def test_damaged_texts(echo: Parent, value: object, places: list[tuple[int, int, str]]) -> None:
    """A component gets what json reads if it fits the stream's one field, and nothing else."""
    text = json.dumps([value], separators=(",", ":"))
    for at, cut, put in places:
        at %= len(text) + 1
        text = text[:at] + put + text[at + cut :]
    message = message_of(echo, text)
    try:
        read = json.loads(message)["tuple"]
    except ValueError:
        read = []
    expected = repr(read) if len(read) == 1 else None
    assert what_python_saw(echo, message) == expected


@examples
@given(st.binary(max_size=12))
def test_bytes_that_are_no_text(echo: Parent, raw: bytes) -> None:
    """Only UTF-8 comes in; a message of other bytes is reported, and the next one is read."""
    inside = raw.translate(None, bytes(range(0x20)) + b'"\\')
    message = message_of(echo, '"?"').encode().replace(b"?", inside)
    echo.write(message + b"\nend\n")
    echo.barrier()
    commands = [row["command"] for row in echo.take_all()]
    try:
        inside.decode()
    except UnicodeDecodeError:
        assert commands == ["error", "fail"]
    else:
        assert commands == ["emit", "ack"]


SHORT = [
    *("ab" * 9, "x" * 16, "x" * 17),
    *(letter * length for length in range(18) for letter in "ab"),
    # the same first and last bytes, other bytes or another length between
    *("abcdefgh", "abcdXfgh", "abcdabcd", "abcdXabcd", "abab", "ababab", "abXab", "aXb", "aYb"),
    *(f"word{number}" for number in range(3000)),
]


def test_short_strings_that_come_again(echo: Parent) -> None:
    """As values and as keys: what is kept for the next time is never taken for another one."""
    for _ in range(3):
        batch = [SHORT, {text: text for text in SHORT}]
        _, said = echo.exchange(*batch, stream="pairs")
        assert said[1]["tuple"] == batch


SHARED = """
class Subject(Bolt):
    def initialize(self, conf, ctx):
        self.seen = []
    def process(self, tup):
        self.seen.append(tup.values[0])
        self.emit([len({id(text) for text in self.seen})])
"""


def test_a_string_that_comes_often_is_one_object(start: Start) -> None:
    parent = start(SHARED)
    for _ in range(2):
        parent.exchange("dog")
    assert [parent.exchange("dog")[1][0]["tuple"][0] for _ in range(5)] == [2] * 5
