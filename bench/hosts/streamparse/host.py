"""What the components are written for: streamparse."""
from streamparse import BatchingBolt, Bolt, Spout

__all__ = ['BatchingBolt', 'Bolt', 'ID', 'Spout']

ID = 'tup_id'
