"""Transports for a Nimbus that asks who one is, named in an environment of config.json:

    "transport": "stormcell.nimbus.sasl:digest"

`digest` is for Storm's DigestSaslTransportPlugin, `plain` for its PlainSaslTransportPlugin. Who one is say the
variables STORMCELL_NIMBUS_USER and STORMCELL_NIMBUS_PASSWORD: a file for both would have to be kept from others,
and each machine that builds and submits has a way to set variables that are secret.

The mechanisms are pure-sasl's (pip install 'stormcell[sasl]'). What Thrift puts around them is done here, and not by
thriftpy2's TSaslClientTransport, which takes a Nimbus at its word that it knows the password.
"""

from __future__ import annotations

import os
import struct
from typing import Any

from thriftpy2.transport import TTransportException
from thriftpy2.transport.framed import TFramedTransport

from stormcell.nimbus.errors import NotAuthorized, NotPrepared, Unreachable, one_line

USER, PASSWORD = "STORMCELL_NIMBUS_USER", "STORMCELL_NIMBUS_PASSWORD"

SERVICE, SERVER = "storm_thrift_server", "localhost"
"""What Storm's plugins go by, on whichever host: for another name, digests do not match."""

START, OK, BAD, ERROR, COMPLETE = 1, 2, 3, 4, 5
"""How Thrift's messages of a negotiation begin; the length of what follows comes next."""

HEADER = struct.Struct(">BI")

LONGEST = 1 << 16
"""Bytes of a message: Storm's have a few hundred."""


def digest(transport: Any, _: str) -> Any:
    """Authenticate by DIGEST-MD5: nobody on the way learns the password, and Nimbus proves that it has it."""
    return _authenticated(transport, "DIGEST-MD5")


def plain(transport: Any, _: str) -> Any:
    """Authenticate by PLAIN. Whoever is on the way reads the password, and Storm's own plugin takes any."""
    return _authenticated(transport, "PLAIN")


PLUGINS = {
    "org.apache.storm.security.auth.digest.DigestSaslTransportPlugin": digest,
    "org.apache.storm.security.auth.plain.PlainSaslTransportPlugin": plain,
}
"""By what Nimbus has for storm.thrift.transport."""


def _authenticated(transport: Any, mechanism: str) -> Any:
    """The transport to speak with once Nimbus has taken the user. NotPrepared, NotAuthorized, Unreachable."""
    user, password = _credentials()
    client = _client(mechanism, user, password)
    _send(transport, START, mechanism.encode())
    _send(transport, OK, client.process())
    status = OK
    while status != COMPLETE:
        status, said = _receive(transport)
        if status not in (OK, COMPLETE):
            raise _refusal(mechanism, user, _readable(said, password))
        answer = _answer(client, said)
        if status == OK:
            _send(transport, OK, answer)
    if not client.complete:
        raise _unproven("it gives no proof")
    # What is neither signed nor encrypted is sent as frames are.
    return TFramedTransport(transport)


def _credentials() -> tuple[str, str]:
    """The user and the password. NotPrepared."""
    missing = [name for name in (USER, PASSWORD) if not os.environ.get(name)]
    if missing:
        raise NotPrepared(f"Nimbus is to be told who you are: set {' and '.join(missing)}")
    return os.environ[USER], os.environ[PASSWORD]


def _client(mechanism: str, user: str, password: str) -> Any:
    """pure-sasl's side of the negotiation. NotPrepared: it is not installed."""
    try:
        from puresasl.client import SASLClient
    except ImportError:
        raise NotPrepared("to tell Nimbus who you are takes a package more: pip install 'stormcell[sasl]'") from None
    known = password if mechanism == "PLAIN" else _octets(password)
    return SASLClient(SERVER, SERVICE, mechanism, username=user, password=known)


def _octets(text: str) -> bytes:
    """A password as it goes into a digest (RFC 2831): in Latin-1 where that has all of its characters."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _send(transport: Any, status: int, body: bytes | None) -> None:
    body = body or b""
    try:
        transport.write(HEADER.pack(status, len(body)) + body)
    except ConnectionError:
        raise _hung_up() from None


def _receive(transport: Any) -> tuple[int, bytes]:
    """A message of Nimbus': what kind it is, and what it says."""
    try:
        status, length = HEADER.unpack(_read(transport, HEADER.size))
        if not START <= status <= COMPLETE or length > LONGEST:
            raise TTransportException(TTransportException.UNKNOWN, "no message of a negotiation")
        return status, _read(transport, length)
    except ConnectionError:
        raise _hung_up() from None
    except TTransportException as error:
        if error.type == TTransportException.END_OF_FILE:
            raise _hung_up() from None
        raise


def _read(transport: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += transport.read(size - len(data))
    return data


def _answer(client: Any, said: bytes) -> bytes | None:
    """What pure-sasl answers to what Nimbus says, if that is anything."""
    try:
        answer: bytes | None = client.process(said) if said else None
    except Exception as error:  # it looks for whatever well-formed messages have
        raise _unproven(str(error)) from None
    return answer


def _readable(said: bytes, password: str) -> str:
    """What Nimbus says, as a line without the password, whatever that Nimbus is."""
    text = one_line(said.decode(errors="replace"))
    return "" if password in text else text


def _refusal(mechanism: str, user: str, said: str) -> NotAuthorized:
    if "mechanism" in said:
        return NotAuthorized(f"Nimbus does not take {mechanism} ({said}): its storm.thrift.transport is another one "
                             'than the "transport" of the environment')
    return NotAuthorized(f"Nimbus does not take the user {user!r} with this password, of ${USER} and ${PASSWORD} "
                         f"({said or 'it does not say why'})")


def _unproven(why: str) -> NotAuthorized:
    return NotAuthorized(f"what answers does not prove that it is a Nimbus that knows the password: {why}")


def _hung_up() -> Unreachable:
    return Unreachable("closed the connection when it was told who you are; is this Nimbus' Thrift port, and does "
                       'Nimbus take SASL (storm.thrift.transport)? Where it does not, the environment needs no "transport"')
