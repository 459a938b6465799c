"""Runs the component MODULE.CLASS by its run(), as a script of pystorm's or storm.py's users does."""
import importlib
import sys

module, _, name = sys.argv[1].rpartition('.')
getattr(importlib.import_module(module), name)().run()
