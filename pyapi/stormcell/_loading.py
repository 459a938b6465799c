"""A way to load `_stormcell` where the file system that it lies on lets nothing on it be executed."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ExtensionFileLoader, PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

NAME = "_stormcell"


def load_from_memory(error: ImportError) -> None:
    """Import `_stormcell` from a copy of its file in memory. `error`, which its import has raised, is
    raised again where that is of no help."""
    spec = PathFinder.find_spec(NAME)
    if spec is None or spec.origin is None or not _is_without_execution(spec.origin):
        raise error
    copy = os.memfd_create(NAME, os.MFD_CLOEXEC)
    try:
        with open(spec.origin, "rb") as file, open(copy, "wb", closefd=False) as memory:
            memory.write(file.read())
        sys.modules[NAME] = _load(f"/proc/self/fd/{copy}", spec.origin)
    finally:
        os.close(copy)


def _is_without_execution(path: str) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_NOEXEC)


def _load(path: str, origin: str) -> ModuleType:
    spec = spec_from_file_location(NAME, path, loader=ExtensionFileLoader(NAME, path))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.__file__ = origin
    return module
