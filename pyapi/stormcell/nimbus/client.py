"""The connection to the Nimbus that leads."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from thriftpy2.protocol.binary import TBinaryProtocol
from thriftpy2.thrift import TClient, TException
from thriftpy2.transport import TSocket, TTransportException
from thriftpy2.transport.framed import TFramedTransport

from stormcell.nimbus.errors import NimbusError, NotAuthorized, NotPrepared, Unreachable, explained
from stormcell.nimbus.structures import structures

Address = tuple[str, int]

OpenSocket = Callable[[str, int, float], socket.socket]
"""Opens a TCP connection to a host and a port within so many seconds, or raises OSError."""

Transport = Callable[[Any, str], Any]
"""Puts what Storm's `storm.thrift.transport` asks for around a Thrift transport that is connected to a
host, as stormcell.nimbus.sasl's do. Of an Unreachable or a NotAuthorized that it raises, the address is told too."""

TIMEOUT = 7.0
"""How long an answer may take, in seconds, where nobody says."""

MAX_FRAME = 256 << 20
"""No Nimbus sends a longer one: what begins otherwise is not its protocol."""


def framed(transport: Any, _: str) -> Any:
    """Storm's default, SimpleTransportPlugin: frames, and nobody is asked who he is."""
    return TFramedTransport(transport)


def open_socket(host: str, port: int, timeout: float) -> socket.socket:
    """The usual OpenSocket."""
    return socket.create_connection((host, port), timeout)


class Nimbus:
    """A connection to the leader of a Storm cluster, from `Nimbus.connect`. Not for several threads at a time.

    Attributes:
        address: "host:port" of the leader.
    """

    def __init__(self, link: _Link) -> None:
        self._link = link
        self.address = link.address

    @classmethod
    def connect(cls, seeds: Iterable[Address], timeout: float = TIMEOUT, open_socket: OpenSocket = open_socket,
                transport: Transport = framed) -> Nimbus:
        """Find the leader by asking the seeds, in turn, until one knows it.

        timeout: how long a connection and each answer may take, in seconds.
        transport: see `Transport`.

        Unreachable tells of each seed why it could not be asked; NotAuthorized, NotPrepared.
        """

        def link(host: str, port: int) -> _Link:
            return _Link(host, port, timeout, open_socket, transport)

        reasons = []
        for host, port in seeds:
            try:
                return cls(_leader(link(host, port), link))
            except (NotAuthorized, NotPrepared):
                raise
            except NimbusError as error:
                reasons.append(str(error))
        raise Unreachable("; ".join(reasons) or "no Nimbus was named")

    def call(self, method: str, *arguments: Any, timeout: float | None = None) -> Any:
        """Call a method of storm.thrift's service. NimbusError, or one of its subclasses.

        timeout: how long this answer may take, in seconds, if not as long as any other.
        """
        return self._link.call(method, arguments, timeout)

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def __enter__(self) -> Nimbus:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


class _Link:
    """A connection to one Nimbus, leader or not."""

    def __init__(self, host: str, port: int, timeout: float, open_socket: OpenSocket,
                 transport: Transport) -> None:
        self.host, self.port = host, port
        self.address = f"{host}:{port}"
        try:
            self._socket = open_socket(host, port, timeout)
        except OSError as error:
            raise Unreachable(f"{self.address}: {_reason(error, timeout)}") from None
        self._timeout = timeout
        self._socket.settimeout(timeout)
        with self._explaining("the connection", timeout):
            self._client = TClient(structures.Nimbus,
                                   TBinaryProtocol(transport(_Stream(self._socket), host)))

    def call(self, method: str, arguments: tuple[Any, ...] = (), timeout: float | None = None) -> Any:
        patience = timeout or self._timeout
        with self._explaining(method, patience):
            self._socket.settimeout(patience)
            return getattr(self._client, method)(*arguments)

    def close(self) -> None:
        self._socket.close()

    @contextlib.contextmanager
    def _explaining(self, method: str, timeout: float) -> Iterator[None]:
        """What goes wrong within is a NimbusError; of a broken connection nothing more can be expected."""
        try:
            yield
        except (NotAuthorized, Unreachable) as error:
            self.close()
            raise type(error)(f"{self.address}: {error}") from None
        except TTransportException as error:
            self.close()
            raise Unreachable(f"{self.address}: {_lost(error, method)}") from None
        except TException as error:
            raise explained(error, method, self.address) from None
        except OSError as error:
            self.close()
            raise Unreachable(f"{self.address}: {_reason(error, timeout)} ({method})") from None
        except BaseException:
            self.close()
            raise


class _Stream(TSocket):  # type: ignore[misc]
    """A connected socket that looks at what comes first, which another server's answer is found out by."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(sock=connected)
        self._first = b""

    def read(self, size: int) -> bytes:
        data: bytes = super().read(size)
        if len(self._first) < 4:
            self._first += data[:4]
            if len(self._first) >= 4 and not 0 < struct.unpack(">i", self._first[:4])[0] <= MAX_FRAME:
                raise TTransportException(TTransportException.UNKNOWN, "no frame")
        return data


def _leader(seed: _Link, link: Callable[[str, int], _Link]) -> _Link:
    """The connection to the leader that a seed knows, which may be itself."""
    try:
        leader = seed.call("getLeader")
    except BaseException:
        seed.close()
        raise
    if leader.port == seed.port and _same_host(leader.host, seed.host):
        return seed
    seed.close()
    try:
        return link(leader.host, leader.port)
    except Unreachable as error:
        raise Unreachable(f"{seed.address} says that the leader is {error}") from None


def _same_host(one: str, other: str) -> bool:
    """Whether two names are of one host, as far as this machine can tell."""
    if one == other:
        return True
    try:
        return socket.gethostbyname(one) == socket.gethostbyname(other)
    except OSError:
        return False


def _reason(error: OSError, timeout: float) -> str:
    """Why a socket failed."""
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(error, socket.gaierror):
        return "this machine knows no host of that name"
    return (error.strerror or str(error)).lower()


def _lost(error: TTransportException, method: str) -> str:
    if error.type == TTransportException.END_OF_FILE:
        return (f"closed the connection at {method}; is this Nimbus' Thrift port? Where Nimbus asks who one is "
                '(SASL in storm.thrift.transport), the environment in config.json needs a "transport"')
    return "what answers there is no Nimbus; its Thrift port is 6627 where storm.yaml says nothing else"
