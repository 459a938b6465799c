"""A bolt whose module cannot be imported by the workers."""

from failing import Failing
from idle import Idle

from stormcell import Topology


class Fails(Topology):
    idle = Idle.spec()
    broken = Failing.spec(inputs=[idle])
