"""storm.py under the names that pystorm and Stormcell have for the same. Only names: its functions
become methods as they are, so that no call is added to any tuple's way."""
import storm


def classes(emit_bolt, emit_spout):
    """The three base classes, which emit by these functions."""

    class Bolt(storm.BasicBolt):  # the one that anchors and acks by itself
        emit = staticmethod(emit_bolt)
        log = staticmethod(storm.log)

    class BatchingBolt(storm.Bolt):
        """storm.py has none; this is what its users write, with no more than a batch needs."""

        def __init__(self):
            self.batch = []

        def process(self, tup):
            if tup.stream != '__tick':
                self.batch.append(tup)
                return
            storm.ack(tup)
            self.process_batch(None, self.batch)
            for each in self.batch:
                storm.ack(each)
            self.batch = []

        def emit(self, values):  # once a batch
            emit_bolt(values, anchors=self.batch)

    class Spout(storm.Spout):
        emit = staticmethod(emit_spout)
        log = staticmethod(storm.log)

        def __init_subclass__(cls):
            cls.nextTuple = cls.next_tuple

    return BatchingBolt, Bolt, Spout
