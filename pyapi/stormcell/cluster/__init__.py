"""A real Storm on this machine, for tests, demonstrations and tutorials: ZooKeeper, Nimbus, a supervisor
and its workers, in a network namespace of their own.

    here = running()                            # None, or what `stormcell cluster up` has started
    with here.connect(*here.nimbus, 5.0) as connection:
        ...
"""

from stormcell.cluster.error import ClusterError
from stormcell.cluster.here import Cluster, default_home, running

__all__ = ["Cluster", "ClusterError", "default_home", "running"]
