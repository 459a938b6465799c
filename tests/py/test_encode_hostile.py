"""The encoder against hostile objects: hypothesis builds values out of subclasses that lie about what is in
them, of cycles, of what JSON does not have, and of objects whose end changes the container around them.

Whatever is emitted is one valid message that holds what is really in the object, or an exception that
names the path to what cannot go; the next emit works, and nothing is left behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parent import Parent
from test_codec import running

# The component builds each value from a recipe, emits it, and says what happened: nothing else would tell
# an exception of the emit from one of the value's making. Every overridden method raises or lies: what is
# emitted is what the built-in type underneath holds.
SUBJECT = """
import gc, math, sys, threading

class Lying:
    "Every way in which Python code could be asked what is in an object."
    def lie(self, *arguments, **named):
        emits.append("called")
        raise RuntimeError("it was asked")
    __len__ = __iter__ = __getitem__ = __contains__ = __str__ = __float__ = __int__ = __index__ = lie
    __bool__ = __eq__ = __lt__ = __add__ = __reversed__ = __length_hint__ = __trunc__ = lie
    items = keys = values = get = __missing__ = __iadd__ = encode = bit_length = is_integer = lie
    __reduce__ = __reduce_ex__ = __getnewargs__ = __format__ = __bytes__ = lie

class Int(Lying, int): __hash__ = int.__hash__
class Float(Lying, float): __hash__ = float.__hash__
class Str(Lying, str): __hash__ = str.__hash__
class List(Lying, list): pass
class Tup(Lying, tuple): __hash__ = tuple.__hash__
class Dict(Lying, dict): pass
class Mute:
    def __repr__(self): raise ValueError("no repr")
    def __hash__(self): return 5
class MuteStr(str):
    def __repr__(self): raise ValueError("no repr")
class Changing:
    "Takes the container around it apart when it goes, and speaks."
    def __init__(self, around): self.around = around
    def __del__(self):
        self.around.clear()
        subject.log("gone")

emits = []

def build(recipe):
    kind, *rest = recipe
    return BUILDERS[kind](*rest)
def build_dict(make, items):
    found = make()
    for key, value in items:
        dict.__setitem__(found, build(key), build(value))
    return found
def build_list(make, items):
    found = make()
    list.extend(found, [build(item) for item in items])
    return found
def cycle(make):
    found = make()
    if isinstance(found, dict):
        dict.__setitem__(found, "self", [found])
    else:
        list.append(found, {"self": found})
    return found
def nested(depth, make, inner):
    value = build(inner)
    for _ in range(depth):
        value = [value] if make == "list" else {"a": value} if make == "dict" else Tup((value,))
    return value
def changing():
    around = []
    around.append(Changing(around))
    return around

BUILDERS = {
    "plain": lambda value: value,
    "int": lambda value: Int(value), "float": lambda value: Float(value), "str": lambda value: Str(value),
    "mute str": lambda value: MuteStr(value),
    "list": lambda items: build_list(list, items), "List": lambda items: build_list(List, items),
    "tuple": lambda items: tuple([build(item) for item in items]),
    "Tup": lambda items: tuple.__new__(Tup, [build(item) for item in items]),
    "dict": lambda items: build_dict(dict, items), "Dict": lambda items: build_dict(Dict, items),
    "nan": lambda: Float("nan"), "inf": lambda: -math.inf, "huge": lambda bits: -(2 ** bits),
    "lone": lambda text: text + "\\ud800", "bytes": lambda: bytearray(b"x"), "set": lambda: {1},
    "object": Mute, "class": lambda: Mute, "module": lambda: sys, "function": lambda: build,
    "list cycle": lambda: cycle(List), "dict cycle": lambda: cycle(Dict),
    "nested": nested, "changing": changing,
}

class Subject(Bolt):
    auto_ack = False
    def process(self, tup):
        global subject
        subject = self
        if isinstance(tup.values[0], int):
            return self.measure(tup)
        value = build(tup.values[0])
        emits.clear()
        try:
            self.emit([value])
        except Exception as error:
            told = f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace").decode()
            self.emit([["refused", told, emits]])
        else:
            self.emit([["emitted", emits]])
        self.ack(tup)
    def measure(self, tup):
        gc.collect()
        self.emit([getattr(sys, "gettotalrefcount", sys.getallocatedblocks)()])
        self.ack(tup)
"""

texts = st.text(max_size=20)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)

# What goes: its recipe, and what must arrive.
carried_scalars = (
    st.builds(lambda value: (["plain", value], value), st.none() | st.booleans() | integers | texts)
    | st.builds(lambda value: (["int", value], value), integers)
    | st.builds(lambda value: (["float", value], value), floats)
    | st.builds(lambda value: (["str", value], value), texts)
    | st.builds(lambda value: (["mute str", value], value), texts)
)
Pair = tuple[list[object], object]


def sequence(kind: str, inner: list[Pair]) -> Pair:
    return [kind, [recipe for recipe, _ in inner]], [value for _, value in inner]


def mapping(kind: str, inner: dict[str, Pair]) -> Pair:
    items = [[["str", key], recipe] for key, (recipe, _) in inner.items()]
    return [kind, items], {key: value for key, (_, value) in inner.items()}


carried = st.recursive(
    carried_scalars,
    lambda inner: st.builds(
        sequence, st.sampled_from(["list", "List", "tuple", "Tup"]), st.lists(inner, max_size=4)
    )
    | st.builds(
        mapping, st.sampled_from(["dict", "Dict"]), st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=20,
)

# What does not: its recipe, and how the refusal ends. Some of it fails only in its place as a key.
REFUSED: list[tuple[list[object], str]] = [
    (["nan"], "is nan, which JSON does not have"),
    (["inf"], "is infinite, which JSON does not have"),
    (["huge", 64], "is an integer of more than 64 bits"),
    (["huge", 40000], "is an integer of more than 64 bits"),
    (["lone", "text"], "holds a lone surrogate"),
    (["bytes"], "is bytes, and JSON carries text"),
    (["set"], "is a set, which JSON does not have"),
    (["object"], "is a Mute, which JSON does not have"),
    (["class"], "is a type, which JSON does not have"),
    (["module"], "is a module, which JSON does not have"),
    (["function"], "is a function, which JSON does not have"),
    (["changing"], "[0] is a Changing, which JSON does not have"),
    (["list cycle"], "is nested deeper than 390 levels"),
    (["dict cycle"], "is nested deeper than 390 levels"),
    (["nested", 500, "list", ["plain", 1]], "is nested deeper than 390 levels"),
    (["nested", 5000, "dict", ["nan"]], "is nested deeper than 390 levels"),
    (["nested", 391, "tuple", ["set"]], "is nested deeper than 390 levels"),
    (["dict", [[["object"], ["plain", 1]]]], "has a key that is a Mute: emit str keys"),
    (["Dict", [[["tuple", []], ["plain", 1]]]], "has a key that is a tuple: emit str keys"),
    (["dict", [[["nan"], ["plain", 1]]]], "is nan, which JSON does not have"),
    (["dict", [[["lone", "key"], ["plain", 1]]]], "holds a lone surrogate"),
    (["dict", [[["huge", 70], ["plain", 1]]]], "is an integer of more than 64 bits"),
]

examples = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parent]:

    with running(SUBJECT, tmp_path_factory.mktemp("hostile")) as parent:
        yield parent


def outcome(subject: Parent, recipe: list[object]) -> tuple[list[object], list[object]]:
    """What arrived of the value (nothing, or the one), and what the component says of its emit."""
    _, said = subject.exchange(recipe)
    emits = [message["tuple"][0] for message in said if message["command"] == "emit"]
    assert said[-1]["command"] == "ack", said
    return emits[:-1], emits[-1]


@examples
@given(pair=carried)
def test_what_is_in_an_object_goes_whatever_it_says(subject: Parent, pair: Pair) -> None:
    recipe, value = pair
    arrived, told = outcome(subject, recipe)
    assert told == ["emitted", []], "user code ran while the message was written"
    assert json.dumps(arrived) == json.dumps([value])


def wrapped(
    refused: tuple[list[object], str], around: list[tuple[str, int, list[Pair]]]
) -> tuple[list[object], str, str]:
    """The recipe with containers around it, the path that leads to it, and how the refusal ends."""
    recipe, end = refused
    path = ""
    for kind, place, beside in around:
        recipes = [inner for inner, _ in beside]
        place = min(place, len(recipes))
        if kind in ("dict", "Dict"):
            keyed = [[["plain", f"k{n}"], inner] for n, inner in enumerate(recipes)]
            recipe = [kind, [*keyed[:place], [["plain", "it's"], recipe], *keyed[place:]]]
            path = '["it\'s"]' + path
        else:
            recipe = [kind, [*recipes[:place], recipe, *recipes[place:]]]
            path = f"[{place}]" + path
    return recipe, "tuple[0]" + path, end


refused = st.builds(
    wrapped,
    st.sampled_from(REFUSED),
    st.lists(
        st.tuples(
            st.sampled_from(["list", "List", "tuple", "Tup", "dict", "Dict"]),
            st.integers(0, 3),
            st.lists(carried_scalars, max_size=3),
        ),
        max_size=5,
    ),
)


@examples
@given(case=refused)
def test_what_cannot_go_is_named_and_nothing_of_it_goes(
    subject: Parent, case: tuple[list[object], str, str]
) -> None:
    recipe, path, end = case
    arrived, told = outcome(subject, recipe)
    assert arrived == []
    verdict, text, called = told
    assert isinstance(text, str)
    assert (verdict, called) == ("refused", [])
    assert end in text
    assert re.match(r"(ValueError|TypeError|OverflowError): tuple\[0\]", text)
    if "levels" not in end:  # the path would be endless: its first step is told
        assert text.partition(": ")[2].startswith(path)


@settings(max_examples=20, deadline=None)
@given(cases=st.lists(refused | st.builds(lambda pair: (pair[0], "", ""), carried), max_size=8))
def test_what_is_emitted_again_and_again_leaves_nothing_behind(
    subject: Parent, cases: list[tuple[list[object], str, str]]
) -> None:
    """By sys.gettotalrefcount where Python has it (a debug build), else by the blocks of memory."""
    counts = []
    for _ in range(3):
        for _ in range(20):
            for recipe, _, _ in cases:
                subject.send(recipe)
        counts.append(measure(subject))
    assert counts[2] - counts[1] < 100, counts


def measure(subject: Parent) -> int:
    _, said = subject.exchange(0)
    count = [message["tuple"][0] for message in said if message["command"] == "emit"][-1]
    assert isinstance(count, int)
    return count


def test_a_repr_that_raises_is_no_way_out(subject: Parent) -> None:
    """The path to a value shows the keys around it by repr(), which is user code."""
    recipe: list[object] = ["dict", [[["mute str", "key"], ["set"]]]]
    arrived, told = outcome(subject, recipe)
    assert arrived == []
    assert told[0] == "refused"
    assert "is a set, which JSON does not have" in str(told[1])
