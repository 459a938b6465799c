"""Values of all kinds, and components that send each other what they were sent."""

import os
import random

from huge import HUGE
from notes import Notes, introduce, tasks_of

from stormcell import Bolt, Spout, Stream

DEEPEST = 390
"""What a component may emit is nested so deep at most."""


def nested(depth, make):
    """A value with so many lists or dicts within each other."""
    value = "innermost"
    for _ in range(depth):
        value = make(value)
    return value


def planes():
    """A character of each of Unicode's planes and of each length in UTF-8, and those on the edges."""
    edges = ["\x00", "\x01", "\x1f", "\x7f", "\x80", "\x9f", "\u07ff", "\u0800", "\u2028", "\ud7ff", "\ue000",
             "\ufffd", "\uffff", "\U0010ffff"]
    return "".join(edges + [chr(plane * 0x10000 + 0x1234) for plane in range(17)])


def numbers():
    chance = random.Random(17)
    floats = [chance.choice([-1, 1]) * chance.random() * 10.0 ** chance.randrange(-300, 300) for _ in range(200)]
    edges = [edge + by for edge in (2**31, 2**32, 2**53) for by in (-1, 0, 1)]
    return floats, edges + [-edge for edge in edges] + [2**63 - 1, -(2**63)]


FLOATS, INTS = numbers()

VALUES = [
    None, True, False, 0, 1, -1, "", [], {}, [None], [[]], [{}], {"": None}, {"": ""},
    0.0, -0.0, 1.0, 100.0, 0.1, 1e22, 1e-7, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
    0.12345678901234567, -1.2345678901234567e-200, 123456789.12345679, 1234567890123456.7, FLOATS,
    INTS, *INTS, 10**18, -(10**18) + 1, *HUGE, HUGE, {"huge": {"er": HUGE[-1]}},
    "end", "\nend\n", "line\r\nline", '"\\/\b\f\n\r\t', "</script>", "Łódź, Ελλάδα, 漢字, עברית, 🐘👩‍👩‍👧",
    planes(), "x" * 1_000_000, "\U0001f418" * 250_000, "\x00" * 1000,
    {"text": "é", "list": [1, 2.5, None, {"deep": [True, {"deeper": -0.0}]}], "größe": {"": [""]}},
    {f"key {number}": [number, str(number)] for number in range(1000)},
    [[[1, "a", 0.1], [2, "b", 0.30000000000000004]], {"m": {"n": 2**62 + 1}}],
    nested(DEEPEST - 1, lambda value: [value]), nested(DEEPEST - 1, lambda value: {"in": value}),
    nested((DEEPEST - 1) // 2, lambda value: [{"in": value}]),
]

DIRECT = Stream(["number", "value", "sender"], name="direct", direct=True)
SHARED = Stream(["number", "value", "sender"])


class Sending:
    """Sends a value on both streams: to all, and to each task of `keep` by itself."""

    def send(self, number, value, **more):
        self.emit([number, value, self.task_id], **more)
        for task in tasks_of(self, "keep"):
            self.emit([number, value, self.task_id], stream="direct", direct_task=task, **more)


class Values(Sending, Spout):
    """Emits each value."""

    outputs = [SHARED, DIRECT]

    def initialize(self, conf, context):
        introduce(self)
        self.left = list(enumerate(VALUES))[::-1]

    def next_tuple(self):
        if self.left:
            number, value = self.left.pop()
            self.send(number, value, tup_id=number)

    def fail(self, tup_id):
        self.left.append((tup_id, VALUES[tup_id]))


class Pass(Sending, Bolt):
    """Sends on what it is sent."""

    outputs = [SHARED, DIRECT]

    def initialize(self, conf, context):
        introduce(self)

    def process(self, tup):
        self.send(tup.values.number, tup.values.value)


class Keep(Bolt):
    """Writes down what it was sent, by whom, and on which stream."""

    def initialize(self, conf, context):
        introduce(self)
        self.notes = Notes(conf["test.folder"], f"kept-{self.task_id}-{os.getpid()}")

    def process(self, tup):
        number, value, sender = tup.values
        self.notes.add_pickled((number, value, sender, tup.task, tup.stream, self.task_id))
