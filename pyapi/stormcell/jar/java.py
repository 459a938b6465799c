"""Classes of the user's own jars."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from stormcell.jar.entries import Entry, Member
from stormcell.jar.fault import JarError, unreadable

__all__ = ["java_files"]

OF_ONE_JAR = re.compile(r"META-INF/(MANIFEST\.MF|INDEX\.LIST|[^/]+\.(SF|DSA|RSA|EC)|SIG-[^/]+)",
                        re.IGNORECASE)
"""What is true of that jar alone: signatures hold for no other."""


def java_files(path: Path) -> Iterator[Entry]:
    """All of a jar but what is about the jar itself. JarError: it cannot be read, or has Storm in it."""
    try:
        with zipfile.ZipFile(path) as jar:
            names = jar.namelist()
    except OSError as error:
        raise unreadable(path, error) from None
    except zipfile.BadZipFile:
        raise JarError(f"{path} is no jar") from None
    for name in names:
        if name == "defaults.yaml":
            raise JarError(f"{path} holds Storm itself, which the workers have: build it without (scope "
                           "provided)")
        if not name.endswith("/") and not OF_ONE_JAR.fullmatch(name):
            if name.startswith("/") or ".." in name.split("/"):
                raise JarError(f"{path} has a file that lies outside of it: {name}")
            yield Entry(name, Member(path, name))
