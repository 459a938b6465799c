"""The component's process in a replay: `python -m stormcell.replayed MODULE.CLASS MESSAGES ANSWERS`
is as `python -m stormcell.run MODULE.CLASS <MESSAGES >ANSWERS`, but what the component prints is seen
where the replay was started, and `--pdb` debugs it there. Started by `stormcell.replay`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from typing import NoReturn

from stormcell import _native
from stormcell.report import trace
from stormcell.run import StartError, host

STOPPED = "stopped"
"""The end of the name of an empty file beside ANSWERS that tells of an end by --until or a debugger."""

OnError = Callable[[BaseException], None]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("component")
    parser.add_argument("messages")
    parser.add_argument("answers")
    parser.add_argument("--pdb", action="store_true")
    parser.add_argument("--until", type=re.compile)
    options = parser.parse_args()
    _open(options.messages, options.answers, out=1 if options.pdb else 2)
    stopped = f"{options.answers}.{STOPPED}"
    return host(options.component, _debugger(options.pdb, options.until, stopped))


def _open(messages: str, answers: str, out: int) -> None:
    """Begin the session on the two files, and have standard input and output as before it began,
    with `out` in the place of standard output."""
    kept = [os.dup(0), os.dup(out), os.dup(2)]
    os.dup2(os.open(messages, os.O_RDONLY), 0)
    os.dup2(os.open(answers, os.O_WRONLY | os.O_CREAT, 0o600), 1)
    # A terminal's Ctrl-C is for the debugger, in the terminal's own process group, and not for the
    # guardian, which would end the replay.
    group = os.getpgrp()
    os.setpgid(0, 0)
    _native.open()
    os.setpgid(0, group)
    for descriptor, copy in enumerate(kept):
        os.dup2(copy, descriptor)
    for stream in sys.stdout, sys.stderr:
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _debugger(debug: bool, until: re.Pattern[str] | None, stopped: str) -> OnError:
    """What is to be done about an exception."""

    def on_error(error: BaseException) -> None:
        cause = error.__context__ if isinstance(error, StartError) else error
        if "bdb" in sys.modules and isinstance(cause, sys.modules["bdb"].BdbQuit):
            _leave(stopped)  # a debugger that user code called with breakpoint() was quit
        if cause is None or (until is not None and not until.search(trace(cause))):
            return
        if debug:
            _post_mortem(cause)
        if until is not None and cause is error:
            _leave(stopped)

    return on_error


def _leave(stopped: str) -> NoReturn:
    open(stopped, "x").close()
    _native.close(True)
    sys.stdout.flush()
    os._exit(0)


def _post_mortem(error: BaseException) -> None:
    import pdb

    print(trace(error))
    pdb.post_mortem(error.__traceback__)


if __name__ == "__main__":
    raise SystemExit(main())
