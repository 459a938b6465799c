"""The bolts that bench/soak works hard; of Stormcell alone."""
import gc
import mmap
import os
import sys

from bolts import WordCount
from stormcell import Bolt


class Counted(WordCount):
    """Fails each so many-th tuple, and writes down now and then how many objects Python has: the
    blocks of memory, and the references where this Python counts them."""

    def initialize(self, conf, ctx):
        super().initialize(conf, ctx)
        self.seen = 0
        self.errors = int(os.environ['SOAK_ERRORS'])
        self.each = int(os.environ['SOAK_EACH'])
        self.notes = open(os.environ['SOAK_OBJECTS'], 'a', encoding='ascii', buffering=1)

    def process(self, tup):
        self.seen += 1
        if self.seen % self.each == 0:
            gc.collect()
            print(*objects(), file=self.notes)
        if self.errors and self.seen % self.errors == 0:
            raise ValueError(f'the word {tup.values.word!r} is not wanted')
        super().process(tup)


def objects():
    counts = [sys.getallocatedblocks()]
    if hasattr(sys, 'gettotalrefcount'):
        counts.append(sys.gettotalrefcount())
    return counts


class Sink(Bolt):
    """Counts in a file, a byte for each id, how often that came: what a killed process wrote there
    stays. It is acked afterwards. It works longer on each than the parent does, so that it is never
    without input when it is killed."""

    def initialize(self, conf, ctx):
        with open(os.environ['SOAK_EFFECTS'], 'r+b') as file:
            self.effects = mmap.mmap(file.fileno(), 0)

    def process(self, tup):
        [number] = tup.values
        sum(range(300))
        self.effects[number] = min(self.effects[number] + 1, 255)
