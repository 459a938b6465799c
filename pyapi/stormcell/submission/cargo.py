"""The files that go to a cluster with a topology."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stormcell.jar import Contents

BLOBS = "topology.blobstore.map"


@dataclass(frozen=True)
class Cargo:
    """What is sent, and the settings by which the workers get it.

    Attributes:
        jar: the topology's, if one is to be sent.
        blobs: further files, each with its key in the cluster's blob store.
        conf: Storm's keys.
    """

    jar: Path | None = None
    blobs: list[tuple[str, Path]] = field(default_factory=list)
    conf: dict[str, Any] = field(default_factory=dict)


def pack(contents: Contents, folder: Path, name: str, settings: dict[str, Any]) -> Cargo:
    """Make the files of a topology of this name in that folder. JarError.

    settings: the topology's own: the blobs that it names stay.
    """
    jar = contents.write(folder / f"{name}.jar").path
    if contents.environment is None:
        return Cargo(jar)
    blob = contents.environment.pack(folder)
    return Cargo(jar, [(blob.key, blob.path)], {BLOBS: {**(settings.get(BLOBS) or {}), **blob.conf[BLOBS]}})
