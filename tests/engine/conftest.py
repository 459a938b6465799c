from engine import Run, run, topology

__all__ = ["run", "topology", "Run"]
