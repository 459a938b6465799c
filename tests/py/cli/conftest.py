from commanding import built, folder

__all__ = ["built", "folder"]
