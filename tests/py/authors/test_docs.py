"""What the pages show works as they show it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from projects import ROOT
from stormcell.spec import TopologyError


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
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


def test_the_error_is_the_one_that_is_shown(shown: dict[str, Any]) -> None:
    source = blocks("topology.md", "python")[0].replace('fields("word")', 'fields("wrod")')
    with pytest.raises(TopologyError) as caught:
        exec(compile(source, "wordcount.py", "exec"), {"__name__": "shown"})
    sentence = str(caught.value).partition(": ")[2]
    assert sentence in (ROOT / "docs" / "topology.md").read_text(encoding="utf-8")


def test_the_plan_is_one(shown: dict[str, Any]) -> None:
    [text] = blocks("engine.md", "json")
    assert set(json.loads(text)) == {"name", "directory", "conf", "components", "run"}
