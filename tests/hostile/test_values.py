"""Values that turn against the emit which is under way. What hypothesis finds is in
tests/py/test_encode_hostile.py; here are the ways that take aim."""

from __future__ import annotations

import pytest

from hostile import RUN, lives_on, of_memory, run
from starting import Start

VALUES = (
    """
class Key(str):
    "A key that takes the containers around it apart when the error's path asks for its repr()."
    def __repr__(self):
        for container in containers:
            container.clear()
        gc.collect()
        bytearray(4096)
        return "key"
class Mute(str):
    def __repr__(self):
        raise KeyError("no repr")
class Meta(type):
    def __instancecheck__(cls, instance):
        raise ValueError("asked")
    __subclasscheck__ = __instancecheck__
class Odd(metaclass=Meta):
    pass
containers = []
"""
    + RUN
)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "inner = {'inner ' * 50: [object()]}; outer = {Key('key'): inner}\n"
            "containers += [outer, inner, inner['inner ' * 50]]\n"
            "self.emit([outer])",
            "tuple[0][key]['inner inner ",
        ),
        (
            "inner = {(1, 2, 'x' * 100): 1}; outer = {Key('key'): inner}\n"
            "containers += [inner, outer]\n"
            "del inner\n"
            "self.emit([outer])",
            "TypeError: tuple[0][key] has a key that is a tuple: emit str keys",
        ),
        (
            "row = [{Key('key'): [type('Local', (), {})()]}]\n"
            "containers += [row, row[0], row[0]['key']]\n"
            "self.emit(row)",
            "TypeError: tuple[0][key][0] is a Local, which JSON does not have",
        ),
        (
            "self.emit([[{Mute('key'): {1}}]])",
            "TypeError: tuple[0][0][<a Mute, whose repr raised>] is a set, which JSON does not have",
        ),
        (
            "self.emit([{'x' * 10**7: {1}}])",
            "xxx] is a set, which JSON does not have",
        ),
        ("self.emit([Odd()])", "TypeError: tuple[0] is a Odd, which JSON does not have"),
        ("self.emit([[Odd]])", "TypeError: tuple[0][0] is a Meta, which JSON does not have"),
    ],
)  # fmt: skip
def test_the_path_to_a_value_that_comes_apart(start: Start, source: str, told: str) -> None:
    parent = start(VALUES, env={"PYTHONMALLOC": "malloc_debug"})  # which overwrites what is freed
    interpreter = parent.interpreter
    for _ in range(20):
        run(parent, "containers.clear()\n" + source, end="fail")
        report = parent.expect("error")["msg"]
        assert told in report and len(report) < 10_000
    lives_on(parent)
    assert parent.interpreter == interpreter


ARGUMENTS = [
    "self.emit(type('L', (list,), {'__len__': lambda self: 100})([1]))",
    "self.emit(type('L', (list,), {'__iter__': lambda self: iter([1, 2, 3])})([1]))",
    "self.emit(type('T', (tuple,), {'__getitem__': lambda self, n: 1 / 0})([1]))",
    "self.emit([1], type('S', (str,), {'encode': lambda self: b'x', '__eq__': lambda *a: True})('default'))",
    "self.emit([1], anchors=type('L', (list,), {'__len__': lambda self: 9, '__getitem__': lambda self, n: 1 / 0})([tup]))",
    "self.emit([1], anchors=iter([tup, tup.id]))",
    "self.emit([1], need_task_ids=type('B', (), {'__bool__': lambda self: bool(self.__class__)})())",
    "self.emit([1], 'direct', direct_task=type('I', (int,), {'__index__': lambda self: 1 / 0})(5))",
    "self.emit([1], **{type('K', (str,), {})('stream'): 'default'})",
    "self.log(type('S', (str,), {'encode': lambda self: 1 / 0})('text'), type('S', (str,), {})('warn'))",
]


@pytest.mark.parametrize("source", ARGUMENTS)
def test_arguments_that_lie(start: Start, source: str) -> None:
    """What is in the built-in type counts, and not what its methods say."""
    parent = start(VALUES)
    run(parent, source)
    assert len(parent.take_all("emit", "log")) == 1
    lives_on(parent)


REFUSED = [
    "self.emit([1], need_task_ids=type('B', (), {'__bool__': lambda self: 1 / 0})())",
    "self.emit([1], anchors=type('I', (), {'__iter__': lambda self: 1 / 0})())",
    "self.emit([1], anchors=(self.ack(tup) or anchor for anchor in [tup]))",
    "self.emit([1], anchors=(self.emit([{1}]) for _ in range(3)))",
    "self.emit(type('D', (dict,), {'__class__': list})())",
    "self.log(type('S', (), {'__str__': lambda self: 5})())",
    "self.log(type('S', (), {'__str__': lambda self: 1 / 0})())",
    "self.ack(type('S', (), {'id': tup.id})())",
    "self.ack(type('S', (str,), {'__hash__': lambda self: 1 / 0})('no id'))",
]


@pytest.mark.parametrize("source", REFUSED)
def test_arguments_that_are_refused(start: Start, source: str) -> None:
    parent = start(VALUES)
    parent.send(source)
    parent.expect("error")
    assert not parent.take_all("emit", "log")
    lives_on(parent)


def test_an_anchor_that_is_emitted_by_while_it_is_read(start: Start) -> None:
    """Anchors may come from user code that emits itself: each message gets its own."""
    parent = start(VALUES)
    run(
        parent,
        "def anchors():\n"
        "    for n in range(3):\n"
        "        self.emit([n], anchors=[])\n"
        "        yield tup\n"
        "self.emit(['outer'], anchors=anchors())",
    )
    emits = [(message["tuple"][0], len(message.get("anchors", []))) for message in parent.take_all("emit")]
    assert emits == [(0, 0), (1, 0), (2, 0), ("outer", 3)]


@of_memory
@pytest.mark.parametrize("kind", ["dict", "list"])
def test_memory_that_runs_out_while_a_value_is_written(start: Start, kind: str) -> None:
    """A non-ASCII string is turned into UTF-8, which takes memory: without any it raises, and no more."""
    parent = start(VALUES)
    value = "{'a': text}" if kind == "dict" else "[text, 1]"
    run(
        parent,
        "import resource\n"
        "text = '\\u20ac' * 2**26\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**24, resource.RLIM_INFINITY))\n"
        f"self.emit([{value}])",
        end="fail",
    )
    assert "MemoryError" in parent.expect("error")["msg"]
    run(parent, "import resource; resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)")
    lives_on(parent)
