"""A spout that tells where what it runs with has come from. Its packages are those of the topology: the author's
machine has none of them."""

import json
import os
import sys

from notes import Notes

from stormcell import Spout


class Telling(Spout):
    outputs = ["nothing"]

    def initialize(self, conf, context):
        import animals

        told = {"python": os.path.realpath(sys.executable), "prefix": os.path.realpath(sys.prefix),
                "base": os.path.realpath(sys.base_prefix), "resources": os.path.realpath(os.getcwd()),
                "words": animals.words(), "package": os.path.realpath(animals.__file__),
                "native": os.path.realpath(animals.native.__file__)}
        Notes(conf["test.folder"], "told").add(json.dumps(told))

    def next_tuple(self):
        pass
