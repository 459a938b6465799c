"""What the tests of the commands that operate a cluster share: a Nimbus, what it counts, an error that it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nimbus_standin import Standin

REPORT = """\
java.lang.Exception: Shell Process Exception: Python ValueError raised while processing Tuple(id='7')
in component 'counts', task 4, on host, process 99
Traceback (most recent call last):
  File "/storm/resources/flow.py", line 21, in process
    self.helper(word)
  File "/storm/resources/flow.py", line 24, in helper
    raise ValueError("word %r is bad" % word)
ValueError: word 'dog' is bad
\tat org.apache.storm.task.ShellBolt.handleError(ShellBolt.java:232)
\tat org.apache.storm.task.ShellBolt$BoltReaderRunnable.run(ShellBolt.java:354)
\tat java.base/java.lang.Thread.run(Thread.java:840)
"""

COUNTS = {
    "words": {"emitted": 4000, "acked": 3960, "failed": 40, "latency": 12.5, "uptime_s": 60},
    "counts": {"emitted": 3900, "acked": 3900, "executed": 3920, "latency": 0.75, "capacity": 0.25,
               "uptime_s": 60},
}


@pytest.fixture
def nimbus(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """A Nimbus with two hosts, which the command line finds; no cluster of this machine is found."""
    with Standin(hosts=("127.0.0.1", "127.0.0.2")) as standin:
        monkeypatch.setenv("STORMCELL_NIMBUS", standin.address)
        monkeypatch.setenv("STORMCELL_CLUSTER", str(folder / "no cluster here"))
        yield standin
