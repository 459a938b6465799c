"""What the components are written for: Stormcell."""
from stormcell import BatchingBolt, Bolt, Spout

__all__ = ['BatchingBolt', 'Bolt', 'ID', 'Spout']

ID = 'tup_id'
