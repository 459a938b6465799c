"""A component that the author's machine can start, and a worker cannot."""

import only_the_author_has_it

from stormcell import Bolt


class Failing(Bolt):
    def process(self, tup):
        only_the_author_has_it.use(tup)
