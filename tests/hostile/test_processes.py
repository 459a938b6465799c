"""Descriptors, limits, signals, children: what the system gives a process, taken away or misused."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hostile import RUN, SANITIZED, descendants, emitted, lives_on, of_memory, run, settled
from jvm import frame
from parent import EXTENSION, door, eventually, is_gone
from starting import Start

# ---- descriptors ----------------------------------------------------------------------------


def test_an_exception_is_told_where_no_descriptor_is_left(start: Start) -> None:
    parent = start(RUN)
    run(
        parent,
        """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
hoard = globals()['hoard'] = []
while True:
    hoard.append(open('/dev/null'))
""",
        end="fail",
    )
    text = parent.expect("error")["msg"]
    assert text.startswith("OSError: [Errno 24] Too many open files: '/dev/null' (<hostile>, line "), text
    lives_on(parent)


def test_sixteen_descriptors_are_enough(start: Start) -> None:
    command = ["sh", "-c", 'ulimit -n 16; exec "$@"', "sh", *door("subject.Subject")]
    parent = start("import logging, traceback\n" + RUN, command=command)
    lives_on(parent)
    run(parent, "self.logger.warning('text'); {}['missing']", end="fail")
    parent.expect("error", "KeyError: 'missing'")
    run(parent, "print('printed')")
    parent.expect("log", "printed")
    lives_on(parent)


@of_memory
@pytest.mark.parametrize("limit", ["-n 8", "-v 1000000", "-f 1000"])
def test_a_limit_that_leaves_no_room_is_told(start: Start, limit: str) -> None:
    """A line on stderr, which Storm quotes, says so; nobody waits for an answer that does not come."""
    command = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *door("subject.Subject")]
    parent = start(RUN, command=command, handshake=False)
    parent.write(frame(parent.topology.handshake(str(parent.pid_dir))))
    assert parent.wait() > 0, "ended by a signal"
    told = parent.stderr.decode().splitlines()
    [line] = told
    assert line.startswith("stormcell.run: " if EXTENSION else "stormcell-shim: ")


def test_every_descriptor_is_closed(start: Start) -> None:
    """What was said before is not lost, and a fresh interpreter has new ones."""
    parent = start(RUN)
    guilty = parent.send("self.emit(['before']); os.closerange(0, 1024); self.log('after')")
    behind = [parent.send(f"self.emit([{n}])") for n in range(3)]
    for id in (guilty, *behind):
        settled(parent, id)
    assert emitted(parent, "before")
    assert "Bad file descriptor" in parent.expect("error")["msg"]
    lives_on(parent)


def test_descriptors_that_take_the_place_of_the_wire(start: Start) -> None:
    """Libraries that make daemons close every descriptor, and what they open next gets their numbers."""
    parent = start(RUN)
    guilty = parent.send(
        "os.closerange(0, 1024)\n"
        "for n in range(64):\n"
        "    os.open(os.path.join(os.getcwd(), f'file{n}'), os.O_RDWR | os.O_CREAT)\n"
    )
    settled(parent, guilty)
    lives_on(parent)
    files = [path.read_bytes() for path in parent.folder.glob("file*")]
    assert len(files) == 64 and not any(files), "what was for Storm went into a file"


# ---- signals --------------------------------------------------------------------------------

ALL_SIGNALS = """
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, %s)
    except OSError:
        pass
"""


@pytest.mark.parametrize("end", ["finish", "SIGTERM", "hang up"])
@pytest.mark.parametrize(
    "handler", ["signal.SIG_IGN", "signal.SIG_DFL", "lambda *arguments: None", "lambda *arguments: 1 / 0"]
)
def test_every_signal_is_the_components_own(start: Start, handler: str, end: str) -> None:
    parent = start(RUN)
    run(parent, ALL_SIGNALS % handler)
    settled(parent, parent.send("print('printed'); subprocess.run(['true'])"))  # SIGCHLD may raise
    parent.expect("log", "printed")
    lives_on(parent)
    below = descendants(parent.pid)
    if end == "finish":
        assert parent.finish() == 0
    elif end == "SIGTERM":
        parent.process.terminate()
        parent.wait()
    else:
        parent.hang_up()
    eventually(lambda: is_gone(parent.pid, *below), "both processes to be gone", 10)


def test_every_signal_may_be_blocked(start: Start) -> None:
    parent = start(RUN)
    run(parent, "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())")
    lives_on(parent)
    parent.process.terminate()
    parent.wait()


def test_a_timer_that_interrupts_everything(start: Start) -> None:
    """Each system call ends early again and again; no byte is lost or said twice."""
    parent = start(RUN)
    parent.shrink_pipes()
    run(
        parent,
        "signal.signal(signal.SIGALRM, lambda *arguments: None)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)",
    )
    ids = [parent.send(f"self.emit([[{n}, 'x' * 3000]])") for n in range(1000)]
    for n, id in enumerate(ids):
        assert settled(parent, id) == "ack"
    emits = [message["tuple"][0][0] for message in parent.take_all("emit")]
    assert emits == list(range(1000))
    run(parent, "signal.setitimer(signal.ITIMER_REAL, 0)")


def test_a_handler_that_speaks_and_raises(start: Start) -> None:
    parent = start(RUN)
    run(
        parent,
        "def handle(*arguments):\n"
        "    self.log('in the handler')\n"
        "    raise KeyError('in the handler')\n"
        "signal.signal(signal.SIGUSR1, handle)",
    )
    interpreter = parent.interpreter
    run(parent, "os.kill(os.getpid(), signal.SIGUSR1)", end="fail")
    parent.expect("log", "in the handler")
    lives_on(parent)
    assert parent.interpreter == interpreter


def test_ctrl_c_in_a_terminal_ends_it_in_order(start: Start) -> None:
    """It reaches the whole group: the guardian, the interpreter and what the component started."""
    parent = start(RUN)
    run(parent, "subprocess.Popen(['sleep', '600'])")
    below = descendants(parent.pid)
    assert len(below) == 2
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.wait() == 0
    assert parent.take_all("error") == []
    assert is_gone(*below)


# ---- stopped --------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["interpreter", "guardian", "both"])
def test_stopped_and_continued(start: Start, which: str) -> None:
    parent = start(RUN)
    parent.shrink_pipes()
    pids = {
        "interpreter": [parent.interpreter],
        "guardian": [parent.pid],
        "both": [parent.interpreter, parent.pid],
    }[which]
    ids: list[str] = []
    for _ in range(10):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        ids += [
            parent.send("print('printed'); self.emit(['x' * 2000]); self.log('logged')")
            for _ in range(100)
        ]
        with pytest.raises(AssertionError, match="waited"):
            parent.wait_for(lambda: False, "a while", 0.02)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        parent.wait_for(lambda: ids[-50] in parent.jvm.settled, "half of it")
    for id in ids:
        assert settled(parent, id) == "ack"
    assert len(parent.take_all("emit")) == 1000
    lives_on(parent)


# ---- children -------------------------------------------------------------------------------


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_multiprocessing_by_every_method(start: Start, context: str) -> None:
    parent = start(f"""
        import multiprocessing
        def square(n):
            print("in a worker")
            return n * n
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                self.pool = multiprocessing.get_context("{context}").Pool(2)
            def process(self, tup):
                self.emit([self.pool.map(square, range(10))])
        """)
    for _ in range(2):
        _, said = parent.exchange(1)
        emits = [message for message in said if message["command"] == "emit"]
        assert emits[0]["tuple"] == [[n * n for n in range(10)]]
    below = descendants(parent.pid)
    assert len(below) >= 3
    assert parent.finish() == 0
    eventually(lambda: is_gone(*below), "the workers to be gone", 10)


INHERITING = {
    "a child": "subprocess.Popen(['sleep', '600'], close_fds=False)",
    "a session of its own": "subprocess.Popen(['sleep', '600'], close_fds=False, start_new_session=True)",
    "a daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp('sleep', ['sleep', '600'])
    os._exit(0)
os.wait()
""",
    "a fork that ignores everything": """
if os.fork() == 0:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            pass
    while True:
        time.sleep(600)
""",
}


@pytest.mark.parametrize("source", INHERITING.values(), ids=list(INHERITING))
@pytest.mark.parametrize("end", ["finish", "hang up"])
def test_a_child_that_inherits_everything(start: Start, source: str, end: str) -> None:
    """It does not keep the wire open, and does not outlive its component."""
    parent = start(RUN)
    run(parent, source)
    eventually(lambda: len(found_in(parent.folder)) >= 3, "the child to be there")
    try:
        lives_on(parent)
        if end == "finish":
            assert parent.finish() == 0
        else:
            parent.hang_up()
        eventually(lambda: not found_in(parent.folder), "every process to be gone", 10)
    finally:
        for pid in found_in(parent.folder):
            os.kill(pid, signal.SIGKILL)


def found_in(folder: Path) -> list[int]:
    """The processes whose working directory this is: a daemon is below nobody."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(folder):
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile
            pass
    return found


def test_forks_while_threads_emit(start: Start) -> None:
    """A fork copies locks as they are; neither side may find one held by a thread that it lacks."""
    parent = start("""
        import threading, time
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                for _ in range(2):
                    threading.Thread(target=self.talk, daemon=True).start()
            def talk(self):
                while True:
                    self.log("x" * 100)
                    time.sleep(0.0002)
            def process(self, tup):
                pid = os.fork()
                if pid == 0:
                    try:
                        self.emit(["from the fork"])
                    except RuntimeError:
                        os._exit(7)
                    os._exit(0)
                self.emit([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])])
        """)
    for _ in range(20):
        id = parent.send(1)
        assert settled(parent, id) == "ack"
    assert [message["tuple"] for message in parent.take_all("emit")] == [[7]] * 20


# ---- the clock ------------------------------------------------------------------------------

JUMPING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

/* The time of day jumps by up to ten years at each look; the monotonic clock is left as it is. */
static time_t jump(void) { return (random() % 2 ? 1 : -1) * (random() % 315360000); }

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now->tv_sec += jump();
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
"""


@pytest.fixture(scope="module")
def jumping_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clock")
    (folder / "jumping.c").write_text(JUMPING)
    library = folder / "jumping.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", library, folder / "jumping.c", "-ldl"], check=True
    )
    return library


@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer must be loaded first")
def test_a_clock_that_jumps(start: Start, jumping_clock: Path) -> None:
    """Timers, pauses and deadlines go by the monotonic clock."""
    parent = start(
        """
        import time
        class Subject(TicklessBatchingBolt):
            secs_between_batches = 0.05
            def process_batch(self, key, tups):
                self.emit([len({time.time() // 1000 for _ in range(100)})])
                os.write(1, b"a line without an end")
        """,
        env={"LD_PRELOAD": str(jumping_clock)},
    )
    for _ in range(10):
        id = parent.send(1)
        assert settled(parent, id) == "ack"
        assert parent.expect("log")["msg"] == "a line without an end"
    jumps = [message["tuple"][0] for message in parent.take_all("emit")]
    assert min(jumps) > 10, "the clock of the test does not jump"
    began = time.monotonic()
    assert parent.finish() == 0
    assert time.monotonic() - began < 10
