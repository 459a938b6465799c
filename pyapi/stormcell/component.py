"""What spouts and bolts have in common, as far as it is not hot."""

from __future__ import annotations

import os

from stormcell import _native

# Type checkers take this name for true. `typing` is imported nowhere in the package, nor is anything
# else at the top of a module that a start can do without: together that took as long as Python's own.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence
    from typing import Any

    from stormcell.stream import Stream
else:
    # for typing.get_type_hints(); importing typing costs milliseconds
    Any, Mapping, Sequence, Stream = object, dict, list, object


class Component(_native.Component):
    """The base of `Bolt` and `Spout`; subclass one of these.

    Attributes, set before `initialize` is called:
        topology_name: str, as submitted.
        component_name: str, this component's name in the topology.
        task_id: int, this task's number in the topology (-1 where Storm does not tell).
        storm_conf: dict, the topology's configuration.
        context: dict, Storm's description of the topology.
        debug: bool, `topology.debug`.
        pid: int, the process that Storm knows (not os.getpid(), which is its child).
    """

    exit_on_exception: bool = False
    """End the process when user code raises, as pystorm does. Storm then restarts the worker."""

    topology_name: str = ""
    component_name: str = ""
    task_id: int = -1
    storm_conf: dict[str, Any]
    context: dict[str, Any]
    debug: bool = False
    pid: int = 0

    outputs: Sequence[str | Stream] | None = None
    """What it emits: the fields of its default stream, or its streams. Read by `spec`."""
    par: int | Mapping[str, int] = 1
    """How many tasks it has where `spec` does not say, or that by environment."""
    config: Mapping[str, Any] | None = None
    """Storm's keys for this component, where `spec` does not say."""

    _metrics: frozenset[str] | None = None

    def initialize(self, conf: dict[str, Any], ctx: dict[str, Any]) -> None:
        """Get ready, before the first tuple: called once, with `storm_conf` and `context`."""

    def raise_exception(self, exception: BaseException, tup: _native.Tuple | None = None) -> None:
        """Report `exception` to Storm, with its traceback and the tuple that it came from."""
        from stormcell.report import describe

        self.report_error(describe(self, exception, tup))

    def report_metric(self, name: str, value: Any) -> None:
        """Update a metric, which Java code has to have registered for this component. `value` is any
        JSON value. Storm ends the worker over a name that it does not know, so the configuration must
        list it under `stormcell.metrics`: ValueError for one that it does not.
        """
        if self._metrics is not None and isinstance(name, str) and name not in self._metrics:
            raise ValueError(
                f"metric {name!r} is not in the configuration's stormcell.metrics, which lists what "
                "Java code has registered: Storm ends the worker over any other"
            )
        super().report_metric(name, value)

    @property
    def logger(self) -> logging.Logger:
        """A `logging` logger of this component; what it logs arrives in Storm's log."""
        from stormcell.log import component_logger

        return component_logger(self)

    def _setup(self, conf: dict[str, Any], context: dict[str, Any]) -> None:
        """Set the attributes that Storm's handshake tells."""
        self.storm_conf = conf
        self.context = context
        self.topology_name = conf.get("topology.name") or ""
        self.debug = bool(conf.get("topology.debug"))
        self._metrics = frozenset(conf.get("stormcell.metrics") or ())
        self.pid = os.getppid()
        task = context.get("taskid")
        self.task_id = -1 if task is None else task
        names = context.get("task->component") or {}
        self.component_name = context.get("componentid") or names.get(str(task)) or ""

    def _on_exception(self, exception: BaseException, tup: _native.Tuple | None) -> bool:
        """Called with each exception of user code. True: end the process."""
        self._report(exception, tup)
        return self._exits(exception)

    def _report(self, exception: BaseException, tup: _native.Tuple | None) -> None:
        """Call `raise_exception`, which may be the component's own and fail as well."""
        try:
            self.raise_exception(exception, tup)
        except _native.StormWentAwayError:
            raise
        except Exception as second:
            self.report_error(_both(exception, second))

    def _exits(self, exception: BaseException) -> bool:
        if self.exit_on_exception:
            _native.last_words(f"exit_on_exception is set, and {type(exception).__name__} was raised")
        return self.exit_on_exception

    def _serve(self) -> bool:
        """Run until Storm goes. True: the end was in order."""
        raise NotImplementedError

    def _own(self, name: str, base: type[Component]) -> Any:
        """The method `name` where this component has one of its own, None where it is `base`'s."""
        # Not by vars(self): an instance whose __dict__ was asked for is slower to read ever after.
        own = getattr(self, name)
        return None if own == getattr(base, name).__get__(self) else own


def _both(exception: BaseException, second: Exception) -> str:
    """What is told of an exception whose own report raised a second one."""
    try:
        from stormcell.report import trace

        return f"{trace(exception)}\n\nand then raise_exception() raised:\n{trace(second)}"
    except Exception:  # no descriptor is left to import it by, say
        return f"{_line(exception)}\n\nwithout its traceback, since that raised:\n{_line(second)}"


def _line(exception: BaseException) -> str:
    """An exception and where it was raised, by nothing that could be missing."""
    try:
        frames = exception.__traceback__
        while frames is not None and frames.tb_next is not None:
            frames = frames.tb_next
        where = f" ({frames.tb_frame.f_code.co_filename}, line {frames.tb_lineno})" if frames else ""
        return f"{type(exception).__name__}: {exception}{where}"
    except Exception:
        return "an exception that cannot be shown"
