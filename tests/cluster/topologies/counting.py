"""Numbers on their way through two bolts, of which the second may get more executors. Each task gets some:
by shuffle, Storm keeps to those in the sender's worker as long as they have little to do."""

from counting import Noting, Numbers

from stormcell import Grouping, Topology


class Counting(Topology):
    config = {"topology.message.timeout.secs": 8, "topology.max.spout.pending": 50}

    numbers = Numbers.spec()
    middle = Noting.spec(inputs={numbers: Grouping.fields("number")}, par=2)
    sink = Noting.spec(inputs={middle: Grouping.fields("number")}, par=2, config={"topology.tasks": 4})
