"""Stormcell: Python components for Apache Storm, hosted in C.

    from stormcell import Bolt

    class Upper(Bolt):
        def process(self, tup):
            self.emit([tup.values[0].upper()])

Storm starts a component as `stormcell-shim module.Class`. A topology is put together with `Topology`,
`Grouping` and `Stream`, which components do not need and which are imported only when asked for.
"""

from stormcell._native import StormWentAwayError, Tuple, __version__
from stormcell.bolt import BatchingBolt, Bolt, TicklessBatchingBolt
from stormcell.component import Component
from stormcell.spout import ReliableSpout, Spout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from stormcell.spec import JavaBolt, JavaSpout, ShellBolt, ShellSpout
    from stormcell.stream import Grouping, Stream
    from stormcell.topology import Topology
else:
    AUTHORS = {"Grouping": "stream", "JavaBolt": "spec", "JavaSpout": "spec", "ShellBolt": "spec",
               "ShellSpout": "spec", "Stream": "stream", "Topology": "topology"}

    def __getattr__(name):
        if name not in AUTHORS:
            raise AttributeError(f"module 'stormcell' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"stormcell.{AUTHORS[name]}"), name)


__all__ = [
    "BatchingBolt",
    "Bolt",
    "Component",
    "Grouping",
    "JavaBolt",
    "JavaSpout",
    "ReliableSpout",
    "ShellBolt",
    "ShellSpout",
    "Spout",
    "StormWentAwayError",
    "Stream",
    "TicklessBatchingBolt",
    "Topology",
    "Tuple",
    "__version__",
]
