"""From a file to the topology that it defines."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from stormcell.fault import TopologyError
from stormcell.topology import Topology, TopologyType

__all__ = ["folders", "load"]


def folders(path: str | Path) -> list[Path]:
    """Where a topology's modules are looked for: the folder src beside that of its file, if there is one,
    and that of the file. The first is where its components run."""
    folder = Path(path).resolve().parent
    source = folder.parent / "src"
    return [source, folder] if source.is_dir() else [folder]


def load(path: str | Path) -> type[Topology]:
    """The one topology that a file defines: the class in it that no other in it is made of.

    Its folders stay in sys.path, since a component may import more when it is used. TopologyError says in
    one sentence what is wrong, and has the original exception as its cause; sys.path is as before then.
    """
    if not Path(path).is_file():
        raise TopologyError("", f"there is no topology file {path}")
    before = list(sys.path)
    _look_into(folders(path))
    try:
        return _only_topology(path, _imported(Path(path)))
    except TopologyError:
        sys.path[:] = before
        raise


def _look_into(places: list[Path]) -> None:
    """Components are found before all else, as a worker finds them; what else lies beside the topology
    comes last, lest it hides a module of Python's own."""
    first, *others = [str(place) for place in places]
    sys.path[:] = [first, *(entry for entry in sys.path if entry != first)]
    sys.path += [place for place in others if place not in sys.path]
    importlib.invalidate_caches()


def _only_topology(path: str | Path, module: ModuleType) -> type[Topology]:
    classes = dict.fromkeys(value for value in vars(module).values()
                            if isinstance(value, TopologyType) and value.__module__ == module.__name__)
    last = [one for one in classes
            if not any(one is not other and issubclass(other, one) for other in classes)]
    found = [one for one in last if one.specs]
    if len(found) == 1:
        return found[0]  # type: ignore[return-value]
    if found:
        raise TopologyError(str(path), f"it defines more than one topology: {_names(found)}")
    if last:
        raise TopologyError(str(path), f"the topology that it defines has no components: {_names(last)}")
    raise TopologyError(str(path), "it defines no topology: no class in it is made of stormcell.Topology, "
                                   "and one that is imported is not its own")


def _names(classes: list[TopologyType]) -> str:
    return ", ".join(one.__name__ for one in classes)


def _imported(path: Path) -> ModuleType:
    name = _module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TopologyError(str(path), "it is no Python file: its name does not end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, (Exception, SystemExit)):
            raise _explained(path, error) from _cause(error)
        raise
    return module


def _module_name(path: Path) -> str:
    """The file's own, unless an import of that name would find something else."""
    found = PathFinder.find_spec(path.stem)
    own = found is not None and found.origin is not None and Path(found.origin).resolve() == path.resolve()
    return path.stem if own and path.stem not in sys.stdlib_module_names else f"topology_{path.stem}"


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ if isinstance(error, TopologyError) else error


def _explained(path: Path, error: BaseException) -> TopologyError:
    """What an import raised, in one sentence."""
    if isinstance(error, TopologyError):
        return error
    if isinstance(error, SyntaxError):
        where = f"{error.filename or path}:{error.lineno}" if error.lineno else str(error.filename or path)
        return TopologyError(where, f"it is no Python: {error.msg}")
    said = traceback.format_exception_only(type(error), error)[0].splitlines()[0]
    return TopologyError(_culprit(path, error), f"importing it raised {said}")


def _culprit(path: Path, error: BaseException) -> str:
    """The last place in code of the user's own that was on the way to the exception."""
    own = [os.fspath(folder) for folder in folders(path)]
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if any(os.path.abspath(frame.filename).startswith(folder + os.sep) for folder in own):
            return f"{frame.filename}:{frame.lineno}"
    return str(path)
