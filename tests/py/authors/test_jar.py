"""What is in a topology's jar, and what is not."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from pathlib import Path

import pytest

from jars import COMPONENTS, TOPOLOGY, build, fake_runner, names
from projects import Write
from stormcell.jar import JarError


@pytest.fixture
def flow(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; its jars are for a runner that only looks like one."""
    monkeypatch.setenv("STORMCELL_RUNNER", str(fake_runner(tmp_path / "runner")))
    write("project/src/components.py", COMPONENTS)
    return write("project/topologies/flow.py", TOPOLOGY)


def test_a_jar(flow: Path, tmp_path: Path) -> None:
    jar = build(flow, tmp_path / "flow.jar", python="3.11")
    assert names(jar) == ["components.py"]
    assert jar.commands == {"numbers": ("sh", "stormcell/start/components.Numbers"),
                            "passed": ("sh", "stormcell/start/components.Pass")}
    assert jar.size == jar.path.stat().st_size
    assert jar.digest == hashlib.sha256(jar.path.read_bytes()).hexdigest()
    with zipfile.ZipFile(jar.path) as archive:
        infos = archive.infolist()
        start = archive.read("resources/stormcell/start/components.Pass").decode()
    assert start == "component='components.Pass'\npython='python3.11'\n. stormcell/runner/start\n"
    found = [info.filename for info in infos]
    assert found[0] == "META-INF/MANIFEST.MF"
    assert found[1:] == sorted(found[1:])
    assert {(info.date_time, info.external_attr >> 16) for info in infos} == {
        ((1980, 1, 1, 0, 0, 0), stat.S_IFREG | 0o644)}
    assert {"resources/_stormcell.abi3.so", "resources/stormcell/runner/stormcell-shim",
            "resources/stormcell/runner/start", "resources/stormcell/run.py"} < set(found)


def test_the_same_project_makes_the_same_bytes(flow: Path, tmp_path: Path) -> None:
    first = build(flow, tmp_path / "first.jar")
    source = flow.parents[1] / "src" / "components.py"
    source.chmod(0o600)
    os.utime(source, (1, 1))
    moved = flow.parents[1].rename(tmp_path / "moved")
    before = os.umask(0o077)
    try:
        second = build(moved / "topologies" / "flow.py", tmp_path / "second.jar")
    finally:
        os.umask(before)
    assert second.digest == first.digest


def test_no_src_and_an_earlier_jar(write: Write, flow: Path, tmp_path: Path) -> None:
    write("alone/components.py", COMPONENTS)
    file = write("alone/flow.py", TOPOLOGY)
    first = build(file, tmp_path / "alone" / "flow.jar")
    assert names(first) == ["components.py", "flow.py"]
    assert build(file, tmp_path / "alone" / "flow.jar").digest == first.digest


def test_a_user_module_that_would_hide_the_package(flow: Path, tmp_path: Path) -> None:
    (flow.parents[1] / "src" / "_stormcell.py").write_text("")
    with pytest.raises(JarError, match="_stormcell.py would hide Stormcell's own package"):
        build(flow, tmp_path / "flow.jar")
