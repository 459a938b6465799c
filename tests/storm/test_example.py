"""The word count of the README, as a user runs it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from localstorm import marked

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MARK = "STORMCELL_TEST"
WORDS = ("dog", "cat", "zebra", "elephant")


def start(mark: str, seconds: int) -> subprocess.Popen[str]:
    """Runs the example's viewer; examples/run would build first, and what is tested is built."""
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / "show.py"), str(EXAMPLES / "wordcount"), str(seconds)],
        env={**os.environ, MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("end", ["--seconds", "SIGTERM"])
def test_it_counts_and_ends_cleanly(end: str) -> None:
    mark = str(uuid.uuid4())
    example = start(mark, seconds=4 if end == "--seconds" else 0)
    assert example.stdout
    seen = next((line for line in example.stdout if all(word in line for word in WORDS)), "")
    if end != "--seconds":
        example.send_signal(signal.Signals[end])
    out, err = example.communicate()
    assert (example.returncode, err) == (0, ""), seen + out
    for word in WORDS:
        assert re.search(rf"^{word} +[\d,]+ +\d+ +[\d,]+$", out, re.MULTILINE), seen + out
    assert re.search(r"^[\d,]+ words counted by 2 Python tasks in \d+ s", out, re.MULTILINE), out
    assert marked(MARK, mark) == []


def test_a_component_that_cannot_start_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "wordcount"
    shutil.copytree(EXAMPLES / "wordcount", broken)
    with (broken / "src" / "wordcount.py").open("a") as source:
        source.write("\ndef fail(*_):\n    raise OSError('no words')\nWordSpout.initialize = fail\n")
    command = [sys.executable, str(EXAMPLES / "show.py"), str(broken), "0"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("examples/run: words ended by itself; "), run.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "which example? There are: wordcount "),
        (["nope"], "there is no example 'nope'; there are: wordcount "),
        (["../storm"], "an example is given by its name; there are: wordcount "),
        (["wordcount", "wordcount"], "one example at a time: 'wordcount' or 'wordcount'?"),
        (["wordcount", "--quick"], "there is no option --quick (--help shows those there are)"),
        (["wordcount", "--seconds"], "--seconds takes a whole number from 1 up, not ''"),
        (["wordcount", "--seconds", "1.5"], "--seconds takes a whole number from 1 up, not '1.5'"),
        (["wordcount", "--seconds", "0"], "--seconds takes a whole number from 1 up, not '0'"),
    ],
)
def test_wrong_arguments_get_one_clear_line(arguments: list[str], complaint: str) -> None:
    run = subprocess.run([str(EXAMPLES / "run"), *arguments], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (1, "", f"examples/run: {complaint}\n")
