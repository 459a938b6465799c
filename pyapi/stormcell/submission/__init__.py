"""From a topology to a cluster that runs it: what Nimbus is told, and in which steps.

structure.py makes Storm's structure of a topology, settings.py adds to its configuration what Python
components need and finds what Storm would refuse, upload.py brings files to Nimbus, and steps.py does
all of it in order and knows at each step what has become of the cluster.
"""
