"""What the components are written for: storm.py, used as its documentation shows: by storm.emit(),
which waits for the task ids."""
from adapter import classes
from storm import emit

BatchingBolt, Bolt, Spout = classes(emit, emit)

ID = 'id'
