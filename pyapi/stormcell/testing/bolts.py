"""Bolts in a test's own process: one call (`run_bolt`), or step by step (`BoltHarness`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from stormcell._native import Tuple
from stormcell.bolt import BatchingBolt, Bolt, TicklessBatchingBolt
from stormcell.testing import declared
from stormcell.testing.harness import Harness, StrictError, Watched
from stormcell.testing.record import Record

B = TypeVar("B", bound=Bolt)

TICK_KEY = "topology.tick.tuple.freq.secs"
_SECOND = 10**9
_SHOWN = 5


class WatchedBolt(Watched, Bolt):
    """A bolt's methods that say something."""

    def emit(self, *args: Any, **kwargs: Any) -> Any:
        self._harness._before_emit()
        with self._harness._watch("emit"):
            return super().emit(*args, **kwargs)

    def ack(self, *args: Any, **kwargs: Any) -> None:
        with self._harness._watch("ack"):
            super().ack(*args, **kwargs)

    def fail(self, *args: Any, **kwargs: Any) -> None:
        with self._harness._watch("fail"):
            super().fail(*args, **kwargs)


class BoltHarness(Harness[B]):
    """A bolt step by step. Each step returns the Record of what the bolt did in it.

        with BoltHarness(WordCounter, fields=["word"]) as bolt:
            assert bolt.process(["dog"]).values() == [["dog", 1]]

    At its end, `with` checks that no tuple was left unsettled.

    bolt: the class. config: the topology's configuration, in addition to the class's own `config`.
    fields: of the tuples that it is given: the names of their values, or {component: names} or
        {component: {stream: names}} for several. Without, values have no names.
    outputs: the streams that it declares, by default the class's own `outputs`: names of fields, or
        {stream: names}, or stormcell.Streams. Where there are none, any stream may be emitted to.
    task_ids: the tasks that take what it emits: where direct emits may go, and what an emit with
        need_task_ids=True is answered.
    strict: raise StrictError for what Storm would die of or lose.

    Raises TypeError if `bolt` is no class of bolts.
    """

    _watched = WatchedBolt

    def __init__(
        self,
        bolt: type[B],
        *,
        config: Mapping[str, Any] | None = None,
        fields: declared.Inputs | None = None,
        outputs: declared.Streams | None = None,
        task_ids: Sequence[int] = (3,),
        strict: bool = True,
    ) -> None:
        super().__init__(
            bolt, config=config, fields=fields, outputs=outputs, task_ids=task_ids, strict=strict
        )
        self._fields = None if fields is None else declared.source_fields(fields)
        self._now = 0
        self._tick_period = _nanoseconds(self._conf.get(TICK_KEY) or 0)
        self._next_tick = self._tick_period
        self._next_batch = 0

    @property
    def now(self) -> float:
        """Seconds that have passed since the bolt was initialized: as many as `advance` let pass."""
        return self._now / _SECOND

    @property
    def unsettled(self) -> list[Tuple]:
        """The tuples that are neither acked nor failed."""
        return [tup for tup in self.record.tuples if self.component.is_live(tup)]

    def initialize(self) -> Record:
        record = super().initialize()
        self._next_batch = self._batch_period()
        return record

    def process(
        self,
        tup: Sequence[Any] | Tuple,
        *,
        component: str = declared.SOURCE,
        stream: str = "default",
        task: int = 1,
    ) -> Record:
        """Give the bolt a tuple: its values, or a Tuple that says the rest as well.

        ValueError if it is none that `fields` declares, TypeError for values that JSON does not have.
        """
        if not isinstance(tup, Tuple):
            tup = Tuple(str(len(self._tuples) + 1), component, stream, task, tup)
        self._check_declared(tup)
        self._give(tup)
        return self._end_step()

    def tick(self) -> Record:
        """Give the bolt a tick, whatever the time."""
        self._give(self._new_tick())
        return self._end_step()

    def advance(self, seconds: float) -> Record:
        """Let time pass: ticks come as the configuration has them (`topology.tick.tuple.freq.secs`),
        and a TicklessBatchingBolt's batches are due by its `secs_between_batches`. ValueError for less
        than none."""
        if seconds < 0:
            raise ValueError(f"time does not go back: advance({seconds!r})")
        self._ready()
        until = self._now + _nanoseconds(seconds)
        while not self.ended and (due := self._due()) is not None and due <= until:
            self._now = due
            if due == self._next_tick:
                self._next_tick += self._tick_period
                self._give(self._new_tick())
            else:
                self._next_batch += self._batch_period()
                with self._call():
                    self.ended = not self._loopback.on_timer()
        self._now = until
        return self._end_step()

    # ---- Storm's part -----------------------------------------------------------------------

    def _check_class(self, component_class: type[B]) -> None:
        if not isinstance(component_class, type) or not issubclass(component_class, Bolt):
            raise TypeError(f"a class of bolts is needed, not {component_class!r}")

    def _check_declared(self, tup: Tuple) -> None:
        if self._fields is None:
            return
        names = self._fields.get(tup.component, {}).get(tup.stream)
        if names is None:
            known = ", ".join(f"{c}/{s}" for c, streams in self._fields.items() for s in streams)
            raise ValueError(
                f"stream {tup.stream!r} of component {tup.component!r} is not among `fields`: {known}"
            )
        if len(names) != len(tup.values):
            raise ValueError(f"{tup.values!r} does not fit the fields {names!r} of its stream")

    def _give(self, tup: Tuple) -> None:
        self._ready()
        if tup.id in self._tuples:
            raise ValueError(f"there was a tuple with the id {tup.id!r} already")
        message = {
            "id": tup.id,
            "comp": tup.component,
            "stream": tup.stream,
            "task": tup.task,
            "tuple": tuple(tup.values),
        }
        values = self._loopback.feed(message)["tuple"]
        arrives = Tuple(tup.id, tup.component, tup.stream, tup.task, values)
        self._tuples[tup.id] = arrives
        if not Bolt.is_tick(arrives):
            self._step.tuples.append(arrives)
        self._run()

    def _new_tick(self) -> Tuple:
        values = [self._conf.get(TICK_KEY) or 1]
        return Tuple(str(-len(self._tuples) - 1), "__system", "__tick", -1, values)

    def _due(self) -> int | None:
        """When the next tick or batch is due, ns."""
        periods = (self._tick_period, self._next_tick), (self._batch_period(), self._next_batch)
        return min((due for period, due in periods if period), default=None)

    def _batch_period(self) -> int:
        bolt = self.component
        return (
            _nanoseconds(bolt.secs_between_batches) if isinstance(bolt, TicklessBatchingBolt) else 0
        )

    def _settled(self, command: str, id: str) -> None:
        tup = self._tuples[id]
        if not Bolt.is_tick(tup):
            (self._step.acks if command == "ack" else self._step.fails).append(tup)

    def _check_end(self) -> None:
        left = self.unsettled
        if not left:
            return
        shown = ", ".join(map(repr, left[:_SHOWN])) + (", ..." if len(left) > _SHOWN else "")
        raise StrictError(
            f"{self._name} neither acked nor failed {len(left)} of "
            f"{len(self.record.tuples)} tuples: {shown}{self._hint()}"
        )

    def _hint(self) -> str:
        if isinstance(self.component, TicklessBatchingBolt):
            return "; its batch is due when time passes (seconds=)"
        if isinstance(self.component, BatchingBolt) and not self._tick_period:
            return f"; it works when ticks come, and the configuration has no {TICK_KEY!r}"
        if isinstance(self.component, BatchingBolt):
            return "; it works when ticks come, as time passes (seconds=)"
        return ""


def run_bolt(
    bolt: type[Bolt],
    tuples: Iterable[Sequence[Any] | Tuple],
    *,
    config: Mapping[str, Any] | None = None,
    fields: declared.Inputs | None = None,
    outputs: declared.Streams | None = None,
    task_ids: Sequence[int] = (3,),
    seconds: float = 0,
    strict: bool = True,
) -> Record:
    """Run a bolt on some tuples and return all that it did, to its end where that comes before.

    tuples: the values of each, or Tuples. seconds: how long to let pass at the end, for batches.
    The rest is as for BoltHarness. Raises StrictError also for tuples that were not settled.
    """
    with BoltHarness(
        bolt, config=config, fields=fields, outputs=outputs, task_ids=task_ids, strict=strict
    ) as harness:
        for tup in tuples:
            if harness.ended:
                break
            harness.process(tup)
        if not harness.ended:
            harness.advance(seconds)
    return harness.record


def _nanoseconds(seconds: float) -> int:
    return round(seconds * _SECOND)
