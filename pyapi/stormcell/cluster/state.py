"""What a cluster's watcher writes down: state.json in the cluster's home.

Nothing hangs on it alone: a cluster's processes are found without it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stormcell.cluster.artifacts import Storm
from stormcell.cluster.error import ClusterError
from stormcell.cluster.layout import TRANSPORT, Layout
from stormcell.cluster.processes import Process

FILE = "state.json"


@dataclass
class Daemon:
    """One of Storm's daemons, as it is now.

    Attributes:
        pid, start: its process, as in `Process`; the one that has ended, where none runs.
        restarts: how often it was started anew.
        note: how it ended last, or "".
    """

    pid: int
    start: int
    restarts: int = 0
    note: str = ""

    @property
    def process(self) -> Process:
        return Process(self.pid, self.start)


@dataclass
class State:
    """A cluster, as it was last written down.

    Attributes:
        storm, version: the Storm that runs: its folder and version.
        java: the program that runs it.
        slots: the workers' ports, supervisor by supervisor, each of which has as many.
        supervisors: how many there are.
        outside: the network namespace around the cluster's own.
        phase: "starting", "up", "failed" (at its start) or "broken" (a daemon ended too often).
        why: of "failed" and "broken".
        watcher: the process that watches the daemons, [pid, start], or None: it has not begun.
        daemons: by name.
        transport: Storm's storm.thrift.transport, or "": the one that it has by default.
    """

    storm: str
    version: str
    java: str
    slots: list[int]
    outside: str
    phase: str = "starting"
    why: str = ""
    watcher: list[int] | None = None
    daemons: dict[str, Daemon] = field(default_factory=dict)
    transport: str = ""
    supervisors: int = 1

    @classmethod
    def read(cls, home: Path) -> State | None:
        """The state of the cluster in this home; None: there is none. ClusterError: it cannot be read."""
        path = home / FILE
        try:
            return cls._from(json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no state of a cluster"
            raise ClusterError(f"{path} cannot be read: {reason}; `stormcell cluster down` ends what "
                               "there is") from None

    @classmethod
    def _from(cls, values: dict[str, Any]) -> State:
        daemons = {name: Daemon(**daemon) for name, daemon in values.pop("daemons").items()}
        state = cls(**values, daemons=daemons)
        if not isinstance(state.slots, list) or not isinstance(state.phase, str):
            raise TypeError
        return state

    def write(self, home: Path) -> None:
        """Put it there, whole or not at all."""
        part = home / f"{FILE}.part"
        part.write_text(json.dumps(asdict(self), indent=2) + "\n")
        os.replace(part, home / FILE)

    @property
    def slots_each(self) -> int:
        """How many workers a supervisor may have."""
        return len(self.slots) // self.supervisors

    def layout(self, home: Path) -> Layout:
        """How it is laid out in that home; without most of the settings that it was given besides."""
        settings = {TRANSPORT: self.transport} if self.transport else {}
        return Layout(home, Storm(Path(self.storm), self.version), self.slots_each, settings, self.supervisors)

    @property
    def watching(self) -> Process | None:
        """The watcher, while it runs."""
        process = Process(*self.watcher) if self.watcher else None
        return process if process and process.alive else None
