"""Topologies for test_testing_topologies.py. Each task imports this, so it imports nothing of tests."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stormcell import Bolt, Grouping, Spout, Stream, Topology, Tuple

WORDS = ["cat", "dog", "cat", "ox", "dog", "cat"]


class WordSpout(Spout):
    outputs = ["word"]

    def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
        self.words = iter(WORDS)

    def next_tuple(self) -> None:
        for word in self.words:
            self.emit([word], tup_id=word)
            return


class WordCounter(Bolt):
    outputs = [Stream(["word", "count"]), Stream(["task"], name="said")]

    def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
        self.counts: Counter[str] = Counter()
        self.log(f"ready {conf['user']}", "warn")

    def process(self, tup: Tuple) -> None:
        word = tup.values.word
        self.counts[word] += 1
        self.emit([word, self.counts[word]])
        self.emit([self.task_id], stream="said", anchors=[])


class Endless(Spout):
    outputs = ["n"]

    def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
        self.n = 0

    def next_tuple(self) -> None:
        self.n += 1
        self.emit([self.n], tup_id=self.n)


class Picky(Bolt):
    def process(self, tup: Tuple) -> None:
        if tup.values.n == 2:
            raise ValueError("no twos")
        self.report_metric("seen", tup.values.n)


class Stuck(Bolt):
    auto_ack = False

    def process(self, tup: Tuple) -> None:
        pass


class Dies(Bolt):
    def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
        raise LookupError("no database")

    def process(self, tup: Tuple) -> None:
        pass


class WordCount(Topology):
    config = {"user": "me"}
    words = WordSpout.spec()
    counts = WordCounter.spec(inputs={words: Grouping.fields("word")}, par=2)


class ManyByEnvironment(WordCount):
    counts = WordCounter.spec(inputs=[WordCount.words], par={"few": 1, "many": 3})


class Picking(Topology):
    numbers = Endless.spec()
    picky = Picky.spec(inputs=[numbers], config={"stormcell.metrics": ["seen"]})


class Waiting(Topology):
    numbers = Endless.spec(config={"topology.max.spout.pending": 5})
    stuck = Stuck.spec(inputs=[numbers])


class Broken(Topology):
    numbers = Endless.spec()
    dies = Dies.spec(inputs=[numbers])
