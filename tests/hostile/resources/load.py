"""A reliable spout and a sink that lose nothing when they are killed, with their worker or alone: what
they know is in two files, a byte for each number."""

import mmap
import os
from collections import deque

from stormcell import Bolt, Spout

IN_SINK, NOT_IN_SINK = 1, 2
"""What the spout finds when a number is acked: its effect, or a loss."""


def numbers_in(conf, name):
    with open(os.path.join(conf["load.folder"], name), "r+b") as file:
        return mmap.mmap(file.fileno(), 0)


class Numbers(Spout):
    """Emits each number until it is acked."""

    def initialize(self, conf, ctx):
        self.acked = numbers_in(conf, "acked")
        self.effects = numbers_in(conf, "effects")
        self.left = deque(number for number, acked in enumerate(self.acked[:]) if not acked)

    def next_tuple(self):
        for _ in range(min(10, len(self.left))):
            number = self.left.popleft()
            self.emit([number], tup_id=number)

    def ack(self, number):
        self.acked[number] = IN_SINK if self.effects[number] else NOT_IN_SINK

    def fail(self, number):
        self.left.append(number)


class Sink(Bolt):
    """Counts how often each number came, and then acks it."""

    def initialize(self, conf, ctx):
        self.effects = numbers_in(conf, "effects")

    def process(self, tup):
        [number] = tup.values
        self.effects[number] = min(self.effects[number] + 1, 255)
