"""What the components are written for: pystorm."""
from pystorm import BatchingBolt, Bolt, Spout

__all__ = ['BatchingBolt', 'Bolt', 'ID', 'Spout']

ID = 'tup_id'
