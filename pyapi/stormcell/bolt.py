"""Bolts: `Bolt`, and two that work in batches."""

from __future__ import annotations

from stormcell import _native
from stormcell.component import Component

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from typing import Any, TypeVar

    from stormcell.spec import Inputs, Parallelism, Spec

    Self = TypeVar("Self", bound="BatchingBolt")
else:
    Any = Hashable = Inputs = Mapping = Parallelism = Spec = object  # for typing.get_type_hints(); importing typing costs milliseconds


class Bolt(Component, _native.Bolt):
    """Subclass it and write `process`.

    The three switches are read once, after `initialize`. Whatever they say, a tuple is settled
    once: the first ack or fail counts and a second one raises ValueError.
    """

    auto_anchor: bool = True
    """Anchor what `process` emits to the tuple in hand, so that Storm can replay it."""
    auto_ack: bool = True
    """Ack the tuple when `process` returns, unless it was acked or failed in there."""
    auto_fail: bool = True
    """Fail the tuple when `process` raises, so that its spout may emit it again."""

    @classmethod
    def spec(cls, name: str | None = None, inputs: Inputs | None = None,
             par: Parallelism | None = None, config: Mapping[str, Any] | None = None) -> Spec:
        """This bolt's place in a topology (docs/topology.md).

        Args:
            name: what it is called there; else as the topology's attribute.
            inputs: what it takes: a dict of specs (or `spec["stream"]`, or names) to groupings, or a list
                of them (by shuffle).
            par: how many tasks it has, or a dict of that by environment.
            config: Storm's keys for this component.
        """
        from stormcell.spec import make_spec

        return make_spec("bolt", name=name, inputs=inputs, par=cls.par if par is None else par,
                         config=cls.config if config is None else config, outputs=cls.outputs,
                         component=cls)

    def process(self, tup: _native.Tuple) -> None:
        """Do the work for one tuple."""
        raise NotImplementedError(f"{type(self).__name__} has no process(self, tup)")

    def process_tick(self, tup: _native.Tuple) -> None:
        """Called for each tick (`topology.tick.tuple.freq.secs`). Ticks are acked by themselves."""

    @staticmethod
    def is_tick(tup: _native.Tuple) -> bool:
        """True for the tuples by which Storm tells that time passes."""
        return tup.component == "__system" and tup.stream == "__tick"

    def _on_exception(self, exception: BaseException, tup: _native.Tuple | None) -> bool:
        self._report(exception, tup)
        if tup is not None and self.auto_fail:
            self._fail(tup)
        return self._exits(exception)

    def _fail(self, tup: _native.Tuple) -> None:
        """Fail a tuple unless it is settled, also where the component's own fail() raises."""
        if not self.is_live(tup):
            return
        try:
            self.fail(tup)
        except _native.StormWentAwayError:
            raise
        except Exception as exception:
            self._report(exception, tup)
            if self.is_live(tup):
                super().fail(tup)

    def _serve(self) -> bool:
        return self._serve_bolt(self.auto_ack, None, 0)

    def _serve_bolt(
        self, auto_ack: bool, on_timer: Callable[[], object] | None, period: float
    ) -> bool:
        return _native.serve_bolt(
            self,
            self._on_exception,
            self.process,
            self._own("process_tick", Bolt),
            self._own("ack", Bolt),
            auto_ack,
            self.auto_anchor,
            on_timer,
            period,
            self._values_type,
        )

    def _values_type(self, component: str, stream: str) -> type[Any] | None:
        from stormcell.fields import values_type

        fields = self.context.get("source->stream->fields") or {}
        return values_type(fields, component, stream)


class BatchingBolt(Bolt):
    """Gathers tuples and works on them in batches when ticks come. Write `process_batch`.

    The component's configuration must switch ticks on: `topology.tick.tuple.freq.secs`. Tuples are
    acked when their batch is done. When a batch raises, its tuples are failed and it is dropped;
    the other batches are not touched.
    """

    ticks_between_batches: int = 1
    """Ticks to let pass: batches are worked on at the tick after that many, so 1 is every second."""

    _batches: dict[Hashable, list[_native.Tuple]]
    _tick_counter: int
    _reported: BaseException | None = None

    def __new__(cls: type[Self], *args: Any, **kwargs: Any) -> Self:
        # Here rather than in __init__, which subclasses may forget to call.
        self = super().__new__(cls)
        self._batches = {}
        self._tick_counter = 0
        return self

    def group_key(self, tup: _native.Tuple) -> Hashable:
        """The batch that `tup` belongs to; None for all by default."""
        return None

    def process_batch(self, key: Any, tups: list[_native.Tuple]) -> None:
        """Do the work for the batch `key`; what it emits is anchored to all of `tups`."""
        raise NotImplementedError(f"{type(self).__name__} has no process_batch(self, key, tups)")

    def process(self, tup: _native.Tuple) -> None:
        """Put a tuple into its batch."""
        self._batches.setdefault(self.group_key(tup), []).append(tup)

    def process_tick(self, tup: _native.Tuple) -> None:
        """Work on the batches when enough ticks have come."""
        self._tick_counter += 1
        if self._tick_counter > self.ticks_between_batches and self._batches:
            self._tick_counter = 0
            self.process_batches()

    def process_batches(self) -> None:
        """Work on each batch that has gathered, one after the other."""
        while self._batches:
            key = next(iter(self._batches))
            batch = self._batches.pop(key)
            self._current_tups = batch
            try:
                self.process_batch(key, batch)
                if self.auto_ack:
                    self._ack_all(batch)
            except Exception as exception:
                self._batch_failed(exception, batch)
        self._current_tups = []

    def _batch_failed(self, exception: Exception, batch: list[_native.Tuple]) -> None:
        if isinstance(exception, _native.StormWentAwayError):
            raise exception
        try:
            self._report(exception, batch[0])
            self._reported = exception
        finally:
            if self.auto_fail:
                self._fail_all(batch)
        if self.exit_on_exception:
            raise exception

    def _on_exception(self, exception: BaseException, tup: _native.Tuple | None) -> bool:
        if exception is not self._reported:
            return super()._on_exception(exception, tup)
        return self._exits(exception)

    def _exits(self, exception: BaseException) -> bool:
        if self.exit_on_exception and self.auto_fail:  # what has gathered goes back to its spouts
            for batch in self._batches.values():
                self._fail_all(batch)
            self._batches.clear()
        return super()._exits(exception)

    def _ack_all(self, batch: list[_native.Tuple]) -> None:
        is_live, ack = self.is_live, self.ack  # looked up once: 5 % of a batch's instructions
        for tup in batch:
            if is_live(tup):
                ack(tup)

    def _fail_all(self, batch: list[_native.Tuple]) -> None:
        for tup in batch:
            self._fail(tup)

    def _serve(self) -> bool:
        return self._serve_bolt(False, None, 0)


class TicklessBatchingBolt(BatchingBolt):
    """A `BatchingBolt` by the clock: no ticks have to be configured."""

    secs_between_batches: float = 2
    """Seconds from one round of batches to the next."""

    def process_tick(self, tup: _native.Tuple) -> None:
        """Ticks mean nothing to it."""

    def _serve(self) -> bool:
        seconds = self.secs_between_batches
        if not isinstance(seconds, (int, float)) or not 0 < seconds < 1e9:
            raise ValueError(f"secs_between_batches must be a number of seconds, not {seconds!r}")
        return self._serve_bolt(False, self.process_batches, seconds)
