"""The worker's side of this package, and how its components are started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stormcell.jar.entries import Entry
from stormcell.jar.fault import JarError
from stormcell.jar.runner import PACKAGE
from stormcell.plan import target
from stormcell.spec import Spec

__all__ = ["AUTHORS_ONLY", "package_files", "start_command", "start_file"]

AUTHORS_ONLY = frozenset({
    "__main__", "cli", "cluster", "config", "dot", "engine", "jar", "load", "nimbus", "operate", "plan", "readable",
    "recording", "replay", "replayed", "submission", "testing"})
"""Modules and packages that no worker imports. The rest is small, and a component may need it that is
defined in the file of its topology."""


def package_files() -> Iterator[Entry]:
    """The modules of this package that a worker may import, and the script that starts components."""
    for path in sorted(PACKAGE.rglob("*.py")):
        within = path.relative_to(PACKAGE)
        if within.parts[0].removesuffix(".py") not in AUTHORS_ONLY:
            yield _entry(within)
    if not (PACKAGE / "runner" / "start").is_file():
        raise JarError(f"{PACKAGE} is not whole: it has no runner/start")
    yield _entry(Path("runner", "start"))


def _entry(within: Path) -> Entry:
    return Entry(f"resources/stormcell/{within.as_posix()}", PACKAGE / within)


def start_command(spec: Spec) -> tuple[str, str]:
    """The two strings by which Storm starts a component in Python."""
    assert spec.component is not None
    return "sh", f"stormcell/start/{target(spec.component)}"


def start_file(spec: Spec, python: str) -> Entry:
    """The script that the second of them names."""
    assert spec.component is not None
    name = target(spec.component)
    text = f"component={_quoted(name)}\npython={_quoted(python)}\n. stormcell/runner/start\n"
    return Entry(f"resources/stormcell/start/{name}", text.encode())


def _quoted(text: str) -> str:
    """As sh takes it for one word, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"
