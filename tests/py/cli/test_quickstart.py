"""`stormcell quickstart`: the project that it makes runs, and its own tests pass, right away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commanding import PATIENCE, PLUGIN, make, refused, stormcell, write


@pytest.fixture
def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    done = stormcell("quickstart", "words")
    assert (done.returncode, done.stderr) == (0, "")
    assert "cd words\n" in done.stdout
    monkeypatch.chdir(folder / "words")
    return folder / "words"


def test_it_is_laid_out_as_streamparse_has_it(project: Path) -> None:
    files = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert files == {
        ".gitignore", "README.md", "config.json", "pyproject.toml", "src/bolts/wordcount.py",
        "src/spouts/words.py", "tests/test_wordcount.py", "topologies/wordcount.py"}
    assert (project / "README.md").read_text().startswith("# words\n")


def test_it_runs(project: Path) -> None:
    done = stormcell("run", "--tuples", "1000", "--json", "totals.json")
    assert done.returncode == 0, done
    components = json.loads((project / "totals.json").read_text())["components"]
    assert components["word_spout"]["acked"] == components["count_bolt"]["acked"] == 1000


def test_nothing_is_wrong_with_it(project: Path) -> None:
    assert stormcell("check").returncode == 0


def test_its_own_tests_pass(project: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *PLUGIN], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)


def test_what_exists_stays_as_it_is(folder: Path) -> None:
    write(folder, "words/mine", "kept")
    assert refused("quickstart", "words") == "stormcell: words exists already: choose another name"
    assert [path.name for path in (folder / "words").iterdir()] == ["mine"]


def test_a_name_that_cannot_be(folder: Path) -> None:
    assert refused("quickstart", "nowhere/words") == (
        "stormcell: nowhere/words cannot be made: No such file or directory")
    make(folder / "plain")
    assert "Missing argument 'NAME'" in refused("quickstart")
