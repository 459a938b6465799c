"""What tests need of a cluster without one:

    python -m stormcell.cluster fetch [VERSION]    # fetches Storm if need be, and prints where it is
    python -m stormcell.cluster space COMMAND...   # becomes COMMAND in a network namespace of its own
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from stormcell.cluster import space
from stormcell.cluster.artifacts import VERSION, cache, fetched, is_whole
from stormcell.cluster.error import ClusterError


def fetch(version: str = VERSION) -> None:
    """Print the folder of this Storm."""
    if not is_whole(cache() / f"storm-{version}"):
        print(f"fetching Apache Storm {version} (once)", file=sys.stderr)
    print(fetched(version).folder)


def enter(*command: str) -> None:
    """Become the command in a new network namespace."""
    before = space.own_space()
    os.execv(before[0], [*before, sys.executable, "-m", "stormcell.cluster", "inside", *command])


def inside(*command: str) -> None:
    """Become the command, in the namespace that this process has just been given."""
    space.raise_loopback()
    os.execvp(command[0], command)


COMMANDS: dict[str, Callable[..., None]] = {"fetch": fetch, "space": enter, "inside": inside}

if __name__ == "__main__":
    try:
        COMMANDS[sys.argv[1]](*sys.argv[2:])
    except (ClusterError, OSError) as error:
        sys.exit(f"stormcell.cluster: {error}")
    except (IndexError, KeyError, TypeError):
        sys.exit(__doc__)
