"""The components of ours.py on Storm's own storm.py, which lies beside this file when it runs."""

import ctypes
import os
import re
import subprocess
import sys
import threading
import time

import storm

FLOOD = "x" * 99 + "\n"


def log(text):
    storm.sendMsgToParent({"command": "log", "msg": text})


class BadBolt(storm.Bolt):
    def initialize(self, conf, context):
        self.timeout = conf["topology.subprocess.timeout.secs"]
        self.tasks = context["task->component"]

    def process(self, tup):
        storm.emit([tup.values[0]], anchors=[tup])
        if tup.values[0] == "bad":
            self.misbehave(tup)
        storm.ack(tup)


class AckTwice(BadBolt):
    def misbehave(self, tup):
        storm.ack(tup)  # and once more when it returns


class FailAfterAck(BadBolt):
    def misbehave(self, tup):
        storm.ack(tup)
        storm.fail(tup)


class AckUnknown(BadBolt):
    def misbehave(self, tup):
        storm.sendMsgToParent({"command": "ack", "id": "4711"})


class AckNumber(BadBolt):
    def misbehave(self, tup):
        storm.sendMsgToParent({"command": "ack", "id": 4711})


class AnchorSettled(BadBolt):
    def misbehave(self, tup):
        storm.ack(tup)
        storm.emit(["late"], anchors=[tup])


class NeverAcks(BadBolt):
    def process(self, tup):
        storm.emit([tup.values[0]], anchors=[tup])
        if tup.values[0] != "bad":
            storm.ack(tup)


class UnknownMetric(BadBolt):
    def misbehave(self, tup):
        storm.rpcMetrics("nobody.registered.this", 1)


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
        storm.emit([float("nan")], anchors=[tup])


class Infinite(BadBolt):
    def misbehave(self, tup):
        storm.emit([float("inf")], anchors=[tup])


class HugeInteger(BadBolt):
    def misbehave(self, tup):
        storm.emit([2**64], anchors=[tup])


class TooDeep(BadBolt):
    def misbehave(self, tup):
        value = "deep"
        for _ in range(500):
            value = [value]
        storm.emit([value], anchors=[tup])


class AnchorNumber(BadBolt):
    def misbehave(self, tup):
        tup.id = 4711
        storm.emit(["odd"], anchors=[tup])


class StreamNumber(BadBolt):
    def misbehave(self, tup):
        storm.emit(["odd"], stream=4711, anchors=[tup])


class DirectTask(BadBolt):
    def misbehave(self, tup):
        sink = min(int(task) for task, name in self.tasks.items() if name == "sink")
        storm.emitDirect(sink, ["for one task"], stream="direct", anchors=[tup])


class UndeclaredStream(BadBolt):
    def misbehave(self, tup):
        storm.emit(["odd"], stream="nowhere", anchors=[tup])


class DirectToRegular(BadBolt):
    def misbehave(self, tup):
        storm.emitDirect(1 + 2**32, ["odd"], anchors=[tup])  # which Storm takes for task 1


class RegularToDirect(BadBolt):
    def misbehave(self, tup):
        storm.emit(["odd"], stream="direct", anchors=[tup])


class NullTuple(BadBolt):
    def misbehave(self, tup):
        storm.emit(None, anchors=[tup])


class TooShort(BadBolt):
    def misbehave(self, tup):
        storm.emit([], stream="keyed", anchors=[tup])


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
    def initialize(self, conf, context):
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
    def initialize(self, conf, context):
        time.sleep(1.5 * conf["topology.subprocess.timeout.secs"])

    def misbehave(self, tup):
        pass


class Busy(BadBolt):
    def misbehave(self, tup):
        time.sleep(1.5 * self.timeout)


class BusyInC(BadBolt):
    def misbehave(self, tup):
        ctypes.PyDLL(None).sleep(int(1.5 * self.timeout))


class HasBacklog(BadBolt):
    def initialize(self, conf, context):
        super().initialize(conf, context)
        self.held = []

    def process(self, tup):
        time.sleep(self.timeout / 30)
        self.held.append(tup)
        if len(self.held) == 60:
            for each in self.held:
                storm.ack(each)


class Hangs(BadBolt):
    def misbehave(self, tup):
        while True:
            pass


class HangsInC(BadBolt):
    def misbehave(self, tup):
        re.match("(a|aa)+$", "a" * 100 + "b")


class FloodsStderr(BadBolt):
    def misbehave(self, tup):
        time.sleep(0.5)  # until Storm cannot write more to stdin
        sys.stderr.write(FLOOD * 2000)


class FloodsWithTuples(BadBolt):
    def misbehave(self, tup):
        for n in range(20_000):
            storm.emitBolt([n], anchors=[tup])  # does not wait for the task ids


class Slow(BadBolt):
    def process(self, tup):
        time.sleep(1_000_000)


class Logs(BadBolt):
    def misbehave(self, tup):
        for n in range(20_000):
            log(f"line {n}")


class Good(BadBolt):
    def misbehave(self, tup):
        pass


Batched = Paused = Good


class Loses(BadBolt):
    def process(self, tup):
        log("busy")
        while True:
            time.sleep(0.01)


class Speaks(BadBolt):
    def process(self, tup):
        log("busy")
        while True:
            storm.emitBolt(["more"], anchors=[tup])
            time.sleep(0.01)


class IsTerminated(BadBolt):
    def process(self, tup):
        log("busy")
        for _ in range(5):
            time.sleep(0.1)
        storm.emitBolt(["done"], anchors=[tup])
        storm.ack(tup)


class BadSpout(storm.Spout):
    def initialize(self, conf, context):
        self.timeout = conf["topology.subprocess.timeout.secs"]
        self.step = 0

    def nextTuple(self):
        self.step += 1
        if self.step == 1:
            storm.emit(["before"])
        elif self.step == 2:
            self.misbehave()
        elif self.step == 3:
            storm.emit(["after"])

    def misbehave(self):
        pass


class SpoutExits(BadSpout):
    def misbehave(self):
        os._exit(7)


class SpoutFloodsStderr(BadSpout):
    def misbehave(self):
        time.sleep(0.5)  # Storm looks at stderr when it has given a command, and not after that
        sys.stderr.write(FLOOD * 2000)


class FloodsStderrDeactivated(BadSpout):
    words = ["before"]

    def nextTuple(self):
        if self.words:
            storm.emit([self.words.pop()])

    def deactivate(self):
        time.sleep(0.5)
        sys.stderr.write(FLOOD * 2000)
        self.words = ["after"]


class SpoutFloodsWithTuples(BadSpout):
    def misbehave(self):
        for n in range(20_000):
            storm.emitSpout([n])  # does not wait for the task ids


class NoAckers(BadSpout):
    def misbehave(self):
        for n in range(3000):
            storm.emitSpout([n], id=n)


class SyncsTwice(BadSpout):
    def misbehave(self):
        storm.sync()


class EmitsByThread(BadSpout):
    def misbehave(self):
        thread = threading.Thread(target=self.flood)
        thread.start()

    def flood(self):
        for n in range(1000):
            storm.emitSpout([f"thread {n}"])


class Blocks(BadSpout):
    def misbehave(self):
        time.sleep(1.5 * self.timeout)


class SpoutHangs(BadSpout):
    def misbehave(self):
        while True:
            pass


if __name__ == "__main__":
    globals()[sys.argv[1]]().run()
