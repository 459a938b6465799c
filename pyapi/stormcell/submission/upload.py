"""Files on their way to Nimbus."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from stormcell.nimbus import AlreadyAlive, Nimbus, NimbusError, NotAuthorized, NotFound, Unreachable, structures

CHUNK = 300 * 1024
"""Bytes a message; Nimbus takes frames of up to 1 MiB (nimbus.thrift.max_buffer_size), and Storm's own
client sends as many."""

HALF_SECONDS = 10.0
"""How long somebody else may take to end an upload of the same file, before it is taken to be dead."""

LOOK_SECONDS = 0.5
"""How often that is looked at."""

READ = 1  # WRITE 2, ADMIN 4

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
            _cancel(reconnect, key, session)
            raise
    return True


def _cancel(reconnect: Callable[[], Nimbus], key: str, session: str) -> None:
    """As far as Nimbus can still be told: what ended the upload is what is told of. To cancel alone leaves
    the key taken, with nothing behind it."""
    with contextlib.suppress(NimbusError), reconnect() as nimbus:
        nimbus.call("cancelBlobUpload", session)
        nimbus.call("deleteBlob", key)


def has_blob(nimbus: Nimbus, key: str) -> bool:
    """Whether the cluster's blob store has this key. What is left of an upload whose process was killed goes
    away: of a blob with nothing in it Nimbus tells an error of its own, for as long as it stays so."""
    deadline = time.monotonic() + HALF_SECONDS
    while True:
        try:
            nimbus.call("getBlobMeta", key)
            return True
        except NotFound:
            return False
        except (NotAuthorized, Unreachable):
            raise
        except NimbusError:
            if time.monotonic() > deadline:
                _remove_half(nimbus, key)
                return False
        time.sleep(LOOK_SECONDS)


def _remove_half(nimbus: Nimbus, key: str) -> None:
    """Remove what an upload has left that came to no end."""
    try:
        nimbus.call("deleteBlob", key)
    except NotAuthorized as error:
        raise NotAuthorized(f"{key} is half of what another user has sent, which only they replace, by submitting it "
                            f"once more: {error}") from None


def _readable_by_all() -> object:
    """Whoever makes it has all rights, which Storm adds where it knows who that is; where not, it ignores this."""
    everybody = structures.AccessControl(type=structures.AccessControlType.OTHER, access=READ)
    return structures.SettableBlobMeta(acl=[everybody])


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk
