from commanding import built, folder
from operated import nimbus

__all__ = ["built", "folder", "nimbus"]
