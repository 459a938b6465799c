"""Numbers, emitted until each of them has been processed to the end, however often somebody dies meanwhile."""

import os
import time
from collections import deque

from notes import Notes, introduce

from stormcell import Bolt, Spout

PACE = 0.002
"""Seconds between two numbers: the machine has more to do."""


class Numbers(Spout):
    """Emits 1, 2, 3 and so on until there is a file `stop`. What it knows is in files: it may be killed."""

    outputs = ["number"]

    def initialize(self, conf, context):
        introduce(self)
        self.folder = conf["test.folder"]
        emitted, acked = self.noted("emitted"), self.noted("acked")
        self.last = max(emitted, default=0)
        self.again = deque(sorted(emitted - acked))
        self.emitted, self.acked = Notes(self.folder, "emitted"), Notes(self.folder, "acked")

    def noted(self, name):
        try:
            with open(os.path.join(self.folder, name)) as file:
                return set(map(int, file))
        except FileNotFoundError:
            return set()

    def next_tuple(self):
        time.sleep(PACE)
        if self.again:
            number = self.again.popleft()
        elif not os.path.exists(os.path.join(self.folder, "stop")):
            number = self.last = self.last + 1
            self.emitted.add(number)
        else:
            return
        self.emit([number], tup_id=number)

    def ack(self, tup_id):
        self.acked.add(tup_id)

    def fail(self, tup_id):
        self.again.append(tup_id)


class Noting(Bolt):
    """Writes down each number before it is acked."""

    outputs = ["number"]

    def initialize(self, conf, context):
        introduce(self)
        self.notes = Notes(conf["test.folder"], f"{self.component_name}-{self.task_id}-{os.getpid()}")

    def process(self, tup):
        self.notes.add(tup.values.number)
        self.emit(tup.values)
