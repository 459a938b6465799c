"""What all commands share: help, version, completion, and how errors are told."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

import stormcell
from commanding import COMMAND, flow, refused, stormcell as command, write
from stormcell.cli import COMMANDS


def test_without_a_command_there_is_help(folder: Path) -> None:
    done = command()
    assert done.returncode == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\w.*[^.]\.$", done.stdout, re.MULTILINE), name


@pytest.mark.parametrize("name", COMMANDS)
def test_each_has_help_with_an_example(folder: Path, name: str) -> None:
    done = command(name, "-h" if name == "run" else "--help")
    assert done.returncode == 0
    assert f"Example:\n    stormcell {name}" in done.stdout
    assert "--traceback" in done.stdout


def test_the_version(folder: Path) -> None:
    assert command("--version").stdout == f"stormcell {stormcell.__version__}\n"


def test_a_command_that_is_none(folder: Path) -> None:
    assert refused("nmae") == "stormcell: No such command 'nmae'. (stormcell --help)"


def test_the_shell_completes_commands_and_options(folder: Path) -> None:
    def completed(words: str) -> str:
        environment = {**os.environ, "_STORMCELL_COMPLETE": "bash_complete", "COMP_WORDS": words,
                       "COMP_CWORD": str(words.count(" "))}
        # `python -m stormcell` goes by the name that completion is asked for.
        return subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=True).stdout

    assert completed("stormcell vis") == "plain,visualize\n"
    assert "plain,--environment" in completed("stormcell run --env")


def test_a_traceback_is_shown_when_it_is_asked_for(folder: Path) -> None:
    flow(folder)
    write(folder, "src/components.py", "def deep():\n    1 / 0\ndeep()\n")
    said = refused("run")
    assert said.endswith("components.py:2: importing it raised ZeroDivisionError: division by zero")
    for arguments in (["run", "--traceback"], ["--traceback", "run"]):
        done = command(*arguments)
        assert done.returncode == 2
        assert "Traceback (most recent call last)" in done.stderr and "in deep\n" in done.stderr
        assert done.stderr.endswith(said + "\n")


def test_a_defect_of_our_own_is_one_line_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow(folder)
    write(folder, "defect/sitecustomize.py", """
        import stormcell.load
        def load(path): raise RuntimeError('a defect')
        stormcell.load.load = load
        """)
    monkeypatch.setenv("PYTHONPATH", f"{folder / 'defect'}:{os.environ['PYTHONPATH']}")
    assert refused("visualize") == "stormcell: RuntimeError: a defect (--traceback shows where)"


def test_a_reader_that_goes_is_no_traceback(folder: Path) -> None:
    flow(folder)
    process = subprocess.Popen([*COMMAND, "visualize"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1
