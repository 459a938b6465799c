"""The components that are measured. `host` is the library under test: hosts/NAME/host.py."""
from collections import Counter

from host import BatchingBolt, Bolt, Spout


class WordCount(Bolt):
    def initialize(self, conf, ctx):
        self.counts = Counter()

    def process(self, tup):
        word = tup.values[0]
        self.counts[word] += 1
        self.emit([word, self.counts[word]])


class Wide(Bolt):
    def process(self, tup):
        values = list(tup.values)
        values[2] += 1
        self.emit(values)


class Big(Bolt):
    def process(self, tup):
        self.emit([len(tup.values[0])])


class Echo(Bolt):
    def process(self, tup):
        self.emit(list(tup.values))


class Log(Bolt):
    def process(self, tup):
        self.log(f'the word is {tup.values[0]}')


class Batches(BatchingBolt):
    ticks_between_batches = 0  # work at each tick

    def process_batch(self, key, tups):
        self.emit([len({tup.values[0] for tup in tups})])


class Numbers(Spout):
    """Emits as fast as each API can: without an id, and without waiting where it need not."""

    at_once = 1

    def initialize(self, conf, ctx):
        self.number = 0

    def next_tuple(self):
        for _ in range(self.at_once):
            self.number += 1
            self.emit(['storm', self.number])


class Numbers100(Numbers):
    at_once = 100


class Loop(Bolt):
    """User code alone: works before it says that it is there."""

    def initialize(self, conf, ctx):
        import loop

        loop.report()
