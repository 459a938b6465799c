"""From a file to the topology that it defines."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from stormcell.spec import TopologyError
from stormcell.topology import Topology, TopologyType

__all__ = ["folders", "load"]


def folders(path: str | Path) -> list[Path]:
    """Where a topology's modules are looked for: the folder src beside that of its file, if there is one,
    and that of the file. The first is where its components run."""
    folder = Path(path).resolve().parent
    source = folder.parent / "src"
    return [source, folder] if source.is_dir() else [folder]


def load(path: str | Path) -> type[Topology]:
    """The one topology that a file defines: the class in it that no other in it is made of. TopologyError
    says in one sentence what is wrong, and has the original exception as its cause."""
    if not Path(path).is_file():
        raise TopologyError("", f"there is no topology file {path}")
    for folder in reversed(folders(path)):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    module = _imported(Path(path))
    found = [value for value in vars(module).values()
             if isinstance(value, TopologyType) and value.__module__ == module.__name__ and value.specs]
    found = [one for one in dict.fromkeys(found)
             if not any(one is not other and issubclass(other, one) for other in found)]
    if len(found) == 1:
        return found[0]  # type: ignore[return-value]
    names = ", ".join(one.__name__ for one in found)
    raise TopologyError(str(path), f"it defines more than one topology: {names}" if found else
                        "it defines no topology: no class in it is made of stormcell.Topology")


def _imported(path: Path) -> ModuleType:
    name = _module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TopologyError(str(path), "it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except TopologyError:
        raise
    except SyntaxError as error:
        where = f"{error.filename or path}:{error.lineno}"
        raise TopologyError(where, f"it is no Python: {error.msg}") from error
    except (Exception, SystemExit) as error:
        where, what = _culprit(path, error), "".join(
            traceback.format_exception_only(type(error), error)).strip().splitlines()[-1]
        raise TopologyError(where, f"importing it raised {what}") from error
    return module


def _module_name(path: Path) -> str:
    """The file's own, unless its components have a module of that name."""
    source = folders(path)[0]
    taken = source != path.resolve().parent and (
        (source / path.name).exists() or (source / path.stem).is_dir())
    return f"topology_{path.stem}" if taken else path.stem


def _culprit(path: Path, error: BaseException) -> str:
    """The last place in code of the user's own that was on the way to the exception."""
    own = [os.fspath(folder) for folder in folders(path)]
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if any(os.path.abspath(frame.filename).startswith(folder + os.sep) for folder in own):
            return f"{frame.filename}:{frame.lineno}"
    return str(path)
