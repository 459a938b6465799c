"""Which of the users' files come into a jar."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jars import COMPONENTS, TOPOLOGY, build, fake_runner, names
from projects import Write
from stormcell.fault import TopologyError
from stormcell.jar import JarError


@pytest.fixture
def flow(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STORMCELL_RUNNER", str(fake_runner(tmp_path / "runner")))
    write("src/components.py", COMPONENTS)
    return write("topologies/flow.py", TOPOLOGY)


def packed(file: Path, tmp_path: Path, **choices: object) -> list[str]:
    return names(build(file, tmp_path / "out.jar", **choices))


def refused(file: Path, tmp_path: Path, **choices: object) -> str:
    """What is said instead, with the test's folder left out."""
    with pytest.raises((JarError, TopologyError)) as caught:
        build(file, tmp_path / "out.jar", **choices)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{tmp_path}/", "")


# ---- a folder ------------------------------------------------------------------------------------


def test_all_of_src_but_what_no_worker_needs(flow: Path, tmp_path: Path, write: Write) -> None:
    for name in ("words.txt", "bolts/__init__.py", "bolts/data/model.bin", "umlaut/ä.txt", "tool.rb",
                 "empty/.keep", "__pycache__/x.pyc", "bolts/__pycache__/x.pyc", "old.pyc", ".git/config",
                 ".env", ".venv/lib/x.py", "mine.egg-info/PKG-INFO", "draft.py~", "venv/pyvenv.cfg",
                 "venv/lib/y.py"):
        write(f"src/{name}", "x = 1")
    write("tests/test_components.py", "")
    assert packed(flow, tmp_path) == ["bolts/__init__.py", "bolts/data/model.bin", "components.py", "tool.rb",
                                      "umlaut/ä.txt", "words.txt"]


def test_names_that_not_every_supervisor_can_write(flow: Path, tmp_path: Path, write: Write) -> None:
    assert not build(flow, tmp_path / "out.jar").contents.notices
    for name in ("ä.txt", "ö.txt", "plain.txt"):
        write(f"src/{name}", "")
    assert build(flow, tmp_path / "out.jar").contents.notices == [
        "ä.txt and 1 more: such a name arrives as it is only where supervisors run in a UTF-8 locale"]


def test_what_is_excluded(flow: Path, tmp_path: Path, write: Write) -> None:
    for name in ("a.csv", "deep/b.csv", "data/big.bin", "deep/data/c.py", "notes.md"):
        write(f"src/{name}", "")
    assert packed(flow, tmp_path, exclude=["*.csv", "data/", "notes.*"]) == [
        "components.py", "deep/data/c.py"]


def test_a_component_that_is_excluded(flow: Path, tmp_path: Path) -> None:
    assert refused(flow, tmp_path, exclude=["comp*"]) == (
        "the tasks of 'numbers' could not import components: it is left out of the jar")


def test_no_src(write: Write, tmp_path: Path, flow: Path) -> None:
    """All of the topology's folder, and an earlier jar of it is none of it."""
    write("all/alone/components.py", COMPONENTS)
    file = write("all/alone/flow.py", TOPOLOGY)
    first = build(file, tmp_path / "all" / "alone" / "flow.jar")
    assert names(first) == ["components.py", "flow.py"]
    (tmp_path / "all" / "alone" / "other.jar").write_bytes(b"somebody else's")
    again = build(file, tmp_path / "all" / "alone" / "flow.jar")
    assert names(again) == ["components.py", "flow.py", "other.jar"]


def test_a_home_directory_is_no_project(flow: Path, tmp_path: Path, write: Write,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "me"))
    write("home/me/components.py", COMPONENTS)
    assert refused(write("home/me/flow.py", TOPOLOGY), tmp_path) == (
        "all that is in home/me would go into the jar: put the topology into a folder of its own, or its "
        "components into src/ beside that")


@pytest.mark.parametrize("name", [
    "_stormcell.py", "stormcell/__init__.py", "stormcell.py", "_stormcell.abi3.so"])
def test_what_would_hide_the_package(flow: Path, tmp_path: Path, write: Write, name: str) -> None:
    write(f"src/{name}", "")
    said = f"src/{name.partition('/')[0]} would hide Stormcell's own package on the workers: rename it"
    # The topology is loaded already: else Python would take them for the package here, too.
    done = subprocess.run([sys.executable, "-c", (
        "import sys\nfrom pathlib import Path\nfrom stormcell.jar import build_jar\n"
        "from stormcell.load import folders, load\n"
        "build_jar(Path(sys.argv[2]), load(sys.argv[1]), folders(sys.argv[1])[0])"),
        flow, tmp_path / "x.jar"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True)
    assert said in done.stderr.replace(f"{tmp_path}/", "")


@pytest.mark.parametrize("name", ["stormcell.toml", "stormcells.py", "_stormcell_notes"])
def test_what_would_not(flow: Path, tmp_path: Path, write: Write, name: str) -> None:
    write(f"src/{name}", "")
    with zipfile.ZipFile(build(flow, tmp_path / "out.jar").path) as archive:
        assert f"resources/{name}" in archive.namelist()


def test_a_component_of_the_package(flow: Path, tmp_path: Path, write: Write) -> None:
    file = write("topologies/own.py", "from stormcell import Bolt, Topology\nfrom components import Numbers\n"
                 "class Own(Topology):\n  numbers = Numbers.spec()\n  bolt = Bolt.spec(inputs=numbers)\n")
    assert refused(file, tmp_path) == (
        "topologies/own.py:5: 'bolt' is stormcell.bolt.Bolt itself, and no class of your own")


# ---- links and what is no file -------------------------------------------------------------------


def test_what_links_lead_to_comes_along(flow: Path, tmp_path: Path, write: Write) -> None:
    write("shared/words.txt", "dog")
    write("shared/lib/__init__.py", "")
    (tmp_path / "src" / "words.txt").symlink_to(tmp_path / "shared" / "words.txt")
    (tmp_path / "src" / "lib").symlink_to("../shared/lib")
    (tmp_path / "src" / "again").symlink_to("lib")
    assert packed(flow, tmp_path) == ["again/__init__.py", "components.py", "lib/__init__.py", "words.txt"]


def test_a_link_back(flow: Path, tmp_path: Path, write: Write) -> None:
    write("src/deep/x.py", "")
    (tmp_path / "src" / "deep" / "loop").symlink_to(tmp_path / "src")
    assert refused(flow, tmp_path) == (
        f"src/deep/loop is a link back to {tmp_path / 'src'}: leave it out (--exclude deep/loop)".replace(
            f"{tmp_path}/", ""))
    assert packed(flow, tmp_path, exclude=["deep/loop"]) == ["components.py", "deep/x.py"]


def test_a_link_to_nothing(flow: Path, tmp_path: Path) -> None:
    (tmp_path / "src" / "lost").symlink_to("nowhere")
    assert refused(flow, tmp_path) == (
        "src/lost is a link to nowhere, which cannot be read: No such file or directory")


def test_what_is_no_file(flow: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "src" / "pipe")
    assert refused(flow, tmp_path) == "src/pipe is no file: leave it out (--exclude pipe)"
    (tmp_path / "src" / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        place = os.open(tmp_path / "src", os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{place}/socket")
        os.close(place)
    assert refused(flow, tmp_path) == "src/socket is no file: leave it out (--exclude socket)"


def test_a_name_that_is_no_text(flow: Path, tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path / "src") + b"/\xff.txt", "w"):
        pass
    assert refused(flow, tmp_path).endswith("src/\\udcff.txt' has a name that is no UTF-8: rename it")


def test_what_cannot_be_read(flow: Path, tmp_path: Path) -> None:
    (tmp_path / "src" / "broken").symlink_to("/proc/self/mem")  # not even by root
    assert refused(flow, tmp_path) == "src/broken cannot be read: Input/output error"


# ---- components from elsewhere -------------------------------------------------------------------


def test_a_component_in_the_file_of_its_topology(flow: Path, tmp_path: Path, write: Write) -> None:
    """That file comes along, and what it imports from beside it; no other topology."""
    write("topologies/shared/__init__.py", "")
    write("topologies/shared/words.txt", "")
    write("topologies/helper.py", "import json, components")
    write("topologies/another.py", "")
    write("topologies/components.py", "# not this one: src/ is looked into first")
    assert packed(write("topologies/own.py", OWN), tmp_path) == [
        "components.py", "helper.py", "own.py", "shared/__init__.py", "shared/words.txt"]


OWN = """
from stormcell import Bolt, Topology
from components import Numbers

class Last(Bolt):
    def process(self, tup):
        import helper
        from shared import nothing

class Own(Topology):
    numbers = Numbers.spec()
    last = Last.spec(inputs=[numbers])
"""


def test_a_component_on_pythonpath(flow: Path, tmp_path: Path, write: Write,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    write("library/elsewhere/__init__.py", "import beside")
    write("library/elsewhere/bolts.py", COMPONENTS)
    write("library/beside.py", "")
    write("library/apart.py", "")
    monkeypatch.syspath_prepend(str(tmp_path / "library"))
    file = write("topologies/far.py", TOPOLOGY.replace("from components", "from elsewhere.bolts"))
    assert packed(file, tmp_path) == [
        "beside.py", "components.py", "elsewhere/__init__.py", "elsewhere/bolts.py"]


def test_two_files_of_one_name(flow: Path, tmp_path: Path, write: Write,
                               monkeypatch: pytest.MonkeyPatch) -> None:
    write("library/elsewhere/__init__.py", "")
    write("library/elsewhere/bolts.py", COMPONENTS)
    monkeypatch.syspath_prepend(str(tmp_path / "library"))
    file = write("far/topologies/far.py", TOPOLOGY.replace("from components", "from elsewhere.bolts"))
    write("far/src/elsewhere/bolts.py", "")
    import elsewhere.bolts  # type: ignore[import-not-found]  # noqa: F401 - before src/ is looked into

    assert refused(file, tmp_path) == (
        "two files would be resources/elsewhere/bolts.py in the jar: far/src/elsewhere/bolts.py and "
        "library/elsewhere/bolts.py; rename one, or leave it out")


def test_a_component_that_is_installed(flow: Path, tmp_path: Path, write: Write,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not come along: --requirements or --venv bring packages."""
    write("site/elsewhere.py", COMPONENTS)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr("stormcell.jar.code.installed_folders", lambda: {str(tmp_path / "site")})
    file = write("topologies/far.py", TOPOLOGY.replace("from components", "from elsewhere"))
    jar = build(file, tmp_path / "out.jar")
    assert names(jar) == ["components.py"]
    assert jar.contents.notices[0] == (
        "'numbers' is elsewhere.Numbers, which is installed here: the workers' Python needs it as well "
        "(--requirements, --venv)")


# ---- other languages -----------------------------------------------------------------------------


SHELL = """
from stormcell import ShellBolt, Topology
from components import Numbers

class Shell(Topology):
    numbers = Numbers.spec()
    tool = ShellBolt.spec(command="{}", script="{}", inputs=[numbers])
"""


def test_a_script_comes_along(flow: Path, tmp_path: Path, write: Write) -> None:
    write("src/tool.rb", "")
    jar = build(write("topologies/shell.py", SHELL.format("ruby", "tool.rb")), tmp_path / "out.jar")
    assert names(jar) == ["components.py", "tool.rb"]
    assert list(jar.commands) == ["numbers"]


@pytest.mark.parametrize("command", ["./tool", "bin/tool", "bin/../tool"])
def test_a_file_that_could_not_be_executed(flow: Path, tmp_path: Path, write: Write, command: str) -> None:
    write("src/tool", "")
    write("src/bin/tool", "")
    assert refused(write("topologies/shell.py", SHELL.format(command, "x")), tmp_path) == (
        f"topologies/shell.py:7: 'tool' is started as {command}, but files lose their x bit on their way to "
        "a worker: make its interpreter the command, and the file its script")
    assert packed(write("topologies/shell.py", SHELL.format("/bin/cat", "x")), tmp_path)
