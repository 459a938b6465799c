"""The Python components of the topologies in test_storm.py, each as small as its test allows."""

import ctypes
import os
import subprocess
import sys
from collections import Counter

from stormcell import Bolt, ReliableSpout, Spout


class Sentences(Spout):
    """Emits the sentences of its configuration, and says when all of them have been processed."""

    def initialize(self, conf, ctx):
        self.todo = list(enumerate(conf["test.sentences"]))
        self.unsettled = len(self.todo)

    def next_tuple(self):
        if self.todo:
            number, sentence = self.todo.pop(0)
            self.emit([sentence], tup_id=number)

    def ack(self, tup_id):
        self.unsettled -= 1
        if not self.unsettled:
            self.log("all acked")


class Split(Bolt):
    def process(self, tup):
        for word in tup.values[0].split():
            self.emit([word])


class Count(Bolt):
    def initialize(self, conf, ctx):
        self.counts = Counter()

    def process(self, tup):
        word = tup.values[0]
        self.counts[word] += 1
        self.emit([word, self.counts[word]])


class Insistent(ReliableSpout):
    """Emits each word once; what fails is the base class's business."""

    def initialize(self, conf, ctx):
        self.todo = list(conf["test.words"])

    def next_tuple(self):
        if self.todo:
            word = self.todo.pop(0)
            self.emit([word], tup_id=word)

    def ack(self, tup_id):
        super().ack(tup_id)
        self.log("settled " + tup_id)


class Ticking(Bolt):
    def process_tick(self, tup):
        self.emit([tup.component, tup.stream])


class Pointing(Bolt):
    """Sends each word to each task of the component "target", by name."""

    def initialize(self, conf, ctx):
        self.targets = [
            int(task) for task, component in ctx["task->component"].items() if component == "target"
        ]

    def process(self, tup):
        for task in self.targets:
            self.emit([tup.values[0], task], stream="pointed", direct_task=task)


class Asking(Bolt):
    """Asks Storm where a word went, and tells."""

    def process(self, tup):
        tasks = self.emit([tup.values[0]], need_task_ids=True)
        self.emit([tup.values[0], tasks], stream="answers")


class AskingSpout(Spout):
    def initialize(self, conf, ctx):
        self.todo = list(conf["test.words"])

    def next_tuple(self):
        if self.todo:
            word = self.todo.pop(0)
            tasks = self.emit([word], need_task_ids=True)
            self.emit([word, tasks], stream="answers")


class Echo(Bolt):
    """Sends a value back, and how Python spells it."""

    def process(self, tup):
        self.emit([tup.values[0]])
        self.emit([repr(tup.values[0])], stream="spelled")


class Spell(Bolt):
    def process(self, tup):
        self.emit([repr(tup.values[0])])


class Fragile(Bolt):
    def process(self, tup):
        if tup.values[0] == "bad":
            raise ValueError("no good: 𝄞")
        self.emit([tup.values[0], os.getpid()])


class Unready(Bolt):
    def initialize(self, conf, ctx):
        raise RuntimeError("nothing to begin with")

    def process(self, tup):
        pass


class UnreadySpout(Spout):
    def initialize(self, conf, ctx):
        raise RuntimeError("nothing to begin with")


class Talkative(Bolt):
    """Prints in every way that could hit the wire."""

    def process(self, tup):
        print("print says grüß 𝄞")
        print("stderr says this", file=sys.stderr)
        os.write(1, b"os.write says this\n")
        libc = ctypes.CDLL(None)
        libc.puts(b"C says this")
        libc.fflush(None)
        subprocess.run(
            ["sh", "-c", "echo a child says this; echo a child complains >&2"], check=True
        )
        for level in ("trace", "debug", "info", "warn", "error"):
            self.log("a log of 𝄞 at " + level, level=level)
        self.emit([tup.values[0]])
