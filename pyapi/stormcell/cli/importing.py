"""Importing what users wrote, in an interpreter of its own that it may end."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

__all__ = ["LOAD_COMPONENT", "LOAD_TOPOLOGY", "how_it_failed"]

PATIENCE = 60.0
"""How long importing may take, in seconds."""

LOADED = 87
"""The exit status of an interpreter that came to the end; one that user code ends has another."""

LOAD_TOPOLOGY = f"""
import os, sys
from stormcell.load import load
from stormcell.spec import TopologyError
try:
    load(sys.argv[1])
except TopologyError:
    pass  # told by whoever loads it after this
os._exit({LOADED})
"""

LOAD_COMPONENT = f"""
import os, sys
from stormcell.run import StartError, load
try:
    load(sys.argv[1])
except StartError as error:
    print(error, file=sys.stderr, flush=True)
    os._exit(1)
os._exit({LOADED})
"""


def how_it_failed(interpreter: list[str], code: str, argument: str, directory: Path,
                  environment: Mapping[str, str] | None = None) -> str:
    """Have an interpreter run this code in that directory. Why it has not come to the end, or ""."""
    # A module may print while it is imported.
    try:
        done = subprocess.run([*interpreter, "-c", code, argument], cwd=directory, env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"is not done after {PATIENCE:g} s"
    if done.returncode == LOADED:
        return ""
    if done.returncode == 1:
        return _gist(done.stderr.decode(errors="replace"))
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
    return f"ended the interpreter ({how})"


def _gist(said: str) -> str:
    """One line of a report: its first, and of a traceback the last."""
    lines = [line.strip() for line in said.strip().splitlines()] or ["no reason given"]
    return lines[0] if len(lines) == 1 else f"{lines[0]} {lines[-1]}"
