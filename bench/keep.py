"""Bolts that keep tuples, for flat.py; of Stormcell alone."""
import os
from collections import deque

from stormcell import Bolt, Tuple


class Held(Bolt):
    """Never acks so many of the first tuples, and each of the others at once."""

    auto_ack = False

    def initialize(self, conf, ctx):
        self.room = int(os.environ['BENCH_KEEP'])
        self.kept = []

    def process(self, tup):
        if len(self.kept) < self.room:
            self.kept.append(tup)
        else:
            self.ack(tup)


class Queued(Bolt):
    """Acks a tuple when so many more have come."""

    auto_ack = False

    def initialize(self, conf, ctx):
        self.room = int(os.environ['BENCH_KEEP'])
        self.kept = deque()

    def process(self, tup):
        self.kept.append(tup)
        if len(self.kept) > self.room:
            self.ack(self.kept.popleft())


class Acked(Bolt):
    """Keeps as many, all acked: what it costs Python to come back to so much memory, without any id
    that is live."""

    def initialize(self, conf, ctx):
        count = int(os.environ['BENCH_KEEP'])
        self.kept = deque(Tuple(str(n << 44), 'source', 'default', 12, [f'word{n}'])
                          for n in range(count))

    def process(self, tup):
        self.kept.append(tup)
        self.kept.popleft()
