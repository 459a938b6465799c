"""Storm's Nimbus, spoken to by Thrift.

    with Nimbus.connect([("storm-1", 6627)]) as nimbus:
        for one in nimbus.call("getClusterInfo").topologies:
            print(one.name, one.status)
        nimbus.call("killTopologyWithOpts", "words", structures.KillOptions(wait_secs=0))

storm.thrift, beside this file, has the methods and the structures.
"""

from stormcell.nimbus.client import Nimbus
from stormcell.nimbus.errors import (
    AlreadyAlive,
    InvalidTopology,
    NimbusError,
    NotAlive,
    NotAuthorized,
    NotFound,
    NotPrepared,
    Unreachable,
)
from stormcell.nimbus.structures import structures

__all__ = ["AlreadyAlive", "InvalidTopology", "Nimbus", "NimbusError", "NotAlive", "NotAuthorized", "NotFound",
           "NotPrepared", "Unreachable", "structures"]
