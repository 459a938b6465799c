"""Values on their way from one component to the next, within a worker and between two."""

from travelling import Keep, Pass, Values

from stormcell import Grouping, ShellSpout, Topology


class Travelling(Topology):
    config = {"topology.max.spout.pending": 5}

    values = Values.spec()
    huge = ShellSpout.spec(command="python3", script="huge.py", outputs=["number", "value", "sender"])
    on = Pass.spec(inputs={values: Grouping.ALL}, par=2)
    keep = Keep.spec(
        inputs={values: Grouping.ALL, values["direct"]: Grouping.DIRECT, huge: Grouping.ALL,
                on: Grouping.ALL, on["direct"]: Grouping.DIRECT}, par=2)
