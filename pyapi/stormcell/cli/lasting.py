"""A connection for commands that go on until they are ended: it outlives the Nimbus at its other end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import click

from stormcell.nimbus import Nimbus, Unreachable


class Lasting:
    """A connection that is made anew by the call that follows after it was lost.

    What is passed connects to the leader, or raises NimbusError: at once, for a Nimbus that never was there
    is another matter than one that has gone.
    """

    def __init__(self, connect: Callable[[], Nimbus]) -> None:
        self._connect = connect
        self._nimbus: Nimbus | None = connect()
        self._told = False
        self.address = self._nimbus.address

    def call(self, method: str, *arguments: Any) -> Any:
        """As Nimbus.call."""
        self._nimbus = self._nimbus or self._connect()
        try:
            return self._nimbus.call(method, *arguments)
        except Unreachable:
            self.close()
            raise

    @contextlib.contextmanager
    def outage_told(self) -> Iterator[None]:
        """Within, a Nimbus that does not answer is no error: stderr has a line about it, and another one when
        it answers again."""
        try:
            yield
        except Unreachable as error:
            if not self._told:
                click.echo(f"{error}; it is asked again until it answers", err=True)
            self._told = True
        else:
            if self._told:
                click.echo("Nimbus answers again", err=True)
            self._told = False

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._nimbus is not None:
            self._nimbus.close()
        self._nimbus = None

    def __enter__(self) -> Lasting:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()
