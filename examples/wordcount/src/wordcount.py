from collections import Counter
from itertools import count, cycle

from stormcell import Bolt, ReliableSpout


class WordSpout(ReliableSpout):
    outputs = ["word"]

    def initialize(self, conf, ctx):
        self.words = cycle(["dog", "cat", "zebra", "elephant"])
        self.ids = count(1)

    def next_tuple(self):
        self.emit([next(self.words)], tup_id=next(self.ids))


class WordCounter(Bolt):
    outputs = ["word", "count"]

    def initialize(self, conf, ctx):
        self.counts = Counter()

    def process(self, tup):
        word = tup.values.word
        self.counts[word] += 1
        self.emit([word, self.counts[word]])
        if self.counts[word] % 50_000 == 0:
            self.log(f"{word}: {self.counts[word]:,}")
