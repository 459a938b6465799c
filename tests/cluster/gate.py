"""A way to Nimbus with a gate in it: a test holds a message there, in either direction, and sees what the
command does while it waits."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

from storm import PATIENCE

NIMBUS_PORT = 6627
PORT_FIELD = b"\x08" + struct.pack(">h", 2)  # NimbusSummary's field 2 is an i32
CALL, ANSWER = "call", "answer"


class Gate:
    """Listens on this machine and passes on what comes, until it is closed.

    open_upstream: connects to where it is passed on to.
    raw: what comes are no messages of Thrift's, so none can be held.
    """

    def __init__(self, open_upstream: Callable[[], socket.socket], raw: bool = False) -> None:
        self._open_upstream = open_upstream
        self._raw = raw
        self._dropped = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = [self._listener]
        self._held: tuple[str, str] | None = None
        self._skip = 0
        self._reached = threading.Event()
        self._opened = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def hold(self, method: str, what: str = CALL, skip: int = 0) -> None:
        """Hold the next call of a method, or the next answer to one; skip: after so many."""
        self._held, self._skip = (method, what), skip
        self._reached.clear()
        self._opened.clear()

    def wait(self) -> None:
        """Until something is held."""
        assert self._reached.wait(PATIENCE), f"no {self._held} came"

    def open(self) -> None:
        """Let it pass."""
        self._opened.set()

    def close(self) -> None:
        """End all connections; what is held never arrives."""
        self._dropped = True
        self._opened.set()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = self._open_upstream()
                upstream.settimeout(None)
                self._sockets += [client, upstream]
                for source, sink, what in ((client, upstream, CALL), (upstream, client, ANSWER)):
                    threading.Thread(target=self._pump, args=(source, sink, what), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, what: str) -> None:
        """Pass on one message after the other."""
        with contextlib.suppress(OSError), source.makefile("rb") as reader:
            while self._raw and (data := source.recv(65536)):
                sink.sendall(data)
            while head := reader.read(4):
                body = reader.read(int.from_bytes(head, "big"))
                self._pass(method_of(body), what)
                sink.sendall(head + self._as_if_here(body, what))
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _pass(self, method: str, what: str) -> None:
        with self._lock:
            held = self._held == (method, what)
            if held and self._skip:
                self._skip -= 1
                held = False
            if held:
                self._held = None
        if held:
            self._reached.set()
            self._opened.wait()
        if self._dropped:
            raise ConnectionAbortedError

    def _as_if_here(self, body: bytes, what: str) -> bytes:
        """The leader that Nimbus names is itself: it is here for whoever is outside of the cluster's
        network namespace."""
        if what == ANSWER and method_of(body) == "getLeader":
            return body.replace(PORT_FIELD + struct.pack(">i", NIMBUS_PORT), PORT_FIELD + struct.pack(">i", self.port))
        return body


def method_of(body: bytes) -> str:
    """The method of a message of Thrift's strict binary protocol; "": it is none."""
    if body[:2] != b"\x80\x01":
        return ""
    length = int.from_bytes(body[4:8], "big")
    return body[8:8 + length].decode()
