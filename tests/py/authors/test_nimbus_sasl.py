"""A Nimbus that asks who one is. (A real one is in tests/cluster.)"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from thriftpy2.transport import TTransportException

import projects
from asking import CHALLENGE, Asking
from nimbus_standin import HOST, Standin
from stormcell.cli.connection import open_nimbus
from stormcell.config import Config
from stormcell.nimbus import Nimbus, NimbusError, NotAuthorized, NotPrepared, Unreachable, sasl

ADA = {"ada": "engine"}

WITHOUT = """
import sys
sys.modules["puresasl"] = None
import stormcell.cli.connection, stormcell.cli.submit, stormcell.nimbus.sasl
"""


@pytest.fixture(autouse=True)
def someone(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """someone(user, password): who we are; ada, if nobody is named."""

    def be(user: str, password: str) -> None:
        monkeypatch.setenv("STORMCELL_NIMBUS_USER", user)
        monkeypatch.setenv("STORMCELL_NIMBUS_PASSWORD", password)

    be("ada", "engine")
    return be


def leader(nimbus: Standin, transport: Any = sasl.digest) -> int:
    """Connect, and ask for the port of the leader."""
    with Nimbus.connect([(HOST, nimbus.port)], 5.0, transport=transport) as connection:
        port: int = connection.call("getLeader").port
        return port


def refused(nimbus: Standin, transport: Any = sasl.digest, kind: type[NimbusError] = NotAuthorized) -> str:
    """What is said of a connection that cannot be, without the address in front of it."""
    with pytest.raises(kind) as caught:
        leader(nimbus, transport)
    text = str(caught.value)
    assert text.startswith(f"{nimbus.address}: ") and "\n" not in text
    return text.removeprefix(f"{nimbus.address}: ")


@pytest.mark.parametrize("transport, mechanism", [(sasl.digest, "DIGEST-MD5"), (sasl.plain, "PLAIN")])
def test_calls_after_the_greeting(transport: Any, mechanism: str) -> None:
    asking = Asking(ADA, mechanism)
    with Standin(greet=asking) as nimbus:
        nimbus.run("words")
        assert leader(nimbus, transport) == nimbus.port
    assert asking.taken == ["ada"]


@pytest.mark.parametrize("password", ["pässwörd", "пароль", 'a "b\\ c', " "])
@pytest.mark.parametrize("transport, mechanism", [(sasl.digest, "DIGEST-MD5"), (sasl.plain, "PLAIN")])
def test_any_password(someone: Callable[[str, str], None], password: str, transport: Any, mechanism: str) -> None:
    """As Java computes them: in Latin-1 where that is possible."""
    someone("zoe", password)
    with Standin(greet=Asking({"zoe": password}, mechanism)) as nimbus:
        assert leader(nimbus, transport) == nimbus.port


@pytest.mark.parametrize("mechanism, transport", [("DIGEST-MD5", sasl.digest), ("PLAIN", sasl.plain)])
@pytest.mark.parametrize("user", ["ada", "eve"])
def test_who_is_not_taken_is_told_so(someone: Callable[[str, str], None], user: str, mechanism: str,
                                     transport: Any) -> None:
    someone(user, "guessed")
    with Standin(greet=Asking(ADA, mechanism)) as nimbus:
        said = refused(nimbus, transport)
    assert said.startswith(f"Nimbus does not take the user {user!r} with this password, of $STORMCELL_NIMBUS_USER and "
                           f"$STORMCELL_NIMBUS_PASSWORD ({mechanism}")
    assert "guessed" not in said


def test_a_nimbus_that_knows_another_mechanism() -> None:
    with Standin(greet=Asking(ADA, "GSSAPI")) as nimbus:
        assert refused(nimbus) == (
            "Nimbus does not take DIGEST-MD5 (Unsupported mechanism type DIGEST-MD5): its storm.thrift.transport is "
            'another one than the "transport" of the environment')


def test_a_password_is_never_shown() -> None:
    with Standin(greet=Asking({"ada": "other"}, "PLAIN", echo="not 'engine': ")) as nimbus:
        assert refused(nimbus, sasl.plain).endswith("$STORMCELL_NIMBUS_PASSWORD (it does not say why)")


def hang_up(_: Any) -> None:
    raise TTransportException(TTransportException.END_OF_FILE, "as a server that finds the frame too large")


def test_a_nimbus_without_sasl() -> None:
    with Standin(greet=hang_up) as nimbus:
        said = refused(nimbus, kind=Unreachable)
    assert said.startswith("closed the connection when it was told who you are") and 'needs no "transport"' in said


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x07\0\0\0\0", b"\x02\x01\0\0\0"])
def test_something_else_that_answers(answer: bytes) -> None:
    with Standin(greet=lambda link: link.write(answer)) as nimbus:
        assert refused(nimbus, kind=Unreachable).startswith("what answers there is no Nimbus")


def test_one_that_says_nothing() -> None:
    with Standin() as nimbus, pytest.raises(Unreachable, match=r"no answer within 0.2 s \(the connection\)$"):
        Nimbus.connect([(HOST, nimbus.port)], 0.2, transport=sasl.digest)


@pytest.mark.parametrize("proof", ["", "rspauth=0123456789abcdef0123456789abcdef", "nothing=1", "\u00ff=1"])
def test_a_nimbus_that_does_not_know_the_password(proof: str) -> None:
    """Whoever has taken its place learns nothing that could be sent to it."""
    with Standin(greet=Asking(ADA, proof=proof)) as nimbus:
        assert refused(nimbus).startswith("what answers does not prove that it is a Nimbus that knows the password: ")
        assert nimbus.calls == []


@pytest.mark.parametrize("challenge", ["realm=\"localhost\"", "=", CHALLENGE + ",qop=\"auth-conf\"", "maxbuf=many"])
def test_a_challenge_that_is_none(challenge: str) -> None:
    with Standin(greet=Asking(ADA, challenge=challenge)) as nimbus:
        assert refused(nimbus).startswith("what answers does not prove that it is a Nimbus that knows the password: ")


@pytest.mark.parametrize("missing", [["STORMCELL_NIMBUS_USER"], ["STORMCELL_NIMBUS_PASSWORD"],
                                     ["STORMCELL_NIMBUS_USER", "STORMCELL_NIMBUS_PASSWORD"]])
def test_nobody_is_named(monkeypatch: pytest.MonkeyPatch, missing: list[str]) -> None:
    for name in missing:
        monkeypatch.setenv(name, "")
    with Standin(greet=Asking(ADA)) as nimbus, pytest.raises(NotPrepared) as caught:
        Nimbus.connect([(HOST, nimbus.port), (HOST, nimbus.port)], 5.0, transport=sasl.digest)
    assert str(caught.value) == f"Nimbus is to be told who you are: set {' and '.join(missing)}"


def test_the_package_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "puresasl.client", None)
    with Standin(greet=Asking(ADA)) as nimbus, pytest.raises(NotPrepared, match=r"pip install 'stormcell\[sasl\]'$"):
        leader(nimbus)


def test_nobody_else_needs_the_package() -> None:
    assert subprocess.run([sys.executable, "-c", WITHOUT], check=False).returncode == 0


@pytest.mark.parametrize("named, mechanism", [("digest", "DIGEST-MD5"), ("plain", "PLAIN")])
def test_an_environment_names_it(write: projects.Write, named: str, mechanism: str) -> None:
    with Standin(greet=Asking(ADA, mechanism)) as nimbus:
        config = Config.load(write("config.json", json.dumps({"envs": {"prod": {
            "nimbus": nimbus.address, "transport": f"stormcell.nimbus.sasl:{named}"}}})))
        with open_nimbus(config=config) as connection:
            assert connection.call("getLeader").port == nimbus.port


def test_what_is_wrong_is_not_that_no_nimbus_answers(write: projects.Write, someone: Callable[[str, str], None]) -> None:
    someone("ada", "guessed")
    with Standin(greet=Asking(ADA)) as nimbus:
        config = Config.load(write("config.json", json.dumps({"envs": {"prod": {
            "nimbus": [nimbus.address, nimbus.address], "transport": "stormcell.nimbus.sasl:digest"}}})))
        with pytest.raises(NotAuthorized, match=f"^{nimbus.address}: Nimbus does not take the user 'ada'"):
            open_nimbus(config=config)


def test_a_leader_that_asks_as_well() -> None:
    asking = Asking(ADA)
    with Standin(greet=asking) as leading, Standin(greet=asking) as following:
        following.leader = HOST, leading.port
        assert leader(following) == leading.port
    assert asking.taken == ["ada", "ada"]
