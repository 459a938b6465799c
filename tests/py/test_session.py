"""The conversation as a whole: order, time and amounts."""

from __future__ import annotations

import json
import signal
from itertools import permutations

import pytest

from starting import Start
from jvm import Topology, frame

ECHO = """
class Subject(Bolt):
    def process(self, tup):
        self.emit([tup.values[0]])
"""

SPOUT = Topology(kind="spout", inputs={})


# ---- task ids -------------------------------------------------------------------------------

PAIRED = """
class Subject(Bolt):
    def process(self, tup):
        name = tup.values[0]
        self.log("begin " + name)
        ids = [self.emit([name], need_task_ids=True) for _ in range(2)]
        self.log(f"end {name} {ids}")
"""


def test_task_ids_are_paired_with_tuples_in_between(start: Start) -> None:
    parent = start(PAIRED)
    parent.jvm.task_ids = lambda message: None
    parent.send("a")
    parent.expect("emit")
    for name in "bc":  # they have come before the ids, and wait
        parent.send(name)
    parent.write(frame([10]))
    parent.expect("emit")
    parent.write(parent.jvm.heartbeat() + frame([]))
    assert parent.expect("log")["msg"] == "begin a"
    assert parent.expect("log")["msg"] == "end a [[10], []]"
    assert parent.expect("log")["msg"] == "begin b"
    parent.expect("emit")
    assert parent.find("sync") is None, "the heartbeat came behind b and c"
    parent.write(frame([1, 2, 3]))
    parent.expect("emit")
    parent.write(frame([4]) + frame([5]) + frame([6]))
    assert parent.expect("log", "end")["msg"] == "end b [[1, 2, 3], [4]]"
    assert parent.expect("log", "end")["msg"] == "end c [[5], [6]]"
    parent.expect("sync")


def test_task_ids_arrive_byte_by_byte(start: Start) -> None:
    parent = start(PAIRED)
    parent.jvm.task_ids = lambda message: None
    parent.send("a")
    parent.expect("emit")
    rest = parent.jvm.new_tuple(["b"], "words", "default", 2)[1] + frame([10, 11]) + frame([12])
    for byte in rest:
        parent.write_now(bytes([byte]))
    parent.jvm.task_ids = lambda message: [0]
    assert parent.expect("log", "end")["msg"] == "end a [[10, 11], [12]]"
    assert parent.expect("log", "end")["msg"] == "end b [[0], [0]]"


def test_task_ids_are_found_behind_a_message_that_is_too_long(start: Start) -> None:
    parent = start(PAIRED, topology=Topology(conf={"stormcell.message.max.bytes": 2000}))
    parent.jvm.task_ids = lambda message: None
    parent.send("a")
    parent.expect("emit")
    parent.write(
        frame({"comp": "words", "tuple": ["x" * 9000], "task": 2, "stream": "default", "id": "1"})
    )
    parent.write(frame([10]) + frame([11]))
    assert parent.expect("log", "end")["msg"] == "end a [[10], [11]]"
    assert "longer than the limit of 2000 bytes" in parent.expect("error")["msg"]


def test_task_ids_that_nobody_waits_for_are_dropped(start: Start) -> None:
    parent = start(ECHO)
    parent.write(frame([1]) + frame([]))
    _, said = parent.exchange("dog")
    assert said[0]["tuple"] == ["dog"]


def test_waiting_for_task_ids_ends_with_storm(start: Start) -> None:
    parent = start(PAIRED)
    parent.jvm.task_ids = lambda message: None
    parent.send("a")
    parent.expect("emit")
    assert parent.finish() == 0


# ---- when it writes -------------------------------------------------------------------------


def test_answers_come_without_further_input(start: Start) -> None:
    parent = start(ECHO)
    for word in ("dog", "cat", "bee"):
        id = parent.send(word)
        assert parent.expect("emit")["tuple"] == [word]
        assert parent.expect("ack")["id"] == id


def test_what_was_emitted_goes_out_while_user_code_is_busy(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                self.emit(["before"])
                gate()
                self.emit(["after"])
        """)
    parent.send(1)
    assert parent.expect("emit", seconds=5)["tuple"] == ["before"]
    parent.open_gate()
    assert parent.expect("emit")["tuple"] == ["after"]


def test_what_earlier_tuples_emitted_does_not_wait_for_a_slow_one(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                if tup.values[0] == 50:
                    gate()
                self.emit([tup.values[0]])
        """)
    # In one write, so that they are all there before the first is processed.
    parent.write_now(
        b"".join(parent.jvm.new_tuple([n], "words", "default", 2)[1] for n in range(51))
    )
    for n in range(50):
        assert parent.expect("emit", seconds=5)["tuple"] == [n]
    parent.open_gate()
    assert parent.expect("emit")["tuple"] == [50]


def test_a_spout_that_stays_in_next_tuple_is_heard(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                for n in range(3):
                    self.emit([n])
                    gate()
        """,
        topology=SPOUT,
    )
    parent.write(parent.jvm.command("next"))
    for n in range(3):
        assert parent.expect("emit", seconds=5)["tuple"] == [n]
        parent.open_gate()
    parent.expect("sync")


# ---- how the bytes come ---------------------------------------------------------------------


@pytest.mark.parametrize("eol", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_line_ends(start: Start, eol: bytes) -> None:
    parent = start(ECHO, handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))).replace(b"\n", eol))
    parent.wait_for_pid()
    for word in ("dog", "cat"):
        id, message = parent.jvm.new_tuple([word], "words", "default", 2)
        parent.write(message.replace(b"\n", eol))
        assert parent.expect("emit")["tuple"] == [word]


def test_blank_lines_and_messages_of_many_lines(start: Start) -> None:
    parent = start(ECHO)
    id, message = parent.jvm.new_tuple(["end"], "words", "default", 2)
    spread = json.dumps(json.loads(message[:-4]), indent=1)
    parent.write(b"\n\r\n\n" + spread.encode() + b"\n\nend\n\n\n")
    assert parent.expect("emit")["tuple"] == ["end"]
    parent.barrier()


def test_the_order_of_keys_and_the_spaces_do_not_matter(start: Start) -> None:
    parent = start(
        """
        class Subject(Bolt):
            def process(self, tup):
                self.emit([[tup.id, tup.component, tup.stream, tup.task, tup.values]])
        """,
        topology=Topology(inputs={}),
    )
    odd = {"comp": "w\\or/ds\u2020", "stream": 'a "stream"', "tuple": ['"id":"7",', {"id": 8}]}
    plain = {"comp": "words", "stream": "default", "tuple": ["end"]}
    for n, keys in enumerate(permutations(["comp", "tuple", "task", "stream", "id"])):
        for kind in (odd, plain):
            id, _ = parent.jvm.new_tuple([], "", "", 0)
            message = {**kind, "id": id, "task": n}
            ordered = {key: message[key] for key in keys}
            separators = [(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n ")][n % 3]
            text = json.dumps(ordered, separators=separators, ensure_ascii=n % 2 == 0)
            if n % 5 == 0:
                text = text[:-1] + ',"more":{"id":[1]},"tuples":null}'
            parent.write(text.encode() + b"\nend\n")
            expected = [id, kind["comp"], kind["stream"], n, kind["tuple"]]
            assert parent.expect("emit")["tuple"] == [expected]


def test_byte_by_byte(start: Start) -> None:
    parent = start(ECHO, handshake=False)
    words = ["dög", "cat\n", "end"]
    data = b"".join(parent.jvm.new_tuple([word], "words", "default", 2)[1] for word in words)
    small = {"conf": {}, "context": parent.topology.context(), "pidDir": None}
    for byte in frame(small) + data:
        parent.write_now(bytes([byte]))
    assert [parent.expect("emit")["tuple"] for _ in words] == [[word] for word in words]


def test_a_message_that_cannot_be_read_is_reported_and_the_next_processed(start: Start) -> None:
    parent = start(ECHO)
    dropped = "Stormcell dropped a message from Storm that it could not read: "
    for text in (b"hello", b"", b"{}", b"7", b'{"tuple":[1]}', b'{"id":"1","comp":"a","stream":"b","task":1}'):  # fmt: skip
        parent.write(text + b"\nend\n")
        assert parent.expect("error")["msg"].startswith(dropped), text
        _, said = parent.exchange("dog")
        assert said[0]["tuple"] == ["dog"]


@pytest.mark.parametrize(
    "text", ["[B@1a2b]", '["a]', "[1]]", "[[1}]", "[1,]", "[" * 1001 + "]" * 1001], ids=str.__len__
)
def test_values_that_cannot_be_read_are_reported_and_their_tuple_fails(
    start: Start, text: str
) -> None:
    parent = start(ECHO)
    id, message = parent.jvm.new_tuple(["the values"], "words", "default", 2)
    parent.write(message.replace(b'["the values"]', text.encode()))
    assert parent.expect("error")
    assert parent.expect("fail")["id"] == id
    _, said = parent.exchange("dog")
    assert said[0]["tuple"] == ["dog"]


def test_a_tuple_with_more_members_than_storm_writes(start: Start) -> None:
    parent = start(ECHO)
    id, message = parent.jvm.new_tuple(["dog"], "words", "default", 2)
    parent.write(message.replace(b'["dog"]', b'["dog"],"more":[{"tuple":["cat"]}]'))
    assert parent.expect("emit")["tuple"] == ["dog"]
    assert parent.expect("ack")["id"] == id


def test_the_limit_of_a_message(start: Start) -> None:
    parent = start(ECHO, topology=Topology(conf={"stormcell.message.max.bytes": 100_000}))
    _, said = parent.exchange("x" * 90_000)
    assert said[0]["tuple"] == ["x" * 90_000]
    too_long = {
        "comp": "words",
        "tuple": ["x" * 300_000],
        "task": 2,
        "stream": "default",
        "id": "1",
    }
    for size in (1, 3):
        parent.write(frame(too_long) * size)
        for _ in range(size):
            assert parent.expect("error")["msg"] == (
                "Stormcell dropped a message from Storm that it could not read: "
                "a message is longer than the limit of 100000 bytes"
            )
        _, said = parent.exchange("dog")
        assert said[0]["tuple"] == ["dog"]


def test_a_spout_answers_a_message_over_the_limit(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                self.emit([1])
        """,
        topology=Topology(kind="spout", conf={"stormcell.message.max.bytes": 1024}),
    )
    [report] = parent.command("ack", "x" * 5000)
    assert report["msg"].endswith("longer than the limit of 1024 bytes")
    assert len(parent.command("next")) == 1


# ---- amounts --------------------------------------------------------------------------------


def test_a_burst_both_ways_while_storm_does_not_read(start: Start) -> None:
    parent = start(ECHO)
    parent.shrink_pipes()
    ids = []
    parent.reading = False
    for n in range(5000):
        id, message = parent.jvm.new_tuple([f"{n:0500}"], "words", "default", 2)
        ids.append(id)
        parent.write(message)
    # Storm writes on: the component must take all of it although nobody reads what it says.
    parent.write_now(b"")
    parent.reading = True
    for n, id in enumerate(ids):
        assert parent.expect("emit")["tuple"] == [f"{n:0500}"]
        assert parent.expect("ack")["id"] == id


def test_a_spout_emits_more_than_the_pipes_hold(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            def next_tuple(self):
                for n in range(20000):
                    self.emit([n], n, need_task_ids=False)
        """,
        topology=Topology(kind="spout"),
    )
    parent.shrink_pipes()
    said = parent.command("next")
    assert [message["tuple"][0] for message in said] == list(range(20000))


def test_large_tuples_in_small_pipes(start: Start) -> None:
    parent = start(ECHO)
    parent.shrink_pipes()
    big = ['\U0001f40e/"' * 300_000]
    _, said = parent.exchange(big)
    assert said[0]["tuple"] == [big]
    _, said = parent.exchange("small")
    assert said[0]["tuple"] == ["small"]


def test_emitting_waits_for_a_storm_that_does_not_read(start: Start) -> None:
    parent = start(
        """
        class Subject(Bolt):
            def process(self, tup):
                for n in range(40):
                    self.emit(["x" * 100_000])
                    os.write(int(os.environ["NEWS"]), b".")
        """,
        env={"NEWS": "2"},
    )
    parent.reading = False
    parent.send(1)
    parent.write_now(b"")
    parent.reading = True
    for _ in range(40):
        assert parent.expect("emit")["tuple"] == ["x" * 100_000]
    parent.expect("ack")


def test_many_live_tuples(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            auto_ack = False
            held = []
            def process(self, tup):
                self.held.append(tup)
                if tup.values[0] == "now":
                    for held in self.held:
                        self.ack(held)
        """)
    ids = [parent.send("wait", id=f"id-{n}" if n % 2 else None) for n in range(5000)]
    ids.append(parent.send("now"))
    assert [parent.expect("ack")["id"] for _ in ids] == ids
    assert not parent.jvm.live


# ---- threads --------------------------------------------------------------------------------


def test_a_thread_is_heard_while_nothing_comes_in(start: Start) -> None:
    parent = start(
        """
        import threading
        class Subject(Spout):
            def initialize(self, conf, ctx):
                threading.Thread(target=self.talk, daemon=True).start()
            def talk(self):
                for n in range(1000):
                    gate()
                    self.log(n)
            def next_tuple(self):
                pass
        """,
        topology=SPOUT,
    )
    # The main thread goes to wait again and again; a wake-up must not be lost on the way.
    for n in range(300):
        parent.open_gate()
        if n % 2:
            parent.write(parent.jvm.command("next"))
            parent.write_now(b"")
        assert parent.expect("log", seconds=5)["msg"] == str(n)
    parent.wait_for(lambda: parent.jvm.owed == 0, "the syncs")


def test_threads_emit_whole_messages(start: Start) -> None:
    parent = start("""
        from concurrent.futures import ThreadPoolExecutor
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                self.pool = ThreadPoolExecutor(4)
            def process(self, tup):
                list(self.pool.map(lambda n: self.emit([[n, "x" * 50]]), range(2000)))
        """)
    _, said = parent.exchange(1)
    assert sorted(message["tuple"][0][0] for message in said[:-1]) == list(range(2000))


def test_threads_that_say_more_than_storm_takes_do_not_block_those_who_wait_for_them(
    start: Start,
) -> None:
    parent = start("""
        from concurrent.futures import ThreadPoolExecutor
        class Subject(Bolt):
            def process(self, tup):
                with ThreadPoolExecutor(2) as pool:
                    list(pool.map(lambda n: self.emit(["x" * 100_000]), range(40)))
        """)
    parent.send(1)
    for _ in range(40):
        assert parent.expect("emit", seconds=10)["tuple"] == ["x" * 100_000]
    parent.expect("ack")


def test_need_task_ids_is_for_the_thread_of_storms_calls(start: Start) -> None:
    parent = start("""
        from concurrent.futures import ThreadPoolExecutor
        class Subject(Bolt):
            def process(self, tup):
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(self.emit, [1], need_task_ids=True).result()
        """)
    _, said = parent.exchange(1)
    assert [message["command"] for message in said] == ["error", "fail"]
    assert said[0]["msg"].endswith(
        "RuntimeError: need_task_ids=True works only in the thread that Storm's calls come in"
    )


def test_a_thread_may_ack_later(start: Start) -> None:
    parent = start("""
        import threading
        class Subject(Bolt):
            auto_ack = False
            def process(self, tup):
                threading.Thread(target=self.later, args=[tup]).start()
            def later(self, tup):
                gate()
                self.emit(["late"], anchors=[tup])
                self.ack(tup)
        """)
    id = parent.send(1)
    parent.barrier()
    assert parent.take_all() == []
    parent.open_gate()
    assert parent.expect("emit")["anchors"] == [id]
    assert parent.expect("ack")["id"] == id


# ---- signals that are user code's -----------------------------------------------------------


def test_signal_handlers_of_python_run_while_nothing_comes_in(start: Start) -> None:
    parent = start("""
        import signal
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                signal.signal(signal.SIGUSR1, lambda number, frame: self.log("signalled"))
        """)
    parent.barrier()
    parent.process.send_signal(signal.SIGUSR1)
    assert parent.expect("log")["msg"] == "signalled"
