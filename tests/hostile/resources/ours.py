"""Components that do what ends a worker, hosted by Stormcell. stock.py holds the same for storm.py.

A bolt gets the tuples "before", "bad" and "after", and misbehaves on the second. A spout emits
"before", misbehaves in its second next_tuple, and emits "after". ways.py says which is which way.
"""

import ctypes
import os
import re
import subprocess
import sys
import threading
import time

from stormcell import Bolt, Spout

FLOOD = "x" * 99 + "\n"  # two thousand of these are more than a pipe takes


class BadBolt(Bolt):
    def initialize(self, conf, ctx):
        self.timeout = conf["topology.subprocess.timeout.secs"]

    def process(self, tup):
        self.emit([tup.values[0]])
        if tup.values[0] == "bad":
            self.misbehave(tup)


class AckTwice(BadBolt):
    def misbehave(self, tup):
        self.ack(tup)
        self.ack(tup)


class FailAfterAck(BadBolt):
    def misbehave(self, tup):
        self.ack(tup)
        self.fail(tup)


class AckUnknown(BadBolt):
    def misbehave(self, tup):
        self.ack("4711")


class AckNumber(BadBolt):
    def misbehave(self, tup):
        self.ack(4711)


class AnchorSettled(BadBolt):
    def misbehave(self, tup):
        self.ack(tup)
        self.emit(["late"], anchors=[tup])


class NeverAcks(BadBolt):
    def misbehave(self, tup):
        pass


class UnknownMetric(BadBolt):
    def misbehave(self, tup):
        self.report_metric("nobody.registered.this", 1)


class Prints(BadBolt):
    def misbehave(self, tup):
        print("on the wire?")


class PrintsInC(BadBolt):
    def misbehave(self, tup):
        libc = ctypes.CDLL(None)
        libc.puts(b"on the wire?")
        libc.fflush(None)


class ChildPrints(BadBolt):
    def misbehave(self, tup):
        subprocess.run(["echo", "on the wire?"])


class NotANumber(BadBolt):
    def misbehave(self, tup):
        self.emit([float("nan")])


class Infinite(BadBolt):
    def misbehave(self, tup):
        self.emit([float("inf")])


class HugeInteger(BadBolt):
    def misbehave(self, tup):
        self.emit([2**64])


class TooDeep(BadBolt):
    def misbehave(self, tup):
        value = "deep"
        for _ in range(500):
            value = [value]
        self.emit([value])


class AnchorNumber(BadBolt):
    def misbehave(self, tup):
        self.emit(["odd"], anchors=[4711])


class StreamNumber(BadBolt):
    def misbehave(self, tup):
        self.emit(["odd"], stream=4711)


class DirectTask(BadBolt):
    def misbehave(self, tup):
        tasks = self.context["task->component"]
        sink = min(int(task) for task, name in tasks.items() if name == "sink")
        self.emit(["for one task"], stream="direct", direct_task=sink)


class UndeclaredStream(BadBolt):
    def misbehave(self, tup):
        self.emit(["odd"], stream="nowhere")


class DirectToRegular(BadBolt):
    def misbehave(self, tup):
        self.emit(["odd"], direct_task=1)


class RegularToDirect(BadBolt):
    def misbehave(self, tup):
        self.emit(["odd"], stream="direct")


class NullTuple(BadBolt):
    def misbehave(self, tup):
        self.emit(None)


class TooShort(BadBolt):
    def misbehave(self, tup):
        self.emit([], stream="keyed")


class Segfaults(BadBolt):
    def misbehave(self, tup):
        ctypes.string_at(1)


class Aborts(BadBolt):
    def misbehave(self, tup):
        os.abort()


class Exits(BadBolt):
    def misbehave(self, tup):
        os._exit(7)


class CallsSysExit(BadBolt):
    def misbehave(self, tup):
        sys.exit("no more")


class IsKilled(BadBolt):
    def misbehave(self, tup):
        os.kill(os.getpid(), 9)


class Raises(BadBolt):
    def misbehave(self, tup):
        raise ValueError("no good")


class CannotInitialize(BadBolt):
    def initialize(self, conf, ctx):
        raise RuntimeError("nothing to begin with")


class NeverStarts(BadBolt):
    def __init__(self):
        time.sleep(1_000_000)


class FloodsStderrAtStart(BadBolt):
    def __init__(self):
        sys.stderr.write(FLOOD * 2000)

    def misbehave(self, tup):
        pass


class StartsSlowly(BadBolt):
    def initialize(self, conf, ctx):
        time.sleep(1.5 * conf["topology.subprocess.timeout.secs"])

    def misbehave(self, tup):
        pass


class Busy(BadBolt):
    def misbehave(self, tup):
        time.sleep(1.5 * self.timeout)


class BusyInC(BadBolt):
    def misbehave(self, tup):
        ctypes.PyDLL(None).sleep(int(1.5 * self.timeout))  # holds the GIL


class HasBacklog(BadBolt):
    """Takes its time and settles many at once."""

    auto_ack = False

    def initialize(self, conf, ctx):
        super().initialize(conf, ctx)
        self.held = []

    def process(self, tup):
        time.sleep(self.timeout / 30)
        self.held.append(tup)
        if len(self.held) == 60:
            for each in self.held:
                self.ack(each)


class Hangs(BadBolt):
    def misbehave(self, tup):
        while True:
            pass


class HangsInC(BadBolt):
    def misbehave(self, tup):
        re.match("(a|aa)+$", "a" * 100 + "b")  # in C, with the GIL, for ages


class FloodsStderr(BadBolt):
    def misbehave(self, tup):
        time.sleep(0.5)  # until Storm cannot write more to stdin
        sys.stderr.write(FLOOD * 2000)


class FloodsWithTuples(BadBolt):
    def misbehave(self, tup):
        for n in range(20_000):
            self.emit([n])


class Slow(BadBolt):
    def process(self, tup):
        time.sleep(1_000_000)


class Logs(BadBolt):
    def misbehave(self, tup):
        for n in range(20_000):
            print("line", n)


class Good(BadBolt):
    def misbehave(self, tup):
        pass


Batched = Paused = Good


class Loses(BadBolt):
    """Storm goes while it works."""

    def process(self, tup):
        self.log("busy")
        while True:
            time.sleep(0.01)


class Speaks(BadBolt):
    """Storm goes, and it speaks on."""

    def process(self, tup):
        self.log("busy")
        while True:
            self.emit(["more"])
            time.sleep(0.01)


class IsTerminated(BadBolt):
    def process(self, tup):
        self.log("busy")
        for _ in range(5):
            time.sleep(0.1)
        self.emit(["done"])


class BadSpout(Spout):
    def initialize(self, conf, ctx):
        self.timeout = conf["topology.subprocess.timeout.secs"]
        self.step = 0

    def next_tuple(self):
        self.step += 1
        if self.step == 1:
            self.emit(["before"])
        elif self.step == 2:
            self.misbehave()
        elif self.step == 3:
            self.emit(["after"])

    def misbehave(self):
        pass


class SpoutExits(BadSpout):
    def initialize(self, conf, ctx):
        super().initialize(conf, ctx)
        self.step = 2 * os.path.exists("exited")  # a fresh interpreter goes on behind it

    def misbehave(self):
        open("exited", "w").close()
        os._exit(7)


class SpoutFloodsStderr(BadSpout):
    def misbehave(self):
        time.sleep(0.5)  # Storm looks at stderr when it has given a command, and not after that
        sys.stderr.write(FLOOD * 2000)


class FloodsStderrDeactivated(BadSpout):
    words = ["before"]

    def next_tuple(self):
        if self.words:
            self.emit([self.words.pop()])

    def deactivate(self):
        time.sleep(0.5)
        sys.stderr.write(FLOOD * 2000)
        self.words = ["after"]


class SpoutFloodsWithTuples(BadSpout):
    def misbehave(self):
        for n in range(20_000):
            self.emit([n])


class NoAckers(BadSpout):
    def misbehave(self):
        for n in range(3000):
            self.emit([n], tup_id=n)


class SyncsTwice(BadSpout):
    def misbehave(self):
        print('{"command": "sync"}\nend')


class EmitsByThread(BadSpout):
    def misbehave(self):
        thread = threading.Thread(target=self.flood)
        thread.start()

    def flood(self):
        for n in range(1000):
            self.emit([f"thread {n}"])


class Blocks(BadSpout):
    def misbehave(self):
        time.sleep(1.5 * self.timeout)


class SpoutHangs(BadSpout):
    def initialize(self, conf, ctx):
        super().initialize(conf, ctx)
        self.step = 2 * os.path.exists("hung")

    def misbehave(self):
        open("hung", "w").close()
        while True:
            pass
