from idle import Idle

from stormcell import Topology


class Nothing(Topology):
    idle = Idle.spec()
