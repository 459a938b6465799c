"""Components that run from an unpacked jar as on a worker: started by `sh`, without an x bit, with nothing
else of Stormcell in reach."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jars import build
from jvm import Topology
from parent import SHIM, Parent
from projects import Write
from stormcell.jar import Environment, Jar
from stormcell.jar.unpacking import unpack

RUNNER = Path(os.environ.get("STORMCELL_RUNNER") or Path(SHIM).parent / "runner")

COMPONENTS = """
    import sys
    from pathlib import Path
    from stormcell import Bolt, Spout

    class Numbers(Spout):
        outputs = ["number"]
        def next_tuple(self):
            self.emit([1])

    class Where(Bolt):
        "Tells what it runs in, and from where all that it has imported is."
        outputs = ["found"]
        def process(self, tup):
            said = Path("data/said.txt").read_text()
            try:
                import words
                said = words.__name__
            except ImportError:
                pass
            files = [getattr(module, "__file__", None) for name, module in sys.modules.items()
                     if name.partition(".")[0] in ("stormcell", "_stormcell", "components", "words")]
            self.emit([["%d.%d" % sys.version_info[:2], sys.prefix, sorted(filter(None, files)), said]])

    class Raises(Bolt):
        def process(self, tup):
            import logging
            logging.getLogger().warning("on its way")
            raise ValueError("no good")
    """

TOPOLOGY = """
    from stormcell import Bolt, Grouping, Stream, Topology
    from components import Numbers, Raises, Where

    class Own(Bolt):
        outputs = [Stream(["value"])]
        def process(self, tup):
            self.emit([tup.values[0] * 2])

    class Flow(Topology):
        numbers = Numbers.spec()
        place = Where.spec(inputs=[numbers])
        raises = Raises.spec(inputs=[numbers])
        own = Own.spec(inputs={numbers: Grouping.fields("number")})
    """


@pytest.fixture
def flow(write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STORMCELL_RUNNER", str(RUNNER))
    write("project/src/components.py", COMPONENTS)
    write("project/src/data/said.txt", "from a file")
    return write("project/topologies/flow.py", TOPOLOGY)


Run = Callable[..., Parent]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    started: list[Parent] = []

    def run(jar: Jar, name: str, **topology: Any) -> Parent:
        resources = unpack(jar.path, tmp_path / "worker")
        assert not [path for path in resources.rglob("*") if path.is_file() and path.stat().st_mode & 0o111]
        parent = Parent(folder=resources, command=list(jar.commands[name]), topology=Topology(**topology),
                        env={"PYTHONPATH": "", "STORMCELL_PYTHON": "", "HOME": str(tmp_path)})
        started.append(parent)
        parent.shake_hands()
        return parent

    yield run
    for parent in started:
        parent.kill()


def where(parent: Parent) -> tuple[str, str, list[str], str]:
    _, said = parent.exchange(1)
    emitted = next(message for message in said if message["command"] == "emit")
    [[version, prefix, files, text]] = emitted["tuple"]
    return version, prefix, files, text


def test_a_bolt(flow: Path, tmp_path: Path, run: Run) -> None:
    parent = run(build(flow, tmp_path / "flow.jar"), "place")
    _, _, files, said = where(parent)
    resources = tmp_path / "worker" / "resources"
    assert said == "from a file"
    assert f"{resources}/stormcell/bolt.py" in files
    assert f"{resources}/_stormcell.abi3.so" in files
    assert all(file.startswith(f"{resources}/") for file in files), files
    assert parent.finish() == 0


def test_a_spout(flow: Path, tmp_path: Path, run: Run) -> None:
    parent = run(build(flow, tmp_path / "flow.jar"), "numbers", kind="spout")
    assert [message["tuple"] for message in parent.command("next") if message["command"] == "emit"] == [[1]]


def test_a_component_in_the_file_of_its_topology(flow: Path, tmp_path: Path, run: Run) -> None:
    """It imports what topologies are made of, on the worker too."""
    jar = build(flow, tmp_path / "flow.jar")
    assert jar.commands["own"] == ("sh", "stormcell/start/flow.Own")
    _, said = run(jar, "own").exchange(21)
    assert said[0]["tuple"] == [42]


def test_what_is_imported_only_when_something_is_wrong(flow: Path, tmp_path: Path, run: Run) -> None:
    parent = run(build(flow, tmp_path / "flow.jar"), "raises")
    id = parent.send(1)
    # logging, of which nobody knew at the start, prints; and what is printed comes when it comes.
    parent.expect("log", "on its way")
    assert "ValueError: no good" in parent.expect("error")["msg"]
    assert parent.expect("fail")["id"] == id
    assert "ImportError" not in json.dumps(parent.take_all())


def test_packages_that_came_along(flow: Path, tmp_path: Path, run: Run,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"--no-index\n{_wheel(tmp_path)}\n")
    jar = build(flow, tmp_path / "flow.jar", requirements=[requirements], python=_version(sys.executable))
    _, _, files, said = where(run(jar, "place"))
    assert said == "words"
    assert str(tmp_path / "worker" / "resources" / "stormcell" / "site-packages" / "words.py") in files


def _wheel(folder: Path) -> Path:
    path = folder / "words-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("words.py", "")
        archive.writestr("words-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: words\nVersion: 1.0\n")
        archive.writestr("words-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("words-1.0.dist-info/RECORD", "words.py,,\n")
    return path


def test_an_environment_that_came_along(flow: Path, tmp_path: Path, run: Run) -> None:
    venv.create(tmp_path / "made", symlinks=True)
    site = next((tmp_path / "made" / "lib").glob("python3.*/site-packages"))
    (site / "words.py").write_text("")
    environment = Environment.of(tmp_path / "made")
    jar = build(flow, tmp_path / "flow.jar", environment=environment)
    unpacked = tmp_path / "worker" / "stormcell-venv"
    unpacked.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", environment.pack(tmp_path).path, "-C", unpacked], check=True)
    (tmp_path / "made").rename(tmp_path / "gone")
    _, prefix, files, said = where(run(jar, "place"))
    assert (prefix, said) == (str(unpacked), "words")
    assert [file for file in files if file.startswith(str(unpacked))] == [
        str(unpacked / site.relative_to(tmp_path / "made") / "words.py")]


@pytest.mark.slow
@pytest.mark.parametrize("python", sorted(
    str(path) for path in [*Path.home().glob(".pyenv/versions/3.1[0-9].*/bin/python3"),
                           *Path("/usr/bin").glob("python3.1[0-9]")]))
def test_each_python_that_is_here(flow: Path, tmp_path: Path, run: Run, python: str) -> None:
    jar = build(flow, tmp_path / "flow.jar", python=python)
    version, _, _, said = where(run(jar, "place"))
    assert (version, said) == (_version(python), "from a file")


def _version(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
