from telling import Telling

from stormcell import Topology


class Packaged(Topology):
    telling = Telling.spec()
