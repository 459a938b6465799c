"""The components of test_agreement.py: what each of their tasks sees comes out as log messages, one text a fact."""

import random
import zlib
from collections import deque

from stormcell import Bolt, Spout

# Of all kinds and signs that a key may have in JSON.
KEYS = [0, 1, -1, 7, -100, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63), 1.5, -0.25, 1e16, 1e300,
        0.1 + 0.2, 1.2345678901234568e16, True, False, None, "", "dog", "déjà", "😀/", "tab\t",
        "line\n\x7f", [1, "a", [None]], [], {"b": 1, "a": [2.5]}, {}]


class Facts:
    """Tells facts, and the context that Storm gave, first of all."""

    def initialize(self, conf, context):
        self.context = context
        streams = sorted(context["streams"])  # a set, to Storm
        self.log(f"context {canonical({**context, 'streams': streams})}")


def canonical(value):
    """Text in which the order of a JSON object's members does not count."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(canonical, value)) + "]"
    return repr(value)


class Source(Facts, Spout):
    """Emits what `tuples` yields, each with its number as id unless it is to have none, and tells when all of
    these are settled."""

    def initialize(self, conf, context):
        super().initialize(conf, context)
        self.random = random.Random(conf["test.seed"])
        self.todo = deque((values, {"tup_id": number, **more})
                          for number, (values, more) in enumerate(self.tuples(conf, context)))
        self.open = sum(more["tup_id"] is not None for _, more in self.todo)

    def next_tuple(self):
        if self.todo:
            values, more = self.todo.popleft()
            self.emit(values, **more)

    def ack(self, tup_id):
        self.settle("acked", tup_id)

    def fail(self, tup_id):
        self.settle("failed", tup_id)

    def settle(self, how, tup_id):
        self.log(f"{how} {tup_id!r}")
        self.open -= 1
        if not self.open:
            self.log("all settled")


class Keys(Source):
    """Keys by chance to whoever takes them, every fifth tuple to a task of "pointed" alone."""

    def tuples(self, conf, context):
        pointed = [int(task) for task, name in context["task->component"].items() if name == "pointed"]
        for number in range(300):
            key = self.random.choice(KEYS) if number % 2 else self.random.randrange(-20, 20)
            if number % 5:
                yield [number, key], {}
            else:
                yield [number, key], {"stream": "direct", "direct_task": self.random.choice(pointed)}


class Tell(Facts, Bolt):
    """Tells of every tuple, and where it passes it on to."""

    def process(self, tup):
        self.log(f"{tup.component} {tup.stream} {tup.task} {list(tup.values)}")
        tasks = self.emit(tup.values, need_task_ids=True)
        self.log(f"{tup.values[0]} goes on to {sorted(tasks)}")


class Tick(Facts, Bolt):
    """Tells of its first tick."""

    ticked = False

    def process_tick(self, tup):
        if not self.ticked:
            self.log(f"tick {tup.component} {tup.stream} {tup.task} {list(tup.values)}")
        self.ticked = True

    def process(self, tup):
        pass


class Trees(Source):
    """Numbers, each the root of a tree."""

    def tuples(self, conf, context):
        for number in range(120):
            yield [number, self.random.randrange(1000)], {}


class Loose(Source):
    """Some tuples without an id, some that nobody takes."""

    def tuples(self, conf, context):
        for number in range(40):
            more = {"tup_id": None} if number % 3 == 0 else {}
            yield [number, "loose", number % 5], {**more, "stream": ("default", "nobody")[number % 2]}


class Ids(Source):
    """Keys as the tuples' ids: what is told of them is what Storm has made of these."""

    def tuples(self, conf, context):
        for key in KEYS:
            if key is not None:
                yield [key], {"tup_id": key}


class Branch(Facts, Bolt):
    """Up to three leaves for each root, one of them in the tree of the root before as well."""

    auto_ack = False
    auto_anchor = False

    def initialize(self, conf, context):
        super().initialize(conf, context)
        self.before = None

    def process(self, tup):
        number, chance = tup.values
        for leaf in range(chance % 4):
            self.emit([number, leaf, (chance * 7 + leaf * 13) % 40], anchors=[tup])
        if self.before is not None:
            self.emit([number, "both", chance % 60], anchors=[self.before, tup])
            self.ack(self.before)
        self.before = tup
        if number == 119:
            self.ack(tup)


class Judge(Facts, Bolt):
    """Acks, fails or forgets, as the leaf's last value says; what it acks may first grow on."""

    auto_ack = False
    auto_anchor = False
    verdicts = {0: "fail", 1: "forget"}

    def process(self, tup):
        verdict = self.verdicts.get(tup.values[2], "ack")
        self.log(f"{verdict} {list(tup.values)}")
        if verdict == "fail":
            self.fail(tup)
        elif verdict == "ack":
            self.emit(tup.values, anchors=[tup])
            self.ack(tup)


class Strict(Judge):
    """The last to judge: nobody takes what it emits."""

    verdicts = {2: "fail", 3: "forget", 4: "fail"}


class Grower(Facts):
    """A component of a topology by chance: what it does with a tuple is decided by the tuple's values alone."""

    def choose(self, *what):
        """A random number generator for this component and these values."""
        text = repr((self.context["componentid"], what))
        return random.Random(zlib.crc32(text.encode()))

    def stream(self, chance):
        return chance.choice(sorted(self.context["streams"]))


class Roots(Grower, Source):
    """Its tasks' roots are apart by thousands."""

    def tuples(self, conf, context):
        for number in range(60):
            root = 1000 * context["taskid"] + number
            chance = self.choose(root)
            yield [root, chance.randrange(50)], {"tup_id": root, "stream": self.stream(chance)}


class Grow(Grower, Bolt):
    """Grows the tree and acks, fails or forgets: the first root of each spout is forgotten in any case, so that
    all else is over when the last tree is settled."""

    auto_ack = False
    auto_anchor = False

    def process(self, tup):
        root, value = tup.values
        chance = self.choose(tup.component, tup.stream, root, value)
        for _ in range(chance.randrange(3)):
            anchors = [tup] if chance.randrange(10) else []
            self.emit([root, chance.randrange(50)], anchors=anchors, stream=self.stream(chance))
        verdict = "forget" if root % 1000 == 0 else chance.choice(["ack"] * 40 + ["fail", "forget"])
        self.log(f"{verdict} {tup.component} {tup.stream} {tup.task} {list(tup.values)}")
        if verdict == "ack":
            self.ack(tup)
        elif verdict == "fail":
            self.fail(tup)
