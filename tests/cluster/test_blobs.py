"""Files in a real Storm's blob store: what an upload leaves that does not come to its end."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

import pytest

from storm import Storm
from stormcell.nimbus import Nimbus, NotFound
from stormcell.submission import upload
from submitting import ask, nimbus


def test_an_upload_that_is_interrupted_leaves_no_key(cluster: Storm, tmp_path: Path) -> None:
    """If it fails, the next submit with the same environment meets an error of Nimbus' own."""
    blob, key = tmp_path / "blob", f"test-{uuid.uuid4().hex}.tgz"
    blob.write_bytes(b"x" * (upload.CHUNK + 1))

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with nimbus(cluster) as connection, pytest.raises(KeyboardInterrupt):
        upload.upload_blob(connection, key, blob, interrupt, lambda: _connect(cluster))
    with pytest.raises(NotFound):
        ask(cluster, "getBlobMeta", key)


def test_what_a_killed_upload_has_left_is_replaced(cluster: Storm, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """If it fails, a topology with that environment cannot be submitted any more."""
    blob, key = tmp_path / "blob", f"test-{uuid.uuid4().hex}.tgz"
    blob.write_bytes(b"x" * 1000)
    monkeypatch.setattr(upload, "HALF_SECONDS", 1.0)
    with nimbus(cluster) as connection:
        session = connection.call("beginCreateBlob", key, upload._readable_by_all())
        connection.call("uploadBlobChunk", session, b"y")
    with nimbus(cluster) as connection, contextlib.closing(_connect(cluster)) as other:
        assert upload.upload_blob(connection, key, blob, lambda _: None, lambda: other)
        assert upload.has_blob(connection, key)


def _connect(cluster: Storm) -> Nimbus:
    return Nimbus.connect([cluster.nimbus], 30.0, cluster.connect)
