"""What the bolts are written for: Stormcell."""
from stormcell import Bolt

__all__ = ['Bolt']
