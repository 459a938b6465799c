"""The bolts that are measured. `host` is the library under test: hosts/NAME/host.py."""
from collections import Counter

from host import Bolt


class WordCount(Bolt):
    def initialize(self, conf, ctx):
        self.counts = Counter()

    def process(self, tup):
        word = tup.values[0]
        self.counts[word] += 1
        self.emit([word, self.counts[word]])


class Noop(Bolt):
    def process(self, tup):
        pass
