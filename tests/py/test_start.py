"""From `stormcell-shim module.Class` to the pid, and every way in which that can fail."""

from __future__ import annotations

import json
import os
import platform
import pty
import re
import subprocess
import sys
import textwrap
import time
import typing
from pathlib import Path
from typing import Any

import pytest
import stormcell

from starting import Start
from jvm import Topology, frame
from parent import EXTENSION, RUNTIME, Parent, door, environment, eventually

GOOD = """
class Subject(Bolt):
    def process(self, tup):
        self.emit([tup.values[0]])
"""

linked_only = pytest.mark.skipif(EXTENSION or RUNTIME, reason="of the executable that Python is linked with")


def failure(parent: Parent) -> str:
    """The one error that is reported, behind the pid, by a component that could not start."""
    assert parent.wait_refused() == 1
    said = parent.take_all()
    assert [message["command"] for message in said] == ["error"], said
    assert parent.stderr == b""
    text: str = said[0]["msg"]
    prefix = re.match(r"the Python process \d+ of component 'subject' \(task 4\) ended: ", text)
    assert prefix, text
    assert [path.name for path in parent.pid_dir.iterdir()] == [str(parent.pid)]
    return text[prefix.end() :]


# ---- what is named --------------------------------------------------------------------------

NAMES = [
    ("Subject", "'Subject' names no component: it must be MODULE.CLASS"),
    (".Subject", "'.Subject' names no component: it must be MODULE.CLASS"),
    ("subject.", "'subject.' names no component: it must be MODULE.CLASS"),
    ("subject.Other", "module 'subject' ({folder}/subject.py) has no 'Other'; its own components: Echo, Subject"),
    ("subject.function", "'subject.function' is no class (its type is function)"),
    ("subject.number", "'subject.number' is no class (its type is int)"),
    ("subject.Plain", "class 'subject.Plain' is neither a stormcell.Bolt nor a stormcell.Spout"),
    ("subject.Component", "class 'subject.Component' is neither a stormcell.Bolt nor a stormcell.Spout"),
    ("subject..Subject", "'subject..Subject' names no component: it must be MODULE.CLASS"),
    ("sub ject.Subject", "cannot start 'sub ject.Subject': there is no module 'sub ject' in {folder} or on Python's path ("),
    ("other.Subject", "cannot start 'other.Subject': there is no module 'other' in {folder} or on Python's path ("),
    ("subject.Plain.Other", "class 'subject.Plain' has no 'Other'; its own components: Inner"),
    ("subject.Plain.Other.Inner", "cannot start 'subject.Plain.Other.Inner': there is no module 'subject.Plain'"),
    ("subject.number.Inner", "cannot start 'subject.number.Inner': there is no module 'subject.number'"),
    ("subject.inner.Subject", "cannot start 'subject.inner.Subject': there is no module 'subject.inner'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), NAMES, ids=[row[0] for row in NAMES])
def test_a_name_that_names_no_component(start: Start, name: str, text: str) -> None:
    source = (
        GOOD + "class Echo(Subject): pass\nclass Plain:\n    class Inner(Bolt): pass\ndef function(): pass\nnumber = 5\n"
    )
    parent = start(source, name, handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert failure(parent).startswith(text.format(folder=parent.folder))


def test_a_module_in_a_package(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pack" / "age").mkdir(parents=True)
    (tmp_path / "pack" / "age" / "inner.py").write_text("from subject import Subject")
    parent = start(GOOD, "pack.age.inner.Subject")
    _, said = parent.exchange("dog")
    assert said[0]["tuple"] == ["dog"]


def test_the_working_directory_comes_first(start: Start, tmp_path: Path) -> None:
    (tmp_path / "colorsys.py").write_text("rgb_to_hsv = 'mine'")
    parent = start(
        "import colorsys, sys\n"
        + GOOD.replace("tup.values[0]", "[colorsys.rgb_to_hsv, sys.path[0]]")
    )
    _, said = parent.exchange("dog")
    assert said[0]["tuple"] == [["mine", str(tmp_path)]]


# ---- what is imported -----------------------------------------------------------------------

IMPORTS = [
    ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
    ("from os import nothing_of_that_name", "ImportError: cannot import name 'nothing_of_that_name' from 'os'"),
    ("import subject.inner", "ModuleNotFoundError: No module named 'subject.inner'; 'subject' is not a package"),
    ("def process(self, tup) pass", "SyntaxError: expected ':'"),
    ("if True:\n\tpass\n        pass", "TabError: inconsistent use of tabs and spaces in indentation"),
    ("x = '\0'", "source code string cannot contain null bytes"),
    ("1 / 0", "ZeroDivisionError: division by zero"),
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("import sys; sys.exit()", "SystemExit"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("raise BaseException('base')", "BaseException: base"),
    ("raise ValueError('\\ud800 \\0 ä')", r"ValueError: \ud800 \0 ä"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "text"), IMPORTS, ids=[row[0] for row in IMPORTS])
def test_a_module_that_cannot_be_imported(start: Start, source: str, text: str) -> None:
    parent = start(source, prelude="", handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    said = failure(parent)
    assert said.startswith("importing 'subject' failed:\n"), said
    assert text in said.splitlines()[-1], said
    if "null" not in text:  # which is no SyntaxError everywhere
        assert f'File "{parent.folder}/subject.py", line ' in said
        assert "importlib" not in said and "stormcell/run.py" not in said, "frames of no interest"


def test_bytes_that_are_no_utf8(start: Start, tmp_path: Path) -> None:
    (tmp_path / "other.py").write_bytes(b"x = '\xff'\n")
    parent = start("", "other.Subject", handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    said = failure(parent)
    assert said.startswith("importing 'other' failed:\n")
    assert "SyntaxError: (unicode error) 'utf-8' codec can't decode byte 0xff" in said


# ---- what is called -------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["__init__(self)", "initialize(self, conf, ctx)"])
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("raise ValueError('no')", "ValueError: no"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("return {}['key']", "KeyError: 'key'"),
    ],
)
def test_a_component_that_cannot_be_made(start: Start, method: str, source: str, text: str) -> None:
    parent = start(
        f"""
        class Subject(Bolt):
            def {method}:
                {source}
        """,
        handshake=False,
    )
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    said = failure(parent)
    name = method.partition("(")[0]
    assert said.startswith(f"Subject.{name}() failed:\nTraceback (most recent call last):\n")
    assert f"in {name}\n    {source}\n" in said
    assert said.endswith("\n" + text)


def test_wrong_signatures_are_told(start: Start) -> None:
    parent = start("class Subject(Bolt):\n    def initialize(self): pass", handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    said = failure(parent)
    assert said.startswith("Subject.initialize() failed:\n")
    assert said.endswith("initialize() takes 1 positional argument but 3 were given")


def test_the_end_of_a_long_report_is_kept(start: Start) -> None:
    parent = start("raise ValueError('begin' + 'x' * 100_000 + 'end')", handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    said = failure(parent)
    assert said.startswith("importing 'subject' failed:\n")
    assert "characters left out" in said
    assert said.endswith("xxxend")


# ---- the handshake --------------------------------------------------------------------------

SHAPE = '(it must be {"pidDir": ..., "conf": {...}, "context": {...}})'
WHOLE: dict[str, Any] = {"pidDir": None, "conf": {}, "context": {}}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in WHOLE.items() if name != key}


HANDSHAKES = [
    (b"hello", "byte 5 is no JSON, "),
    (b'{"pidDir":null,"conf":{', "byte 23 is no JSON, "),
    (b"", "byte 0 is no JSON, "),
    (json.dumps(WHOLE).encode() * 2, "byte 44 is no JSON, "),
    (b"[]", "it is no object"),
    (b'"text"', "byte 6 is no JSON, "),
    (json.dumps(without("pidDir")).encode(), 'it lacks "pidDir"'),
    (json.dumps(without("conf")).encode(), 'it lacks the object "conf"'),
    (json.dumps(without("context")).encode(), 'it lacks the object "context"'),
    (json.dumps({**WHOLE, "pidDir": 5}).encode(), '"pidDir" is no string'),
    (json.dumps({**WHOLE, "conf": []}).encode(), 'it lacks the object "conf"'),
    (json.dumps({**WHOLE, "context": None}).encode(), 'it lacks the object "context"'),
    (b'{"comp":"words","tuple":[1],"task":2,"stream":"default","id":"1"}', 'it lacks "pidDir"'),
]


@pytest.mark.parametrize(("text", "why"), HANDSHAKES, ids=[row[0].decode() for row in HANDSHAKES])
def test_a_handshake_that_is_none(start: Start, text: bytes, why: str) -> None:
    parent = start(GOOD, handshake=False)
    parent.write(text + b"\nend\n")
    assert parent.wait_refused() == 1
    [message] = parent.take_all()
    assert message["command"] == "error"
    start_of = f"ended: the first message is no handshake of Storm's: {why}"
    assert start_of in message["msg"]
    assert message["msg"].endswith(SHAPE)


@pytest.mark.parametrize("sent", [b"", b"{", frame(WHOLE)[:-1], frame(WHOLE)[:-5]])
def test_a_handshake_that_is_cut(start: Start, sent: bytes) -> None:
    parent = start(GOOD, handshake=False)
    parent.write(sent)
    assert parent.finish() == 1
    # Nobody waits for a pid any more; Storm quotes what is on stderr.
    assert parent.jvm.pid is None
    text = parent.stderr.decode()
    assert text.startswith("stormcell-shim: the Python process ")
    assert text.endswith(
        f" ended: stdin ended after {len(sent)} bytes, before Storm's handshake was complete\n"
    )


def test_a_small_handshake_is_enough(start: Start) -> None:
    parent = start(
        """
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                self.log([conf, ctx, self.topology_name, self.component_name, self.task_id])
            def process(self, tup):
                self.emit(list(tup.values), stream="any")
        """,
        handshake=False,
    )
    parent.write(frame(WHOLE))
    parent.wait_for_pid()
    assert parent.expect("log")["msg"] == "[{}, {}, '', '', -1]"
    parent.topology.outputs["any"] = ["a", "b", "c"]
    _, said = parent.exchange(1, 2, 3, component="whoever")
    assert said[0]["tuple"] == [1, 2, 3]


def test_a_pid_folder_that_is_gone_is_no_error(start: Start) -> None:
    parent = start(GOOD, handshake=False)
    parent.write(frame({**WHOLE, "pidDir": str(parent.folder / "gone" / "pids")}))
    parent.wait_for_pid()
    parent.barrier()


def test_a_pid_folder_that_is_none_is_an_error(start: Start) -> None:
    parent = start(GOOD, handshake=False)
    parent.write(frame({**WHOLE, "pidDir": str(parent.folder / "subject.py")}))
    assert parent.wait_refused() == 1
    path = parent.folder / "subject.py" / str(parent.pid)
    assert (
        f"ended: cannot create the pid file {path}: Not a directory"
        in parent.expect("error")["msg"]
    )


# ---- in which order -------------------------------------------------------------------------


def test_the_pid_is_answered_when_the_component_is_ready(start: Start) -> None:
    parent = start(
        """
        print("imported")
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                self.log("initialized")
                os.write(2, b"C\\n")
                open("reached", "w").close()
                gate()
        """,
        handshake=False,
    )
    parent.write_now(frame(parent.topology.handshake(str(parent.pid_dir))))
    eventually((parent.folder / "reached").exists, "initialize()")
    assert list(parent.pid_dir.iterdir()), "the pid file is there before the answer"
    with pytest.raises(AssertionError, match="waited 0.2 s for the pid"):
        parent.wait_for(lambda: parent.jvm.pid, "the pid", 0.2)
    parent.open_gate()
    parent.wait_for_pid()  # and Jvm would not take anything before it
    logs = sorted(parent.expect("log")["msg"] for _ in range(3))
    assert logs == ["C", "imported", "initialized"]


def test_asking_for_task_ids_answers_the_pid(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                self.log(self.emit([1], need_task_ids=True))
        """)
    assert parent.expect("log")["msg"] == "[1000]"


def test_prints_of_a_start_that_fails_are_logged(start: Start) -> None:
    parent = start("print('before')\n1 / 0", handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert parent.wait_refused() == 1
    assert parent.expect("log")["msg"] == "before"
    assert parent.expect("error")["msg"].endswith("ZeroDivisionError: division by zero")


def test_a_death_while_starting_answers_the_pid(start: Start) -> None:
    parent = start("import os; os._exit(5)", handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert parent.wait_refused() == 5
    assert parent.expect("error")["msg"].endswith(
        "of component 'subject' (task 4) ended with exit status 5"
    )
    assert [path.name for path in parent.pid_dir.iterdir()] == [str(parent.pid)]


def test_the_end_of_a_start_waits_for_the_first_command(start: Start) -> None:
    """Storm reads the error into its buffer together with the pid, and looks at it once it has written."""
    parent = start("1 / 0", handshake=False, topology=Topology(kind="spout"))
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    parent.wait_for_pid()
    parent.expect("error", "ZeroDivisionError")
    time.sleep(0.3)
    assert parent.process.poll() is None, "it ended before Storm could write"
    parent.write(parent.jvm.command("activate"))
    assert parent.wait(3) == 1


# ---- what it costs --------------------------------------------------------------------------

OUR_MODULES = ["", "._native", ".bolt", ".component", ".run", ".spout"]

# As `python -m stormcell.run` starts a component, but without what an environment's site may import beforehand.
WITHOUT_SITE = """
import os, sys
before = set(sys.modules)
from stormcell.run import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("base", "more"), [("Bolt", set()), ("Spout", set()), ("ReliableSpout", {"collections"})]
)
def test_a_start_imports_little(start: Start, base: str, more: set[str]) -> None:
    source = f"""
        import sys, __main__
        from stormcell import {base}
        class Subject({base}):
            def initialize(self, conf, ctx):
                self.log(" ".join(set(sys.modules) - __main__.before))
        """
    command = [sys.executable, "-S", "-c", WITHOUT_SITE, "subject.Subject"]
    parent = start(textwrap.dedent(source), prelude="", command=command)
    imported = set(parent.expect("log")["msg"].split())
    ours = {name for name in imported if name.split(".")[0] == "stormcell"}
    assert ours == {f"stormcell{module}" for module in OUR_MODULES}
    others = imported - ours - {"subject", "_stormcell", "__future__", "faulthandler"}
    assert others == set() if not more else others >= more


# ---- which Python ---------------------------------------------------------------------------

NEEDS = (
    "but this stormcell-shim holds Python "
    f"{platform.python_version()} of {{home}}; install Stormcell with that Python and start its "
    "stormcell-shim"
)


def built_for() -> str:
    """The folder of the Python that the executable was built for."""
    version = subprocess.run(door("--version"), capture_output=True, text=True, check=True).stdout
    return str(Path(version.strip().rpartition(" at ")[2]).parent)


def fake_python(folder: Path, settings: str) -> Path:
    """A virtual environment, as far as a look at it tells."""
    python = folder / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/false\n")
    python.chmod(0o755)
    if settings:
        (folder / "env" / "pyvenv.cfg").write_text(settings)
    (python.parent / "python3").symlink_to("python")
    return python


@linked_only
@pytest.mark.parametrize(
    ("settings", "which"),
    [
        ("home = /opt/python/bin\nversion = 3.8.1\n", " is Python 3.8.1 of /opt/python/bin, "),
        ("home = {home}\nversion = 3.8.1\n", " is Python 3.8.1 of {home}, "),
        ("home=/opt/other/bin\nversion_info={version}.final.0\n", " is Python {version}.final.0 of /opt/other/bin, "),
        ("home = /opt/other/bin\n", " is Python of /opt/other/bin, "),
        ("", " is Python of {python.parent}, "),
    ],
)  # fmt: skip
def test_a_python_that_does_not_fit(
    start: Start, tmp_path: Path, settings: str, which: str
) -> None:
    known = {"home": built_for(), "version": platform.python_version()}
    python = fake_python(tmp_path, settings.format(**known))
    parent = start(GOOD, handshake=False, env={"STORMCELL_PYTHON": str(python)})
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    expected = str(python) + which.format(python=python, **known) + NEEDS.format(**known)
    assert failure(parent) == expected


@linked_only
def test_the_activated_environment_is_checked_too(start: Start, tmp_path: Path) -> None:
    python = fake_python(tmp_path, "home = /opt/python/bin\nversion = 2.7.18\n")
    parent = start(GOOD, handshake=False, env={"VIRTUAL_ENV": str(python.parent.parent)})
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert failure(parent).startswith(f"{python}3 is Python 2.7.18 of /opt/python/bin, but this ")


@linked_only
@pytest.mark.parametrize("name", ["/nowhere/bin/python", "python", "subject.py"])
def test_a_python_that_does_not_exist(start: Start, name: str) -> None:
    parent = start(GOOD, handshake=False, env={"STORMCELL_PYTHON": name})
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    why = "Permission denied" if name == "subject.py" else "No such file or directory"
    assert failure(parent) == f"no Python at {name}: {why} (STORMCELL_PYTHON names another)"


@linked_only
def test_a_package_that_is_missing(start: Start) -> None:
    parent = start(GOOD, handshake=False, env={"PYTHONPATH": "/nowhere"})
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert parent.wait_refused() == 1
    assert parent.expect("error")["msg"].endswith(
        "the Python package 'stormcell' cannot be imported"
    )
    assert parent.expect("log", "ModuleNotFoundError: No module named 'stormcell'")


def test_it_is_python_as_usual(start: Start) -> None:
    parent = start("""
        import subprocess, sys
        class Subject(Bolt):
            def process(self, tup):
                code = "import sys; print(sys.version)"
                other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
                self.emit([[other.stdout.strip() == sys.version, sys.argv[1], __name__]])
        """)
    _, said = parent.exchange(1)
    assert said[0]["tuple"] == [[True, "subject.Subject", "subject"]]


# ---- started by hand ------------------------------------------------------------------------


def by_hand(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        door(*arguments), env=environment(), capture_output=True, text=True, timeout=60, **options
    )


def test_in_a_terminal_it_says_what_it_is() -> None:
    ours, theirs = pty.openpty()
    done = by_hand("subject.Subject", stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: " in done.stderr
    assert "MODULE.CLASS" in done.stderr
    if not EXTENSION:
        assert done.stderr.startswith("stormcell-shim: stdin is a terminal, not Storm\n\nusage: ")
        assert (
            "Runs the Python spout or bolt MODULE.CLASS as a component of an Apache Storm"
            in done.stderr
        )


@pytest.mark.parametrize("arguments", [[], ["a.B", "c.D"], ["-x"]])
def test_wrong_arguments(arguments: list[str]) -> None:
    done = by_hand(*arguments, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: " in done.stderr
    if not EXTENSION:
        assert done.stderr.startswith(
            "stormcell-shim: one argument is needed: the component's class\n\nusage: "
        )


@linked_only
def test_version_and_help() -> None:
    done = by_hand("--version")
    assert re.fullmatch(
        rf"stormcell-shim \d+\.\d+\.\d+\S*, Python {re.escape(platform.python_version())} "
        r"\((static|shared)\) at /\S+\n",
        done.stdout,
    )
    assert (done.returncode, done.stderr) == (0, "")
    done = by_hand("--help")
    assert done.stdout.startswith("usage: stormcell-shim MODULE.CLASS\n")
    assert (done.returncode, done.stderr) == (0, "")


@linked_only
def test_without_stdin_or_stdout_it_says_so() -> None:
    for redirection, name in (("<&-", "stdin"), (">&-", "stdout")):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {redirection}', "sh", *door("a.B")],
            env=environment(),
            stdin=subprocess.PIPE,
            capture_output=True,
            text=True,
            timeout=10,
        )
        assert done.returncode == 1
        assert (
            done.stderr
            == f"stormcell-shim: {name} is not open: Storm talks over stdin and stdout\n"
        )


def test_annotations_can_be_asked_for() -> None:
    """Frameworks look at a class's annotations; `typing` is not imported for them alone."""
    for component in stormcell.Bolt, stormcell.BatchingBolt, stormcell.Spout, stormcell.ReliableSpout:
        assert "storm_conf" in typing.get_type_hints(component)
