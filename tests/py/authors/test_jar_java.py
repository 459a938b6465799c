"""Classes of the user's own jars in a topology's."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from jars import COMPONENTS, TOPOLOGY, build, fake_runner, names
from projects import Write
from stormcell.jar import JarError


@pytest.fixture
def flow(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STORMCELL_RUNNER", str(fake_runner(tmp_path / "runner")))
    write("src/components.py", COMPONENTS)
    return write("topologies/flow.py", TOPOLOGY)


def java(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {"META-INF/MANIFEST.MF": f"Built-By: {path.name}", **files}.items():
            archive.writestr(name, text)
    return path


def test_classes_come_along_and_signatures_do_not(flow: Path, tmp_path: Path) -> None:
    first = java(tmp_path / "first.jar", **{
        "org/example/A.class": "a", "org/": "", "META-INF/FIRST.SF": "", "META-INF/first.rsa": "",
        "META-INF/INDEX.LIST": "", "META-INF/services/x": "A", "LICENSE": "same"})
    second = java(tmp_path / "second.jar", **{"org/example/B.class": "b", "LICENSE": "same"})
    jar = build(flow, tmp_path / "flow.jar", java_jars=[first, second])
    assert names(jar) == ["LICENSE", "META-INF/services/x", "org/example/A.class", "org/example/B.class",
                          "components.py"]
    with zipfile.ZipFile(jar.path) as archive:
        assert archive.read("org/example/B.class") == b"b"
        assert b"Created-By: Stormcell" in archive.read("META-INF/MANIFEST.MF")


def refused(flow: Path, tmp_path: Path, *jars: Path) -> str:
    with pytest.raises(JarError) as caught:
        build(flow, tmp_path / "flow.jar", java_jars=jars)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_two_classes_of_one_name(flow: Path, tmp_path: Path) -> None:
    jars = [java(tmp_path / f"{name}.jar", **{"A.class": name}) for name in ("first", "second")]
    assert refused(flow, tmp_path, *jars) == (
        "two files would be A.class in the jar: A.class of first.jar and A.class of second.jar; rename one, "
        "or leave it out")


def test_a_file_where_another_has_a_folder(flow: Path, tmp_path: Path) -> None:
    assert refused(flow, tmp_path, java(tmp_path / "x.jar", **{"resources/components.py/a": ""})) == (
        "resources/components.py would be a file and a folder in the jar: src/components.py and "
        "resources/components.py/a of x.jar; rename one")


def test_storm_itself(flow: Path, tmp_path: Path) -> None:
    assert refused(flow, tmp_path, java(tmp_path / "fat.jar", **{"defaults.yaml": ""})) == (
        "fat.jar holds Storm itself, which the workers have: build it without (scope provided)")


def test_what_is_no_jar(flow: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jar").write_text("")
    assert refused(flow, tmp_path, tmp_path / "text.jar") == "text.jar is no jar"
    assert refused(flow, tmp_path, tmp_path / "none.jar") == (
        "none.jar cannot be read: No such file or directory")
    assert refused(flow, tmp_path, java(tmp_path / "slip.jar", **{"a/../../b": ""})) == (
        "slip.jar has a file that lies outside of it: a/../../b")


def test_a_broken_entry(flow: Path, tmp_path: Path) -> None:
    path = java(tmp_path / "x.jar", **{"A.class": "a" * 100})
    content = bytearray(path.read_bytes())
    content[content.index(b"a" * 100)] = ord("b")
    path.write_bytes(content)
    assert refused(flow, tmp_path, path) == "A.class of x.jar cannot be read: Bad CRC-32 for file 'A.class'"
