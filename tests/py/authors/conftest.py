from projects import write

__all__ = ["write"]
