"""The Java that Storm is to run on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from stormcell.cluster.error import ClusterError

PATIENCE = 30.0
"""How long Java may take to tell its version, in seconds."""

OLDEST = {(2, 0): 8, (2, 6): 11, (2, 8): 17, (3, 0): 21}
"""From which Storm on which Java is needed."""


def find_java(given: str | None, storm: str) -> str:
    """The path of a `java` that can run this version of Storm. ClusterError: there is none.

    given: what the user named; else it is $JAVA_HOME's, or the one on PATH.
    """
    home = os.environ.get("JAVA_HOME")
    wanted = given or (os.path.join(home, "bin", "java") if home else "java")
    needed = needed_java(storm)
    remedy = f"Storm {storm} needs Java {needed} or later (Debian: apt-get install openjdk-{needed}-jre-headless)"
    path = shutil.which(wanted)
    if path is None:
        where = wanted if given else f"$JAVA_HOME ({home})" if home else "PATH"
        raise ClusterError(f"there is no java at {where}; {remedy}" if where != "PATH" else
                           f"there is no java on PATH; {remedy}")
    version = java_version(path)
    if version < needed:
        raise ClusterError(f"{path} is Java {version}; {remedy}, or name another one: --java")
    return os.path.abspath(path)


def needed_java(storm: str) -> int:
    """The oldest Java that this version of Storm runs on."""
    version = tuple(int(number) for number in re.findall(r"\d+", storm)[:2])
    return max(java for first, java in OLDEST.items() if version >= first or first == (2, 0))


def java_version(path: str) -> int:
    """The main number of its version: 8, 11, 17. ClusterError: it does not tell."""
    try:
        done = subprocess.run([path, "-version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterError(f"{path} does not start: {error}") from None
    said = done.stdout.decode(errors="replace")
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    if done.returncode or not found:
        gist = next(iter(said.strip().splitlines()), "it says nothing")
        raise ClusterError(f"{path} does not tell its version: {gist}")
    return int(found[1])


def java_home(path: str) -> Path | None:
    """The installation that a `java` belongs to, for what Storm starts by itself; None: it has no usual one."""
    home = Path(path).resolve().parents[1]
    return home if (home / "bin" / "java").exists() else None
