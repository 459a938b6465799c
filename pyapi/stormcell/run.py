"""From a component's name to a component at work. stormcell-shim ends up here, and
`python -m stormcell.run module.Class` is the same without the executable."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from stormcell import _native
from stormcell.bolt import Bolt
from stormcell.component import Component
from stormcell.spout import Spout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site-packages")
"""Where a topology's jar has the packages that came along."""


class StartError(Exception):
    """A component that cannot be started; the text says why and what to do."""


def main() -> int:
    """Run the component that sys.argv[1] names until Storm goes. The status to exit with."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-") or os.isatty(0):
        print("usage: python -m stormcell.run MODULE.CLASS  (started by Storm)", file=sys.stderr)
        return 2
    try:
        _native.open()
    except OSError as error:
        print(f"stormcell.run: {error}", file=sys.stderr)
        return 1
    _line_by_line()
    return host(sys.argv[1])


def host(name: str, on_error: Callable[[BaseException], None] | None = None) -> int:
    """Run the component `name` on the open session. The status to exit with.

    on_error: called with each exception of user code, once it has been reported, and with a
        StartError (its __context__ is the exception that user code raised).
    """
    process = os.getpid()
    in_order = False
    status = 1
    try:
        in_order = run(name, on_error)
    except StartError as error:
        _last_words(str(error))
        if on_error is not None:
            on_error(error)
    except _native.StormWentAwayError:
        in_order = True  # nobody is left to tell
    except BaseException as error:
        if os.getpid() != process:
            raise  # a child that user code forked came back to here: it has no last words
        if isinstance(error, SystemExit):
            _last_words(f"the component called sys.exit({error.code!r})")
        else:
            _last_words(_trace(error))
    _native.close(in_order)
    return _exit_status(0 if in_order else status)


def run(name: str, on_error: Callable[[BaseException], None] | None = None) -> bool:
    """Load, start and serve the component. True: the end was in order. StartError."""
    try:
        conf, context = _native.handshake()
    except (ValueError, OSError) as error:
        raise StartError(str(error)) from None
    component = _start(load(name), conf, context)
    if on_error is not None:
        _follow_reports(component, on_error)
    _native.answer()
    return component._serve()


def _follow_reports(component: Component, on_error: Callable[[BaseException], None]) -> None:
    report = component._report

    def report_and_tell(exception: BaseException, tup: _native.Tuple | None) -> None:
        report(exception, tup)
        on_error(exception)

    setattr(component, "_report", report_and_tell)


def load(name: str) -> type[Component]:
    """The class that `name` ("module.Class", or "module.Outer.Class" of one that is defined in another)
    names, from the working directory. StartError."""
    sys.path.insert(0, os.getcwd())
    if os.path.isdir(PACKAGES):
        from stormcell.packages import find_packages_in

        find_packages_in(PACKAGES)
    module_name, _, class_name = name.rpartition(".")
    if not module_name or not all(name.split(".")):
        raise StartError(f"{name!r} names no component: it must be MODULE.CLASS")
    module = _import(module_name, name)
    found = getattr(module, class_name, None)
    if found is None:
        raise StartError(
            f"{_place(module, module_name)} has no {class_name!r}; "
            f"its own components: {', '.join(_components_of(module)) or 'none'}"
        )
    if not isinstance(found, type):
        raise StartError(f"{name!r} is no class (its type is {type(found).__name__})")
    if not issubclass(found, (Bolt, Spout)):
        raise StartError(f"class {name!r} is neither a stormcell.Bolt nor a stormcell.Spout")
    return found


def _import(module_name: str, name: str) -> object:
    try:
        __import__(module_name)
        return sys.modules[module_name]
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name + ".").startswith(error.name + "."):
            outer = _outer_class(module_name)
            if outer is not None:
                return outer
            raise StartError(
                f"cannot start {name!r}: there is no module {error.name!r} in {os.getcwd()} "
                f"or on Python's path ({os.pathsep.join(sys.path[1:])})"
            ) from None
        raise StartError(f"importing {module_name!r} failed:\n{_trace(error)}") from None
    except BaseException as error:
        raise StartError(f"importing {module_name!r} failed:\n{_trace(error)}") from None


def _outer_class(name: str) -> type | None:
    """The class of this name, in a module that is imported already, or None."""
    module_name, _, class_name = name.rpartition(".")
    if not module_name:
        return None
    found = getattr(sys.modules.get(module_name) or _outer_class(module_name), class_name, None)
    return found if isinstance(found, type) else None


def _start(
    component_class: type[Component], conf: dict[str, object], context: dict[str, object]
) -> Component:
    step = "__init__"
    try:
        component = component_class()
        component._setup(conf, context)
        _route_logging(component)
        step = "initialize"
        component.initialize(conf, context)
        _route_logging(component)
    except _native.StormWentAwayError:
        raise
    except BaseException as error:
        where = f"{component_class.__name__}.{step}()"
        raise StartError(f"{where} failed:\n{_trace(error)}") from None
    return component


def _route_logging(component: Component) -> None:
    """Send Python's logging to Storm where user code uses it; importing it costs milliseconds."""
    if "logging" in sys.modules:
        from stormcell.log import install

        install(component)


def _trace(error: BaseException) -> str:
    from stormcell.report import trace

    return trace(error)


def _last_words(text: str) -> None:
    from stormcell.report import shorten

    # The arena has room for 16 KiB, and what matters of a traceback is its end.
    text = shorten(text.replace("\0", "\\0"), 4000)
    _native.last_words(text.encode("utf-8", "backslashreplace").decode())


def _components_of(module: object) -> list[str]:
    home = module.__module__ if isinstance(module, type) else vars(module)["__name__"]
    return sorted(
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, (Bolt, Spout))
        and value.__module__ == home
    )


def _place(module: object, name: str) -> str:
    """What classes were looked for in: a module, or a class."""
    if isinstance(module, type):
        return f"class {name!r}"
    return f"module {name!r} ({getattr(module, '__file__', None) or 'built in'})"


def _line_by_line() -> None:
    """What is printed goes to Storm's log line by line, whatever is in it.

    The streams are opened anew: under `python -m` they were made for what was at descriptors 1 and
    2 before these became pipes.
    """
    for name, descriptor in ("stdout", 1), ("stderr", 2):
        stream = _open_stream(descriptor)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _open_stream(descriptor: int) -> TextIOWrapper:
    return open(
        descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )


def _exit_status(status: int) -> int:
    """Leave at once where user code's threads would keep the process from ending."""
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
