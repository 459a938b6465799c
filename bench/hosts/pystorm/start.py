"""Runs the component MODULE.CLASS, as a pystorm project's own script would: by its run()."""
import importlib
import sys

module, _, name = sys.argv[1].rpartition('.')
getattr(importlib.import_module(module), name)().run()
