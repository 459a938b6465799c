"""Components as a worker has them: unpacked without an x bit, started by `sh`, on whichever Python is there."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jvm import Topology, frame
from parent import ROOT, RUNNER, Parent, children_of, environment, eventually

PACKAGE = ROOT / "pyapi" / "stormcell"
NOBODY = 65534

COMPONENT = """\
import os, sys
from stormcell import Bolt

class Echo(Bolt):
    def process(self, tup):
        self.emit([repr(eval(tup.values[0]))])
"""


def unpack(folder: Path, python: str = "", shim: bool = True) -> Path:
    """A worker's folder `resources`, as a jar leaves it."""
    resources = folder / "resources"
    (resources / "stormcell" / "runner").mkdir(parents=True)
    (resources / "stormcell" / "start").mkdir()
    for module in PACKAGE.glob("*.py"):
        shutil.copyfile(module, resources / "stormcell" / module.name)
    for module in RUNNER.glob("_stormcell*.so"):
        shutil.copyfile(module, resources / module.name)
    shutil.copyfile(PACKAGE / "runner" / "start", resources / "stormcell" / "runner" / "start")
    if shim:
        shutil.copyfile(RUNNER / "stormcell-shim", resources / "stormcell" / "runner" / "stormcell-shim")
    (resources / "component.py").write_text(COMPONENT)
    (resources / "stormcell" / "start" / "component.Echo").write_text(
        f"component='component.Echo'\npython={shlex.quote(python)}\n. stormcell/runner/start\n")
    return resources


COMMAND = ["sh", "stormcell/start/component.Echo"]

Start = Callable[..., Parent]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a component as Storm does, and shake hands. A lost interpreter is replaced `restarts` times."""
    started: list[Parent] = []

    def start(resources: Path, command: list[str] = COMMAND, hands: bool = True, restarts: int = 0,
              **env: str | None) -> Parent:
        topology = Topology(conf={"stormcell.restart": {"max": restarts}})
        parent = Parent(folder=resources, command=command, topology=topology,
                        env={"PYTHONPATH": "", "STORMCELL_PYTHON": "", **env})
        started.append(parent)
        if hands:
            parent.shake_hands()
        return parent

    yield start
    for parent in started:
        parent.kill()


def ask(parent: Parent, expression: str) -> Any:
    """The value of a Python expression in the component."""
    _, said = parent.exchange(expression)
    emitted = [message["tuple"] for message in said if message["command"] == "emit"]
    assert emitted, said
    return eval(emitted[0][0])


def refusal(parent: Parent) -> str:
    """The one error of a component that cannot start."""
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert parent.wait_refused() == 1
    errors = parent.take_all("error")
    assert len(errors) == 1, errors
    text: str = errors[0]["msg"]
    assert "\n" not in text
    return text


def program(path: Path, *lines: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


# ---- who is there ---------------------------------------------------------------------------


def hosts(parent: Parent) -> tuple[str, list[bytes]]:
    """The guardian's program, and the command line of the interpreter, its only child; it has none itself."""
    [interpreter] = children_of(parent.pid)
    assert children_of(interpreter) == []
    line = Path(f"/proc/{interpreter}/cmdline").read_bytes().split(b"\0")[:-1]
    return os.path.basename(os.readlink(f"/proc/{parent.pid}/exe")), line


def test_guardian_and_interpreter_are_all_that_is_left(tmp_path: Path, start: Start) -> None:
    parent = start(unpack(tmp_path), PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    guardian, interpreter = hosts(parent)
    assert guardian == "stormcell-shim"
    assert interpreter[1:] == [b"-m", b"stormcell.run", b"component.Echo"]
    assert ask(parent, "sys.prefix") == sys.prefix, "it is no longer the environment of the python on PATH"
    assert parent.finish() == 0


def test_folders_with_blanks(tmp_path: Path, start: Start) -> None:
    python = program(tmp_path / "my bin" / "py thon", f'exec {sys.executable} "$@"')
    resources = unpack(tmp_path / "one folder", python=str(python))
    assert ask(start(resources), "os.getcwd()") == str(resources)
    (resources / "stormcell" / "runner" / "stormcell-shim").unlink()
    assert ask(start(resources), "os.getcwd()") == str(resources)


def test_what_the_topology_says_of_python_comes_first(tmp_path: Path, start: Start) -> None:
    parent = start(unpack(tmp_path, python=sys.executable), STORMCELL_PYTHON="/nowhere/python")
    assert ask(parent, "sys.prefix") == sys.prefix


def test_what_the_worker_says_of_python_comes_next(tmp_path: Path, start: Start) -> None:
    parent = start(unpack(tmp_path), STORMCELL_PYTHON=sys.executable)
    assert ask(parent, "sys.prefix") == sys.prefix


@pytest.mark.parametrize("shim", [True, False])
@pytest.mark.parametrize("minor", [10, 11, 12, 13, 14])
def test_each_python(tmp_path: Path, start: Start, minor: int, shim: bool) -> None:
    found = [*Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3"), *Path("/usr/bin").glob(f"python3.{minor}")]
    if not found:
        pytest.skip(f"there is no Python 3.{minor} here")
    parent = start(unpack(tmp_path, python=str(found[0]), shim=shim))
    assert ask(parent, "sys.version_info[1]") == minor
    assert ask(parent, "{'a': [1, 2.5, None, True, 'é', 'a' * 40]}") == {"a": [1, 2.5, None, True, "é", "a" * 40]}
    assert parent.finish() == 0


def test_a_recording_by_hand(tmp_path: Path) -> None:
    topology = Topology()
    tuples = [{"id": str(i), "comp": "words", "stream": "default", "task": 2, "tuple": [f"{i} * 2"]} for i in range(3)]
    text = b"".join(map(frame, [topology.handshake(str(tmp_path)), *tuples]))
    done = subprocess.run(COMMAND, input=text, cwd=unpack(tmp_path), capture_output=True, timeout=60,
                          env=environment(PYTHONPATH="", STORMCELL_PYTHON=sys.executable))
    said = [json.loads(line) for line in done.stdout.splitlines() if line != b"end"]
    assert [message["tuple"] for message in said if message.get("command") == "emit"] == [["0"], ["2"], ["4"]]
    assert (done.returncode, done.stderr) == (0, b"")


# ---- what Python takes over -----------------------------------------------------------------


def test_user_code_sees_nothing_of_the_handover(tmp_path: Path, start: Start) -> None:
    parent = start(unpack(tmp_path), STORMCELL_PYTHON=sys.executable)
    names = {fd: os.readlink(f"/proc/{parent.interpreter}/fd/{fd}")
             for fd in os.listdir(f"/proc/{parent.interpreter}/fd")}
    low = {fd: name for fd, name in names.items() if int(fd) < 900}
    gate = [fd for fd in low if int(fd) > 2]
    assert sorted(low) == sorted(["0", "1", "2", *gate]) and len(gate) == 1, names
    assert not [name for name in names.values() if name.startswith("/memfd:stormcell (")], names
    assert ask(parent, "[name for name in os.environ if name.startswith('STORMCELL_A')]") == []
    seen = ask(parent, "__import__('subprocess').run(['sh', '-c', 'env; ls /proc/self/fd'], close_fds=False, "
                       "capture_output=True, text=True).stdout")
    assert "STORMCELL_ARENA" not in seen
    assert [line for line in seen.split() if line.isdigit() and int(line) >= 900] == []


def test_a_crash_is_replaced(tmp_path: Path, start: Start) -> None:
    parent = start(unpack(tmp_path), restarts=1, STORMCELL_PYTHON=sys.executable)
    before = parent.interpreter
    id = parent.send("os.kill(os.getpid(), 11)")
    assert "ended by signal 11" in parent.expect("error")["msg"]
    assert parent.expect("fail")["id"] == id
    eventually(lambda: children_of(parent.pid) not in ([], [before]), "a new interpreter")
    assert ask(parent, "os.getppid()") == parent.pid
    assert hosts(parent)[0] == "stormcell-shim"
    assert ask(parent, "[name for name in os.environ if name.startswith('STORMCELL_A')]") == []
    assert parent.finish() == 0


def test_a_killed_guardian_leaves_nothing(tmp_path: Path, start: Start) -> None:
    parent = start(unpack(tmp_path), STORMCELL_PYTHON=sys.executable)
    interpreter = parent.interpreter
    parent.process.kill()
    eventually(lambda: not Path(f"/proc/{interpreter}/exe").exists(), "the end of the interpreter")


def test_a_variable_that_is_no_handover(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "stormcell.run", "component.Echo"], cwd=unpack(tmp_path), input=b"",
                          capture_output=True, timeout=60, env=environment(PYTHONPATH="", STORMCELL_ARENA="0"))
    assert done.returncode == 1
    assert done.stderr == b"stormcell.run: stormcell-shim is of another version than _stormcell\n"


# ---- packages -------------------------------------------------------------------------------


def test_packages_that_came_along(tmp_path: Path, start: Start) -> None:
    resources = unpack(tmp_path)
    site = resources / "stormcell" / "site-packages"
    (site / "inner").mkdir(parents=True)
    (site / "further.pth").write_text("inner\n")
    for path, text in [(site / "along.py", "where = 'along'"), (site / "inner" / "deeper.py", "where = 'inner'"),
                       (site / "component2.py", "where = 'along'"), (resources / "component2.py", "where = 'own'"),
                       (site / "json.py", "where = 'along'"), (site / "pytest.py", "where = 'along'")]:
        path.write_text(text)
    parent = start(resources, STORMCELL_PYTHON=sys.executable)
    for module, where in [("along", "along"), ("deeper", "inner"), ("component2", "own"), ("pytest", "along")]:
        assert ask(parent, f"__import__({module!r}).where") == where
    assert ask(parent, "hasattr(__import__('json'), 'where')") is False, "Python's own library comes first"


# ---- file systems ---------------------------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can look into."""
    with tempfile.TemporaryDirectory(prefix="runtime-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_folder_of_somebody_else(open_folder: Path, start: Start) -> None:
    """The x bit cannot be set: Python is the guardian itself."""
    [python] = [path for path in (Path("/usr/bin/python3"), Path("/usr/local/bin/python3")) if path.exists()][:1]
    resources = unpack(open_folder, python=str(python))
    (resources / "pids").mkdir(mode=0o777)
    (resources / "pids").chmod(0o777)
    parent = start(resources, ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *COMMAND])
    guardian, interpreter = hosts(parent)
    assert guardian.startswith("python")
    assert interpreter[1:] == [b"-m", b"stormcell.run", b"component.Echo"]
    assert ask(parent, "os.getuid()") == NOBODY
    assert parent.finish() == 0


def test_a_file_system_on_which_nothing_is_executed(tmp_path: Path, start: Start) -> None:
    resources = unpack(tmp_path)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    mount = f"mount -t tmpfs -o noexec,mode=777 tmpfs {shlex.quote(str(mounted))}"
    private = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"])]
    tried = subprocess.run([*private, "sh", "-c", mount], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {tried.stderr.strip()}")
    script = f"{mount} && cp -r . {shlex.quote(str(mounted))} && cd {shlex.quote(str(mounted))} && exec sh {COMMAND[1]}"
    parent = start(resources, [*private, "sh", "-c", script], STORMCELL_PYTHON=sys.executable)
    assert hosts(parent)[0].startswith("python")
    assert ask(parent, "os.getcwd()") == str(mounted)
    assert ask(parent, "sys.modules['_stormcell'].__file__").startswith(str(mounted))
    assert ask(parent, "[name for name in os.listdir('/proc/self/fd') if 'memfd:_stormcell' in "
                       "os.path.realpath('/proc/self/fd/' + name)]") == []
    assert parent.finish() == 0


# ---- no Python ------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("shim", [True, False], ids=["shim", "script"])


@BOTH
def test_no_python(tmp_path: Path, start: Start, shim: bool) -> None:
    (tmp_path / "empty").mkdir()
    text = refusal(start(unpack(tmp_path, shim=shim), ["/bin/sh", COMMAND[1]], hands=False, PATH=str(tmp_path / "empty")))
    assert "no Python 3.10 or newer on this worker" in text
    assert text.endswith("not on PATH: python3, python3.14, python3.13, python3.12, python3.11, python3.10, python "
                         f"(it is {tmp_path / 'empty'})")


@BOTH
def test_a_python_that_is_too_old(tmp_path: Path, start: Start, shim: bool) -> None:
    old = program(tmp_path / "bin" / "python3", "echo 3.8.18")
    text = refusal(start(unpack(tmp_path, shim=shim), ["/bin/sh", COMMAND[1]], hands=False, PATH=str(old.parent)))
    assert "no Python 3.10 or newer on this worker" in text
    assert f"python3 is 3.8.18 at {old}; not on PATH: python3.14, " in text or f"{old} is 3.8.18; not on PATH: " in text


@BOTH
def test_an_old_python_beside_a_new_one(tmp_path: Path, start: Start, shim: bool) -> None:
    old = program(tmp_path / "bin" / "python3", "echo 3.8.18")
    program(tmp_path / "bin" / "python3.12", f'exec {sys.executable} "$@"')
    parent = start(unpack(tmp_path, shim=shim), ["/bin/sh", COMMAND[1]], PATH=str(old.parent))
    assert ask(parent, "sys.version_info[:2]") == sys.version_info[:2]


@BOTH
@pytest.mark.parametrize("version", ["2.7", "3.8"])
def test_a_real_python_that_is_too_old(tmp_path: Path, start: Start, version: str, shim: bool) -> None:
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if not found:
        pytest.skip(f"there is no Python {version} here")
    text = refusal(start(unpack(tmp_path, python=str(found[0]), shim=shim), hands=False))
    assert f"{found[0]} is {version}." in text


@BOTH
def test_a_python_that_is_not_there(tmp_path: Path, start: Start, shim: bool) -> None:
    text = refusal(start(unpack(tmp_path, python="/nowhere/python3", shim=shim), hands=False))
    assert text.endswith(": there is no program /nowhere/python3")


@BOTH
def test_a_python_for_another_machine(tmp_path: Path, start: Start, shim: bool) -> None:
    alien = tmp_path / "python3"
    alien.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(100))
    alien.chmod(0o755)
    text = refusal(start(unpack(tmp_path, python=str(alien), shim=shim), hands=False))
    assert "no Python 3.10 or newer on this worker" in text
    assert "Exec format error" in text or "cannot execute" in text or "not found" in text


def test_the_executable_is_for_another_machine(tmp_path: Path, start: Start) -> None:
    resources = unpack(tmp_path)
    (resources / "stormcell" / "runner" / "stormcell-shim").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(100))
    parent = start(resources, STORMCELL_PYTHON=sys.executable)
    assert hosts(parent)[0].startswith("python")


@BOTH
def test_a_module_that_does_not_load(tmp_path: Path, start: Start, shim: bool) -> None:
    resources = unpack(tmp_path, python=sys.executable, shim=shim)
    [module] = resources.glob("_stormcell*.so")
    module.write_bytes(b"no library")
    text = refusal(start(resources, hands=False))
    assert f"{module}: " in text or f"{module.name}: " in text
    assert "ELF header" in text or "file too short" in text


def test_a_package_that_is_missing(tmp_path: Path, start: Start) -> None:
    resources = unpack(tmp_path, python=sys.executable)
    (resources / "stormcell" / "__init__.py").rename(resources / "stormcell" / "away.py")
    (resources / "stormcell" / "run.py").unlink()
    parent = start(resources, hands=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    parent.wait_for_pid()
    assert parent.expect("error")["msg"].splitlines()[0].endswith(
        f"ended with exit status 1: {sys.executable}: No module named stormcell.run")


def test_a_program_that_stays_in_front_of_python(tmp_path: Path, start: Start) -> None:
    wrapper = program(tmp_path / "python3", f'{sys.executable} "$@"')
    parent = start(unpack(tmp_path, python=str(wrapper)), hands=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    parent.wait_for_pid()
    assert "was Python started by a program that stayed in front of it?" in parent.expect("error")["msg"]


def test_the_worker_dies_while_it_is_told(tmp_path: Path, start: Start) -> None:
    """The script waits for Storm's next word, and no longer than Storm is there."""
    parent = start(unpack(tmp_path, python="/nowhere/python3", shim=False), hands=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    parent.wait_for_pid()
    parent.expect("error")
    assert parent.process.poll() is None
    parent.hang_up()
    eventually(lambda: parent.process.poll() is not None, "the end of the script")


# ---- the files ------------------------------------------------------------------------------


def test_the_runner_is_small() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [*RUNNER.iterdir(), *PACKAGE.glob("*.py"), PACKAGE / "runner" / "start"]:
            archive.write(path)
    assert len(packed.getvalue()) < 1 << 20


def test_the_runner_needs_no_python_library() -> None:
    for path in RUNNER.iterdir():
        needed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        assert "libpython" not in needed and "jansson" not in needed, needed


def test_the_script_has_no_x_bit() -> None:
    """As on a worker: nothing may rely on it."""
    assert stat.S_IMODE((PACKAGE / "runner" / "start").stat().st_mode) & 0o111 == 0
