"""A word count from end to end: its spout, and its bolt from bolts.py. `host` is the library under test."""
from time import monotonic_ns

from host import ID, Spout

from bolts import WordCount

__all__ = ['WordCount', 'Words']

SECOND = 1_000_000_000
WORDS = ['storm', 'and', 'the', 'dog', 'jumped', 'over', 'lazy', 'cows', 'at', 'dawn', 'again']


class Words(Spout):
    """Emits a word each time, with an id, and tells every second how many have been acked and failed."""

    def initialize(self, conf, ctx):
        self.number = self.acked = self.failed = 0
        self.due = monotonic_ns() + SECOND

    def next_tuple(self):
        self.number += 1
        self.emit([WORDS[self.number % 11]], **{ID: self.number})

    def ack(self, number):
        self.acked += 1
        now = monotonic_ns()
        if now >= self.due:
            self.due = now + SECOND
            self.log(f'{now} {self.acked} {self.failed}')

    def fail(self, number):
        self.failed += 1
