"""Spouts in a test's own process: one call (`run_spout`), or step by step (`SpoutHarness`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from stormcell.spout import Spout
from stormcell.testing import declared
from stormcell.testing.harness import Harness, StrictError, Watched
from stormcell.testing.record import Emit, Record


S = TypeVar("S", bound=Spout)


class WatchedSpout(Watched, Spout):
    """A spout's method that says something; ack() and fail() are what it hears."""

    def emit(self, *args: Any, **kwargs: Any) -> Any:
        self._harness._before_emit()
        with self._harness._watch("emit"):
            return super().emit(*args, **kwargs)


class SpoutHarness(Harness[S]):
    """A spout step by step. Each step returns the Record of what the spout did in it.

        with SpoutHarness(WordSpout) as spout:
            [emit] = spout.next_tuple().emits
            spout.fail(emit.id)

    The first call initializes it, and activates it, as Storm does.

    spout: the class. The rest is as for BoltHarness. Attributes:
        pending: list of Emit, what was emitted with an id and is neither acked nor failed.
        active: bool.

    Raises TypeError if `spout` is no class of spouts.
    """

    _watched = WatchedSpout

    def __init__(
        self,
        spout: type[S],
        *,
        config: Mapping[str, Any] | None = None,
        outputs: declared.Streams | None = None,
        task_ids: Sequence[int] = (3,),
        strict: bool = True,
    ) -> None:
        super().__init__(spout, config=config, outputs=outputs, task_ids=task_ids, strict=strict)
        self.pending: list[Emit] = []
        self.active = False
        self._ever_active = False

    def activate(self) -> Record:
        """The topology starts or goes on."""
        self.active = self._ever_active = True
        return self._command("activate")

    def deactivate(self) -> Record:
        """The topology pauses: there is no `next_tuple` until `activate`."""
        self._started()
        self.active = False
        return self._command("deactivate")

    def next_tuple(self, calls: int = 1) -> Record:
        """Ask for tuples, that many times. ValueError while the spout is not active."""
        self._started()
        if not self.active:
            raise ValueError("the spout is deactivated: Storm calls no next_tuple() before activate()")
        record = Record()
        for _ in range(calls):
            record += self._command("next")
        return record

    def ack(self, tup_id: Any) -> Record:
        """Tell the spout that the tuple emitted with `tup_id` has been processed."""
        return self._tell("ack", tup_id)

    def fail(self, tup_id: Any) -> Record:
        """Tell the spout that the tuple emitted with `tup_id` failed or timed out."""
        return self._tell("fail", tup_id)

    def settle(self, fail: Callable[[Emit], bool] | None = None) -> Record:
        """Ack each tuple that is pending, or fail it where `fail(emit)` says so. What is emitted
        meanwhile, a replay for instance, stays pending."""
        record = Record()
        for emit in self.pending[:]:
            if self.ended:
                break
            failed = fail is not None and fail(emit)
            record += self.fail(emit.id) if failed else self.ack(emit.id)
        return record

    # ---- Storm's part -----------------------------------------------------------------------

    def _check_class(self, component_class: type[S]) -> None:
        if not isinstance(component_class, type) or not issubclass(component_class, Spout):
            raise TypeError(f"a class of spouts is needed, not {component_class!r}")

    def _started(self) -> None:
        if not self._ever_active:
            self.activate()

    def _tell(self, command: str, tup_id: Any) -> Record:
        self._started()
        arrives = self._command_message(command, tup_id)
        (self._step.acks if command == "ack" else self._step.fails).append(arrives)
        for i, emit in enumerate(self.pending):
            if emit.id == arrives:
                del self.pending[i]
                break
        return self._finish()

    def _command(self, command: str) -> Record:
        self._command_message(command, "")
        return self._finish()

    def _command_message(self, command: str, id: Any) -> Any:
        self._ready()
        return self._loopback.feed({"command": command, "id": id})["id"]

    def _finish(self) -> Record:
        self._run()
        record = self._end_step()
        self.pending += [emit for emit in record.emits if emit.id is not None]
        return record

    def _before_emit(self) -> None:
        if self.strict and not self._in_call:
            raise StrictError(
                f"{self._name} called emit() outside of a command: Storm listens "
                "to a spout only until it answers next_tuple(), ack(), fail() or the like"
            )
        super()._before_emit()


def run_spout(
    spout: type[Spout],
    calls: int = 1,
    *,
    config: Mapping[str, Any] | None = None,
    outputs: declared.Streams | None = None,
    task_ids: Sequence[int] = (3,),
    fail: Callable[[Emit], bool] | None = None,
    strict: bool = True,
) -> Record:
    """Call a spout's next_tuple() `calls` times and return all that it did.

    After each call, what has been emitted with an id is acked, or failed where `fail(emit)` is true;
    what that makes the spout emit is judged after the next call. The rest is as for SpoutHarness.
    """
    with SpoutHarness(
        spout, config=config, outputs=outputs, task_ids=task_ids, strict=strict
    ) as harness:
        for _ in range(calls):
            if harness.ended:
                break
            harness.next_tuple()
            harness.settle(fail)
    return harness.record
