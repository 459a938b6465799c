"""A lost interpreter is replaced: nothing it had been given is lost, and nothing is settled twice."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

from starting import Start
from jvm import AS_LONG, Message, Topology, frame
from parent import Parent, children_of, door, eventually, is_gone, level_of, state_of

RUN = """
import ctypes, signal, subprocess, sys, threading, time
class Subject(Bolt):
    count = 0
    def process(self, tup):
        self.count += 1
        exec(tup.values[0], {**globals(), "self": self, "tup": tup})
        self.emit([[os.getpid(), self.count]])
"""

NO_HANDLERS = {"ASAN_OPTIONS": "detect_leaks=0:handle_segv=0:handle_abort=0"}

ENDS = [
    ("ctypes.string_at(1)", "was ended by signal 11 (Segmentation fault)"),
    ("os.kill(os.getpid(), 9)", "was ended by signal 9 (Killed)"),
    ("os.abort()", "was ended by signal 6 (Aborted)"),
    ("os._exit(0)", "ended with exit status 0"),
    ("os._exit(7)", "ended with exit status 7"),
    ("sys.exit(0)", "ended while it had tuple {id} in hand: the component called sys.exit(0)"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
]


def conf(**settings: object) -> Topology:
    return Topology(conf={name.replace("_", "."): value for name, value in settings.items()})


def emitted(parent: Parent) -> list[int]:
    """[pid, how many tuples that process has had], of the next emit."""
    pair: list[int] = parent.expect("emit")["tuple"][0]
    return pair


# ---- one is lost ----------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "cause"), ENDS, ids=[row[0] for row in ENDS])
def test_it_is_replaced(start: Start, source: str, cause: str) -> None:
    parent = start(RUN, replaced=True, env=NO_HANDLERS)
    parent.send("pass")
    first, count = emitted(parent)
    assert count == 1
    id = parent.send(source)
    report = parent.expect("error")["msg"]
    assert report.startswith(f"the Python process {first} of component 'subject' (task 4) ")
    assert cause.format(id=id) in report
    assert f"while it had tuple {id} in hand" in report
    assert '\nin hand: {"comp":"words","tuple":["' in report
    assert report.endswith("\nit is replaced in 100 ms; 1 tuple that it had not settled fails")
    assert parent.expect("fail")["id"] == id
    parent.send("pass")
    second, count = emitted(parent)
    assert second != first and count == 1, "a fresh interpreter"
    assert parent.interpreter == second
    assert parent.take_all("error") == []


def test_a_crash_shows_the_python_stack(start: Start) -> None:
    parent = start(RUN, replaced=True, env=NO_HANDLERS)
    parent.send("ctypes.string_at(1)")
    report = parent.expect("error")["msg"]
    assert "\nFatal Python error: Segmentation fault\n" in report
    assert re.search(r'File ".*subject.py", line \d+ in process\n', report)


def test_exit_on_exception_ends_the_interpreter_and_not_the_worker(start: Start) -> None:
    source = RUN + "    exit_on_exception = True\n"
    parent = start(source, replaced=True)
    id = parent.send("raise ValueError('no')")
    assert "ValueError: no" in parent.expect("error")["msg"]
    assert parent.expect("fail")["id"] == id
    assert "exit_on_exception is set" in parent.expect("error")["msg"]
    parent.send("pass")
    assert emitted(parent)[1] == 1


def test_what_it_held_fails_and_what_it_had_settled_does_not(start: Start) -> None:
    parent = start(
        """
        class Subject(Bolt):
            auto_ack = False
            def process(self, tup):
                word = tup.values[0]
                if word == "ack":
                    self.ack(tup)
                elif word == "end":
                    os._exit(1)
        """,
        replaced=True,
    )
    ids = [parent.send(word) for word in ["hold", "ack", "hold", "ack"] * 1000]
    last = parent.send("end")
    after = parent.send("ack")
    parent.wait_for(lambda: not parent.jvm.live, "every tuple to be settled")
    settled = parent.jvm.settled
    assert [settled[id] for id in ids] == ["fail", "ack"] * 2000
    assert (settled[last], settled[after]) == ("fail", "ack")
    assert "; 2001 tuples that it had not settled fail" in parent.expect("error")["msg"]


def test_a_batch_that_was_gathering_fails(start: Start) -> None:
    parent = start(
        """
        class Subject(BatchingBolt):
            def process_batch(self, key, tups):
                os._exit(1)
        """,
        replaced=True,
    )
    ids = {parent.send(n) for n in range(5)}
    ids |= {parent.tick(), parent.tick()}
    parent.wait_for(lambda: ids <= set(parent.jvm.settled), "the batch to be settled")
    assert sum(parent.jvm.settled[id] == "fail" for id in ids) >= 6  # the first tick may be acked


def test_ids_of_any_kind_fail(start: Start) -> None:
    parent = start(RUN.replace("count = 0", "auto_ack = False; count = 0"), replaced=True)
    ids = {"a/id", 'quo"ted', "7", "-9223372036854775808", "007", "ä"}
    for id in ids:
        parent.send("pass", id=id)
    parent.send("os._exit(1)", id="the last")
    parent.wait_for(lambda: not parent.jvm.live, "every tuple to be settled")
    assert set(parent.jvm.settled.values()) == {"fail"}


def test_killed_at_any_moment_nothing_is_lost_or_settled_twice(start: Start) -> None:
    """Where it was within a system call on the wire, it must end and say so instead."""
    parent = start(
        "class Subject(Bolt):\n    def process(self, tup):\n        self.emit([tup.values[0]])",
        replaced=True,
        topology=Topology(conf={"stormcell.restart": {"max": 1000, "within.secs": 0.01}}),
    )
    chance = random.Random(os.environ.get("PYTEST_XDIST_WORKER", "0"))
    for _ in range(30):
        ids = [parent.send(n) for n in range(200)]
        parent.wait_for(lambda: ids[0] in parent.jvm.settled or has_ended(parent), "an answer")
        time.sleep(chance.random() / 1000)
        for pid in children_of(parent.pid):
            os.kill(pid, signal.SIGKILL)
        parent.wait_for(lambda: not parent.jvm.live or has_ended(parent), "all to be settled")
        if has_ended(parent):
            parent.wait()
            assert b"it cannot be replaced" in parent.stderr or parent.find("error", "cannot be")
            return


def has_ended(parent: Parent) -> bool:
    return parent._out is None


def test_a_command_that_was_in_hand_is_answered_once(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            emitted = active = 0
            def activate(self):
                self.active += 1
            def next_tuple(self):
                self.emitted += 1
                self.emit([[os.getpid(), self.active]], tup_id=self.emitted)
                if self.emitted == 2:
                    os._exit(3)
        """,
        topology=Topology(kind="spout"),
        replaced=True,
    )
    parent.command("activate")
    [first] = parent.command("next")
    emit, error = parent.command("next")
    assert emit["tuple"][0] == first["tuple"][0]
    assert "ended with exit status 3 while it worked for Storm's command" in error["msg"]
    [again] = parent.command("next")
    pid, active = again["tuple"][0]
    assert pid != first["tuple"][0][0]
    assert active == 1, "it is activated as the lost one was"


def test_task_ids_of_a_lost_one_are_not_taken_for_its_successors(start: Start) -> None:
    parent = start(RUN, replaced=True)
    parent.jvm.task_ids = lambda message: None
    parent.send("self.emit(['asks'], need_task_ids=True)")
    parent.expect("emit")
    eventually(lambda: state_of(parent.interpreter) == "S", "the interpreter to wait for Storm")
    os.kill(parent.interpreter, signal.SIGKILL)
    parent.expect("error")
    parent.send("self.log(self.emit(['asks again'], need_task_ids=True))")
    assert parent.expect("emit")["tuple"] == ["asks again"]
    parent.write(frame([5]))  # the lost one's
    parent.write(frame([6]))
    assert parent.expect("log")["msg"] == "[6]"


def test_printed_and_said_before_the_end_comes_before_the_report(start: Start) -> None:
    parent = start(RUN, replaced=True)
    parent.send("self.log('said'); os.write(1, b'printed'); os._exit(1)")
    parent.expect("fail")
    said = [message.get("msg", "") for message in parent.take_all("log", "error")]
    assert sorted(said[:2]) == ["printed", "said"] and "exit status 1" in said[2]


# ---- how often ------------------------------------------------------------------------------


def test_it_is_given_up_when_it_is_lost_too_often(start: Start) -> None:
    parent = start(
        RUN,
        replaced=True,
        topology=Topology(conf={"stormcell.restart": {"max": 2, "within.secs": 60}}),
    )
    for pause in "100", "400":
        parent.send("os._exit(4)")
        assert f"replaced in {pause} ms" in parent.expect("error")["msg"]
    parent.send("os._exit(4)")
    report = parent.expect("error")["msg"]
    assert "it is given up: 2 were replaced within 60 s before" in report
    assert "stormcell.restart" in report
    assert parent.wait() == 4


def test_losses_that_lie_apart_do_not_count_together(start: Start) -> None:
    parent = start(
        RUN,
        replaced=True,
        topology=Topology(conf={"stormcell.restart": {"max": 1, "within.secs": 0.2}}),
    )
    for _ in range(4):
        parent.send("os._exit(4)")
        assert "replaced in 100 ms" in parent.expect("error")["msg"]
        time.sleep(0.3)
    parent.send("pass")
    assert emitted(parent)[1] == 1


def test_a_setting_that_is_wrong_is_told(start: Start) -> None:
    parent = start(RUN, topology=Topology(conf={"stormcell.restart": "never"}))
    assert "stormcell.restart must be" in parent.expect("error")["msg"]
    parent.send("os._exit(1)")
    assert "it is replaced" in parent.expect("error")["msg"]
    parent.send("pass")
    assert emitted(parent)[1] == 1


# ---- starting -------------------------------------------------------------------------------

SECOND_TIME = """
import pathlib
if not pathlib.Path("tried").exists():
    pathlib.Path("tried").touch()
    {source}
class Subject({base}):
    def process(self, tup):
        self.emit([1])
    def next_tuple(self):
        self.emit([1])
"""


@pytest.mark.parametrize("source", ["1 / 0", "os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_a_start_that_fails_is_tried_again(start: Start, source: str) -> None:
    parent = start(SECOND_TIME.format(source=source, base="Bolt"), replaced=True, handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    parent.wait_for_pid()
    assert "it is replaced in 100 ms" in parent.expect("error")["msg"]
    _, said = parent.exchange("dog")
    assert said[0]["command"] == "emit"


def test_storm_hears_of_a_component_that_starts_again(start: Start) -> None:
    """A spout's command waits meanwhile: Storm is told that somebody is at work."""
    parent = start(
        SECOND_TIME.format(source="1 / 0", base="Spout").replace(
            "class", "else:\n    import time; time.sleep(1.5)\nclass"
        ),
        replaced=True,
        handshake=False,
        topology=Topology(kind="spout", conf={"topology.subprocess.timeout.secs": 1}),
    )
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    parent.wait_for_pid()
    parent.expect("error")
    [*logs, emit] = parent.command("next")
    assert emit["command"] == "emit"
    assert len(logs) >= 3 and all(level_of(log) == "trace" for log in logs)


@pytest.mark.slow
def test_a_start_that_takes_long_says_where_it_is(start: Start) -> None:
    parent = start(
        """
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                gate()
        """,
        handshake=False,
        topology=Topology(conf={"topology.subprocess.timeout.secs": 4}),
    )
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    parent.wait_for(lambda: parent.jvm.pid, "the pid, answered for it after a minute", 90)
    report = parent.expect("log", "has been starting for 60 s")
    assert level_of(report) == "warn"
    assert "component 'subject' (task 4)" in report["msg"]
    assert "subject.py" in report["msg"] and "in gate\n" in report["msg"]
    assert level_of(parent.expect("log")) == "trace", "Storm's timer runs from here on"
    parent.open_gate()
    _, said = parent.exchange("dog")
    assert said[-1]["command"] == "fail", "it has no process()"


def test_storm_hears_of_a_component_while_it_pauses(start: Start) -> None:
    parent = start(
        RUN, replaced=True, topology=Topology(conf={"topology.subprocess.timeout.secs": 1})
    )
    for pause in 100, 400, 1600:
        eventually(lambda: len(children_of(parent.pid)) == 1, "an interpreter")
        parent.barrier()
        eventually(lambda: state_of(parent.interpreter) == "S", "it to wait for Storm")
        os.kill(parent.interpreter, signal.SIGKILL)
        assert f"replaced in {pause} ms" in parent.expect("error")["msg"]
    parent.take_all()
    parent.barrier()  # the first sync is early, and no answer
    eventually(lambda: children_of(parent.pid), "an interpreter")
    parent.barrier()
    assert len(parent.take_all("sync")) >= 3


# ---- busy -----------------------------------------------------------------------------------

SOON = {"topology.subprocess.timeout.secs": 1, "stormcell.hang.timeout.secs": 0}

WORK = ["time.sleep(1.5)", "ctypes.PyDLL(None).usleep(1500000)"]
"""The second holds the GIL all the time."""


@pytest.mark.parametrize("source", WORK)
def test_storm_hears_of_a_busy_bolt(start: Start, source: str) -> None:
    parent = start(RUN, topology=Topology(conf=dict(SOON)))
    parent.send(source)
    parent.expect("ack")
    syncs = parent.take_all("sync")
    assert 3 <= len(syncs) <= 7, "one in 250 ms"


@pytest.mark.parametrize("source", WORK)
def test_storm_hears_of_a_busy_spout_while_it_waits(start: Start, source: str) -> None:
    parent = start(
        f"""
        import ctypes, time
        class Subject(Spout):
            def next_tuple(self):
                {source}
        """,
        topology=Topology(kind="spout", conf=dict(SOON)),
    )
    logs = parent.command("next")
    assert 3 <= len(logs) <= 7
    assert {log["level"] for log in logs} == {AS_LONG}, "invisible on every version"
    time.sleep(0.6)
    assert parent.command("deactivate") == [], "nothing while nobody waits"


def test_nothing_is_added_where_enough_is_said(start: Start) -> None:
    parent = start(RUN, topology=Topology(conf={**SOON, "topology.subprocess.timeout.secs": 4}))
    parent.send("for _ in range(40): self.log('at work'); time.sleep(0.05)")
    parent.expect("ack")
    assert parent.take_all("sync") == []


# ---- hanging --------------------------------------------------------------------------------

HANG_SOON = {"stormcell.hang.timeout.secs": 1.5}

HANGS = [
    "time.sleep(600)",
    "while True: pass",
    "ctypes.PyDLL(None).sleep(600)",
    "threading.Lock().acquire(); lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 63)); time.sleep(600)",
    "os.kill(os.getpid(), signal.SIGSTOP)",
]


@pytest.mark.parametrize("source", HANGS)
def test_a_call_that_hangs_is_ended(start: Start, source: str) -> None:
    parent = start(RUN, replaced=True, topology=Topology(conf=dict(HANG_SOON)))
    id = parent.send(source)
    report = parent.expect("error")["msg"]
    assert "hung: it showed no sign of life for 1.5 s (stormcell.hang.timeout.secs)" in report
    assert f"while it had tuple {id} in hand" in report
    if "SIGSTOP" not in source:
        assert re.search(r'File ".*subject.py", line \d+ in process\n', report), "where it hangs"
    # A signal ends what is not tried again, as C's sleep(): then it may even have been acked.
    parent.wait_for(lambda: id in parent.jvm.settled, "the tuple to be settled")
    assert parent.jvm.settled[id] == "fail" or "PyDLL" in source
    parent.take_all("emit")
    parent.send("pass")
    assert emitted(parent)[1] == 1


def test_a_thread_is_shown_as_well(start: Start) -> None:
    source = RUN.replace("    count = 0", "    count = 0\n    def beside(self): time.sleep(600)")
    parent = start(source, replaced=True, topology=Topology(conf=dict(HANG_SOON)))
    parent.send("threading.Thread(target=self.beside, daemon=True).start(); time.sleep(600)")
    report = parent.expect("error")["msg"]
    assert "in beside\n" in report and "in process\n" in report


def test_a_call_that_says_something_does_not_hang(start: Start) -> None:
    parent = start(RUN, replaced=True, topology=Topology(conf=dict(HANG_SOON)))
    parent.send("for _ in range(25): self.log('at work'); time.sleep(0.1)")
    parent.expect("ack")
    assert parent.take_all("error", "fail") == []


def test_waiting_for_storm_is_no_hang(start: Start) -> None:
    parent = start(RUN, replaced=True, topology=Topology(conf=dict(HANG_SOON)))
    parent.jvm.task_ids = lambda message: None
    parent.send("self.emit(['asks'], need_task_ids=True)")
    parent.expect("emit")
    time.sleep(2)
    parent.write(frame([5]))
    parent.expect("ack")
    assert parent.take_all("error", "fail") == []


def test_a_guardian_that_was_stopped_does_not_take_that_for_a_silence(start: Start) -> None:
    parent = start(
        RUN, replaced=True, topology=Topology(conf={"stormcell.hang.timeout.secs": 2.5})
    )
    parent.send("self.log('busy'); gate()")
    parent.expect("log")
    for pid in parent.pid, parent.interpreter:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(3)
    for pid in parent.interpreter, parent.pid:
        os.kill(pid, signal.SIGCONT)
    time.sleep(0.3)
    parent.open_gate()
    parent.expect("ack")
    assert parent.take_all("error", "fail") == []


# ---- nobody is left -------------------------------------------------------------------------


def grandchildren(parent: Parent, message: Message) -> list[int]:
    return [int(pid) for pid in message["msg"].split()]


STUBBORN = (
    "import signal,time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; time.sleep(600)"
)
CHILDREN = f"""
import subprocess, sys, time
class Subject(Bolt):
    def process(self, tup):
        run = dict(stdin=subprocess.DEVNULL, close_fds=False)
        one = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], **run)
        two = subprocess.Popen(["sh", "-c", "setsid sleep 600 & echo $!; exec sleep 600"],
                               stdout=subprocess.PIPE, **run)
        self.log(f"{{one.pid}} {{two.pid}} {{two.stdout.readline().decode()}}")
        exec(tup.values[0])
"""


@pytest.mark.parametrize("source", ["pass", "os._exit(1)", "time.sleep(600)"])
def test_children_do_not_outlive_it(start: Start, source: str) -> None:
    parent = start(CHILDREN, topology=Topology(conf=dict(HANG_SOON)))
    parent.send(f"gate(); {source}")
    pids = grandchildren(parent, parent.expect("log"))
    assert not any(is_gone(pid) for pid in pids[:1])
    parent.open_gate()
    parent.close_stdin()
    parent.wait()
    eventually(lambda: is_gone(*pids), "the children to be gone")


def test_children_of_a_lost_one_are_gone_before_its_successor_comes(start: Start) -> None:
    parent = start(CHILDREN, replaced=True)
    parent.send("os._exit(1)")
    pids = grandchildren(parent, parent.expect("log"))
    parent.expect("error")
    assert is_gone(*pids)


def test_a_closed_stdin_ends_a_long_call(start: Start) -> None:
    parent = start(RUN)
    interpreter = parent.interpreter
    parent.send("self.log('busy'); time.sleep(600)")
    parent.expect("log")
    parent.close_stdin()
    assert parent.wait(10) == 128 + signal.SIGKILL
    assert is_gone(interpreter)


def test_a_closed_stdin_lets_short_calls_be_worked_off(start: Start) -> None:
    parent = start(RUN)
    for _ in range(30):
        parent.send("time.sleep(0.1)")
    assert parent.finish() == 0
    assert len(parent.take_all("ack")) == 30


def test_a_parent_that_is_gone_ends_it_though_its_pipes_live(start: Start, tmp_path: Path) -> None:
    """As when the worker's own children hold what it had open."""
    os.mkfifo(tmp_path / "fifo")
    # The shell's own stdin goes on into the component's, which it starts in the background.
    script = 'exec 3<&0; "$0" "$@" <&3 & echo $! > shim.pid; cat fifo > /dev/null'
    command = ["sh", "-c", script, *door("subject.Subject")]
    parent = start(RUN, command=command, handshake=False)
    parent.write(frame(parent.topology.handshake(None)))
    parent.wait_for(lambda: parent.jvm.pid, "the pid")
    shim = int((tmp_path / "shim.pid").read_text())
    pids = [shim, *children_of(shim)]
    assert len(pids) == 2 and state_of(shim) != "X"
    parent.process.kill()
    eventually(lambda: is_gone(*pids), "both processes to be gone", 10)
