"""A Storm that is slow, silent, huge or in a hurry: memory stays bounded, and nothing is lost."""

from __future__ import annotations

import subprocess
import time

import pytest

from hostile import MIB, RUN, lives_on, of_memory, resident, run, seconds_of_cpu, settled, shared
from jvm import Topology, frame
from parent import EXTENSION, door, environment
from starting import Start

# ---- much at once ---------------------------------------------------------------------------


def test_a_handshake_of_ten_mebibytes(start: Start) -> None:
    conf = {f"key-{n}": ["\U0001f40e/\"" * 20, n, None, {"a": 1.5}] for n in range(60_000)}
    parent = start(
        """
        class Subject(Bolt):
            def process(self, tup):
                mine = {key: value for key, value in self.storm_conf.items() if key.startswith("key-")}
                self.emit([[len(mine), mine["key-59999"]]])
        """,
        topology=Topology(conf=conf),
        handshake=False,
    )
    handshake = frame(parent.topology.handshake(str(parent.pid_dir)))
    assert len(handshake) > 10 * MIB
    parent.write(handshake)
    parent.wait_for_pid()
    _, said = parent.exchange(1)
    assert said[0]["tuple"] == [[60_000, conf["key-59999"]]]


@of_memory
def test_a_tuple_of_a_hundred_mebibytes(start: Start) -> None:
    """It comes and goes whole, and its memory is given back."""
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                self.emit([tup.values[0]])
        """)
    text = "0123456789abcdefghijklmnop\u00e9" * (100 * MIB // 28)
    _, said = parent.exchange(text)
    assert said[0]["tuple"] == [text]
    interpreter = parent.interpreter
    for _ in range(3):
        _, said = parent.exchange("small")
        assert said[0]["tuple"] == ["small"]
    assert resident(interpreter) < 40 * MIB
    assert shared(interpreter) < 40 * MIB
    assert resident(parent.pid) + shared(parent.pid) < 10 * MIB


@pytest.mark.slow
def test_a_million_emits_in_one_next(start: Start) -> None:
    """Each comes once and in order; what Storm has not taken yet does not pile up."""
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                for n in range(1_000_000):
                    self.emit([n], n)
        """,
        topology=Topology(kind="spout"),
    )
    parent.write(parent.jvm.command("next"))
    seen = peak = 0
    while parent.jvm.owed:
        parent.wait_for(lambda: len(parent.unread) >= 20_000 or not parent.jvm.owed, "more emits")
        peak = max(peak, resident(parent.interpreter) + shared(parent.interpreter))
        for message in parent.take_all("emit"):
            assert message["tuple"] == [message["id"]] == [seen]
            seen += 1
        parent.jvm.said.clear()
        parent._seen = 0
    assert seen == 1_000_000
    assert peak < 60 * MIB


# ---- slow -----------------------------------------------------------------------------------


@of_memory
def test_a_storm_that_stops_reading(start: Start) -> None:
    """The component waits for it; what it prints meanwhile is counted where it cannot be kept."""
    parent = start(
        """
        import threading
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                threading.Thread(target=self.talk, daemon=True).start()
            def talk(self):
                while True:
                    print("printed" * 100)
            def process(self, tup):
                for n in range(30):
                    self.emit([[tup.values[0], "x" * 100_000]])
        """,
        topology=Topology(conf={"topology.subprocess.timeout.secs": 1}),
    )
    parent.reading = False
    ids = [parent.send(n) for n in range(20)]
    peak = 0
    for _ in range(15):  # longer than the timeout: every keepalive is due several times
        with pytest.raises(AssertionError, match="waited"):
            parent.wait_for(lambda: False, "a while", 0.2)
        for pid in (parent.pid, parent.interpreter):
            peak = max(peak, resident(pid) + shared(pid))
    parent.reading = True
    for id in ids:
        assert settled(parent, id) == "ack"
    emits = [message["tuple"][0][0] for message in parent.take_all("emit")]
    assert emits == [n for n in range(20) for _ in range(30)]
    assert peak < 60 * MIB
    assert parent.expect("log", "Stormcell dropped ")


def test_a_storm_that_writes_byte_by_byte(start: Start) -> None:
    """From the handshake on; to wait for the next byte costs next to nothing."""
    parent = start(RUN, handshake=False)
    handshake = frame(parent.topology.handshake(str(parent.pid_dir)))
    parent.write_now(handshake[:-200])
    for byte in handshake[-200:]:
        parent.write_now(bytes([byte]))
        time.sleep(0.001)
    parent.wait_for_pid()
    run(parent, "pass")
    before = seconds_of_cpu(parent.pid), seconds_of_cpu(parent.interpreter)
    id, message = parent.jvm.new_tuple(["self.emit([1])"], "words", "default", 2)
    for byte in message:
        parent.write_now(bytes([byte]))
        time.sleep(0.02)
    assert settled(parent, id) == "ack"
    assert parent.take_all("emit")[0]["anchors"] == [id]
    for pid, cpu in zip((parent.pid, parent.interpreter), before, strict=True):
        assert seconds_of_cpu(pid) - cpu < 0.5


def test_everything_at_once_in_the_smallest_pipes(start: Start) -> None:
    """Tuples, task ids, heartbeats, prints, logs and emits of all sizes, and a parent that stops reading
    again and again."""
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                n = tup.values[0]
                self.log("x" * (n * 37 % 5000))
                print("printed " * (n % 100))
                ids = self.emit([[n, "x" * (n * 101 % 9000)]], need_task_ids=n % 3 == 0)
                assert (ids is not None) == (n % 3 == 0)
        """)
    parent.shrink_pipes()
    ids = []
    for n in range(600):
        parent.reading = n % 50 > 25
        ids.append(parent.send(n))
        if n % 20 == 0:
            parent.write(parent.jvm.heartbeat())
    parent.reading = True
    for id in ids:
        assert settled(parent, id) == "ack"
    emits = [message["tuple"][0][0] for message in parent.take_all("emit")]
    assert emits == list(range(600))
    parent.wait_for(lambda: sum(m["command"] == "sync" for m in parent.jvm.said) >= 30, "the syncs")


# ---- no space -------------------------------------------------------------------------------


def test_no_space_for_a_log_of_the_components_own(start: Start) -> None:
    parent = start(RUN)
    run(parent, "open('/dev/full', 'w', buffering=1).write('text\\n')", end="fail")
    assert "OSError: [Errno 28] No space left on device" in parent.expect("error")["msg"]
    run(
        parent,
        "import logging\n"
        "logging.getLogger().addHandler(logging.FileHandler('/dev/full'))\n"
        "self.logger.warning('logged')",
    )
    parent.expect("log", "logged")
    parent.expect("log", "No space left on device")  # which logging itself tells, on stderr
    run(parent, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))")
    run(parent, "open('file', 'w', buffering=1).write('text\\n')", end="fail")
    assert "OSError: [Errno 27] File too large" in parent.expect("error")["msg"]
    lives_on(parent)


@pytest.mark.parametrize("full", ["stdout", "stderr"])
def test_no_space_where_it_writes_to(start: Start, full: str) -> None:
    """Nobody can be told; it ends, and leaves no process."""
    parent = start(RUN)
    sent = frame(parent.topology.handshake(None)) + parent.jvm.new_tuple(
        ["os._exit(3)" if full == "stderr" else "self.emit(['x' * 100000])"], "words", "default", 2
    )[1]
    with open("/dev/full", "wb") as device:
        done = subprocess.run(
            door("subject.Subject"),
            input=sent,
            stdout=device if full == "stdout" else subprocess.PIPE,
            stderr=device if full == "stderr" else subprocess.PIPE,
            cwd=parent.folder,
            env=environment(),
            timeout=60,
        )
    if full == "stdout":
        assert done.returncode != 0
        assert b"No space left on device" in done.stderr
    else:
        assert b'"command":"error"' in done.stdout


# ---- the environment ------------------------------------------------------------------------


@pytest.mark.skipif(EXTENSION, reason="of the executable")
def test_no_more_descriptors_after_long_work(start: Start) -> None:
    parent = start(RUN)
    listing = "self.emit([len(os.listdir('/proc/self/fd'))], anchors=[]); self.emit([threading.active_count()])"
    run(parent, listing)
    before = [message["tuple"] for message in parent.take_all("emit")]
    for n in range(2000):
        parent.send("print('printed'); self.log('logged'); self.emit([1]); {}['no']" if n % 2 else "pass")
    parent.barrier()
    run(parent, listing)
    assert [message["tuple"] for message in parent.take_all("emit")][-2:] == before
