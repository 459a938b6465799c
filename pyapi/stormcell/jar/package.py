"""The worker's side of this package, and how its components are started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stormcell.jar.entries import Entry
from stormcell.jar.fault import JarError
from stormcell.jar.imports import imported
from stormcell.jar.runner import PACKAGE
from stormcell.plan import target
from stormcell.spec import Spec
from stormcell.topology import Topology

__all__ = ["package_files", "start_command", "start_commands", "start_file"]

ROOTS = ("stormcell", "stormcell.run", "stormcell.topology")
"""What a worker imports: whatever a component names, what starts it, and what a component needs that is
defined in the file of its topology."""


def package_files() -> Iterator[Entry]:
    """The modules of this package that a worker may import, and the script that starts components."""
    for path in sorted(_needed()):
        yield _entry(path)
    if not (PACKAGE / "runner" / "start").is_file():
        raise JarError(f"{PACKAGE} is not whole: it has no runner/start")
    yield _entry(PACKAGE / "runner" / "start")


def _needed() -> set[Path]:
    """The files of the roots and of all that these import of this package, wherever in them it is."""
    ahead, found = list(ROOTS), set()
    while ahead:
        path = _file(ahead.pop())
        if path is not None and path not in found:
            found.add(path)
            ahead += imported(path.read_bytes())
    return found


def _file(module: str) -> Path | None:
    """The file of a module of this package, or None: it is none."""
    place = PACKAGE.parent.joinpath(*module.split("."))
    found = [path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()]
    return found[0] if found and module.partition(".")[0] == PACKAGE.name else None


def _entry(path: Path) -> Entry:
    return Entry(f"resources/stormcell/{path.relative_to(PACKAGE).as_posix()}", path)


def start_command(spec: Spec) -> tuple[str, str]:
    """The two strings by which Storm starts a component in Python."""
    assert spec.component is not None
    return "sh", f"stormcell/start/{target(spec.component)}"


def start_commands(topology: type[Topology]) -> dict[str, tuple[str, str]]:
    """Those of all components in Python, by their names."""
    return {str(spec.name): start_command(spec) for spec in topology.specs if spec.component is not None}


def start_file(spec: Spec, python: str) -> Entry:
    """The script that the second of them names."""
    assert spec.component is not None
    name = target(spec.component)
    text = f"component={_quoted(name)}\npython={_quoted(python)}\n. stormcell/runner/start\n"
    return Entry(f"resources/stormcell/start/{name}", text.encode())


def _quoted(text: str) -> str:
    """As sh takes it for one word, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"
