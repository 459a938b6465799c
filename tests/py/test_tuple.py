"""stormcell.Tuple."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import pytest

from starting import Start
from jvm import Topology
from stormcell import Tuple


def make(**more: Any) -> Tuple:
    parts: dict[str, Any] = {
        "id": "5",
        "component": "words",
        "stream": "default",
        "task": 2,
        "values": (1, "a"),
    }
    return Tuple(**{**parts, **more})


def test_what_it_is_made_of() -> None:
    tup = Tuple("5", "words", "default", 2, (1, "a"))
    assert (tup.id, tup.component, tup.stream, tup.task, tup.values) == (
        "5", "words", "default", 2, (1, "a"),
    )  # fmt: skip
    assert tup == make()
    assert (
        repr(tup) == "Tuple(id='5', component='words', stream='default', task=2, values=(1, 'a'))"
    )
    assert eval(repr(tup)) == tup


def test_values_become_a_tuple() -> None:
    assert make(values=[1, 2]).values == (1, 2)
    assert make(values=(n for n in range(3))).values == (0, 1, 2)
    assert make(values="ab").values == ("a", "b")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"id": 5}, "argument 1 must be str, not int"),
        ({"component": None}, "argument 2 must be str, not None"),
        ({"stream": b"a"}, "argument 3 must be str, not bytes"),
        ({"task": "2"}, "an integer|cannot be interpreted as an integer"),
        ({"values": 5}, "'int' object is not iterable"),
        ({"other": 5}, "at most 5 keyword arguments"),
    ],
)
def test_what_it_cannot_be_made_of(more: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make(**more)
    with pytest.raises(TypeError):
        Tuple("5")  # type: ignore[call-arg]


def test_equality_and_hash() -> None:
    assert make() == make(values=[1, "a"])
    assert hash(make()) == hash(make(values=[2]))
    for other in ({"id": "6"}, {"component": "a"}, {"stream": "a"}, {"task": 3}, {"values": (1,)}):
        assert make() != make(**other)
        assert not make() == make(**other)
    others: list[object] = [("5", "words", "default", 2, (1, "a")), "5", None]
    assert all(make() != other for other in others)
    assert len({make(), make(), make(id="6")}) == 2
    with pytest.raises(TypeError, match="'<' not supported"):
        make() < make()  # type: ignore[operator]


def test_it_cannot_be_changed() -> None:
    for name in ("id", "component", "stream", "task", "values", "other"):
        with pytest.raises(AttributeError):
            setattr(make(), name, 5)
    with pytest.raises(TypeError):
        type("Sub", (Tuple,), {})
    with pytest.raises(TypeError):
        Tuple.values = 5  # type: ignore[assignment, method-assign]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol: int) -> None:
    tup = make(values=({"a": [1]}, None))
    assert pickle.loads(pickle.dumps(tup, protocol)) == tup


def test_copy() -> None:
    tup = make(values=([1],))
    assert copy.copy(tup) == tup
    deep = copy.deepcopy(tup)
    assert deep == tup
    assert deep.values[0] is not tup.values[0]


def test_cycles_are_collected() -> None:
    class Node:
        tup: Tuple

    node = Node()
    node.tup = make(values=[node])
    gone = weakref.ref(node)
    del node
    gc.collect()
    assert gone() is None


def test_repr_of_a_cycle_ends() -> None:
    values: list[Any] = []
    values.append(make(values=[values]))
    assert "[...]" in repr(values)


NAMED = """
import copy, pickle
class Subject(Bolt):
    def process(self, tup):
        self.emit([eval(tup.values[-1])])
"""


def ask(start: Start, fields: list[str], expression: str) -> Any:
    topology = Topology(inputs={"the-words": {"2nd": fields}})
    parent = start(NAMED, topology=topology)
    values = [*range(len(fields) - 1), expression]
    _, said = parent.exchange(*values, component="the-words", stream="2nd")
    assert said[0]["command"] == "emit", said
    return said[0]["tuple"][0]


QUESTIONS: list[tuple[list[str], str, object]] = [
    (["a", "b", "c"], "[tup.values.a, tup.values.b, tup.values[1], len(tup.values)]", [0, 1, 1, 3]),
    (["a", "b"], "tup.values._fields", ["a", "b"]),
    (["a", "b"], "type(tup.values).__name__", "The_Words_2NdTuple"),
    (["a", "b"], "isinstance(tup.values, tuple)", True),
    (["user-id", "class", "_x", "a", "a", "e"], "tup.values._fields", ["_0", "_1", "_2", "a", "_4", "e"]),
    (["user-id", "e"], "tup.values._0", 0),
    (["größe", "e"], "tup.values.größe", 0),
    (["", "e"], "tup.values[0]", 0),
    (["a", "b"], "tup.values._replace(a=5)", [5, "tup.values._replace(a=5)"]),
    (["a", "b"], "tup.values._asdict()['a']", 0),
    (["a", "b"], "pickle.loads(pickle.dumps(tup)) == tup", True),
    (["a", "b"], "copy.copy(tup) == tup and copy.deepcopy(tup) == tup", True),
    (["a", "b"], "tup == Tuple(tup.id, tup.component, tup.stream, tup.task, list(tup.values))", True),
    (["a", "b"], "hash(tup) == hash(Tuple(tup.id, 'x', 'y', 1, []))", True),
    (["a", "b"], "tup.id is tup.id and type(tup.id) is str", True),
    (["a", "b"], "repr(tup).startswith(f'Tuple(id={tup.id!r}, component=')", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expression", "answer"), QUESTIONS, ids=[f"{row[0]}: {row[1]}" for row in QUESTIONS]
)
def test_a_tuple_from_storm(
    start: Start, fields: list[str], expression: str, answer: object
) -> None:
    assert ask(start, fields, expression) == answer


def test_values_of_unknown_fields_are_a_plain_tuple(start: Start) -> None:
    parent = start(NAMED, topology=Topology(inputs={}))
    _, said = parent.exchange(1, 2, "[type(tup.values).__name__, len(tup.values)]")
    assert said[0]["tuple"] == [["tuple", 3]]


# ---- Tuples that are made anew from those that nobody kept ----------------------------------

KEEPERS = [
    "tup",
    "tup.values",
    "tup.id",
    "tup.values[0]",
    "iter(tup.values)",
    "(value for value in tup.values)",
    "tup.values.word.upper",
    "(lambda: tup)",
    "[{'in': (tup,)}]",
]

REMEMBER = """
class Subject(Bolt):
    kept = []
    def show(self, keeper):
        if callable(keeper):
            keeper = keeper()
        if isinstance(keeper, list):
            keeper = keeper[0]["in"][0]
        if isinstance(keeper, Tuple):
            return [keeper.id, list(keeper.values)]
        return keeper if isinstance(keeper, str) else list(keeper)
    def process(self, tup):
        if tup.values[0] == "show":
            self.emit([[self.show(keeper) for keeper in self.kept]])
        elif tup.values[0].startswith("keep"):
            self.kept.append(%s)
"""


@pytest.mark.parametrize("keeper", KEEPERS)
def test_what_was_kept_stays_as_it_was(start: Start, keeper: str) -> None:
    parent = start(REMEMBER % keeper)
    ids = []
    for n in range(5):
        ids.append(parent.send(f"keep {n}"))
        parent.send(f"pass {n}")
        parent.send(f"pass {n}")
    parent.send("show")
    shown = parent.expect("emit")["tuple"][0]
    assert shown == {
        "tup": [[id, [f"keep {n}"]] for n, id in enumerate(ids)],
        "(lambda: tup)": [[id, [f"keep {n}"]] for n, id in enumerate(ids)],
        "[{'in': (tup,)}]": [[id, [f"keep {n}"]] for n, id in enumerate(ids)],
        "tup.id": ids,
        "tup.values[0]": [f"keep {n}" for n in range(5)],
        "tup.values.word.upper": [f"KEEP {n}" for n in range(5)],
    }.get(keeper, [[f"keep {n}"] for n in range(5)])


def test_each_tuple_says_what_it_is(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                self.emit([[tup.id, tup.component, tup.stream, tup.task, tup.values, hash(tup),
                            hash(tup.values) == hash(tuple(tup.values))]])
        """)
    expected = []
    for n in range(60):
        more: dict[str, Any] = [
            {},
            {"stream": "pairs"},
            {"component": "__system", "stream": "other"},
            {"id": f"id {n}"},
        ][n % 7 % 4]
        task = n % 3
        values = [f"a{n}", n] if more.get("stream") == "pairs" else [f"a{n}"]
        id = parent.send(*values, task=task, **more)
        component, stream = more.get("component", "words"), more.get("stream", "default")
        expected.append([id, component, stream, task, values])
    parent.barrier()
    said = [message["tuple"][0] for message in parent.take_all("emit")]
    assert [row[:5] for row in said] == expected
    assert len({row[5] for row in said}) == len(said)
    assert all(row[6] for row in said)


def test_values_with_a_finalizer_of_user_code(start: Start) -> None:
    parent = start("""
        class Loud:
            def __init__(self, bolt):
                self.bolt = bolt
            def __del__(self):
                self.bolt.log("gone")
        class Subject(Bolt):
            def process(self, tup):
                tup.values[0].append(Loud(self))
        """)
    for _ in range(5):
        _, said = parent.exchange([1])
        assert sorted(message["command"] for message in said) == ["ack", "log"]
    # A cycle through the values is for the garbage collector.
    parent = start("""
        import gc
        class Subject(Bolt):
            def process(self, tup):
                tup.values[0].append(tup)
                gc.collect()
        """)
    for n in range(5):
        _, said = parent.exchange([n])
        assert [message["command"] for message in said] == ["ack"]
