from itertools import count, cycle

from stormcell import ReliableSpout


class WordSpout(ReliableSpout):
    """Emits words, and each of them again if it fails."""

    outputs = ["word"]

    def initialize(self, conf, context):
        self.words = cycle(["dog", "cat", "zebra", "elephant"])
        self.ids = count(1)

    def next_tuple(self):
        self.emit([next(self.words)], tup_id=next(self.ids))
