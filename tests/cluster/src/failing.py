"""Components that cannot start."""

import module_that_nobody_has

from stormcell import Bolt


class Failing(Bolt):
    def process(self, tup):
        module_that_nobody_has.use(tup)
