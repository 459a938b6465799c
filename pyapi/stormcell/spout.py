"""Spouts: `Spout`, and one that emits failed tuples again."""

from __future__ import annotations

from stormcell import _native
from stormcell.component import Component

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeVar

    from stormcell.spec import Parallelism, Spec

    Self = TypeVar("Self", bound="ReliableSpout")
else:
    # for typing.get_type_hints() without the imports
    Any, Counter, Sequence = object, dict, list
    Mapping = Parallelism = Spec = object


class Spout(Component, _native.Spout):
    """Subclass it and write `next_tuple`."""

    @classmethod
    def spec(cls, name: str | None = None, par: Parallelism | None = None,
             config: Mapping[str, Any] | None = None, *, inputs: None = None) -> Spec:
        """This spout's place in a topology: as `Bolt.spec`, without inputs."""
        from stormcell.spec import make_spec

        return make_spec("spout", name=name, inputs=inputs, par=cls.par if par is None else par,
                         config=cls.config if config is None else config, outputs=cls.outputs,
                         component=cls)

    def next_tuple(self) -> None:
        """Emit what there is to emit, or return at once: Storm calls it again and again."""
        raise NotImplementedError(f"{type(self).__name__} has no next_tuple(self)")

    def ack(self, tup_id: Any) -> None:
        """The tuple emitted with `tup_id`, and all that came of it, has been processed."""

    def fail(self, tup_id: Any) -> None:
        """The tuple emitted with `tup_id` failed or timed out."""

    def activate(self) -> None:
        """The topology starts or goes on."""

    def deactivate(self) -> None:
        """The topology pauses: `next_tuple` is not called until `activate`."""

    def _serve(self) -> bool:
        return _native.serve_spout(
            self,
            self._on_exception,
            self.next_tuple,
            self._own("ack", Spout),
            self._own("fail", Spout),
            self._own("activate", Spout),
            self._own("deactivate", Spout),
        )


class ReliableSpout(Spout):
    """Emits a failed tuple again, up to `max_fails` times; then it is given up and acked.

    Every emit needs a `tup_id` that is hashable and comes back from JSON as it went.
    """

    max_fails: int = 3
    """How often a tuple is emitted again."""

    failed_tuples: Counter[Any]
    """tup_id -> how often it has failed so far."""
    unacked_tuples: dict[Any, tuple[Sequence[Any], str | None, int | None, bool]]
    """tup_id -> what was emitted with it: (tup, stream, direct_task, need_task_ids)."""

    def __new__(cls: type[Self], *args: Any, **kwargs: Any) -> Self:
        # Here rather than in __init__, which subclasses may forget to call.
        from collections import Counter

        self = super().__new__(cls)
        self.failed_tuples = Counter()
        self.unacked_tuples = {}
        return self

    def emit(
        self,
        tup: Sequence[Any],
        tup_id: Any = None,
        stream: str | None = None,
        direct_task: int | None = None,
        need_task_ids: bool = False,
    ) -> list[int] | None:
        """Emit a tuple and keep it until it is acked. ValueError without a `tup_id`."""
        if tup_id is None:
            raise ValueError("a ReliableSpout must emit with tup_id=, or it could not emit again")
        key = _key(tup_id)
        before = self.unacked_tuples.get(key)
        # Kept before it is sent: without ackers, Storm acks while it takes the emit. A list is the
        # component's own to fill anew for its next tuple.
        kept = list.copy(tup) if isinstance(tup, list) else tup
        self.unacked_tuples[key] = (kept, stream, direct_task, need_task_ids)
        try:
            return super().emit(tup, tup_id, stream, direct_task, need_task_ids)
        except BaseException:
            if before is None:
                del self.unacked_tuples[key]
            else:
                self.unacked_tuples[key] = before
            raise

    def ack(self, tup_id: Any) -> None:
        """Forget the tuple."""
        key = _key(tup_id)
        self.failed_tuples.pop(key, None)
        if self.unacked_tuples.pop(key, None) is None:
            self.log(f"Storm acked {tup_id!r}, which was not emitted or was acked before", "error")

    def fail(self, tup_id: Any) -> None:
        """Emit the tuple again, unless it has failed too often."""
        key = _key(tup_id)
        saved = self.unacked_tuples.get(key)
        if saved is None:
            self.log(f"Storm failed {tup_id!r}, which was not emitted or was acked before", "error")
        elif self.failed_tuples[key] < self.max_fails:
            self.failed_tuples[key] += 1
            tup, stream, direct_task, need_task_ids = saved
            self.emit(
                tup,
                tup_id=tup_id,
                stream=stream,
                direct_task=direct_task,
                need_task_ids=need_task_ids,
            )
        else:
            fails = self.failed_tuples[key] + 1
            times = "once" if fails == 1 else f"{fails} times"
            self.log(f"gave up tuple {tup_id!r}: it failed {times}", "warn")
            self.ack(tup_id)


def _key(tup_id: Any) -> Any:
    """`tup_id` as a dict's key: JSON brings a tuple back as a list. TypeError if it can be none."""
    if isinstance(tup_id, (list, tuple)):
        return tuple(map(_key, tup_id))
    if tup_id.__hash__ is None:
        kind = type(tup_id).__name__
        raise TypeError(f"tup_id holds a {kind}, by which no tuple can be found again: use a str")
    return tup_id
