"""Whatever is printed reaches Storm's log, one message a line, and never the wire."""

from __future__ import annotations

import pytest

from starting import Start
from jvm import Topology
from parent import Parent, level_of

# Runs the text that it is given, in place of many small components.
RUN = """
import ctypes, subprocess, sys, threading
class Subject(Bolt):
    def process(self, tup):
        exec(tup.values[0], {**globals(), "self": self, "tup": tup})
"""


def run(parent: Parent, source: str) -> None:
    """Have the component run `source`, and wait until it is done."""
    id, said = parent.exchange(source)
    parent.unread[:0] = said
    assert parent.expect("ack")["id"] == id


PRINTS = [
    ("print('hello')", "hello", "info"),
    ("print('hällo \\U0001f40e', file=sys.stderr)", "hällo \U0001f40e", "warn"),
    ("sys.stdout.write('written\\n')", "written", "info"),
    ("os.write(1, b'hello\\n')", "hello", "info"),
    ("os.write(2, b'hello\\n')", "hello", "warn"),
    ("open('/dev/stdout', 'w').write('opened\\n')", "opened", "info"),
    ("ctypes.CDLL(None).printf(b'from %s\\n', b'C')", "from C", "info"),
    ("ctypes.CDLL(None).system(b'echo from a shell')", "from a shell", "info"),
    ("subprocess.run(['sh', '-c', 'echo a child >&2'])", "a child", "warn"),
    ("threading.Thread(target=print, args=['a thread']).start()", "a thread", "info"),
    ("os.write(1, b'\\xff\\xfea\\xc3\\n')", "\ufffd\ufffda\ufffd", "info"),
    ("print('\\ud800')", "\\ud800", "info"),
    ('print(\'{"command":"sync"}\\nend\')', '{"command":"sync"}', "info"),
    ("print('\"\\\\\\t\\0')", '"\\\t\0', "info"),
    ("print('windows', end='\\r\\n')", "windows", "info"),
    ("os.write(1, b'no line end')", "no line end", "info"),
    ("print('no line end', end='', flush=True)", "no line end", "info"),
]


@pytest.mark.parametrize(("source", "text", "level"), PRINTS, ids=[row[0] for row in PRINTS])
def test_what_is_printed_is_logged(start: Start, source: str, text: str, level: str) -> None:
    parent = start(RUN)
    run(parent, source)
    message = parent.expect("log")
    assert (message["msg"], level_of(message)) == (text, level)


def test_each_line_is_a_message_and_empty_ones_are_none(start: Start) -> None:
    parent = start(RUN)
    run(parent, "print('one\\n\\n\\ntwo\\n'); print(); print('three')")
    assert [parent.expect("log")["msg"] for _ in range(3)] == ["one", "two", "three"]


def test_a_line_that_is_too_long_is_cut(start: Start) -> None:
    parent = start(RUN)
    run(parent, "print('x' * 200_000); print('next')")
    text = parent.expect("log")["msg"]
    assert text == "x" * (64 << 10) + " [cut by Stormcell]"
    assert parent.expect("log")["msg"] == "next"


def test_a_character_may_come_in_parts(start: Start) -> None:
    parent = start(RUN)
    run(parent, "[os.write(1, bytes([byte])) for byte in 'dög\\n'.encode()]")
    assert parent.expect("log")["msg"] == "dög"


def test_stdin_is_empty(start: Start) -> None:
    parent = start(RUN)
    run(parent, "self.log([sys.stdin.read(), os.read(0, 10)])")
    assert parent.expect("log")["msg"] == "['', b'']"
    run(parent, "self.log(subprocess.run(['cat'], capture_output=True).stdout)")
    assert parent.expect("log")["msg"] == "b''"
    _, said = parent.exchange("input()")
    assert said[0]["msg"].endswith("EOFError: EOF when reading a line")


def test_closing_the_standard_descriptors_disturbs_nothing(start: Start) -> None:
    parent = start(RUN)
    run(parent, "os.close(0); os.close(1); os.close(2)")
    run(parent, "self.log('still here')")
    assert parent.expect("log")["msg"] == "still here"
    run(parent, "files = [open('/dev/null', 'w') for _ in range(3)]; files[1].write('x')")
    run(parent, "self.emit([1])")
    assert parent.expect("emit")["tuple"] == [1]


def test_closing_every_descriptor_is_reported(start: Start) -> None:
    parent = start(RUN)
    parent.send("self.emit(['before']); os.closerange(3, 1024); self.emit(['after'])")
    assert parent.wait() == 1
    assert parent.expect("emit")["tuple"] == ["before"]
    report = parent.expect("error")["msg"]
    assert "of component 'subject' (task 4) ended" in report
    assert "Bad file descriptor" in report


def test_replacing_stdout_is_the_components_own_affair(start: Start) -> None:
    parent = start(RUN)
    run(parent, "import io; sys.stdout = sys.stderr = io.StringIO(); print('kept')")
    run(parent, "self.log(repr(sys.stdout.getvalue()))")
    assert parent.expect("log")["msg"] == "'kept\\n'"


def test_children_do_not_inherit_the_wire(start: Start) -> None:
    parent = start(RUN)
    run(
        parent,
        "self.log(subprocess.run([sys.executable, '-c', 'import os; print(os.listdir(\"/proc/self/fd\"))'],"
        " close_fds=False, capture_output=True).stdout.decode())",
    )
    seen = parent.expect("log")["msg"]
    assert len(eval(seen)) <= 5, seen  # 0, 1, 2, the gate, and the folder itself


def test_a_child_that_keeps_stdout_open_does_not_keep_the_component(start: Start) -> None:
    parent = start(RUN)
    run(parent, "subprocess.Popen(['sleep', '600'])")
    assert parent.finish() == 0


# ---- forks ----------------------------------------------------------------------------------

FORK = """
import sys, traceback
class Subject(Bolt):
    def process(self, tup):
        self.emit(["before"])
        pid = os.fork()
        if pid == 0:
            %s
        self.emit(["status %%d" %% os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])])
"""

NO_CONNECTION = (
    "RuntimeError: a process that the component forked has no connection to Storm: "
    "hand the result to the component's own process and emit there"
)


@pytest.mark.parametrize(
    "call",
    [
        "self.emit([1])",
        "self.emit([1], anchors=[])",
        "self.emit([1], need_task_ids=True, anchors=[])",
        "self.log('from the fork')",
        "self.report_error('from the fork')",
        "self.report_metric('name', 1)",
        "self.ack(tup)",
        "self.fail(tup)",
    ],
)
def test_a_fork_has_no_wire(start: Start, call: str) -> None:
    parent = start(
        FORK
        % f"""
            try:
                {call}
            except Exception as error:
                print("".join(traceback.format_exception_only(error)))
            os._exit(3)
        """,
        topology=Topology(metrics={"name"}),
    )
    id, said = parent.exchange(1)
    logs = [message["msg"] for message in said if message["command"] == "log"]
    said = [message for message in said if message["command"] != "log"]
    assert [message.get("tuple") for message in said] == [["before"], ["status 3"], None]
    assert (logs or [parent.expect("log")["msg"]]) == [NO_CONNECTION]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("os._exit(0)", 0),
        ("sys.exit(0)", 0),
        ("sys.exit(5)", 5),
        ("os.kill(os.getpid(), 9)", -9),
        ("os.execvp('true', ['true'])", 0),
        ("raise ValueError", 1),
        ("return", 1),
    ],
)
def test_the_end_of_a_fork_disturbs_nothing(start: Start, end: str, status: int) -> None:
    parent = start(FORK % end)
    for _ in range(2):
        id, said = parent.exchange(1)
        said = [message for message in said if message["command"] != "log"]
        assert [message.get("tuple") for message in said] == [
            ["before"],
            [f"status {status}"],
            None,
        ]
        assert said[-1] == {"command": "ack", "id": id}


def test_multiprocessing_works(start: Start) -> None:
    parent = start("""
        import multiprocessing
        def square(n):
            return n * n
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                self.pool = multiprocessing.get_context("fork").Pool(2)
            def process(self, tup):
                self.emit([self.pool.map(square, range(10))])
        """)
    for _ in range(3):
        _, said = parent.exchange(1)
        assert said[0]["tuple"] == [[n * n for n in range(10)]]


def test_what_a_fork_prints_is_logged(start: Start) -> None:
    parent = start(FORK % "print('from the fork'); os._exit(0)")
    parent.send(1)
    assert parent.expect("log")["msg"] == "from the fork"
    parent.expect("ack")
