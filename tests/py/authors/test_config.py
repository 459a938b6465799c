"""A project's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from projects import Write
from stormcell import Spout, Topology
from stormcell.config import Config, ConfigError, parse_option, parse_options

JSON = """{"topology_specs": "tops/", "virtualenv_specs": "virtualenvs/", "mine": 1, "envs": {
    "prod": {"nimbus": "n1", "options": {"topology.workers": 4, "a": "env"}},
    "test": {}}}"""

TOML = """
[project]
name = "x"
[tool.stormcell]
topology_specs = "tops"
[tool.stormcell.envs.prod.options]
"topology.workers" = 4
"""


class Words(Spout):
    outputs = ["word"]


class T(Topology):
    config = {"a": "class", "b": "class"}
    words = Words.spec()


def test_streamparses_keys(write: Write, tmp_path: Path) -> None:
    config = Config.load(write("config.json", JSON))
    assert config.topology_specs == tmp_path / "tops"
    assert config.values["mine"] == 1
    assert config.environment("prod")[1]["nimbus"] == "n1"


def test_pyproject(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write("pyproject.toml", TOML)
    monkeypatch.chdir(tmp_path)
    config = Config.load()
    assert config.environment(None) == ("prod", {"options": {"topology.workers": 4}})
    assert config.topology_specs == Path("tops")


def test_without_a_file_all_is_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config.load()
    assert config.environment(None) == (None, {})
    assert config.topology_specs == Path("topologies")


def test_precedence(write: Write) -> None:
    config = Config.load(write("config.json", JSON))
    assert config.options(T, "prod", {"b": "line"}) == {
        "topology.workers": 4, "a": "class", "b": "line"}


@pytest.mark.parametrize(("text", "value"), [
    ("a=1", ("a", 1)), ("a=true", ("a", True)), ("a=x y", ("a", "x y")), ("a=", ("a", "")),
    ('a={"b": [1]}', ("a", {"b": [1]})), ("a=b=c", ("a", "b=c"))])
def test_options(text: str, value: Any) -> None:
    assert parse_option(text) == value
    assert parse_options([text, "z=2"]) == dict([value, ("z", 2)])


@pytest.mark.parametrize(("name", "text", "environment", "sentence"), [
    ("config.json", JSON, None, "has several environments: choose one with --environment: prod, test"),
    ("config.json", JSON, "prd", "no environment 'prd'; did you mean 'prod'?"),
    ("config.json", "{", None, "config.json cannot be read: "),
    ("config.json", "[]", None, "holds no object"),
    ("pyproject.toml", "a = ", None, "pyproject.toml cannot be read"),
    ("config.json", '{"envs": []}', None, '"envs" is no object'),
    ("config.json", '{"envs": {"a": 1}}', None, "the environment 'a' is no object"),
    ("config.json", '{"envs": {"a": {"options": 1}}}', None, '"options" of the environment \'a\' is a dict'),
    ("config.json", '{"envs": {"a": {"options": {"x": NaN}}}}', None, "cannot be read: NaN is no number in JSON"),
    ("config.json", '\ufeff{}', None, "config.json cannot be read: "),
    ("pyproject.toml", "[tool]\nstormcell = 1", None, "holds no object"),
    ("pyproject.toml", "[tool.stormcell.envs.a.options]\nx = 2020-01-01", None,
     "of the environment 'a' has 'x', which JSON cannot carry: "),
])
def test_each_error_is_a_sentence(write: Write, name: str, text: str, environment: str | None,
                                  sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.load(write(name, text)).options(T, environment, {})
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_project_of_streamparses(write: Write) -> None:
    text = """{"serializer": "json", "envs": {"prod": {
        "user": "storm", "ssh_password": "", "nimbus": "storm-1", "workers": ["storm-2"],
        "log": {"path": "/var/log", "file": "", "level": "debug"}, "virtualenv_root": "/data/venvs",
        "options": {"topology.workers": 4}}}}"""
    config = Config.load(write("config.json", text))
    assert config.options(T, "prod", {})["stormcell.log.level"] == "debug"
    assert config.options(T, "prod", {"stormcell.log.level": "warn"})["stormcell.log.level"] == "warn"
    assert config.unused("prod") == ["user", "workers", "virtualenv_root", "log.path"]


def test_what_needs_nothing_on_the_workers(write: Write) -> None:
    assert Config.load(write("config.json", JSON)).unused("prod") == []
    assert Config().unused(None) == []


def test_what_is_no_option() -> None:
    for text in ("a", "=1"):
        with pytest.raises(ConfigError, match="key=value"):
            parse_option(text)
    with pytest.raises(ConfigError, match="the option 'a=NaN': NaN is no number in JSON"):
        parse_option("a=NaN")
    with pytest.raises(ConfigError, match="-Infinity is no number in JSON"):
        parse_option("a=[-Infinity]")


def test_a_folder_is_named_by_its_path(write: Write) -> None:
    config = Config.load(write("config.json", '{"topology_specs": 5}'))
    with pytest.raises(ConfigError, match='config.json: "topology_specs" is the path of a folder, not 5'):
        config.topology_specs


def test_another_tools_settings_are_none_of_ours(write: Write) -> None:
    assert Config.load(write("pyproject.toml", "tool = 5")).values == {}
    assert Config.load(write("pyproject.toml", "[tool.other]\na = 1")).environment(None) == (None, {})


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="none.json cannot be read: No such file"):
        Config.load("none.json")
