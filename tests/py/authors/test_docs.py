"""What the pages show works as they show it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from projects import ROOT, Write
from starting import SHIM
from stormcell.config import Config
from stormcell.load import load
from stormcell.plan import make_plan
from stormcell.spec import TopologyError


def blocks(page: str, language: str, folder: str = "docs") -> list[str]:
    text = (ROOT / folder / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def shown() -> dict[str, Any]:
    """What all the examples of docs/topology.md define, one after the other."""
    names: dict[str, Any] = {"__name__": "shown"}
    for block in blocks("topology.md", "python"):
        exec(compile(block, "wordcount.py", "exec"), names)
    return names


def test_the_topologies_hold(shown: dict[str, Any]) -> None:
    assert [spec.name for spec in shown["WordCount"].specs] == ["sentences", "split", "count"]
    assert shown["WordCount"].split.tasks("prod") == 8
    assert [spec.config for spec in shown["Quiet"].specs if spec.name == "sentences"] == [
        {"topology.max.spout.pending": 10}]
    assert len(shown["Shrink"].edges["refine"]) == 2
    assert [(edge.stream.name, str(edge.grouping)) for edge in shown["Longest"].edges["longest"]] == [
        ("words", "fields word"), ("lengths", "global")]


def test_the_topology_runs(write: Write, tmp_path: Path) -> None:
    write("config.json", blocks("topology.md", "json")[0])
    write("topologies/wordcount.py", blocks("topology.md", "python")[0])
    command = [sys.executable, "-m", "stormcell", "run", "--environment", "dev", "--tuples", "20",
               "--json", "totals.json"]
    path = f"{ROOT / 'pyapi'}:{Path(SHIM).parent}"
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path},
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    totals = json.loads((tmp_path / "totals.json").read_text())
    assert totals["components"]["count"]["executed"] == 60  # "the dog jumped", 20 times


def test_the_readmes_topology_runs(write: Write, tmp_path: Path) -> None:
    write("wordcount.py", blocks("README.md", "python", ".")[0])
    command = [sys.executable, "-m", "stormcell", "run", "wordcount.py", "--tuples", "20",
               "--json", "totals.json"]
    path = f"{ROOT / 'pyapi'}:{Path(SHIM).parent}"
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path},
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    totals = json.loads((tmp_path / "totals.json").read_text())
    assert totals["components"]["counts"]["executed"] == 20


def test_what_has_a_jvm_runs_nowhere_here(write: Write) -> None:
    source = next(block for block in blocks("topology.md", "python") if "class Mixed" in block)
    mixed = load(write("mixed.py", source.replace("import", "import Grouping, Topology,")))
    with pytest.raises(TopologyError) as caught:
        make_plan(mixed, name="mixed", environment=None, options={}, directory="", run={})
    sentence = str(caught.value).rpartition("/")[2]
    assert sentence in (ROOT / "docs" / "topology.md").read_text(encoding="utf-8")


def test_both_files_have_the_same_settings(write: Write) -> None:
    as_json = Config.load(write("config.json", blocks("topology.md", "json")[0]))
    as_toml = Config.load(write("pyproject.toml", blocks("topology.md", "toml")[0]))
    assert as_json.values == as_toml.values
    assert as_json.environment("prod")[1] == {"options": {"topology.workers": 4}}


def test_the_error_is_the_one_that_is_shown(shown: dict[str, Any]) -> None:
    source = blocks("topology.md", "python")[0].replace('fields("word")', 'fields("wrod")')
    with pytest.raises(TopologyError) as caught:
        exec(compile(source, "wordcount.py", "exec"), {"__name__": "shown"})
    sentence = str(caught.value).partition(": ")[2]
    assert sentence in (ROOT / "docs" / "topology.md").read_text(encoding="utf-8")


def test_the_plan_is_one(shown: dict[str, Any]) -> None:
    [text] = blocks("engine.md", "json")
    assert set(json.loads(text)) == {"name", "directory", "conf", "components", "run"}
