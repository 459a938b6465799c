"""Running a plan on `stormcell-engine`, the local stand-in for Storm's side of a topology.

    with Engine(plan) as engine:
        for event in engine:
            print(event["event"], event["at"])
    print(engine.status)
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any

CLOSE_SECONDS = 10.0
"""How long `Engine.close` waits for the engine to end its components, in seconds."""


class EngineError(Exception):
    """The engine cannot run the plan, or has ended out of order; the text is one line."""


class Engine:
    """A run of a plan. It starts at once, and goes on as its events are read.

    The engine is in a session of its own, so that Ctrl-C does not reach it: `interrupt` does. It ends
    in order when the thread that has made this object ends, however that comes about. Components run
    in the environment of the running Python, unless $STORMCELL_PYTHON names another one.

    plan: the object that `stormcell.plan.make_plan` returns.

    Raises EngineError where the engine is missing or cannot be started.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        command = [program("stormcell-engine"), "-"]
        # Files cannot fill up as pipes do while the other end waits for something else.
        self._complaints: IO[bytes] = tempfile.TemporaryFile()
        with tempfile.TemporaryFile() as text:
            text.write(json.dumps(plan).encode())
            text.seek(0)
            try:
                self._process = subprocess.Popen(
                    command, stdin=text, stdout=subprocess.PIPE, stderr=self._complaints,
                    start_new_session=True,
                    env={"STORMCELL_PYTHON": sys.executable, **os.environ})
            except OSError as error:
                self._complaints.close()
                raise EngineError(f"{command[0]} cannot be started: {error.strerror}") from None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The events, as they come; the last one is `end`, and then there is a `status`.

        Raises EngineError where the plan cannot be used or the engine has crashed.
        """
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):  # or it was ended within it
                yield json.loads(line)
        self._check_end(self._process.wait())

    @property
    def status(self) -> int | None:
        """0: it ended in order and nothing failed, 1: something failed, None: it still runs."""
        return self._process.poll()

    def interrupt(self) -> None:
        """Ask for the end: the first time what is in flight is waited for, then no more."""
        self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """End it at once, if it has not ended, with all of its components."""
        if self._complaints.closed:
            return
        assert self._process.stdout is not None
        # An engine that waits for a reader goes on, to find that there is none.
        self._process.stdout.close()
        self._process.terminate()
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaints.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _check_end(self, status: int) -> None:
        if status in (0, 1):
            return
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace").strip()
        if status < 0:
            said = f"stormcell-engine was ended by signal {-status}. {said}".strip()
        raise EngineError(said or f"stormcell-engine ended with status {status}")


def program(name: str) -> str:
    """The path of one of Stormcell's executables, `stormcell-engine` or `stormcell-shim`.

    It is looked for in $STORMCELL_ENGINE or $STORMCELL_SHIM, beside the running Python's scripts,
    and on PATH. Raises EngineError where it is in none of these.
    """
    variable = name.upper().replace("-", "_")
    given = os.environ.get(variable)
    scripts = sysconfig.get_path("scripts")
    found = shutil.which(given) if given else shutil.which(name, path=scripts) or shutil.which(name)
    if found:
        return os.path.abspath(found)
    if given:
        raise EngineError(f"${variable} names no executable: {given}")
    raise EngineError(
        f"{name} is neither in {scripts} nor on PATH: install Stormcell into this Python "
        f"(pip install stormcell), or say where it is in ${variable}")
