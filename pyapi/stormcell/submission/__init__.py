"""From a topology to a cluster that runs it: what Nimbus is told, and in which steps.

structure.py makes Storm's structure of a topology, settings.py adds to its configuration what Python
components need and finds what Storm would refuse (rules.py), cargo.py makes the files and upload.py brings
them to Nimbus. steps.py does all of it in order and knows at each step what has become of the cluster;
waiting.py waits until the topology runs. checks.py and probe.py find out before what would come of it.
"""
