"""What the bolts are written for: pystorm."""
from pystorm import Bolt

__all__ = ['Bolt']
