"""What the components are written for: storm.py at its fastest. Its emitBolt() and emitSpout() send
as emit() does and do not wait; the task ids that come all the same pile up in pending_taskids."""
from adapter import classes
from storm import emitBolt, emitSpout

BatchingBolt, Bolt, Spout = classes(emitBolt, emitSpout)

ID = 'id'
