"""What docs/trust.md says, claim by claim."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from hostile import RUN, descendants, lives_on, run, settled
from jvm import Topology, frame
from parent import EXTENSION, ROOT, RUNTIME, SHIM, Parent, eventually
from starting import Start

linked_only = pytest.mark.skipif(EXTENSION or RUNTIME, reason="of the executable that Python is linked with")

# ---- no way in ------------------------------------------------------------------------------


def open_things(pid: int) -> set[str]:
    """What the descriptors of a process lead to, without numbers."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(re.sub(r"\d+", "N", os.readlink(entry)))
        except OSError:  # closed meanwhile
            pass
    return found


KNOWN = {"pipe:[N]", "/dev/null", "anon_inode:[eventfd]", "anon_inode:[signalfd]", "anon_inode:[pidfd]"}


def test_it_has_no_socket(start: Start) -> None:
    """Neither one that listens nor any other, from the start to an interpreter that was replaced."""
    parent = start(RUN)
    run(parent, "self.log('logged'); print('printed'); self.emit([1])")
    settled(parent, parent.send("os._exit(1)"))
    lives_on(parent)
    for pid in (parent.pid, parent.interpreter):
        things = {thing for thing in open_things(pid) if not thing.startswith("/memfd:stormcell")}
        assert things <= KNOWN, things


def test_breakpoint_opens_nothing(start: Start) -> None:
    """The debugger finds an empty stdin; it is the tuple that fails."""
    parent = start(RUN)
    run(parent, "breakpoint(); x = 1", end="fail")
    assert "bdb.BdbQuit" in parent.expect("error")["msg"]
    lives_on(parent)


def test_nothing_that_runs_what_comes_in_is_loaded(start: Start) -> None:
    parent = start(
        "import sys\n"
        "class Subject(Bolt):\n"
        "    def process(self, tup):\n"
        "        self.emit([sorted(sys.modules)])\n"
    )
    _, said = parent.exchange("__import__('os').abort()")
    loaded = set(said[0]["tuple"][0])
    assert not loaded & {"pickle", "_pickle", "shelve", "socket", "_socket", "http", "xmlrpc", "code"}


FORBIDDEN = re.compile(
    r"(?<!\bre\.)\b(eval|exec|compile|pickle|shelve|socket|listen|bind|accept|PyRun_\w+|Py_CompileString|"
    r"PyEval_EvalCode|PyMarshal_\w+|system|popen|dlopen)\s*\("
)


def test_nothing_that_runs_what_comes_in_is_called() -> None:
    sources = [
        path
        for folder in ("shim", "pyapi", "pyapi/stormcell")
        for path in (ROOT / folder).iterdir()
        if path.suffix in (".c", ".h", ".py")
    ]
    assert len(sources) > 50
    found = [(path.name, hit[0]) for path in sources for hit in FORBIDDEN.finditer(path.read_text())]
    assert found == []


# ---- secrets --------------------------------------------------------------------------------

SECRETS = {
    "storm.zookeeper.topology.auth.payload": "hunter2:payload",
    "storm.zookeeper.auth.password": "hunter2",
    "topology.auto-credentials": {"token": ["hunter2/token"]},
    "stormcell.hang.timeout.secs": 0,
}


def told(parent: Parent) -> str:
    """All that has come out of the component, but for its pid."""
    return f"{parent.jvm.said}{parent.stderr!r}"


@pytest.mark.parametrize(
    "source",
    [
        "{}['missing']",
        "self.emit([self])",
        "self.emit([1], 'other')",
        "os._exit(3)",
        "ctypes.string_at(1)",
        "sys.exit('no')",
        "import faulthandler; faulthandler.dump_traceback()",
        "self.logger.warning('text')",
        "self.storm_conf['missing']",
    ],
)
def test_the_conf_is_not_told(start: Start, source: str) -> None:
    parent = start(
        RUN,
        topology=Topology(conf={**SECRETS, "topology.debug": True}),
        env={"ASAN_OPTIONS": "detect_leaks=0:handle_segv=0"},
    )
    settled(parent, parent.send(source))
    lives_on(parent)
    assert "hunter2" in str(parent.topology.handshake(None)["conf"])
    assert "hunter2" not in told(parent)


@pytest.mark.parametrize("source", ["1 / 0", "class Subject(Bolt):\n    def initialize(self): pass"])
def test_the_conf_is_not_told_by_a_start_that_fails(start: Start, source: str) -> None:
    topology = Topology(conf={**SECRETS, "stormcell.restart": {"max": 0}})
    parent = start(source, topology=topology, handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert parent.wait_refused() != 0
    assert parent.jvm.said and "hunter2" not in told(parent)


@pytest.mark.parametrize(
    "handshake",
    [
        b'{"pidDir":null,"conf":{"storm.zookeeper.auth.password":"hunter2',
        b'{"pidDir":null,"conf":{"storm.zookeeper.auth.password":"hunter2"',
        b'{"pidDir":null,"conf":{"storm.zookeeper.auth.password":hunter2}}',
        b'{"pidDir":null,"conf":"hunter2"}',
        b'{"pidDir":null,"conf":{},"context":["hunter2"]}',
        b'{"conf":{"storm.zookeeper.auth.password":"hunter2"}}',
        b'["hunter2"]',
    ],
)
def test_a_broken_handshake_is_not_told(start: Start, handshake: bytes) -> None:
    parent = start(RUN, handshake=False)
    parent.write(handshake + b"\nend\n")
    assert parent.wait_refused() != 0
    assert "the first message is no handshake of Storm" in told(parent)
    assert "hunter2" not in told(parent)


# ---- files ----------------------------------------------------------------------------------


def laid_in_place(parent: Parent, kind: str) -> Path:
    """Something else is where the pid file is to be; what it leads to."""
    place = parent.pid_dir / str(parent.pid)
    victim = parent.folder / "victim"
    if kind == "dangling link":
        place.symlink_to(victim)
        return victim
    victim.write_text("as it was")
    if kind == "link":
        place.symlink_to(victim)
    elif kind == "hard link":
        place.hardlink_to(victim)
    elif kind == "file":
        place.write_text("as it was")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    os.utime(victim, (1, 1))
    return victim


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
def test_a_pid_file_is_not_what_somebody_laid_in_its_place(start: Start, kind: str) -> None:
    parent = start(RUN, topology=Topology(conf={"stormcell.restart": {"max": 0}}), handshake=False)
    victim = laid_in_place(parent, kind)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert parent.wait_refused() == 1
    place = parent.pid_dir / str(parent.pid)
    assert f"cannot create the pid file {place}: File exists" in parent.expect("error")["msg"]
    assert victim.exists() == (kind != "dangling link")


@pytest.mark.parametrize("kind", ["file", "hard link"])
def test_a_pid_file_that_is_there_is_left_as_it_is(start: Start, kind: str) -> None:
    parent = start(RUN, handshake=False)
    victim = laid_in_place(parent, kind)
    parent.shake_hands()
    lives_on(parent)
    assert (parent.pid_dir / str(parent.pid)).read_text() == victim.read_text() == "as it was"
    assert victim.stat().st_mtime == 1


def test_it_leaves_no_file_but_the_pids(start: Start, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    parent = start(RUN, env={"TMPDIR": str(temporary), "HOME": str(temporary)})
    settled(parent, parent.send("os._exit(1)"))
    lives_on(parent)
    maps = Path(f"/proc/{parent.interpreter}/maps").read_text()
    shared = [line.split(maxsplit=5)[5:] for line in maps.splitlines() if line.split()[1] == "rw-s"]
    assert shared and all(name == ["/memfd:stormcell (deleted)"] for name in shared), shared
    assert parent.finish() == 0
    assert not list(temporary.iterdir())
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"subject.py", "pids", "tmp", "__pycache__"}
    assert [path.name for path in parent.pid_dir.iterdir()] == [str(parent.pid)]


# ---- the environment ------------------------------------------------------------------------


@linked_only
def test_no_library_is_looked_for_elsewhere(start: Start) -> None:
    """The executable has no search path of its own, and the loader none in the working directory."""
    dynamic = subprocess.run(["readelf", "-d", SHIM], check=True, capture_output=True, text=True).stdout
    assert "NEEDED" in dynamic
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic
    parent = start(RUN)
    (parent.folder / "libc.so.6").write_text("no library")
    (parent.folder / "libm.so.6").write_text("no library")
    settled(parent, parent.send("os._exit(1)"))
    lives_on(parent)
    loaded = set(re.findall(r"/\S+\.so\S*", Path(f"/proc/{parent.interpreter}/maps").read_text()))
    assert loaded and not [path for path in loaded if path.startswith(str(parent.folder))]


@linked_only
@pytest.mark.parametrize("name", ["PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT", "PYTHONASYNCIODEBUG"])
def test_variables_that_would_run_something_do_not(start: Start, name: str) -> None:
    parent = start(RUN, handshake=False, env={name: "marker.py"})
    (parent.folder / "marker.py").write_text("open('ran', 'w')")
    parent.shake_hands()
    lives_on(parent)
    assert parent.finish() == 0
    assert not (parent.folder / "ran").exists()


@linked_only
def test_a_pythonhome_that_is_wrong_is_told(start: Start) -> None:
    topology = Topology(conf={"stormcell.restart": {"max": 0}})
    parent = start(RUN, topology=topology, handshake=False, env={"PYTHONHOME": "/nowhere"})
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert parent.wait_refused() != 0
    assert parent.expect("error")


def test_user_code_has_the_rights_of_the_worker(start: Start) -> None:
    """The page promises no sandbox: a component is code that its author may run there."""
    parent = start(RUN)
    run(parent, "self.emit([[os.getuid(), os.listdir('.') != []]])")
    assert parent.expect("emit")["tuple"] == [[os.getuid(), True]]
    below = descendants(parent.pid)
    assert parent.finish() == 0
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), "no process to be left")
