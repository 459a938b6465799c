"""What a module imports, as its source has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["imported"]


def imported(source: bytes) -> set[str]:
    """All that may be a module in the absolute imports of a source, wherever in it they are: of
    `from a.b import c`, that is a.b and a.b.c. What is no Python imports nothing."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    return {name for node in ast.walk(tree) for name in _names(node)}


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
