"""A plan that cannot be used ends the engine with one line that says where and what, and status 2."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from engine import inputs, topology, unusable

GOOD: dict[str, Any] = {
    "name": "test",
    "directory": "/",
    "components": topology(
        spout={"command": ["true"]},
        bolt={"command": ["true"], "inputs": inputs(("spout", "fields", "value"))},
    ),
}


def changed(*path: Any, **to: Any) -> str:
    plan = copy.deepcopy(GOOD)
    place = plan
    for key in path:
        place = place[key]
    place.update(to)
    return json.dumps(plan)


def input_with(**to: Any) -> str:
    return changed("components", "bolt", "inputs", 0, **to)


@pytest.mark.parametrize(("text", "said"), [
    ("", "line 1"),
    ('{"name": "a",}', "line 1, column"),
    ("[]", "no object"),
    ('{"name": "a", "name": "b"}', "duplicate"),
    (changed(nonsense=1), "nonsense"),
    (changed(name=7), '"name"'),
    (changed(conf=[]), '"conf"'),
    (changed(components={}), "components"),
    (changed("components", bolt=7), '"bolt"'),
    (changed("components", "bolt", colour="red"), "colour"),
    (changed("components", "bolt", kind="sprout"), "kind"),
    (changed("components", "bolt", command=[]), "command"),
    (changed("components", "bolt", command=[1]), "command"),
    (changed("components", "bolt", parallelism=0), "parallelism"),
    (changed("components", "bolt", parallelism=1.5), "parallelism"),
    (changed("components", "bolt", parallelism=10**9), "parallelism"),
    (changed("components", "bolt", conf={"topology.tick.tuple.freq.secs": "x"}), "tick"),
    (changed("components", "spout", inputs=inputs("bolt")), "spout"),
    (changed("components", "spout", outputs={"default": {"fields": [1], "direct": False}}), "fields"),
    (changed("components", "spout", outputs={"default": {"direct": False}}), "fields"),
    (input_with(component="spuot"), "spuot"),
    (changed("components", "bolt", inputs=2 * inputs("spout")), "twice"),
    (input_with(stream="other"), "other"),
    (input_with(grouping={"type": "random"}), "random"),
    (input_with(grouping={"type": "fields", "fields": ["nothing"]}), "nothing"),
    (input_with(grouping={"type": "fields"}), "fields"),
    (changed(run={"seconds": -1}), "seconds"),
    (changed(run={"seconds": "long"}), "seconds"),
    (changed(run={"tuples": 0}), "tuples"),
    (changed(run={"tuples": -5}), "tuples"),
    (changed(run={"seed": 1e300}), "seed"),
    (changed(run={"report.ms": 0.5}), "report.ms"),
    (changed(run={"minutes": 1}), "minutes"),
    (changed(run={"emits": "yes"}), "emits"),
    (changed(conf={"topology.message.timeout.secs": 0}), "timeout"),
    (changed(conf={"topology.message.timeout.secs": "soon"}), "topology.message.timeout.secs"),
])
def test_says_where_and_what(tmp_path: Path, text: str, said: str) -> None:
    assert said in unusable(tmp_path, text)
    assert list(tmp_path.iterdir()) == []


def test_the_good_one_is_good(tmp_path: Path, run: Any) -> None:
    ended = run("", copy.deepcopy(GOOD["components"]))
    assert ended.status == 1  # /bin/true is no component
    assert ended.end["reason"] == "failed"
