"""Stormcell: Python components for Apache Storm, hosted in C.

    from stormcell import Bolt

    class Upper(Bolt):
        def process(self, tup):
            self.emit([tup.values[0].upper()])

Storm starts a component as `stormcell-shim module.Class`.
"""

from stormcell._native import StormWentAwayError, Tuple, __version__
from stormcell.bolt import BatchingBolt, Bolt, TicklessBatchingBolt
from stormcell.component import Component
from stormcell.spout import ReliableSpout, Spout

__all__ = [
    "BatchingBolt",
    "Bolt",
    "Component",
    "ReliableSpout",
    "Spout",
    "StormWentAwayError",
    "TicklessBatchingBolt",
    "Tuple",
    "__version__",
]
