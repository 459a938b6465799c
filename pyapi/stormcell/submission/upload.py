"""Files on their way to Nimbus."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from stormcell.nimbus import AlreadyAlive, Nimbus, NimbusError, NotFound, structures

CHUNK = 300 * 1024
"""Bytes a message; Nimbus takes frames of up to 1 MiB (nimbus.thrift.max_buffer_size), and Storm's own
client sends as many."""

READ = 1  # WRITE 2, ADMIN 4: whoever makes a blob has them all

Progress = Callable[[int], None]
"""Is told of so many more bytes that have arrived."""


def upload_jar(nimbus: Nimbus, jar: Path, progress: Progress) -> str:
    """Bring a topology's jar to Nimbus: where Nimbus keeps it. NimbusError, OSError.

    What is cut short is never used, and removed by Nimbus after an hour (nimbus.inbox.jar.expiration.secs).
    """
    with jar.open("rb") as file:
        location: str = nimbus.call("beginFileUpload")
        for chunk in _chunks(file):
            nimbus.call("uploadChunk", location, chunk)
            progress(len(chunk))
    nimbus.call("finishFileUpload", location)
    return location


def upload_blob(nimbus: Nimbus, key: str, path: Path, progress: Progress,
                reconnect: Callable[[], Nimbus]) -> bool:
    """Bring a file into the cluster's blob store, unless it is there already: whether it was brought.

    key: names the content, so that one key is never two contents.
    reconnect: opens another connection, for when this one is what fails.

    NimbusError, OSError; what was sent so far is removed then.
    """
    if has_blob(nimbus, key):
        return False
    with path.open("rb") as file:
        try:
            session = nimbus.call("beginCreateBlob", key, _readable_by_all())
        except AlreadyAlive:
            return False  # somebody was faster
        try:
            for chunk in _chunks(file):
                nimbus.call("uploadBlobChunk", session, chunk)
                progress(len(chunk))
            nimbus.call("finishBlobUpload", session)
        except BaseException:
            _cancel(reconnect, session)
            raise
    return True


def _cancel(reconnect: Callable[[], Nimbus], session: str) -> None:
    """As far as Nimbus can still be told: what ended the upload is what is told of."""
    with contextlib.suppress(NimbusError), reconnect() as nimbus:
        nimbus.call("cancelBlobUpload", session)


def has_blob(nimbus: Nimbus, key: str) -> bool:
    """Whether the cluster's blob store has this key."""
    try:
        nimbus.call("getBlobMeta", key)
    except NotFound:
        return False
    return True


def _readable_by_all() -> object:
    """Without authentication, Storm ignores it."""
    everybody = structures.AccessControl(type=structures.AccessControlType.OTHER, access=READ)
    return structures.SettableBlobMeta(acl=[everybody])


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk
