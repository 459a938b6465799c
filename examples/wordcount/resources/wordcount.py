import itertools
from collections import Counter
from stormcell import Bolt, Spout

class WordSpout(Spout):
    def initialize(self, conf, ctx):
        self.words = itertools.cycle(['dog', 'cat', 'zebra', 'elephant'])
    def next_tuple(self):
        word = next(self.words)
        self.emit([word])

class WordCounter(Bolt):
    def initialize(self, conf, ctx):
        self.counts = Counter()
    def process(self, tup):
        word = tup.values[0]
        self.counts[word] += 1
        self.emit([word, self.counts[word]])
        self.log('%s: %d' % (word, self.counts[word]))
