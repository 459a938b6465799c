from collections import Counter

from stormcell import Bolt


class WordCounter(Bolt):
    """Counts each word that it is given."""

    outputs = ["word", "count"]

    def initialize(self, conf, context):
        self.counts = Counter()

    def process(self, tup):
        word = tup.values.word
        self.counts[word] += 1
        self.emit([word, self.counts[word]])
        if self.counts[word] % 50_000 == 0:
            self.log(f"{word}: {self.counts[word]:,}")
