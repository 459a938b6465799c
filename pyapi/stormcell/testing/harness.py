"""What the harnesses of bolts and spouts share: a component with Storm's side in the same process.

The component's class is derived from at run time: type(name, (UserClass, Watched...), {}). So the
user's class comes first, and what it calls by super() passes the watch on its way to the extension.
"""

from __future__ import annotations

import logging
import os
import sys
from bdb import BdbQuit
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType, new_class
from typing import Any, ClassVar, Generic, TypeVar
from weakref import WeakSet

from stormcell._native import Loopback, StormWentAwayError, Tuple
from stormcell.component import Component
from stormcell.log import StormHandler, least_level, named_logger
from stormcell.testing import declared
from stormcell.testing.record import Error, Metric, Record, emit_of, log_of

C = TypeVar("C", bound=Component)
Self = TypeVar("Self", bound="Harness[Any]")

COMPONENT = "tested"
"""The component's name in its topology."""


class StrictError(AssertionError):
    """The component did what Storm would die of, or what it would lose."""


class Watched(Component):
    """Stands between a component and the extension, and tells the harness what passes.

    Methods take whatever they are given: what is wrong with it, the extension says.
    """

    _harness: ClassVar[Harness[Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        cls._harness._loopback.host(self)
        return self

    @property
    def logger(self) -> logging.Logger:
        """The component's logger; its records arrive while the harness calls the component."""
        return named_logger(self)

    def report_metric(self, *args: Any, **kwargs: Any) -> None:
        with self._harness._watch("report_metric"):
            super().report_metric(*args, **kwargs)

    def raise_exception(self, exception: BaseException, tup: Tuple | None = None) -> None:
        with self._harness._raising(exception, tup):
            super().raise_exception(exception, tup)

    def _report(self, exception: BaseException, tup: Tuple | None) -> None:
        with self._harness._raising(exception, tup):
            super()._report(exception, tup)

    def _on_exception(self, exception: BaseException, tup: Tuple | None) -> bool:
        if _gives_up(exception):
            raise exception
        return super()._on_exception(exception, tup)

    def _exits(self, exception: BaseException) -> bool:
        return self.exit_on_exception  # there is no guardian to leave last words to


class Harness(Generic[C]):
    """Plays Storm for one component. Use `BoltHarness` or `SpoutHarness`.

    Attributes:
        component: the component itself, made but not initialized by the constructor: a test may put
            what it likes into it.
        record: Record, all that the component heard and said so far.
        ended: bool, the component has asked to end (`exit_on_exception`); nothing works any more.
        task_ids: list of int, what an emit with need_task_ids=True is answered; may be changed.
        strict: bool, raise StrictError for what Storm would die of or lose.
    """

    _watched: ClassVar[type[Watched]]
    _initialized = False
    _in_call = False
    _reporting = False

    def __init__(
        self,
        component_class: type[C],
        *,
        config: Mapping[str, Any] | None = None,
        fields: declared.Inputs | None = None,
        outputs: declared.Streams | None = None,
        task_ids: Sequence[int] = (3,),
        strict: bool = True,
    ) -> None:
        self._check_class(component_class)
        self._name = component_class.__name__
        if outputs is None:
            outputs = getattr(component_class, "outputs", None)
        own = getattr(component_class, "config", None) or {}
        self._conf = {"topology.name": "test", "stormcell.big.integers": True, **own, **(config or {})}
        self._context = declared.context(COMPONENT, fields, outputs, task_ids)
        self.record = Record()
        self.ended = False
        self.task_ids = list(task_ids)
        self.strict = strict
        self._violations: list[StrictError] = []
        self._injected: list[BaseException] = []
        self._step = Record()
        self._tuples: dict[str, Tuple] = {}
        self._loopback = Loopback(self._answer_task_ids)
        _harnesses.add(self)
        with self._call():
            self.component: C = self._derive(component_class)()

    def initialize(self) -> Record:
        """Shake hands and call the component's `initialize`, as is done by itself before the first
        call. What it raises comes out of here."""
        if self._initialized:
            raise ValueError("the component is initialized already")
        self._initialized = True
        self._loopback.feed({"pidDir": None, "conf": self._conf, "context": self._context})
        conf, context = self._loopback.handshake()
        self.component._setup(conf, context)
        with self._call():
            self.component.initialize(conf, context)
            self.component._serve()
        return self._end_step()

    def raise_on_emit(self, exception: BaseException, emits: int = 1) -> None:
        """Have the component's next emits raise `exception`, and not be emitted."""
        self._injected += [exception] * emits

    def close(self) -> None:
        """Check that nothing was left undone. StrictError names it."""
        if self.strict and not self.ended:
            self._check_end()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()

    # ---- Storm's part -----------------------------------------------------------------------

    def _check_class(self, component_class: type[C]) -> None:
        raise NotImplementedError

    def _derive(self, component_class: type[C]) -> type[C]:
        """The class, with the watch behind it."""
        names = {
            "_harness": self,
            "__module__": component_class.__module__,
            "__qualname__": component_class.__qualname__,
        }
        bases = (component_class, self._watched)
        return new_class(component_class.__name__, bases, exec_body=lambda body: body.update(names))

    def _check_end(self) -> None:
        """StrictError for what Storm would wait for in vain."""

    def _ready(self) -> None:
        if self.ended:
            raise ValueError("the component has ended: exit_on_exception is set, and it raised")
        if not self._initialized:
            self.initialize()

    def _run(self) -> None:
        """Have the component work on what it was fed."""
        with self._call():
            self.ended = not self._loopback.run()

    @contextmanager
    def _call(self) -> Iterator[None]:
        """While the component's own code runs: what it logs goes to Storm."""
        self._in_call = True
        try:
            with _logging(self):
                yield
        finally:
            self._in_call = False

    def _end_step(self) -> Record:
        """What happened since the last step. StrictError for what should not have."""
        self._hear()
        step, self._step = self._step, Record()
        self.record += step
        violations, self._violations = self._violations, []
        if self.strict and violations:
            raise violations[0]
        return step

    def _answer_task_ids(self) -> list[int]:
        self._hear()
        self._step.emits[-1].task_ids = list(self.task_ids)
        return self.task_ids

    def _hear(self, exception: BaseException | None = None, tup: Tuple | None = None) -> int:
        """Note what the component has said. How many errors were among it."""
        before = len(self._step.errors)
        for message in self._loopback.take():
            match message["command"]:
                case "emit":
                    self._step.emits.append(emit_of(message, self._tuples))
                case "log":
                    self._step.logs.append(log_of(message))
                case "error":
                    self._step.errors.append(Error(message["msg"], exception, tup))
                    _reported.append(message["msg"])
                case "metrics":
                    self._step.metrics.append(Metric(message["name"], message["params"]))
                case "ack" | "fail" as command:
                    self._settled(command, message["id"])
        return len(self._step.errors) - before

    def _settled(self, command: str, id: str) -> None:
        """A bolt has settled a tuple."""

    # ---- what the watch tells ---------------------------------------------------------------

    def _before_emit(self) -> None:
        if self._injected:
            raise self._injected.pop(0)

    @contextmanager
    def _watch(self, method: str) -> Iterator[None]:
        """While the extension takes what the component says: what it refuses is a violation."""
        try:
            yield
        except StormWentAwayError:
            raise
        except Exception as exception:
            violation = StrictError(f"{self._name} called {method}(), which was refused: {exception}")
            violation.__cause__ = exception
            self._violations.append(violation)
            raise

    @contextmanager
    def _raising(self, exception: BaseException, tup: Tuple | None) -> Iterator[None]:
        """While an exception is reported, be it by one method that calls another."""
        if self._reporting:
            yield
            return
        self._hear()
        self._reporting = True
        try:
            yield
        finally:
            self._reporting = False
            if self._hear(exception, tup) == 0:
                self._step.errors.append(Error("", exception, tup))


def _gives_up(exception: BaseException) -> bool:
    """Is it no error of the component, but a test that is skipped or a debugger that is left?"""
    pytest = sys.modules.get("pytest")
    if pytest is not None and isinstance(exception, pytest.exit.Exception):
        return True
    return isinstance(exception, BdbQuit) or not isinstance(exception, Exception)


@contextmanager
def _logging(harness: Harness[Any]) -> Iterator[None]:
    """Have `logging` send to the harness's component, and put everything back."""
    component = getattr(harness, "component", None)
    if component is None or not hasattr(component, "storm_conf"):
        yield
        return
    root = logging.getLogger()
    before = root.level
    handler = StormHandler(component)
    handler.setLevel(least_level(component))
    root.setLevel(min(before, handler.level))
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


_reported: deque[str] = deque(maxlen=20)
"""The latest reports of all components, for the pytest plugin."""


def take_reported() -> list[str]:
    """The texts of the latest errors that components reported, since the last call."""
    texts = list(_reported)
    _reported.clear()
    return texts


_harnesses: WeakSet[Harness[Any]] = WeakSet()


def _cut_off_child() -> None:
    """A forked child has no connection to Storm, here as on a cluster."""
    for harness in _harnesses:
        harness._loopback.cut_off()


os.register_at_fork(after_in_child=_cut_off_child)
