"""`stormcell replay`: a recording of a real session, replayed by the same and by changed components."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stormcell.recording import MAGIC, load, load_joined

from starting import Start
from jvm import Topology
from parent import DEADLINE, Parent, environment

STORMCELL = [sys.executable, "-m", "stormcell"]
UPPER = """
class Subject(Bolt):
    count = 0
    def process(self, tup):
        self.count += 1
        word = tup.values.word
        if word == "bad":
            raise ValueError("a bad word")
        self.emit([f"{word.upper()} {self.count}"])
"""


def recorded(**more: Any) -> Topology:
    return Topology(conf={"stormcell.record": "rec", **more.pop("conf", {})}, **more)


def record(start: Start, source: str, *words: str, **more: Any) -> Parent:
    """Record a session in which the bolt is given these words, and end it."""
    parent = start(source, topology=recorded(), **more)
    for word in words:
        parent.exchange(word)
    assert parent.finish() == 0
    return parent


def change(parent: Parent, old: str, new: str) -> None:
    """Edit the component's module."""
    path = parent.folder / "subject.py"
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))


def file_of(parent: Parent) -> Path:
    return parent.folder / "rec" / "subject-4.rec"


def replay(
    parent: Parent, *options: str, file: Path | None = None, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command in the component's folder."""
    return subprocess.run(
        [*STORMCELL, "replay", str(file or "rec/subject-4.rec"), *options],
        cwd=parent.folder,
        env=environment(),
        input=text,
        capture_output=True,
        text=True,
        timeout=DEADLINE * 2,
        check=False,
    )


def plain(text: str) -> str:
    """Without what differs from run to run: times, ids, process numbers."""
    text = re.sub(r"\(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC\)", "(TIME)", text)
    return re.sub(r"process \d+", "process N", re.sub(r"-?\d{15,}", "ID", text))


def block(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


# ---- the same -------------------------------------------------------------------------------


def test_the_same(start: Start) -> None:
    parent = record(start, UPPER, "a", "bad", "b")
    done = replay(parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "6 messages replayed: the same answers\n", "")


def test_traces_may_move(start: Start) -> None:
    """Line numbers and folders of a traceback are no difference."""
    parent = record(start, UPPER, "bad")
    change(parent, "class Subject", "\n\n\nclass Subject")
    moved = parent.folder / "moved"
    moved.mkdir()
    (parent.folder / "subject.py").rename(moved / "subject.py")
    done = replay(parent, "--directory", "moved")
    assert (done.returncode, done.stdout) == (0, "2 messages replayed: the same answers\n")


def test_task_ids_come_from_the_recording(start: Start) -> None:
    source = """
    class Subject(Bolt):
        def process(self, tup):
            for _ in range(2):
                self.log(f"went to {self.emit([1], need_task_ids=True)}")
    """
    parent = record(start, source, "a", "b")
    assert {"went to [1000]", "went to [1003]"} <= {
        message.get("msg")
        for message in (r.message() for r in load(file_of(parent)).parts[0].records)
        if isinstance(message, dict)
    }
    assert replay(parent).returncode == 0


def test_a_spout(start: Start) -> None:
    parent = start(
        """
        class Subject(ReliableSpout):
            left = ["c", "b", "a"]
            def next_tuple(self):
                if self.left:
                    word = self.left.pop()
                    self.emit([word], tup_id=word)
        """,
        topology=recorded(kind="spout"),
    )
    commands = [("activate", ""), ("next", ""), ("next", ""), ("fail", "a"), ("ack", "b"), ("ack", "a")]
    for command, id in commands:
        parent.command(command, id)
    assert parent.finish() == 0
    assert replay(parent).stdout == "6 messages replayed: the same answers\n"
    change(parent, "ReliableSpout):", "Spout):")
    done = replay(parent)
    assert done.returncode == 1
    assert plain(done.stdout) == block(
        """
        message 4 (TIME): fail "a"
        - emit ["a"], id "a"
          sync
        6 messages replayed: 1 answered differently
        """
    )


def test_batches(start: Start) -> None:
    parent = start(
        """
        class Subject(BatchingBolt):
            ticks_between_batches = 0
            def process_batch(self, key, tups):
                self.emit([[tup.values.word for tup in tups]])
        """,
        topology=recorded(),
    )
    for word in "a", "b":
        parent.send(word)
    parent.tick()
    parent.barrier()
    assert parent.finish() == 0
    assert replay(parent).stdout == "4 messages replayed: the same answers\n"


def test_what_is_printed_is_seen(start: Start) -> None:
    parent = record(start, UPPER, "a")
    change(parent, "self.count += 1", "self.count += 1; print('look', self.count)")
    done = replay(parent)
    assert (done.returncode, done.stderr) == (0, "look 1\n")


def test_secrets_are_no_hindrance(start: Start) -> None:
    source = """
    class Subject(Bolt):
        def initialize(self, conf, ctx):
            self.log(f"{type(conf['db.password'])} {type(conf['token'])}")
    """
    parent = start(source, topology=recorded(conf={"db.password": "mellon", "token": 5}))
    assert parent.finish() == 0
    assert b"mellon" not in file_of(parent).read_bytes()
    assert replay(parent).returncode == 0


# ---- differences ----------------------------------------------------------------------------


def test_a_changed_component(start: Start) -> None:
    parent = record(start, UPPER, "a", "bad", "b")
    change(parent, '== "bad"', '== "b"')
    done = replay(parent)
    assert done.returncode == 1
    report, trace = plain(done.stdout).split("Traceback (most recent call last):\n- ", 1)
    assert report == block(
        """
        message 3 (TIME): tuple ID from words (task 2): ["bad"]
        - error: Python ValueError raised while processing Tuple(id='ID', component='words', stream='default', task=2, values=WordsDefaultTuple(word='bad'))
        - in component 'subject', task 4, on HOST, process N
        - """
    ).replace("HOST", os.uname().nodename)
    assert trace.splitlines()[-1] == "6 messages replayed: 2 answered differently"
    assert "- ValueError: a bad word\n- fail ID\n+ emit [\"BAD 2\"], anchored to ID\n+ ack ID\n" in trace
    assert '\n- emit ["B 3"], anchored to ID\n- ack ID\n+ error: Python ValueError' in trace


def test_a_projects_sources_are_found(start: Start) -> None:
    parent = record(start, UPPER, "a")
    sources = parent.folder / "src"
    sources.mkdir()
    (parent.folder / "subject.py").rename(sources / "subject.py")
    assert replay(parent).returncode == 0
    done = replay(parent, "--directory", ".")
    assert done.returncode == 2
    assert "there is no module 'subject' in " in done.stderr


def test_all_differences_if_asked(start: Start) -> None:
    parent = record(start, UPPER, *map(str, range(25)))
    change(parent, "{self.count}", "{-self.count}")
    few, every = replay(parent), replay(parent, "--all")
    assert few.stdout.count("\n- emit") == 20
    assert few.stdout.endswith("\n... and 5 more (--all shows them)\n50 messages replayed: 25 answered differently\n")
    assert every.stdout.count("\n- emit") == 25
    assert few.returncode == every.returncode == 1


def test_an_end_that_was_none(start: Start) -> None:
    parent = record(start, UPPER, "a", "b", "c")
    change(parent, 'if word == "bad"', "if word == 'b': os._exit(0)\n        if word == 'bad'")
    done = replay(parent)
    assert done.returncode == 1
    lines = plain(done.stdout).splitlines()
    assert lines[:4] == [
        'message 3 (TIME): tuple ID from words (task 2): ["b"]',
        '- emit ["B 2"], anchored to ID',
        "- ack ID",
        "+ the component ended here: the Python process N of component 'subject' (task 4) ended with exit status 0 while it had tuple ID in hand",
    ]
    assert lines[-1] == "3 messages replayed: 1 answered differently"


# ---- interpreters that were lost ------------------------------------------------------------

FATAL = """
import signal
class Subject(Bolt):
    count = 0
    def process(self, tup):
        self.count += 1
        self.emit([self.count])
        if tup.values.word == "fatal":
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def lost(start: Start) -> Parent:
    """A session in which an interpreter was lost and replaced."""
    parent = start(FATAL, topology=recorded(), replaced=True)
    parent.exchange("a")
    parent.send("fatal")
    parent.expect("error")
    parent.exchange("b")
    assert parent.finish() == 0
    return parent


def test_it_is_lost_again(lost: Parent) -> None:
    done = replay(lost)
    assert done.returncode == 0
    lines = plain(done.stdout).splitlines()
    assert lines[:3] == [
        "interpreter 1 of 2",
        'message 3 (TIME): tuple ID from words (task 2): ["fatal"]',
        "the component ended here: the Python process N of component 'subject' (task 4) was ended by signal 9 (Killed) while it had tuple ID in hand",
    ]
    assert lines[-2:] == ["interpreter 2 of 2", "5 messages replayed: the same answers"]


def test_it_is_not_lost_any_more(lost: Parent) -> None:
    """What the component says where the recording ends is no difference."""
    change(lost, '== "fatal"', '== "not any more"')
    assert replay(lost).stdout == block(
        """
        interpreter 1 of 2
        interpreter 2 of 2
        5 messages replayed: the same answers
        """
    )


# ---- files ----------------------------------------------------------------------------------


def test_full_files_are_joined(start: Start) -> None:
    parent = start(UPPER, topology=recorded(conf={"stormcell.record.max.bytes": 6000}))
    while not (parent.folder / "rec" / "subject-4.rec.1").exists():
        parent.exchange("a")
    parent.exchange("a")
    assert parent.finish() == 0
    [joined] = load_joined(file_of(parent)).parts
    done = replay(parent)
    count = len(joined.exchanges()) - 1
    assert (done.stdout, done.stderr) == (f"{count} messages replayed: the same answers\n", "")
    file_of(parent).with_name("subject-4.rec.1").unlink()
    done = replay(parent)
    assert done.returncode == 1
    assert done.stderr == "what the component heard before is not there: it starts afresh here\n"


def test_a_cut_recording(start: Start) -> None:
    parent = record(start, UPPER, "a", "b")
    cut = parent.folder / "cut.rec"
    data = file_of(parent).read_bytes()
    end = data.index(b'"B 2"')
    cut.write_bytes(data[:end])
    done = replay(parent, file=cut)
    at = data.rindex(b"\nout ", 0, end) + 1
    assert done.returncode == 0
    assert done.stderr == f"{cut}: the record at byte {at} is cut; what is before it is used\n"
    assert done.stdout == "3 messages replayed: the same answers\n"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "No such file or directory"),
        (b"{}\nend\n", "this is no recording: its first line is not 'stormcell recording 1'"),
        (b"stormcell recording 7\n", "a recording of version '7'; this Stormcell reads version 1"),
        (MAGIC, f"no start and no handshake at byte {len(MAGIC)}; nothing of what follows is used"),
    ],
)
def test_no_recording(start: Start, data: bytes | None, why: str) -> None:
    parent = record(start, UPPER)
    path = parent.folder / "it.rec"
    if data is not None:
        path.write_bytes(data)
    done = replay(parent, file=path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"stormcell: {path}: {why}\n")


# ---- what cannot be -------------------------------------------------------------------------


def test_a_component_that_cannot_start(start: Start) -> None:
    parent = record(start, UPPER, "a")
    change(parent, "class Subject", "import nothing.at_all\nclass Subject")
    done = replay(parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no module 'nothing'" in done.stderr or "No module named 'nothing'" in done.stderr


def test_another_component(start: Start) -> None:
    parent = record(start, UPPER, "a")
    assert replay(parent, "subject.Subject").returncode == 0
    done = replay(parent, "subject.Other")
    assert done.returncode == 2
    assert "has no 'Other'; its own components: Subject" in done.stderr


def test_a_python_without_stormcell(start: Start) -> None:
    parent = record(start, UPPER, "a")
    python = parent.folder / "python"
    python.write_text("#!/bin/sh\necho no module >&2\nexit 1\n")
    python.chmod(0o755)
    done = replay(parent, "--python", str(python))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"no module\nstormcell: {python} -m stormcell.replayed ended with status 1 before it took the first "
        "message: see above; is Stormcell installed for that Python?\n"
    )
    (parent.folder / "elsewhere").mkdir()
    done = replay(parent, "--python", "./python", "--directory", "elsewhere")
    assert done.stderr.startswith("no module\n")
    done = replay(parent, "--python", "/no/python")
    assert (done.returncode, done.stderr) == (2, "stormcell: /no/python: No such file or directory\n")


def test_an_expression_that_is_none(start: Start) -> None:
    parent = record(start, UPPER)
    done = replay(parent, "--until", "(")
    assert done.returncode == 2
    assert done.stderr.startswith("stormcell: --until '(' is no regular expression: ")
    assert done.stderr.count("\n") == 1


def test_a_recording_that_does_not_say_of_what(start: Start) -> None:
    parent = record(start, UPPER, "a")
    data = file_of(parent).read_bytes().replace(b'"subject.Subject"', b'""               ')
    file_of(parent).write_bytes(data)
    done = replay(parent)
    assert (done.returncode, done.stderr) == (
        2,
        "stormcell: rec/subject-4.rec does not say what was recorded: name it, MODULE.CLASS, behind the file\n",
    )
    assert replay(parent, "subject.Subject").returncode == 0


# ---- debugging ------------------------------------------------------------------------------


def test_until_an_error(start: Start) -> None:
    parent = record(start, UPPER, "a", "bad", "b", "bad")
    done = replay(parent, "--until", "ValueError: a bad")
    assert done.returncode == 0
    assert plain(done.stdout) == block(
        """
        stopped at message 3 (TIME): tuple ID from words (task 2): ["bad"]
        3 messages replayed: the same answers
        """
    )
    done = replay(parent, "--until", "KeyError")
    assert done.returncode == 0
    assert done.stdout == "no error matches 'KeyError'\n8 messages replayed: the same answers\n"


def test_post_mortem(start: Start) -> None:
    parent = record(start, UPPER, "a", "bad", "b")
    done = replay(parent, "--pdb", text="p word, self.count\nq\n")
    assert done.returncode == 0
    assert "ValueError: a bad word\n> " in done.stdout
    assert "(Pdb) ('bad', 2)\n" in done.stdout
    assert done.stdout.endswith("6 messages replayed: the same answers\n")


def test_post_mortem_of_one_error(start: Start) -> None:
    source = UPPER.replace('raise ValueError("a bad word")', "[][self.count]")
    parent = record(start, source, "bad", "bad", "a")
    change(parent, "[][self.count]", "{}[self.count] if self.count == 2 else [][1]")
    done = replay(parent, "--pdb", "--until", "KeyError", text="p self.count\nq\n")
    assert done.returncode == 1
    assert done.stdout.count("(Pdb) ") == 2
    assert "(Pdb) 2\n" in done.stdout
    assert "\nstopped at message 3 (" in done.stdout


def test_post_mortem_of_initialize(start: Start) -> None:
    parent = record(start, UPPER, "a")
    change(parent, "count = 0", "def initialize(self, conf, ctx): self.x = conf['no.such']")
    done = replay(parent, "--pdb", text="p sorted(locals())\nq\n")
    assert done.returncode == 2
    assert "(Pdb) ['conf', 'ctx', 'self']\n" in done.stdout
    assert "Subject.initialize() failed:" in done.stderr


def test_post_mortem_of_a_batch(start: Start) -> None:
    parent = start(
        """
        class Subject(BatchingBolt):
            ticks_between_batches = 0
            def process_batch(self, key, tups):
                words = [tup.values.word for tup in tups]
                assert "bad" not in words
        """,
        topology=recorded(),
    )
    parent.send("bad")
    parent.tick()
    parent.expect("fail")
    assert parent.finish() == 0
    done = replay(parent, "--pdb", text="p words\nq\n")
    assert done.returncode == 0
    assert done.stdout.count("(Pdb) ") == 2
    assert "(Pdb) ['bad']\n" in done.stdout


def test_breakpoints(start: Start) -> None:
    parent = record(start, UPPER, "a", "b")
    change(parent, "word = tup", "breakpoint(); word = tup")
    done = replay(parent, "--pdb", text="p self.count\nc\np self.count\nc\n")
    assert done.returncode == 0
    assert "(Pdb) 1\n" in done.stdout and "(Pdb) 2\n" in done.stdout
    done = replay(parent, "--pdb", text="q\n")
    assert "\nstopped at message 1 (" in done.stdout


class Terminal:
    """The command in a terminal of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(sys.executable, [*STORMCELL, "replay", "rec/subject-4.rec", *options], environment())

    def read_until(self, done: Callable[[str], bool], again: str = "") -> None:
        """Read until `done(what was read)`, typing `again` every second."""
        deadline = time.monotonic() + DEADLINE
        while not done(self.text):
            assert time.monotonic() < deadline, self.text
            if not select.select([self.fd], [], [], 1)[0]:
                self.type(again)
            else:
                try:
                    self.text += os.read(self.fd, 4096).decode()
                except OSError:  # the other end is closed
                    assert done(self.text), self.text

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def wait(self) -> int:
        self.read_until(lambda text: "messages replayed" in text)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_in_a_terminal(start: Start) -> None:
    """Ctrl-C is the debugger's: it neither ends the replay nor the component's process."""
    parent = record(start, UPPER, "bad", "b")
    terminal = Terminal(parent.folder, "--pdb")
    try:
        terminal.read_until(lambda text: text.endswith("(Pdb) "))
        # The prompt is there a moment before a Ctrl-C is noticed.
        terminal.read_until(lambda text: "--KeyboardInterrupt--" in text, again="\x03")
        terminal.type("p word + 'ly'\n")
        terminal.read_until(lambda text: "'badly'" in text)
        terminal.type("q\n")
        assert terminal.wait() == 0
    except BaseException:
        os.kill(terminal.pid, signal.SIGKILL)
        raise
    finally:
        os.close(terminal.fd)


# ---- stormcell component --------------------------------------------------------------------


def run_component(
    parent: Parent, data: bytes, name: str = "subject.Subject"
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*STORMCELL, "component", name],
        cwd=parent.folder,
        env=environment(),
        input=data,
        capture_output=True,
        timeout=DEADLINE * 2,
        check=False,
    )


ANSWERS = """
the handshake of subject, task 4
tuple ID from words (task 2): ["a"]
    emit ["A 1"], anchored to ID
    ack ID
heartbeat
    sync
"""


def test_one_component_on_a_recording(start: Start) -> None:
    parent = record(start, UPPER, "a")
    done = run_component(parent, file_of(parent).read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert plain(done.stdout.decode()) == block(ANSWERS)


@pytest.mark.parametrize("end", [b"\nend\n", b"\r\nend\r\n"])
def test_one_component_on_storms_messages(start: Start, end: bytes) -> None:
    parent = record(start, UPPER, "a")
    part = load(file_of(parent)).parts[0]
    data = b"".join(record.body + end for record in part.records if record.kind == "in")
    done = run_component(parent, data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert plain(done.stdout.decode()) == block(ANSWERS)


def test_one_component_that_ends(start: Start) -> None:
    parent = record(start, UPPER, "a", "b")
    change(parent, 'if word == "bad"', 'if word == "b": os._exit(4)\n        if word == "bad"')
    done = run_component(parent, file_of(parent).read_bytes())
    assert done.returncode == 1
    assert b"the component ended here: the Python process " in done.stdout


@pytest.mark.parametrize("data", [b"", b"{}", b"hello\nend\n", b"[1]\nend\n"])
def test_one_component_on_nothing_of_the_kind(start: Start, data: bytes) -> None:
    parent = record(start, UPPER)
    done = run_component(parent, data)
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        b"",
        b"stormcell: stdin: neither a recording nor messages of Storm's: it begins with no handshake\n",
    )
