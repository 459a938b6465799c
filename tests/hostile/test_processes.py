"""Descriptors, limits, signals, children: what the system gives a process, taken away or misused."""

from __future__ import annotations

from hostile import RUN, lives_on, run
from starting import Start

# ---- descriptors ----------------------------------------------------------------------------


def test_an_exception_is_told_where_no_descriptor_is_left(start: Start) -> None:
    parent = start(RUN)
    run(
        parent,
        """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
hoard = globals()['hoard'] = []
while True:
    hoard.append(open('/dev/null'))
""",
        end="fail",
    )
    text = parent.expect("error")["msg"]
    assert text.startswith("OSError: [Errno 24] Too many open files: '/dev/null' (<hostile>, line "), text
    lives_on(parent)
