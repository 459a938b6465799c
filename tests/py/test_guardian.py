"""The process that Storm started outlives the interpreter, says how it ended, and leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time

import pytest

from starting import Start
from jvm import Topology, frame
from parent import children_of, door, environment, eventually, is_gone, level_of, state_of

RUN = """
import ctypes, signal, sys, threading, time
class Subject(Bolt):
    def process(self, tup):
        self.emit(["before"])
        exec(tup.values[0], {**globals(), "self": self, "tup": tup})
"""

IDLE = """
class Subject(Bolt):
    def process(self, tup):
        self.emit([tup.values[0]])
"""


# ---- the interpreter dies -------------------------------------------------------------------

ENDS = [
    ("ctypes.string_at(1)", 139, "was ended by signal 11 (Segmentation fault)"),
    ("os.kill(os.getpid(), 9)", 137, "was ended by signal 9 (Killed)"),
    ("os.abort()", 134, "was ended by signal 6 (Aborted)"),
    ("os._exit(0)", 0, "ended with exit status 0"),
    ("os._exit(7)", 7, "ended with exit status 7"),
    ("sys.exit(0)", 1, ": the component called sys.exit(0)"),
    ("sys.exit('no')", 1, ": the component called sys.exit('no')"),
]


@pytest.mark.parametrize(("source", "status", "cause"), ENDS, ids=[row[0] for row in ENDS])
def test_its_end_is_reported(start: Start, source: str, status: int, cause: str) -> None:
    parent = start(RUN, env={"ASAN_OPTIONS": "detect_leaks=0:handle_segv=0:handle_abort=0"})
    interpreter = parent.interpreter
    id = parent.send(source)
    assert parent.wait() == status
    # What had been said before is not lost.
    assert parent.expect("emit")["tuple"] == ["before"]
    report = parent.expect("error")["msg"]
    assert f"process {interpreter} " in report
    assert "component 'subject' (task 4)" in report
    assert cause in report
    assert f"while it had tuple {id} in hand" in report
    assert parent.take_all("error") == []


def test_a_tuple_whose_id_is_no_number_is_named_too(start: Start) -> None:
    parent = start(RUN)
    parent.send("os._exit(3)", id="a/id")
    assert parent.wait() == 3
    assert "while it had tuple a/id in hand" in parent.expect("error")["msg"]


def test_an_idle_interpreter_that_is_killed_has_nothing_in_hand(start: Start) -> None:
    parent = start(IDLE)
    parent.exchange("dog")
    eventually(lambda: state_of(parent.interpreter) == "S", "the interpreter to wait for Storm")
    os.kill(parent.interpreter, signal.SIGKILL)
    assert parent.wait() == 137
    report = parent.expect("error")["msg"]
    assert report.endswith("was ended by signal 9 (Killed)")
    assert "component 'subject' (task 4)" in report


def test_a_spout_that_dies_is_reported(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                os._exit(3)
        """,
        topology=Topology(kind="spout"),
    )
    parent.write(parent.jvm.command("next"))
    assert parent.wait() == 3
    assert parent.expect("error")["msg"].endswith(
        "of component 'subject' (task 4) ended with exit status 3 while it worked for Storm's command"
        '\nin hand: {"command":"next","id":""}'
    )


def test_the_last_printed_lines_come_before_the_report(start: Start) -> None:
    parent = start(RUN)
    parent.send("print('last words'); os.write(2, b'and more'); os._exit(1)")
    assert parent.wait() == 1
    said = [message["msg"] for message in parent.take_all("log", "error")]
    assert sorted(said[:2]) == ["and more", "last words"]
    assert said[2].startswith("the Python process ")


def test_sys_exit_does_not_wait_for_threads(start: Start) -> None:
    parent = start(RUN)
    parent.send("threading.Thread(target=gate).start(); sys.exit(0)")
    assert parent.wait() == 1
    assert "the component called sys.exit(0)" in parent.expect("error")["msg"]


def test_an_orderly_end_does_not_wait_for_threads(start: Start) -> None:
    parent = start(RUN)
    parent.exchange("threading.Thread(target=gate).start()")
    assert parent.finish() == 0
    assert parent.take_all("error") == []


def test_atexit_runs_and_may_speak(start: Start) -> None:
    parent = start("""
        import atexit
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                atexit.register(self.log, "goodbye")
        """)
    assert parent.finish() == 0
    assert parent.expect("log")["msg"] == "goodbye"


# ---- the guardian dies, or Storm does -------------------------------------------------------


def test_killing_the_guardian_leaves_no_process(start: Start) -> None:
    parent = start(IDLE)
    interpreter = parent.interpreter
    parent.process.kill()
    eventually(lambda: is_gone(parent.pid, interpreter), "both processes to be gone", 10)


def test_killing_the_guardian_ends_a_busy_interpreter_too(start: Start) -> None:
    parent = start(RUN)
    interpreter = parent.interpreter
    parent.send("print('busy'); gate()")
    parent.expect("log")
    parent.process.kill()
    eventually(lambda: is_gone(parent.pid, interpreter), "both processes to be gone", 10)


@pytest.mark.parametrize("source", ["pass", "time.sleep(600)", "exec('while True: pass')"])
def test_without_storm_both_processes_go(start: Start, source: str) -> None:
    parent = start(RUN)
    interpreter = parent.interpreter
    parent.exchange("self.log('ready')")
    parent.write_now(parent.jvm.new_tuple([source], "words", "default", 2)[1])
    parent.hang_up()
    eventually(lambda: is_gone(parent.pid, interpreter), "both processes to be gone", 10)


def test_without_storm_a_component_that_emits_ends(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                while True:
                    try:
                        self.emit(["x" * 1000])
                    except Exception:
                        pass
        """)
    interpreter = parent.interpreter
    parent.send(1)
    parent.expect("emit")
    parent.hang_up()
    eventually(lambda: is_gone(parent.pid, interpreter), "both processes to be gone", 10)


def test_an_end_that_storm_did_not_ask_for_is_no_end(start: Start) -> None:
    parent = start(IDLE, replaced=True)
    parent.exchange("dog")
    interpreter = parent.interpreter
    os.kill(interpreter, signal.SIGTERM)
    assert f"process {interpreter} of component 'subject' (task 4) ended with exit status 0" in (
        parent.expect("error")["msg"]
    )
    _, said = parent.exchange("cat")
    assert said[0]["tuple"] == ["cat"]


# ---- asked to end ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_order(start: Start, number: signal.Signals) -> None:
    parent = start(IDLE)
    parent.exchange("dog")
    parent.process.send_signal(number)
    assert parent.wait() == 0
    assert parent.take_all() == []


def test_the_tuple_in_hand_is_finished_and_no_other_is_begun(start: Start) -> None:
    parent = start(RUN)
    first = parent.send("print('busy'); gate()")
    second = parent.send("self.log('begun')")
    parent.expect("log", "busy")
    parent.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)  # until it has reached the interpreter
    parent.open_gate()
    assert parent.wait() == 0
    said = parent.take_all()
    assert [message["command"] for message in said] == ["emit", "ack"]
    assert said[1]["id"] == first
    assert parent.jvm.live == {second}


def test_one_that_does_not_end_is_killed(start: Start) -> None:
    parent = start(RUN)
    parent.send("print('busy'); gate()")
    parent.expect("log", "busy")
    parent.process.send_signal(signal.SIGTERM)
    assert parent.wait(10) == 137
    assert parent.take_all("error") == []


@pytest.mark.parametrize("handshake", [True, False], ids=["answered", "before the handshake"])
def test_a_signal_while_it_waits_for_storm(start: Start, handshake: bool) -> None:
    parent = start(
        """
        import sys
        print("imported", file=sys.stderr)
        class Subject(Bolt):
            pass
        """,
        handshake=handshake,
    )
    if handshake:
        parent.barrier()
    else:
        eventually(lambda: children_of(parent.pid), "the interpreter")
        eventually(lambda: state_of(parent.interpreter) == "S", "the interpreter to wait for Storm")
    parent.process.send_signal(signal.SIGTERM)
    assert parent.wait() in (0, 143), "not killed"


def test_other_signals_are_passed_on(start: Start) -> None:
    parent = start(RUN)
    parent.exchange("signal.signal(signal.SIGUSR2, lambda *args: self.log('got it'))")
    parent.process.send_signal(signal.SIGUSR2)
    assert parent.expect("log")["msg"] == "got it"
    # One that dies within write(2) may have cut a message: then the guardian says nothing on the wire.
    eventually(lambda: state_of(parent.interpreter) == "S", "the interpreter to wait for Storm")
    parent.process.send_signal(signal.SIGQUIT)
    assert parent.wait() == 128 + signal.SIGQUIT
    assert "was ended by signal 3 (Quit)" in parent.expect("error")["msg"]


def test_all_input_is_processed_when_stdin_ends(start: Start) -> None:
    parent = start(IDLE)
    ids = [parent.send(n) for n in range(5000)]
    assert parent.finish() == 0
    assert [message["id"] for message in parent.take_all("ack")] == ids
    assert not parent.take_all("error")


def test_stdin_may_be_a_file(start: Start) -> None:
    parent = start(IDLE)
    recording = parent.folder / "recording"
    tuples = b"".join(parent.jvm.new_tuple([n], "words", "default", 2)[1] for n in range(100))
    recording.write_bytes(frame(parent.topology.handshake(None)) + tuples)
    with recording.open("rb") as stdin:
        done = subprocess.run(
            door("subject.Subject"),
            stdin=stdin,
            capture_output=True,
            cwd=parent.folder,
            env=environment(),
            timeout=60,
        )
    assert done.returncode == 0
    assert done.stdout.count(b'"command":"ack"') == 100


# ---- floods ---------------------------------------------------------------------------------


def test_a_flood_of_prints_is_limited_and_nothing_is_lost_on_the_wire(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                for n in range(100_000):
                    print("line", n)
                    if n % 100 == 0:
                        self.emit([n])
        """)
    parent.send(1)
    emits = [parent.expect("emit")["tuple"][0] for _ in range(1000)]
    assert emits == list(range(0, 100_000, 100))
    parent.expect("ack")
    logged = dropped = 0
    while logged + dropped < 100_000:
        message = parent.expect("log")
        count = re.fullmatch(
            r"Stormcell dropped (\d+) printed lines \(over 1000 a second\)", message["msg"]
        )
        if count:
            assert level_of(message) == "warn"
            dropped += int(count[1])
        else:
            assert message["msg"].startswith("line ")
            logged += 1
    assert logged + dropped == 100_000
    assert 1000 <= logged <= 30_000
    assert dropped > 0


def test_log_is_not_limited(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                for n in range(5000):
                    self.log(n)
        """)
    _, said = parent.exchange(1)
    assert [message["msg"] for message in said[:-1]] == [str(n) for n in range(5000)]
