"""User code that turns against its own interpreter: the tuple in hand fails or is acked, the next one is
processed, and what Storm reads is always whole."""

from __future__ import annotations



import pytest

from hostile import MIB, RUN, emitted, lives_on, of_memory, resident, run, settled
from jvm import Topology
from starting import Start

# ---- sabotage -------------------------------------------------------------------------------

HARMLESS = [
    "sys.stdout.close()",
    "sys.stderr.close()",
    "sys.stdin.close(); os.close(0)",
    "del sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__",
    "sys.stdout = sys.stderr = None",
    "sys.stdout.detach()",
    "os.close(1); os.close(2); open('/dev/null'); open('/dev/null')",
    "sys.path.clear(); sys.meta_path.clear(); sys.path_hooks.clear()",
    "sys.modules.clear()",
    "sys.modules['traceback'] = sys.modules['stormcell.report'] = None",
    "import builtins; builtins.__import__ = None",
    "import builtins; del builtins.repr, builtins.isinstance, builtins.len",
    "import traceback; traceback.format_exception = None",
    "import stormcell; vars(stormcell).clear()",
    "os.chdir('/proc')",
    "os.environ.clear()",
    "sys.excepthook = sys.unraisablehook = threading.excepthook = None",
    "import faulthandler; faulthandler.enable(); faulthandler.dump_traceback()",
    "import faulthandler; faulthandler.dump_traceback_later(600, repeat=True)",
    "gc.disable(); gc.freeze()",
    "gc.set_threshold(1)",
    "gc.callbacks.append(lambda phase, info: 1 / 0)",
    "sys.setswitchinterval(1e-9)",
    "sys.setrecursionlimit(90)",
    "sys.setprofile(lambda *arguments: None)",
    "import locale; locale.setlocale(locale.LC_ALL, 'C')",
    "os.umask(0o777); os.nice(1)",
    "import atexit; atexit.register(lambda: 1 / 0); atexit.register(os.abort)",
    "import _thread; _thread.interrupt_main()",
    "type(self).process_tick = None; self.__dict__.update(emit_twice=1, _current_tups_=2)",
    "type(self).__getattr__ = lambda self, name: 1 / 0",
    "self.__dict__.clear()",
    "self.storm_conf.clear(); self.context.clear()",
    "import logging; logging.shutdown(); logging.getLogger().handlers.clear(); logging.disable()",
    "import ctypes; ctypes.CDLL(None).setvbuf(ctypes.c_void_p.in_dll(ctypes.CDLL(None), 'stdout'), None, 0, 0)",
]  # fmt: skip


@pytest.mark.parametrize("source", HARMLESS)
def test_sabotage(start: Start, source: str) -> None:
    """After it tuples are processed, exceptions reported, and an end is an end."""
    parent = start(RUN)
    settled(parent, parent.send(source))
    lives_on(parent)
    run(parent, "{}['missing']", end="fail")
    parent.expect("error", "KeyError")
    lives_on(parent)
    parent.finish()
    assert not parent.jvm.live


ENDS_IT = [
    "raise KeyboardInterrupt",
    "sys.exit()",
    "raise SystemExit(RuntimeError('no'))",
    "import _thread; _thread.exit()",
    "self._report = None; raise ValueError",
    "os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGKILL)",
    "sys.setrecursionlimit(10**9); f = lambda x: sorted([x], key=f); f(1)",
    "ctypes.pythonapi.Py_FatalError(b'on purpose')",
    "signal.alarm(1); time.sleep(60)",
    "os.execvp('true', ['true'])",
    "os.execvp('cat', ['cat'])",
    "os.killpg(0, signal.SIGSEGV)",
]


@pytest.mark.parametrize("source", ENDS_IT)
def test_an_interpreter_that_is_lost_is_replaced(start: Start, source: str) -> None:
    parent = start(RUN, env={"ASAN_OPTIONS": "detect_leaks=0:handle_segv=0:handle_abort=0"})
    before = parent.interpreter
    waiting = parent.send("self.log('taken')")
    guilty = parent.send(source)
    behind = [parent.send(f"self.emit([{n}])") for n in range(3)]
    assert settled(parent, guilty) == "fail"
    assert settled(parent, waiting) == "ack"
    for id in behind:
        settled(parent, id)
    assert guilty in parent.expect("error", "the Python process")["msg"]
    lives_on(parent)
    assert parent.interpreter != before


# ---- exceptions -----------------------------------------------------------------------------

BASE_EXCEPTIONS = [
    "raise BaseException('bare')",
    "raise GeneratorExit",
    "import asyncio; raise asyncio.CancelledError",
    "raise type('Own', (BaseException,), {})('own')",
    "raise StopIteration",
    "raise ExceptionGroup('many', [ValueError(n) for n in range(1000)])",
    "raise MemoryError",
    "raise RecursionError",
    "f = lambda: f(); f()",
    "class C:\n    def __repr__(self): return repr(self)\nrepr(C())",
    "raise 5",
    "raise type('Meta', (type,), {'__call__': lambda cls: 5})('E', (Exception,), {})",
    "raise type('Lying', (Exception,), {'__class__': property(lambda self: int)})",
    "raise type('Lying', (Exception,), {'__traceback__': property(lambda self: 1 / 0)})",
    "raise type('Lying', (Exception,), {'__traceback__': 5})",
    "raise type('Lying', (Exception,), {'__str__': lambda self: 5})",
    "raise type('Lying', (Exception,), {'__str__': lambda self: sys.exit(0)})",
    "raise type('Lying', (Exception,), {'__str__': lambda self: self.emit(), '__notes__': 5})",
    "raise type('Lying', (Exception,), {'__getattribute__': lambda self, name: 1 / 0})",
    "raise type('Meta', (type,), {'__name__': property(lambda cls: 1 / 0)})('Lying', (Exception,), {})",
    "raise type('Lying', (Exception,), {'__module__': 5, '__qualname__': 'a\\ud800b'})",
    "e = ValueError(); e.__cause__ = e; raise e",
    "raise ValueError('\\ud800\\udfff\\0\\nend\\n')",
    "raise ValueError(b'\\xff' * 1000)",
    "raise UnicodeDecodeError('utf-8', b'', -5, 10**9, '')",
    "raise SyntaxError('no', (b'\\xff', 'x', {}, -1))",
    "raise OSError(-1, None, 5, None, {})",
    "compile('\\0' + '(' * 10000, 'x', 'exec')",
]  # fmt: skip


@pytest.mark.parametrize("source", BASE_EXCEPTIONS)
def test_an_exception_of_any_kind(start: Start, source: str) -> None:
    """It is one error, one fail, and the same interpreter goes on."""
    parent = start(RUN)
    interpreter = parent.interpreter
    run(parent, source, end="fail")
    assert len(parent.take_all("error")) == 1
    lives_on(parent)
    assert parent.interpreter == interpreter


@of_memory
@pytest.mark.parametrize("source", ["bytearray(10**17)", "'x' * 10**17"])
def test_an_object_larger_than_the_memory(start: Start, source: str) -> None:
    parent = start(RUN)
    run(parent, source, end="fail")
    assert "MemoryError" in parent.expect("error")["msg"]
    lives_on(parent)


@of_memory
@pytest.mark.parametrize(
    "message", ["'x' * 100 * 2**20", "'\\U0001f40e' * 25 * 2**20", "'\\ud800' * 35 * 2**20"]
)
def test_an_exception_with_a_huge_message(start: Start, message: str) -> None:
    parent = start(RUN)
    run(parent, f"raise ValueError({message})", end="fail")
    report = parent.expect("error")["msg"]
    assert len(report) < 70_000
    assert " characters left out ..." in report
    parent.exchange("gc.collect()")
    assert resident(parent.interpreter) < 40 * MIB, "the message is still held"
    lives_on(parent)


OWN_SETTLING = """
class Subject({base}):
    def process(self, tup):
        self.emit([tup.values[0]])
        if tup.values[0] == "raise":
            raise KeyError("in process")
    def ack(self, tup):
        raise ValueError("in ack")
    def fail(self, tup):
        raise ValueError("in fail")
"""


def test_an_exception_in_a_bolts_own_ack_or_fail(start: Start) -> None:
    """Both are told; the tuple is settled all the same, or Storm would wait for it until it times out."""
    parent = start(OWN_SETTLING.format(base="Bolt"))
    for value, told in (("return", ["in ack", "in fail"]), ("raise", ["in process", "in fail"])):
        assert settled(parent, parent.send(value)) == "fail"
        errors = parent.take_all("error")
        assert [any(text in error["msg"] for error in errors) for text in told] == [True, True]
    assert [message["tuple"][0] for message in parent.take_all("emit")] == ["return", "raise"]


@pytest.mark.parametrize("source", ["pass", "raise KeyError('in batch')"])
def test_an_exception_in_a_batching_bolts_own_ack_or_fail(start: Start, source: str) -> None:
    parent = start(f"""
        class Subject(BatchingBolt):
            ticks_between_batches = 0
            def process_batch(self, key, tups):
                {source}
            def ack(self, tup):
                raise ValueError("in ack")
            def fail(self, tup):
                raise ValueError("in fail")
        """)
    interpreter = parent.interpreter
    for _ in range(2):
        ids = [parent.send(n) for n in range(5)]
        tick = parent.tick()
        for id in ids:
            assert settled(parent, id) == "fail"
        settled(parent, tick)
    assert parent.interpreter == interpreter


@pytest.mark.parametrize("command", ["ack", "fail"])
@pytest.mark.parametrize("source", ["raise ValueError", "raise BaseException", "1 / 0", "self.log(b'\\xff')"])
def test_an_exception_in_a_spouts_ack_or_fail(start: Start, command: str, source: str) -> None:
    parent = start(
        f"""
        class Subject(Spout):
            n = 0
            def next_tuple(self):
                self.n += 1
                self.emit([self.n], self.n)
            def {command}(self, tup_id):
                {source}
        """,
        topology=Topology(kind="spout"),
    )
    for n in range(1, 4):
        assert [message["tuple"] for message in parent.command("next")] == [[n]]
        assert len(parent.command(command, n)) == 1


# ---- objects --------------------------------------------------------------------------------

OBJECTS = """
import sys
class Raising:
    def __del__(self):
        subject.emit(["from __del__"], anchors=[])
        raise ValueError("in __del__")
class Subject(Bolt):
    def process(self, tup):
        global subject
        subject = self
        exec(tup.values[0], {**globals(), "self": self})
"""


@pytest.mark.parametrize(
    "source",
    [
        "self.emit([Raising()])",
        "self.emit([[1, {'a': [Raising()]}]])",
        "value = Raising(); value.itself = value; del value; import gc; gc.collect(); {}['no']",
        "self.log(Raising()); {}['no']",
        "raise ValueError(Raising())",
    ],
)
def test_what_is_emitted_while_an_object_goes(start: Start, source: str) -> None:
    parent = start(OBJECTS)
    run(parent, source, end="fail")
    parent.wait_for(lambda: emitted(parent, "from __del__"), "the emit of __del__")
    parent.expect("log", "ValueError: in __del__")
    lives_on(parent)


def test_an_object_that_emits_when_everything_ends(start: Start) -> None:
    parent = start(OBJECTS)
    run(parent, "sys.kept = Raising(); globals()['kept'] = Raising()")
    assert parent.finish() == 0


def test_what_was_emitted_does_not_change_with_its_object(start: Start) -> None:
    """A Storm that does not read leaves the tuples in the component, where user code goes on."""
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                row = [0]
                inner = {"n": 0}
                for n in range(2000):
                    row[0] = inner
                    inner["n"] = n
                    self.emit(row, anchors=[])
                    row.clear()
                    row.append(None)
                print("emitted")
        """)
    parent.shrink_pipes()
    parent.reading = False
    parent.send(1)
    parent.write_now(b"")
    parent.reading = True
    parent.expect("ack")
    assert [message["tuple"] for message in parent.take_all("emit")] == [
        [{"n": n}] for n in range(2000)
    ]


def test_a_reliable_spout_emits_again_what_it_had_emitted(start: Start) -> None:
    parent = start(
        """
        class Subject(ReliableSpout):
            row = [0]
            def next_tuple(self):
                self.row[0] += 1
                self.emit(self.row, self.row[0])
        """,
        topology=Topology(kind="spout"),
    )
    for n in (1, 2, 3):
        assert [message["tuple"] for message in parent.command("next")] == [[n]]
    for n in (1, 2, 3):
        assert [message["tuple"] for message in parent.command("fail", n)] == [[n]]


def test_without_the_collector_nothing_is_left_behind(start: Start) -> None:
    """Neither a tuple nor its failure makes a cycle: whoever switches the collector off loses nothing."""
    parent = start("""
        import gc, sys
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                gc.disable()
            def process(self, tup):
                if tup.values[0] == "raise":
                    raise ValueError("no")
                if tup.values[0] == "refused":
                    self.emit([{"a": object()}])
                self.emit([sys.getallocatedblocks()], anchors=[tup, tup.id])
        """)
    blocks = []
    for _ in range(3):
        for n in range(1000):
            parent.send(("raise", "refused", "emit")[n % 3])
        parent.barrier()
        blocks.append(parent.take_all("emit")[-1]["tuple"][0])
    assert blocks[2] - blocks[1] < 100, blocks


# ---- threads --------------------------------------------------------------------------------


def test_threads_that_race_to_settle(start: Start) -> None:
    """Of many that ack, fail and anchor the same tuples at once, one wins for each tuple."""
    parent = start("""
        import sys, threading
        class Subject(Bolt):
            auto_ack = False
            def initialize(self, conf, ctx):
                sys.setswitchinterval(1e-6)
                self.tuples = []
                for settle in (self.ack, self.fail, self.ack, self.fail):
                    threading.Thread(target=self.race, args=[settle], daemon=True).start()
            def process(self, tup):
                self.tuples.append(tup)
                self.log("main")
            def race(self, settle):
                seen = 0
                while True:
                    if seen < len(self.tuples):
                        for attempt in (lambda tup: self.emit([tup.id], anchors=[tup]), settle):
                            try:
                                attempt(self.tuples[seen])
                            except ValueError:
                                pass
                        seen += 1
        """)
    ids = [parent.send(n) for n in range(300)]
    for id in ids:
        settled(parent, id)
    assert not parent.jvm.live
    assert len(parent.take_all("ack", "fail")) == 300


def test_a_thread_that_raises_in_the_thread_of_storms_calls(start: Start) -> None:
    parent = start(RUN)
    source = """
def disturb(main):
    for _ in range(20):
        time.sleep(0.005)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main), ctypes.py_object(KeyError))
threading.Thread(target=disturb, args=[threading.main_thread().ident], daemon=True).start()
"""
    run(parent, source)
    ends = [settled(parent, parent.send("time.sleep(0.001)")) for _ in range(100)]
    assert "ack" in ends and "fail" in ends
    assert parent.take_all("error")
    lives_on(parent)


@pytest.mark.parametrize("kind", ["dict", "list"])
def test_a_container_that_changes_while_it_is_emitted(start: Start, kind: str) -> None:
    """A thread adds and removes items all the time; each tuple shows the container at one moment."""
    parent = start(f"""
        import sys, threading
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                sys.setswitchinterval(1e-6)
                self.dict = {{str(n): [n] for n in range(50)}}
                self.list = list(range(50))
                threading.Thread(target=self.change, daemon=True).start()
            def change(self):
                while True:
                    for n in range(50):
                        self.dict[str(-n)] = self.dict.pop(str(n))
                    for n in range(50):
                        self.dict[str(n)] = self.dict.pop(str(-n))
                    self.list.clear()
                    self.list.extend(range(50))
            def process(self, tup):
                for _ in range(1000):
                    self.emit([self.{kind}])
        """)
    _, said = parent.exchange(1)
    emits = [message["tuple"][0] for message in said if message["command"] == "emit"]
    assert len(emits) == 1000
    if kind == "list":
        assert all(items in ([], list(range(50))) for items in emits)
    else:
        assert all(49 <= len(items) <= 50 for items in emits)
