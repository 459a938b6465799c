"""The connection to Nimbus, where what answers is none, or not the leader. (What a Nimbus does is in
tests/py/cli's tests of each command, and a real one in tests/cluster.)"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from thriftpy2.protocol.binary import TBinaryProtocol
from thriftpy2.thrift import TProcessor
from thriftpy2.transport import TSocket, TTransportException
from thriftpy2.transport.framed import TFramedTransport

import projects
from stormcell.cli import Refused
from stormcell.cli.connection import address, open_nimbus
from stormcell.config import Config, ConfigError
from stormcell.nimbus import Nimbus, NimbusError, NotAuthorized, Unreachable, structures

Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve) -> Iterator[int]:
    """A server on this machine's loopback that gives each connection to `serve`: its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed: the test is over
            with connection:
                serve(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def thrift(handler: object, service: object = structures.Nimbus) -> Serve:
    """Answers as Nimbus does, as far as `handler` has its methods."""

    def serve(connection: socket.socket) -> None:
        protocol = TBinaryProtocol(TFramedTransport(TSocket(sock=connection)))
        processor = TProcessor(service, handler)
        while True:
            try:
                processor.process(protocol, protocol)
            except TTransportException:
                return

    return serve


class Follower:
    """A Nimbus that knows who leads."""

    def __init__(self) -> None:
        self.leader = ("127.0.0.1", 0)
        self.called = 0

    def getLeader(self) -> Any:
        self.called += 1
        host, port = self.leader
        return structures.NimbusSummary(host=host, port=port, uptime_secs=1, isLeader=True, version="2.8.3")


def refused(port: int, timeout: float = 5.0) -> str:
    with pytest.raises(Unreachable) as caught:
        Nimbus.connect([("127.0.0.1", port)], timeout)
    text = str(caught.value)
    assert text.startswith(f"127.0.0.1:{port}: ") and "\n" not in text
    return text.partition(": ")[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_nobody_listens() -> None:
    assert refused(free_port()) == "connection refused"


def test_a_host_that_is_none() -> None:
    with pytest.raises(Unreachable, match="^nosuch.invalid:6627: this machine knows no host of that name$"):
        Nimbus.connect([("nosuch.invalid", 6627)])


def test_another_kind_of_server() -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with server(answer) as port:
        assert "what answers there is no Nimbus" in refused(port)


def test_one_that_hangs_up() -> None:
    with server(lambda connection: None) as port:
        said = refused(port)
    assert "closed the connection at getLeader" in said or said.startswith("connection reset")


def test_one_that_says_nothing() -> None:
    over = threading.Event()
    with server(lambda connection: (connection.recv(1000), over.wait(10)) and None) as port:
        start = time.monotonic()
        assert refused(port, 0.2) == "no answer within 0.2 s (getLeader)"
        assert time.monotonic() - start < 5
        over.set()


def test_each_seed_says_why_it_could_not_be_asked() -> None:
    one, other = free_port(), free_port()
    with pytest.raises(Unreachable) as caught:
        Nimbus.connect([("127.0.0.1", one), ("127.0.0.1", other)])
    assert str(caught.value) == (f"127.0.0.1:{one}: connection refused; "
                                 f"127.0.0.1:{other}: connection refused")


def test_the_leader_is_found_through_any_seed() -> None:
    leader, follower = Follower(), Follower()
    with server(thrift(leader)) as leading, server(thrift(follower)) as following:
        leader.leader = follower.leader = ("127.0.0.1", leading)
        with Nimbus.connect([("127.0.0.1", free_port()), ("127.0.0.1", following)]) as nimbus:
            assert nimbus.address == f"127.0.0.1:{leading}"
            assert nimbus.call("getLeader").port == leading
    assert (follower.called, leader.called) == (1, 1)


def test_a_seed_that_leads_is_connected_to_once() -> None:
    leader = Follower()
    with server(thrift(leader)) as port:
        leader.leader = ("localhost", port)
        with Nimbus.connect([("127.0.0.1", port)]) as nimbus:
            assert nimbus.address == f"127.0.0.1:{port}"


def test_a_leader_that_cannot_be_reached() -> None:
    follower = Follower()
    with server(thrift(follower)) as port:
        gone = free_port()
        follower.leader = ("127.0.0.1", gone)
        with pytest.raises(Unreachable) as caught:
            Nimbus.connect([("127.0.0.1", port)])
    assert str(caught.value) == (f"127.0.0.1:{port} says that the leader is "
                                 f"127.0.0.1:{gone}: connection refused")


class Refusing(Follower):
    def getTopologyConf(self, topology_id: str) -> str:
        raise structures.NotAliveException("java.lang.RuntimeException: no such\n  topology " + topology_id)

    def getClusterInfo(self) -> Any:
        raise structures.AuthorizationException("not you")


def test_what_nimbus_refuses_is_one_line() -> None:
    nimbus_side = Refusing()
    with server(thrift(nimbus_side)) as port:
        nimbus_side.leader = ("127.0.0.1", port)
        with Nimbus.connect([("127.0.0.1", port)]) as nimbus:
            with pytest.raises(NimbusError, match="^no such topology words-1$"):
                nimbus.call("getTopologyConf", "words-1")
            with pytest.raises(NotAuthorized, match="^not you$"):
                nimbus.call("getClusterInfo")


class OlderService:
    """The service of a Storm that knows these methods only."""

    def __init__(self, *methods: str) -> None:
        self.thrift_services = methods

    def __getattr__(self, name: str) -> Any:
        return getattr(structures.Nimbus, name)


def test_a_method_that_an_older_storm_has_not() -> None:
    nimbus_side = Follower()
    with server(thrift(nimbus_side, OlderService("getLeader"))) as port:
        nimbus_side.leader = ("127.0.0.1", port)
        with Nimbus.connect([("127.0.0.1", port)]) as nimbus:
            with pytest.raises(NimbusError, match="does not know getClusterInfo: its Storm is older"):
                nimbus.call("getClusterInfo")


TRANSPORT = """
from thriftpy2.transport.framed import TFramedTransport

def greeting(connected, host):
    connected.write(b"I am " + host.encode() + b"'s friend\\n")
    return TFramedTransport(connected)
"""


def with_transport(write: projects.Write, named: str, port: int) -> Config:
    write("greet.py", TRANSPORT)
    return Config.load(write("config.json", json.dumps({"envs": {"prod": {
        "nimbus": f"127.0.0.1:{port}", "transport": named}}})))


def test_a_transport_of_the_projects_own(write: projects.Write) -> None:
    """Where a cluster asks who one is."""
    leader, said = Follower(), []
    answer = thrift(leader)

    def serve(connection: socket.socket) -> None:
        said.append(connection.recv(24))
        answer(connection)

    with server(serve) as port:
        leader.leader = ("127.0.0.1", port)
        with open_nimbus(config=with_transport(write, "greet:greeting", port)) as nimbus:
            assert nimbus.call("getLeader").port == port
    assert said == [b"I am 127.0.0.1's friend\n"]


@pytest.mark.parametrize("named", ["greet", "greet:none", "nowhere:greeting", 5])
def test_a_transport_that_is_none(write: projects.Write, named: str) -> None:
    with pytest.raises(ConfigError, match='config.json: "transport" of the environment \'prod\' is '):
        open_nimbus(config=with_transport(write, named, 1))


@pytest.mark.parametrize("text, found", [
    ("storm-1", ("storm-1", 6627)), ("storm-1:7000", ("storm-1", 7000)), ("::1", ("::1", 6627)),
    ("[::1]:7000", ("::1", 7000)), (" 10.0.0.1:6627 ", ("10.0.0.1", 6627))])
def test_addresses(text: str, found: tuple[str, int]) -> None:
    assert address(text) == found


@pytest.mark.parametrize("text", ["", ":6627", "storm-1:", "storm-1:x", "storm-1:0", "storm-1:65536"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(Refused, match="is no address of a Nimbus"):
        address(text)
