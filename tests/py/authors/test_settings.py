"""What is added to a topology's settings on their way to Storm, and what Storm would not take."""

from __future__ import annotations

from typing import Any

import pytest

import projects  # noqa: F401 - makes the package importable
from stormcell import Bolt, JavaBolt, JavaSpout, Spout, Topology
from stormcell.submission import rules, settings


class Words(Spout):
    outputs = ["word"]


class Count(Bolt):
    outputs = ["count"]


class Python(Topology):
    words = Words.spec()
    count = Count.spec(inputs=[words])


class Java(Topology):
    words = JavaSpout.spec(full_class_name="W", outputs=["word"])
    count = JavaBolt.spec(full_class_name="C", inputs=[words])


def wrong(topology: type[Topology] = Python, **given: Any) -> list[str]:
    return list(settings.wrong(topology, {f"topology.{key}": value for key, value in given.items()}))


def test_what_python_components_need_is_added() -> None:
    new = settings.added(Python, {}, (2, 8))
    assert new == {"topology.kryo.register": list(settings.JSON_SMART),
                   "topology.subprocess.timeout.secs": 60, "stormcell.big.integers": True}


def test_older_storms_have_other_classes() -> None:
    assert settings.added(Python, {}, (2, 4))["topology.kryo.register"] == list(settings.JSON_SIMPLE)
    assert settings.added(Python, {}, None)["topology.kryo.register"] == list(settings.JSON_SMART)


@pytest.mark.parametrize("version", [(2, 5), (1, 2), None])
def test_older_storms_take_no_big_integers(version: tuple[int, int] | None) -> None:
    """Nor one that nothing is known of."""
    assert settings.BIG_INTEGERS not in settings.added(Python, {}, version)


def test_what_the_user_has_set_stays() -> None:
    given = ["org.example.A", {settings.JSON_SMART[0]: "org.example.Serializer"}]
    new = settings.added(Python, {"topology.kryo.register": given, "topology.subprocess.timeout.secs": 5,
                                  "stormcell.big.integers": False}, (2, 8))
    assert new == {"topology.kryo.register": [*given, *settings.JSON_SMART[1:]]}


def test_nothing_is_added_twice() -> None:
    new = settings.added(Python, {}, (2, 8))
    assert settings.added(Python, new, (2, 8)) == {}


def test_java_needs_nothing() -> None:
    assert settings.added(Java, {}, (2, 8)) == {}


@pytest.mark.parametrize("text, version", [("2.8.3", (2, 8)), ("2.10.0-SNAPSHOT", (2, 10)), ("unknown", None)])
def test_versions(text: str, version: tuple[int, int] | None) -> None:
    assert settings.version_of(text) == version


def test_good_settings_have_no_fault() -> None:
    assert wrong(workers=2, debug=True, environment={"A": "b"}, classpath="x", users=["me"]) == []
    assert wrong(**{"message.timeout.secs": 30.0, "acker.executors": 0, "transfer.batch.size": 1}) == []


@pytest.mark.parametrize("key, value, kind", [
    ("workers", 0, "a whole number above 0"),
    ("workers", "2", "a whole number above 0"),
    ("workers", True, "a whole number above 0"),
    ("workers", 2**31, "a whole number above 0"),
    ("acker.executors", -1, "a whole number from 0"),
    ("tick.tuple.freq.secs", 0.5, "a whole number"),
    ("stats.sample.rate", 0, "a number above 0"),
    ("component.cpu.pcore.percent", -1, "a number from 0"),
    ("min.replication.count", "1", "a number"),
    ("debug", "true", "true or false"),
    ("multilang.log.handler", 1, "a string"),
    ("users", [1], "a string or a list of strings"),
    ("auto-credentials", "x", "a list of strings"),
    ("kryo.register", "x", "a list of class names, or of maps from such to serializers"),
    ("environment", {"A": 1}, "a map of strings"),
    ("blobstore.map", [], "a map"),
])
def test_what_storm_would_refuse_is_found_before(key: str, value: object, kind: str) -> None:
    assert wrong(**{key: value}) == [f"topology.{key} is {value!r}: Storm takes {kind}"]


def test_null_is_what_storm_takes_for_not_set() -> None:
    assert wrong(workers=None) == []


def test_a_components_own_settings_are_looked_at_too() -> None:
    class Own(Topology):
        words = Words.spec(config={"topology.tasks": "many"})

    assert wrong(Own) == ["topology.tasks of 'words' is 'many': Storm takes a whole number from 0"]


@pytest.mark.parametrize("key", ["producer.batch.size", "transfer.batch.size"])
def test_batches_strand_what_components_emit(key: str) -> None:
    [sentence] = wrong(**{key: 100})
    assert f"topology.{key} is 100" in sentence and "leave it out" in sentence
    assert wrong(Java, **{key: 100}) == []


def test_another_serializer_is_not_spoken() -> None:
    [sentence] = wrong(**{"multilang.serializer": "org.example.MsgPack"})
    assert "'org.example.MsgPack'" in sentence
    assert wrong(**{"multilang.serializer": settings.JSON_SERIALIZER}) == []


def test_a_key_that_is_nearly_one_of_storms() -> None:
    given = {"topology.worker": 2, "topology.my.own": 1, "topology.workers": 2, "other": 3}
    assert list(settings.doubtful(given, {})) == ["Storm has no topology.worker; did you mean topology.workers?"]
    assert list(settings.doubtful(given, {"topology.worker": None})) == []


def test_no_rule_is_there_twice() -> None:
    names = [name for _, _, text in rules.RULES for name in text.split()]
    assert len(names) == len(set(names)) == len(rules.known())
