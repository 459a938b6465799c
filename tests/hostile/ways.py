"""The 33 ways in which a multilang component ends or hangs a worker of Storm's, and what is done.

A way that a child can prevent has cases: classes of this name in resources/ours.py and, on Storm's
storm.py, in resources/stock.py. Each case says what storm.py comes to against the strict parent, and
what Stormcell does. A way that no child can prevent says what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Play = Literal[
    "bolt", "never", "backlog", "full", "slow", "spout", "inactive", "orphan", "term",
    "bytes", "pause",
]  # fmt: skip
"""What Storm does meanwhile: trials.py and real.py have it, the last two in a real worker only."""
Settled = Literal["ack", "fail", None]
PATIENT = {"stormcell.hang.timeout.secs": 1000}
"""For calls that are known to take longer than Storm waits."""


@dataclass(frozen=True)
class Case:
    """A component that does it.

    stock: what storm.py comes to against the strict parent (a regular expression), or "" if it lives.
    settled: what Stormcell has done with the bad tuple in the end.
    error: what is in the `error` that Stormcell sends (a regular expression), or "" if there is none.
    log: what is in a log message (a regular expression).
    """

    name: str
    stock: str
    settled: Settled = None
    error: str = ""
    log: str = ""
    play: Play = "bolt"
    conf: dict[str, Any] = field(default_factory=dict)
    ackers: bool = True

    @property
    def kind(self) -> Literal["bolt", "spout"]:
        return "spout" if self.play in ("spout", "inactive") else "bolt"


@dataclass(frozen=True)
class Way:
    """cases: by which a child does it; a real worker is shown the first of them.

    storms: it is Storm's part and its operator's that the worker lives; a child can only make it
    rarer. shown: how a real worker comes to it, where no child does it.
    """

    number: int
    what: str
    how: str
    cases: tuple[Case, ...] = ()
    storms: bool = False
    shown: Case | None = None

    @property
    def real(self) -> Case | None:
        """What a real worker is shown."""
        return self.cases[0] if self.cases else self.shown


BROKEN = "the child ended with status"
TIMEOUT = "no sign of life"
NO_JSON = "no JSON"

WAYS = (
    Way(
        1,
        "A tuple is acked or failed twice, or an id is acked that Storm did not give.",
        "A table of live ids: the first ack or fail counts, any other raises in the author's own stack.",
        (
            Case("AckTwice", "has been settled", "ack", "ValueError"),
            Case("FailAfterAck", "has been settled", "ack", "ValueError"),
            Case("AckUnknown", "never sent", "fail", "ValueError"),
            Case("AckNumber", "is no string", "fail", "TypeError"),
        ),
    ),
    Way(
        2,
        "A tuple is emitted with an anchor that is settled already.",
        "The same table: `emit` raises, and nothing of the message is written.",
        (Case("AnchorSettled", "which is not live", "ack", "ValueError"),),
    ),
    Way(
        3,
        "A tuple is never acked: Storm's map of inputs grows until the heap is full.",
        "A tuple is acked when `process` returns (`auto_ack`), ticks too.",
        (Case("NeverAcks", "", "ack"),),
    ),
    Way(
        4,
        "A metric is sent that no Java code has registered.",
        "Only names that the configuration lists are sent; any other raises.",
        (Case("UnknownMetric", "not registered", "fail", "ValueError"),),
    ),
    Way(
        5,
        "Something is printed: by Python, by a C library, by a child process.",
        "The wire is a private descriptor; what is printed becomes log messages.",
        (
            Case("Prints", NO_JSON, "ack", log="on the wire"),
            Case("PrintsInC", NO_JSON, "ack", log="on the wire"),
            Case("ChildPrints", NO_JSON, "ack", log="on the wire"),
        ),
    ),
    Way(
        6,
        "A value that JSON or Storm's parser does not take: NaN, infinity, past 64 bits, too deep.",
        "`emit` raises and names the value's place; nothing of the message is written.",
        (
            Case("TooDeep", "nested deeper", "fail", "ValueError|RecursionError"),
            Case("NotANumber", "NaN", "fail", "ValueError"),
            Case("Infinite", "Infinity", "fail", "ValueError"),
            Case("HugeInteger", "past 64 bits", "fail", "OverflowError"),
        ),
    ),
    Way(
        7,
        "A field of a message has the wrong type: anchors, stream, task "
        "(from 2.6 on each direct emit: Storm reads a small number as Integer and casts it to Long).",
        "Arguments are typed; a task goes out as task + 2^32, which every Storm takes for the task.",
        (
            Case("DirectTask", "no number that every Storm reads", "ack"),
            Case("AnchorNumber", "'anchors' is no array of strings", "fail", "TypeError"),
            Case("StreamNumber", "'stream' is no string", "fail", "TypeError"),
        ),
    ),
    Way(
        8,
        "An emit that does not fit the topology: unknown stream, direct for regular, too few values.",
        "Checked against what the handshake tells of the streams; `emit` raises. Nested values for "
        "another worker need `topology.kryo.register`, which is the topology's to say.",
        (
            Case("UndeclaredStream", "not declared", "fail", "ValueError"),
            Case("DirectToRegular", "not direct", "fail", "ValueError"),
            Case("RegularToDirect", "regular emit to a direct stream", "fail", "ValueError"),
            Case("NullTuple", "'tuple' is no array|has the fields", "fail", "TypeError"),
            Case("TooShort", "has the fields", "fail", "ValueError"),
        ),
    ),
    Way(
        9,
        "A tuple comes in that Storm cannot write as JSON (byte[], a map with a null key): its writer "
        "thread throws before a child sees anything.",
        "Storm's part: let the Java component emit strings, numbers, lists and maps, or use a "
        "serializer that takes bytes.",
        storms=True,
        shown=Case("Good", "", play="bytes"),
    ),
    Way(
        10,
        "The child ends: a crash, an exit, a kill, an exception.",
        "The guardian says how it ended, fails what was in hand and starts a fresh interpreter on the "
        "same wire; an exception is a report and a failed tuple.",
        (
            Case("Exits", BROKEN, "fail", "ended with exit status 7"),
            Case("Segfaults", BROKEN, "fail", "signal 11"),
            Case("Aborts", BROKEN, "fail", "signal 6"),
            Case("IsKilled", BROKEN, "fail", "signal 9"),
            Case("CallsSysExit", BROKEN, "fail", "sys.exit"),
            Case("Raises", BROKEN, "fail", "ValueError: no good"),
            Case("SpoutExits", BROKEN, error="ended with exit status 7", play="spout"),
        ),
    ),
    Way(
        11,
        "The handshake is never answered: Storm waits for ever, and the worker looks alive.",
        "The guardian answers after 60 s, and logs the stack of what it waits for.",
        (Case("NeverStarts", "no answer to the handshake", log="__init__", play="never"),),
    ),
    Way(
        12,
        "More than 64 KiB on stderr before the handshake's answer: both wait for ever.",
        "stderr is a pipe of the guardian's from the first instruction on.",
        (Case("FloodsStderrAtStart", "no answer to the handshake", "ack", log="xxx"),),
    ),
    Way(
        13,
        "A slow `initialize` behind the handshake's answer: Storm's timer runs already.",
        "Imports and `initialize` come before the answer, while Storm has no timer.",
        (Case("StartsSlowly", TIMEOUT, "ack"),),
    ),
    Way(
        14,
        "A bolt works on one tuple for longer than Storm waits for a sign of life.",
        "The guardian sends `sync` while a call goes on, also while C code holds the GIL; "
        "`stormcell.hang.timeout.secs` says how long a call may take.",
        (
            Case("Busy", TIMEOUT, "ack", conf=PATIENT),
            Case("BusyInC", TIMEOUT, "ack", conf=PATIENT),
        ),
    ),
    Way(
        15,
        "A bolt that works steadily and says nothing: the heartbeat waits behind its backlog.",
        "The same `sync`, which needs no heartbeat to answer.",
        (Case("HasBacklog", TIMEOUT, play="backlog"),),
    ),
    Way(
        16,
        "A bolt hangs: when Storm's timer runs out, it ends the worker.",
        "At 0.8 of Storm's timeout the stacks are reported, the tuple fails, and a fresh interpreter "
        "goes on.",
        (
            Case("Hangs", TIMEOUT, "fail", "misbehave"),
            Case("HangsInC", TIMEOUT, "fail", "misbehave"),
        ),
    ),
    Way(
        17,
        "A bolt fills stderr while Storm fills its stdin: each waits for the other.",
        "The guardian reads stderr at all times.",
        (Case("FloodsStderr", TIMEOUT, "ack", play="full"),),
    ),
    Way(
        18,
        "A spout fills stderr within one command.",
        "The guardian reads stderr at all times.",
        (Case("SpoutFloodsStderr", TIMEOUT, play="spout"),),
    ),
    Way(
        19,
        "A deactivated spout fills stderr or hangs: nobody reads it, and no timer runs.",
        "The guardian reads stderr at all times, and has its own hang limit.",
        (Case("FloodsStderrDeactivated", "no answer to 'deactivate'", play="inactive"),),
    ),
    Way(
        20,
        "A spout emits thousands of tuples in one command and does not read the task ids.",
        "Task ids are asked for only where they are wanted, and a full pipe is read while it is "
        "written to.",
        (Case("SpoutFloodsWithTuples", TIMEOUT, play="spout"),),
    ),
    Way(
        21,
        "A bolt does the same: task ids pile up in Storm's heap and tuples wait behind them.",
        "Task ids are asked for only where they are wanted.",
        (Case("FloodsWithTuples", "", "ack"),),
    ),
    Way(
        22,
        "A spout emits with ids where there are no ackers: Storm calls its `ack` from within the emit, "
        "one in the other.",
        "Without ackers no id goes out, and the spout's `ack` is called by Stormcell.",
        (Case("NoAckers", "StackOverflowError", play="spout", ackers=False),),
    ),
    Way(
        23,
        "A slow bolt: Storm's executor blocks at 100 tuples that were not taken, ticks and metrics too.",
        "Storm's part (`topology.max.spout.pending`). What is read ahead is bounded, so that Storm "
        "knows of it.",
        (Case("Slow", TIMEOUT, play="slow", conf=PATIENT),),
        storms=True,
    ),
    Way(
        24,
        "Storm 2.x: what a bolt emits while those behind it are slow gathers in the worker's heap.",
        "Storm's part: `topology.max.spout.pending` bounds what is on its way.",
        storms=True,
    ),
    Way(
        25,
        "Storm 1.x: the same, in the overflow lists of its queues.",
        "Storm's part: `topology.max.spout.pending` bounds what is on its way.",
        storms=True,
    ),
    Way(
        26,
        "Storm's reader waits for a full disk or ZooKeeper while a child logs or reports a lot.",
        "Storm's part, made rarer: printed lines are limited to 1,000 a second, the rest is counted.",
        (Case("Logs", "", "ack", log=r"dropped \d+ printed lines"),),
        storms=True,
    ),
    Way(
        27,
        "`topology.producer.batch.size` or `topology.transfer.batch.size` over 1: what a shell bolt "
        "emits stays in a batch that nobody flushes.",
        "Storm's part: leave both at 1.",
        storms=True,
        shown=Case("Batched", "", "ack", conf={"topology.producer.batch.size": 100}),
    ),
    Way(
        28,
        "The clock is set, or the machine stands still, for longer than Storm waits.",
        "Storm's part: `topology.subprocess.timeout.secs` of 60 or more where that happens.",
        storms=True,
        shown=Case("Paused", "", play="pause"),
    ),
    Way(
        29,
        "The worker is killed: a busy child stays behind.",
        "The guardian sees that Storm is gone; after 2 s no process is left.",
        (Case("Loses", "is still there", play="orphan"),),
    ),
    Way(
        30,
        "Storm closes the pipe while the child writes: SIGPIPE, or an error in the middle of a message.",
        "SIGPIPE is ignored, and a closed wire is the end: both processes go.",
        (Case("Speaks", "", play="orphan"),),
    ),
    Way(
        31,
        "A spout sends a sync too many, or emits while Storm does not wait for it.",
        "The session alone sends syncs; what a thread emits waits for the next command.",
        (
            Case("SyncsTwice", "a sync too many", log='"sync"', play="spout"),
            Case("EmitsByThread", "", play="spout"),
        ),
    ),
    Way(
        32,
        "A spout's `next_tuple` blocks, and all spouts of that executor with it.",
        "A TRACE message that Storm does not show keeps the worker alive; one that hangs is replaced "
        "as a bolt is. The others in the executor wait: emit and return.",
        (
            Case("Blocks", TIMEOUT, play="spout", conf=PATIENT),
            Case("SpoutHangs", TIMEOUT, error="misbehave", play="spout"),
        ),
    ),
    Way(
        33,
        "A topology is killed or moved: the child gets SIGTERM in the middle of a tuple.",
        "The tuple in hand is finished, its ack is written, and both processes end with status 0.",
        (Case("IsTerminated", BROKEN, "ack", play="term"),),
    ),
)

CASES = {case.name: case for way in WAYS for case in way.cases}
