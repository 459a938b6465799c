"""What a Nimbus with SASL says before it takes calls: Thrift's negotiation, by DIGEST-MD5 (RFC 2831) or PLAIN, as a
Storm 2.8.3 was seen to do it.

    with Standin(greet=Asking({"ada": "engine"})) as nimbus:
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass, field
from typing import Any

from thriftpy2.transport import TTransportException
from thriftpy2.transport.base import readall

START, OK, BAD, ERROR, COMPLETE = 1, 2, 3, 4, 5

NONCE = "EmOOmkFuOYGhhjsq9+hZRCXn2qFEbUo4ftdPEyeH"
CHALLENGE = f'realm="localhost",nonce="{NONCE}",charset=utf-8,algorithm=md5-sess'
URI = "storm_thrift_server/localhost"


@dataclass
class Asking:
    """Takes these users.

    Attributes:
        users: their passwords.
        mechanism: the only one that is taken.
        challenge: what DIGEST-MD5 begins with.
        proof: how the answer to a digest ends; None: with what the server has computed.
        echo: put in front of a refusal.
        taken: who has been.
    """

    users: dict[str, str]
    mechanism: str = "DIGEST-MD5"
    challenge: str = CHALLENGE
    proof: str | None = None
    echo: str = ""
    taken: list[str] = field(default_factory=list)

    def __call__(self, link: Any) -> None:
        """Negotiate; TTransportException: nobody was taken."""
        mechanism = _receive(link, START).decode()
        if mechanism != self.mechanism:
            raise self._refused(link, BAD, f"Unsupported mechanism type {mechanism}")
        first = _receive(link, OK)
        if mechanism == "PLAIN":
            self._plain(link, first)
        else:
            assert first == b""
            self._digest(link)

    def _plain(self, link: Any, said: bytes) -> None:
        _, user, password = said.decode().split("\0")
        if self.users.get(user) != password:
            raise self._refused(link, BAD, "PLAIN auth failed")
        self.taken.append(user)
        _send(link, COMPLETE)

    def _digest(self, link: Any) -> None:
        _send(link, OK, self.challenge)
        # Where nothing is said of a charset, it is this one.
        said = {key: quoted or bare for key, quoted, bare in
                re.findall(r'([a-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^,]*))', _receive(link, OK).decode("latin-1"))}
        user = said["username"]
        if said["digest-uri"] != URI:
            raise self._refused(link, BAD, f"DIGEST-MD5: Mismatched URI: {said['digest-uri']}; expecting: {URI}")
        if user not in self.users:
            raise self._refused(link, ERROR, "DIGEST-MD5: IO error acquiring password")
        if said["response"] != self._computed(said, "AUTHENTICATE"):
            raise self._refused(link, BAD, "DIGEST-MD5: digest response format violation. Mismatched response.")
        self.taken.append(user)
        _send(link, COMPLETE, f"rspauth={self._computed(said, '')}" if self.proof is None else self.proof)

    def _computed(self, said: dict[str, str], method: str) -> str:
        password = self.users[said["username"]]
        known = password.encode("latin-1" if all(ord(character) < 256 for character in password) else "utf-8")
        secret = hashlib.md5(f"{said['username']}:localhost:".encode() + known).digest()
        session = hashlib.md5(secret + f":{NONCE}:{said['cnonce']}".encode()).hexdigest()
        asked = hashlib.md5(f"{method}:{URI}".encode()).hexdigest()
        return hashlib.md5(f"{session}:{NONCE}:{said['nc']}:{said['cnonce']}:auth:{asked}".encode()).hexdigest()

    def _refused(self, link: Any, status: int, why: str) -> TTransportException:
        _send(link, status, self.echo + why)
        return TTransportException(TTransportException.END_OF_FILE, why)


def _receive(link: Any, expected: int) -> bytes:
    status, length = struct.unpack(">BI", readall(link.read, 5))
    assert status == expected
    said: bytes = readall(link.read, length)
    return said


def _send(link: Any, status: int, text: str = "") -> None:
    link.write(struct.pack(">BI", status, len(text)) + text.encode())
