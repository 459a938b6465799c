"""The smallest bolt. In a file of its own, so that nothing but a host is loaded with it: start-up
and memory are measured with it."""
from host import Bolt


class Noop(Bolt):
    def process(self, tup):
        pass
