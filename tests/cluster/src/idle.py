"""A spout that has nothing to say."""

from notes import introduce

from stormcell import Spout


class Idle(Spout):
    outputs = ["nothing"]

    def initialize(self, conf, context):
        if "test.folder" in conf:
            introduce(self)

    def next_tuple(self):
        pass
