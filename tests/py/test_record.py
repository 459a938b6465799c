"""Recording a component at work: what is in the file, whatever becomes of the component or the disk."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
from stormcell.recording import Part, Recording, load

from starting import Start
from jvm import Topology
from parent import Parent, level_of

ECHO = """
class Subject(Bolt):
    def process(self, tup):
        self.emit([tup.values[0]])
"""
RUN = """
import resource, subprocess, sys, threading, time
class Subject(Bolt):
    def process(self, tup):
        exec(tup.values[0], {**globals(), "self": self, "tup": tup})
"""


def recorded(**more: Any) -> Topology:
    conf = {"stormcell.record": "rec", "stormcell.record.max.bytes": more.pop("most", None)}
    return Topology(conf={**conf, **more.pop("conf", {})}, **more)


def recording_of(parent: Parent, name: str = "subject-4.rec") -> Recording:
    return load(parent.folder / "rec" / name)


def the_part(parent: Parent) -> Part:
    recording = recording_of(parent)
    assert recording.cuts == []
    [part] = recording.parts
    return part


def told(part: Part) -> list[tuple[str, Any]]:
    """Its messages behind the handshake: kind and message."""
    return [(record.kind, record.message()) for record in part.records[1:]]


# ---- what is in it --------------------------------------------------------------------------


def test_a_bolts_conversation(start: Start) -> None:
    parent = start(ECHO, topology=recorded(conf={"db.password": "mellon"}))
    first, said = parent.exchange("a")
    second, more = parent.exchange("b/\u00e9")
    part = the_part(parent)
    exchanges = part.exchanges()
    assert part.component == "subject.Subject"
    assert part.directory == str(parent.folder)
    assert not part.goes_on
    assert part.handshake["context"] == json.loads(json.dumps(parent.topology.context()))
    assert part.handshake["conf"]["db.password"] == "***"
    given = [exchange.given.message() for exchange in exchanges[1:]]
    assert [(message["id"], message["tuple"]) for message in given if message["tuple"]] == [
        (first, ["a"]),
        (second, ["b/\u00e9"]),
    ]
    answers = [record.message() for exchange in exchanges for record in exchange.said]
    sync = {"command": "sync"}
    assert answers == [*said, sync, *more, sync]
    times = [record.at for record in part.records]
    assert times == sorted(times)


def test_a_spouts_conversation(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                self.emit([1], tup_id="x")
            def ack(self, tup_id):
                self.log(f"acked {tup_id}")
        """,
        topology=recorded(kind="spout"),
    )
    for command, id in ("activate", ""), ("next", ""), ("ack", "x"):
        parent.command(command, id)
    commands = [message["command"] for _, message in told(the_part(parent))]
    assert commands == ["activate", "sync", "next", "emit", "sync", "ack", "log", "sync"]


def test_task_ids_stand_behind_the_emit_that_asked(start: Start) -> None:
    source = "self.log(str(self.emit([1], need_task_ids=True)))"
    parent = start(RUN, topology=recorded())
    parent.send(source)
    parent.send(source)
    parent.barrier()
    kinds = [
        message["command"] if kind == "out" else message if isinstance(message, list) else "in"
        for kind, message in told(the_part(parent))
    ]
    exchange = ["in", "emit", [1000], "log", "ack"]
    assert kinds == [*exchange, *exchange[:2], [1001], *exchange[3:], "in", "sync"]


def test_what_cannot_be_read_is_there_as_it_came(start: Start) -> None:
    parent = start(ECHO, topology=recorded())
    parent.write(b"{]\nend\n")
    parent.expect("error")
    record = the_part(parent).records[1]
    assert (record.kind, record.body) == ("in", b"{]")


def test_what_is_printed_is_not(start: Start) -> None:
    parent = start(RUN, topology=recorded())
    parent.send("print('printed')")
    parent.expect("log", "printed")
    parent.barrier()
    assert [message["command"] for kind, message in told(the_part(parent)) if kind == "out"] == [
        "ack",
        "sync",
    ]


def test_threads_do_not_mix(start: Start) -> None:
    parent = start(
        """
        import threading
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                for name in "ab":
                    threading.Thread(target=self.talk, args=(name,)).start()
            def talk(self, name):
                for i in range(500):
                    self.log(f"{name}{i}")
            def process(self, tup):
                self.emit([tup.values[0]])
        """,
        topology=recorded(),
    )
    for i in range(200):
        parent.send(str(i))
    for name in "ab":
        parent.expect("log", f"{name}499")
    parent.barrier()
    part = the_part(parent)
    texts = [message["msg"] for _, message in told(part) if message.get("command") == "log"]
    for name in "ab":
        assert [text for text in texts if text[0] == name] == [f"{name}{i}" for i in range(500)]
    assert len(texts) == 1000
    assert len(part.records) == 1 + 1000 + 200 + 400 + 2


# ---- it is lost -----------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os.abort()", "sys.exit(3)"])
def test_the_tuple_that_ended_it_is_there(start: Start, end: str) -> None:
    parent = start(RUN, topology=recorded(), replaced=True)
    parent.exchange("self.log('fine')")
    parent.send(f"self.log('last'); {end}")
    parent.expect("error")
    parent.exchange("self.log('again')")
    first, second = recording_of(parent).parts
    assert recording_of(parent).cuts == []
    last = first.exchanges()[-1]
    assert last.given.message()["tuple"] == [f"self.log('last'); {end}"]
    assert [record.message()["msg"] for record in last.said] == ["last"]
    assert not second.goes_on
    assert second.handshake == first.handshake
    assert [message["command"] for kind, message in told(second) if kind == "out"] == [
        "log",
        "ack",
        "sync",
    ]


@pytest.mark.parametrize("after", [1, 20, 50])
def test_a_kill_from_outside(start: Start, after: int) -> None:
    """In the middle of whatever it does, even of a write to the recording."""
    parent = start(ECHO, topology=recorded())
    ids = [parent.send(f"{i} {'x' * 20000}") for i in range(100)]
    parent.wait_for(lambda: len(parent.jvm.said) >= after, "the first answers")
    os.kill(parent.interpreter, signal.SIGKILL)
    parent.wait()
    recording = recording_of(parent)
    [part] = recording.parts
    given = [exchange.given.message()["id"] for exchange in part.exchanges()[1:]]
    assert given == ids[: len(given)]
    assert len(given) >= after // 2
    assert len(recording.cuts) <= 1


def test_the_next_worker_adds_to_it(start: Start) -> None:
    for _ in range(2):
        parent = start(ECHO, topology=recorded())
        parent.exchange("a")
        assert parent.finish() == 0
    recording = recording_of(parent)
    assert len(recording.parts) == 2
    assert told(recording.parts[0])[1:] != []


def test_forked_children_have_no_part_in_it(start: Start) -> None:
    source = """
pid = os.fork()
if pid == 0:
    names = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    os._exit(10 + sum("subject-4" in name for name in names))
self.log(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
run = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True)
self.log("open" if "subject-4" in run.stdout else "closed")
"""
    parent = start(RUN, topology=recorded())
    _, said = parent.exchange(source)
    assert [message.get("msg") for message in said] == ["10", "closed", None]
    assert len(told(the_part(parent))) == 6


# ---- its size -------------------------------------------------------------------------------


def test_files_follow_each_other(start: Start) -> None:
    parent = start(ECHO, topology=recorded(most=8000))
    for i in range(60):
        parent.send(str(i))
    parent.barrier()
    files = sorted(path.name for path in (parent.folder / "rec").iterdir())
    assert files == ["subject-4.rec", "subject-4.rec.1"]
    values = []
    for name in reversed(files):
        [part] = recording_of(parent, name).parts
        assert part.handshake["context"]["componentid"] == "subject"
        assert part.goes_on
        # what was said to the last message may go beyond
        assert (parent.folder / "rec" / name).stat().st_size < 8000 + 250
        for exchange in part.exchanges()[1:]:
            if exchange.given.message()["tuple"]:
                assert [record.message()["command"] for record in exchange.said] == ["emit", "ack"]
                values.append(exchange.given.message()["tuple"][0])
    assert 10 < len(values) < 60
    assert values == [str(i) for i in range(60 - len(values), 60)]


def test_the_component_may_go_elsewhere(start: Start) -> None:
    parent = start(RUN, topology=recorded(most=1))
    for source in "os.mkdir('else'); os.chdir('else')", "pass", "pass":
        parent.exchange(source)
    assert [message["command"] for kind, message in told(the_part(parent)) if kind == "out"] == ["sync"]
    assert sorted(path.name for path in (parent.folder / "rec").iterdir()) == [
        "subject-4.rec",
        "subject-4.rec.1",
    ]
    assert list((parent.folder / "else").iterdir()) == []


# ---- it cannot be ---------------------------------------------------------------------------


def goes_on_without(parent: Parent, why: str) -> None:
    """One warning says why nothing is recorded, and the component works."""
    warning = parent.expect("log", "stormcell.record: nothing more is recorded: ")
    assert level_of(warning) == "warn"
    assert why in warning["msg"]
    assert "\n" not in warning["msg"]
    _, said = parent.exchange("self.emit([1])")
    assert [message["command"] for message in said] == ["emit", "ack"]


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("/proc/none", "/proc/none/subject-4.rec: No such file or directory"),
        ("subject.py", "subject.py/subject-4.rec: Not a directory"),
        (7, "stormcell.record must be the path of a directory"),
    ],
)
def test_no_such_directory(start: Start, setting: object, why: str) -> None:
    parent = start(RUN, topology=recorded(conf={"stormcell.record": setting}))
    goes_on_without(parent, why)


def test_a_size_that_is_none(start: Start) -> None:
    parent = start(RUN, topology=recorded(most="64 MiB"))
    goes_on_without(parent, "stormcell.record.max.bytes must be a whole number of bytes, at least 1")


def test_a_file_that_is_taken(start: Start) -> None:
    first = start(RUN, topology=recorded())
    second = start(RUN, topology=recorded())
    goes_on_without(second, "rec/subject-4.rec: another process records to it")
    first.exchange("self.emit([2])")
    assert len(told(the_part(first))) == 5


LITTLE_ROOM = """
size = os.path.getsize("rec/subject-4.rec") + 2000
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
"""


def test_a_full_disk(start: Start) -> None:
    parent = start(RUN, topology=recorded())
    parent.exchange(LITTLE_ROOM)
    before = len(the_part(parent).records)
    id = parent.send(f"self.emit([{'x' * 3000!r}])")
    assert parent.expect("emit")["anchors"] == [id]
    assert parent.expect("ack")["id"] == id
    goes_on_without(parent, "rec/subject-4.rec: File too large")
    assert len(the_part(parent).records) == before
    assert (parent.folder / "rec" / "subject-4.rec").stat().st_size > 0


def test_a_full_disk_in_an_answer(start: Start) -> None:
    parent = start(RUN, topology=recorded())
    source = "self.emit(['x' * 3000])"
    parent.exchange(LITTLE_ROOM)
    id = parent.send(source)
    assert parent.expect("emit")["anchors"] == [id]
    assert parent.expect("ack")["id"] == id
    goes_on_without(parent, "rec/subject-4.rec: File too large")
    assert the_part(parent).exchanges()[-1].given.message()["tuple"] == [source]
    assert the_part(parent).exchanges()[-1].said == []
