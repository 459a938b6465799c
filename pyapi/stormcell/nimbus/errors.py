"""What can go wrong with Nimbus; each error's text is one line."""

from __future__ import annotations

import re

from thriftpy2.thrift import TApplicationException, TException

from stormcell.nimbus.structures import structures


class NimbusError(Exception):
    """Nimbus could not be asked, or has refused."""


class Unreachable(NimbusError):
    """None of those that were tried answers as a Nimbus."""


class NotAlive(NimbusError):
    """There is no such topology."""


class AlreadyAlive(NimbusError):
    """There is one of this name, or a blob of this key, already."""


class NotAuthorized(NimbusError):
    """The user may not do that."""


class InvalidTopology(NimbusError):
    """Storm does not take the topology."""


class NotPrepared(NimbusError):
    """Here something is missing without which no Nimbus of the cluster can be spoken to."""


class NotFound(NimbusError):
    """There is no blob of this key."""


KINDS = {
    structures.NotAliveException: NotAlive,
    structures.AlreadyAliveException: AlreadyAlive,
    structures.KeyAlreadyExistsException: AlreadyAlive,
    structures.AuthorizationException: NotAuthorized,
    structures.InvalidTopologyException: InvalidTopology,
    structures.KeyNotFoundException: NotFound,
}


SINCE = {
    "getLeader": "1.0",
    "getTopologyPageInfo": "1.0",
    "getComponentPageInfo": "1.0",
    "getLogConfig": "1.0",
    "setLogConfig": "1.0",
    "getSupervisorPageInfo": "1.1",
    "isTopologyNameAllowed": "1.1",
}
"""The methods that not every Storm has, and the version that brought them."""


def explained(error: TException, method: str, address: str) -> NimbusError:
    """The error for what Nimbus answered to a call in place of a result."""
    said = one_line(getattr(error, "msg", None) or getattr(error, "message", None) or str(error))
    if isinstance(error, TApplicationException):
        if method == "getLeader" and _is_unknown(error.type, said):
            return Unreachable(f"{address}: what answers there is no Nimbus, or one of before Storm {SINCE[method]}; its "
                               "Thrift port is 6627 where storm.yaml says nothing else")
        return NimbusError(_failed(error.type, said, method, address))
    return KINDS.get(type(error), NimbusError)(said or f"Nimbus at {address} refused {method}")


def _is_unknown(kind: int, said: str) -> bool:
    return kind == TApplicationException.UNKNOWN_METHOD or "Invalid method name" in said


def _failed(kind: int, said: str, method: str, address: str) -> str:
    if _is_unknown(kind, said):
        since = f", which Storm has from {SINCE[method]} on" if method in SINCE else ""
        return f"Nimbus at {address} does not know {method}{since}: its Storm is older than that"
    if kind == TApplicationException.MISSING_RESULT:
        return f"Nimbus at {address} answered {method} with nothing"
    # All that a Nimbus tells of an exception of its own.
    return f"Nimbus at {address} failed at {method} ({said}): its log, nimbus.log, says why"


def one_line(text: str) -> str:
    """A text without what Java puts in front of it, and in one line."""
    return " ".join(re.sub(r"^(?:[a-z]\w*\.)+[A-Z]\w*(?:Exception|Error):\s*", "", text.strip()).split())
