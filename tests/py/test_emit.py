"""emit(): what the wire carries goes as it is; what it cannot carry is refused whole, by name."""

from __future__ import annotations

import pytest

from starting import Start
from jvm import Message, Topology

RUN = """
import collections, datetime, decimal, enum, math, sys
class Color(enum.IntEnum):
    RED = 5
class Text(str):
    def __str__(self):
        return "not asked for"
class Number(float):
    pass
class Huge(int):
    def __str__(self):
        return "not asked for"
    __repr__ = __index__ = __int__ = __str__
class Items(list):
    def __iter__(self):
        raise ValueError("not asked for")
class Unshowable:
    def __repr__(self):
        raise ValueError("no repr")
Point = collections.namedtuple("Point", "x y")
nan = math.nan
def nested(depth, make=lambda inner: [inner]):
    value = 1
    for _ in range(depth):
        value = make(value)
    return value
def loop(value, key):
    value[key] = value
    return value
class Subject(Bolt):
    def process(self, tup):
        self.emit(["before"])
        exec(tup.values[0], {**globals(), "self": self, "tup": tup})
"""


def refusal(start: Start, statement: str, **more: Topology) -> str:
    """The exception that `statement` ends in; nothing of it is written, and its tuple fails."""
    parent = start(RUN, **more)
    id, said = parent.exchange(statement)
    assert [message["command"] for message in said] == ["emit", "error", "fail"]
    assert said[0]["tuple"] == ["before"]
    assert said[2]["id"] == id
    _, after = parent.exchange("self.emit(['after'])")
    assert [message.get("tuple") for message in after] == [["before"], ["after"], None]
    last: str = said[1]["msg"].splitlines()[-1]
    return last


BYTES = "is bytes, and JSON carries text: decode it, or encode it with base64"
SET = "is a set, which JSON does not have: emit a list"
WIDE = (
    "is an integer of more than 64 bits, which only Storm 2.6 and later takes: emit a str, or set "
    "stormcell.big.integers"
)
NAN = "is nan, which JSON does not have: emit None or a str"
INF = "is infinite, which JSON does not have: emit None or a str"
DEEP = "is nested deeper than 390 levels, which Storm refuses; does it contain itself?"
LONE = "holds a lone surrogate, which is no text: "
OTHER = "which JSON does not have: emit a str, int, float, bool, None, list, tuple or dict"

VALUES = [
    ("nan", f"ValueError: tuple[0] {NAN}"),
    ("math.inf", f"ValueError: tuple[0] {INF}"),
    ("-math.inf", f"ValueError: tuple[0] {INF}"),
    ("Number('nan')", f"ValueError: tuple[0] {NAN}"),
    ("2**63", f"OverflowError: tuple[0] {WIDE}"),
    ("-2**63 - 1", f"OverflowError: tuple[0] {WIDE}"),
    ("10**5000", f"OverflowError: tuple[0] {WIDE}"),
    ("b'bytes'", f"TypeError: tuple[0] {BYTES}"),
    ("bytearray(b'bytes')", f"TypeError: tuple[0] {BYTES}"),
    ("{1}", f"TypeError: tuple[0] {SET}"),
    ("frozenset()", f"TypeError: tuple[0] {SET}"),
    ("datetime.date(2026, 1, 1)", f"TypeError: tuple[0] is a datetime.date, {OTHER}"),
    ("decimal.Decimal(1)", f"TypeError: tuple[0] is a decimal.Decimal, {OTHER}"),
    ("object()", f"TypeError: tuple[0] is a object, {OTHER}"),
    ("Unshowable()", f"TypeError: tuple[0] is a Unshowable, {OTHER}"),
    ("range(3)", f"TypeError: tuple[0] is a range, {OTHER}"),
    ("(n for n in [1])", f"TypeError: tuple[0] is a generator, {OTHER}"),
    ("tup", f"TypeError: tuple[0] is a stormcell.Tuple, {OTHER}"),
    ("'a\\ud800'", f"ValueError: tuple[0] {LONE}"),
    ("Text('\\udfff')", f"ValueError: tuple[0] {LONE}"),
    ("nested(391)", f"ValueError: tuple[0] {DEEP}"),
    ("nested(391, lambda inner: {'a': inner})", f"ValueError: tuple[0] {DEEP}"),
    ("loop([1, 2], 1)", f"ValueError: tuple[0] {DEEP}"),
    ("loop({}, 'self')", f"ValueError: tuple[0] {DEEP}"),
    ("[1, {'price': nan}]", f"ValueError: tuple[0][1]['price'] {NAN}"),
    ("{'a': [0, (1, {2: b''})]}", f"TypeError: tuple[0]['a'][1][1][2] {BYTES}"),
    ("{'ä': {'\\'': {None: set()}}}", f"TypeError: tuple[0]['ä'][\"'\"][None] {SET}"),
    ("{'\\ud800': 1}", f"ValueError: tuple[0]['\\ud800'] {LONE}"),
    ("{nan: 1}", f"ValueError: tuple[0][nan] {NAN}"),
    ("{2**64: 1}", f"OverflowError: tuple[0][18446744073709551616] {WIDE}"),
    ("{(1, 2): 3}", "TypeError: tuple[0] has a key that is "),
    ("[{b'a': 3}]", "TypeError: tuple[0][0] has a key that is "),
]


@pytest.mark.parametrize(("value", "message"), VALUES, ids=[row[0] for row in VALUES])
def test_a_value_that_the_wire_cannot_carry(start: Start, value: str, message: str) -> None:
    assert refusal(start, f"self.emit([{value}])").startswith(message)


def test_the_place_in_the_tuple_is_named(start: Start) -> None:
    statement = "self.emit(('k', [{'price': nan}]), 'pair')"
    assert refusal(start, statement) == f"ValueError: tuple[1][0]['price'] {NAN}"


NOT_A_TUPLE = "TypeError: a tuple to emit must be a list or tuple of values, not a "
COUNT = "ValueError: stream 'default' of component 'subject' has 1 field (value), the tuple has "
STREAM = (
    "ValueError: component 'subject' declares no stream {!r} (it declares: default, pair, direct, "
    "lonely); add it to the component's outputs in the topology"
)

CALLS = [
    ("'text'", NOT_A_TUPLE + "str"),
    ("{'a': 1}", NOT_A_TUPLE + "dict"),
    ("5", NOT_A_TUPLE + "int"),
    ("None", NOT_A_TUPLE + "NoneType"),
    ("Unshowable()", NOT_A_TUPLE + "Unshowable"),
    ("{1}", NOT_A_TUPLE + "set"),
    ("[]", COUNT + "0 values"),
    ("(1, 2)", COUNT + "2 values"),
    ("[1], 'pair'", "ValueError: stream 'pair' of component 'subject' has 2 fields (key, value), the tuple has 1 value"),
    ("[1], 'other'", STREAM.format("other")),
    ("[1], ''", STREAM.format("")),
    ("[1], 'Default'", STREAM.format("Default")),
    ("[1], 5", "TypeError: stream must be a str, not a int"),
    ("[1], b'pair'", "TypeError: stream must be a str, not a bytes"),
    ("[1], '\\ud800'", "UnicodeEncodeError: 'utf-8' codec can't encode character '\\ud800'"),
    ("[1], 'direct'", "ValueError: stream 'direct' of component 'subject' is subscribed to with a direct grouping: emit with direct_task="),
    ("[1], direct_task=5", "ValueError: stream 'default' of component 'subject' is not direct: its subscribers use another grouping; emit without direct_task"),
    ("[1], 'lonely', direct_task=5", "ValueError: stream 'lonely' of component 'subject' is not direct: nobody subscribes to it with a direct grouping"),
    ("[1], 'direct', direct_task=99", "ValueError: the topology has no task 99 to emit to"),
    ("[1], 'direct', direct_task=-1", "ValueError: direct_task must be the number of a task"),
    ("[1], 'direct', direct_task=2**70", "ValueError: direct_task must be the number of a task"),
    ("[1], 'direct', direct_task='5'", "TypeError: direct_task must be an int, not a str"),
    ("[1], 'direct', direct_task=5.0", "TypeError: direct_task must be an int, not a float"),
    ("[1], anchors=5", "TypeError: anchors must be a list of Tuples"),
    ("[1], anchors=[5]", "TypeError: a Tuple or the id of one (str) is needed, not a int"),
    ("[1], anchors=['5']", "ValueError: cannot anchor to '5': it was acked or failed before (emit first, then ack)"),
    ("", "TypeError: emit() needs the argument 'tup'"),
    ("stream='pair'", "TypeError: emit() needs the argument 'tup'"),
    ("[1], None, None, None, None, None", "TypeError: emit() takes at most 5 arguments (6 given)"),
    ("[1], tup_id=5", "TypeError: emit() has no argument named 'tup_id'"),
    ("[1], tup=[1]", "TypeError: emit() got 'tup' twice"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), CALLS, ids=[row[0] for row in CALLS])
def test_a_call_that_makes_no_sense(start: Start, arguments: str, message: str) -> None:
    assert refusal(start, f"self.emit({arguments})").startswith(message)


def test_a_fieldless_stream_takes_an_empty_tuple(start: Start) -> None:
    topology = Topology(outputs={"default": ["value"], "bell": []}, targets={})
    parent = start(RUN, topology=topology)
    _, said = parent.exchange("self.emit([], 'bell')")
    assert said[1]["tuple"] == []
    _, said = parent.exchange("self.emit([1], 'bell')")
    assert said[1]["msg"].endswith(
        "ValueError: stream 'bell' of component 'subject' has 0 fields (none), the tuple has 1 value"
    )


def test_many_streams_are_listed_in_part(start: Start) -> None:
    outputs = {name: ["value"] for name in ["default", *(f"stream-{n}" for n in range(100))]}
    parent = start(RUN, topology=Topology(outputs=outputs, targets={}))
    _, said = parent.exchange("self.emit([1], 'x' * 500)")
    last = said[1]["msg"].splitlines()[-1]
    start_of = f"ValueError: component 'subject' declares no stream '{'x' * 60}' (it declares: default, stream-0, "
    assert last.startswith(start_of)
    assert last.endswith(", ...); add it to the component's outputs in the topology")
    assert len(last) < 400


CARRIED: list[tuple[str, object]] = [
    ("Color.RED", 5),
    ("True", True),
    ("Text('text')", "text"),
    ("Number(1.5)", 1.5),
    ("Point(1, 2)", [1, 2]),
    ("Items([1, 2])", [1, 2]),
    ("(1, (2,))", [1, [2]]),
    ("collections.OrderedDict(b=1, a=2)", {"b": 1, "a": 2}),
    ("collections.Counter('aab')", {"a": 2, "b": 1}),
    ("collections.defaultdict(list, a=[])", {"a": []}),
    ("{1: 'int', 1.5: 'float', True and False: 'bool', None: 'none', Color.RED: 'enum'}",
     {"1": "int", "1.5": "float", "false": "bool", "null": "none", "5": "enum"}),
    ("{Text('key'): 1}", {"key": 1}),
    ("2**63 - 1", 2**63 - 1),
    ("-2**63", -(2**63)),
    ("1.7976931348623157e308", 1.7976931348623157e308),
    ("5e-324", 5e-324),
    ("0.1 + 0.2", 0.30000000000000004),
    ("1e16", 1e16),
    ("-0.0", -0.0),
    ("123456789.123456789", 123456789.123456789),
    ("nested(390)", None),
    ("nested(390, lambda inner: {'a': inner})", None),
    ("nested(390, lambda inner: (inner,))", None),
    ("'\\0\\x1f\\x7f\\x80\\u2028\\uffff\\U0001f40e\"\\\\/'", "\0\x1f\x7f\x80\u2028\uffff\U0001f40e\"\\/"),
    ("'é' * 70000", "é" * 70000),
    ("list(range(10000))", list(range(10000))),
]  # fmt: skip


@pytest.mark.parametrize(("source", "value"), CARRIED, ids=[row[0] for row in CARRIED])
def test_a_value_that_the_wire_carries(start: Start, source: str, value: object) -> None:
    parent = start(RUN)
    id, said = parent.exchange(f"self.emit([{source}])")
    [back] = said[1]["tuple"]
    if value is None:  # depth, which Jvm has judged
        depth = 0
        while back != 1:
            [back] = back.values() if isinstance(back, dict) else back
            depth += 1
        assert depth == 390
    else:
        assert repr(back) == repr(value), "equal, of the same types, in the same order"
    assert said[2] == {"command": "ack", "id": id}


BIG = Topology(conf={"stormcell.big.integers": True}, metrics={"count"})


@pytest.mark.parametrize("source", ["2**63", "-2**63 - 1", "[{'a': 10**4299}]", "Huge(-2**64)"])
def test_an_integer_of_any_size_for_a_storm_that_takes_it(start: Start, source: str) -> None:
    parent = start(RUN, topology=BIG)
    _, said = parent.exchange(f"self.emit([{source}])")
    [back] = said[1]["tuple"]
    assert back == eval(source, {"Huge": int}) and type(back) is not float


def test_integers_of_any_size_everywhere(start: Start) -> None:
    parent = start(RUN, topology=BIG)
    _, said = parent.exchange("self.report_metric('count', 2**64); self.emit([{2**64: -2**65}])")
    assert said[1]["params"] == 2**64
    assert said[2]["tuple"] == [{str(2**64): -(2**65)}]


def test_more_digits_than_python_writes(start: Start) -> None:
    """By its own default, since that takes time with the square of their number."""
    assert refusal(start, "self.emit([[1, 10**4300]])", topology=BIG) == (
        "OverflowError: tuple[0][1] has more digits than Python writes (sys.set_int_max_str_digits)")


def test_a_spouts_id_is_checked_like_a_value(start: Start) -> None:
    parent = start(
        """
        class Subject(Spout):
            ids = iter([b"", {"a": [{1}]}, 2**64, "\\ud800"])
            def next_tuple(self):
                self.emit([1], next(self.ids))
        """,
        topology=Topology(kind="spout"),
    )
    for message in (
        f"TypeError: tup_id {BYTES}",
        f"TypeError: tup_id['a'][0] {SET}",
        f"OverflowError: tup_id {WIDE}",
        f"ValueError: tup_id {LONE}",
    ):
        [report] = parent.command("next")
        assert report["msg"].splitlines()[-1].startswith(message)


METRICS = [
    ("'count', {'a': [1, None]}", None),
    ("name='count', value=1", None),
    ("'count', {1}", f"TypeError: value {SET}"),
    ("'count', [nan]", f"ValueError: value[0] {NAN}"),
    ("5, 1", "TypeError: name must be a str, not a int"),
    (
        "'else', 1",
        "ValueError: metric 'else' is not in the configuration's stormcell.metrics, which lists what "
        "Java code has registered: Storm ends the worker over any other",
    ),
    (
        "'count'",
        "TypeError: Component.report_metric() missing 1 required positional argument: 'value'",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), METRICS, ids=[row[0] for row in METRICS])
def test_metrics(start: Start, arguments: str, message: str | None) -> None:
    parent = start(RUN, topology=Topology(metrics={"count"}))
    _, said = parent.exchange(f"self.report_metric({arguments})")
    if message is None:
        params: object = 1 if "value" in arguments else {"a": [1, None]}
        expected: Message = {"command": "metrics", "name": "count", "params": params}
        assert said[1] == expected
    else:
        assert said[1]["msg"].splitlines()[-1] == message


def test_outside_of_a_component_nothing_can_be_said() -> None:
    import stormcell

    message = (
        "^there is no Storm on the other side: this works in a component that stormcell-shim runs$"
    )
    bolt, spout = stormcell.Bolt(), stormcell.Spout()
    for call in (
        lambda: bolt.emit([1]),
        lambda: spout.emit([1], 5),
        lambda: bolt.log("text"),
        lambda: bolt.report_error("text"),
        lambda: bolt.report_metric("name", 1),
        lambda: bolt.ack("5"),
        lambda: bolt.fail("5"),
        lambda: bolt.is_live("5"),
    ):
        with pytest.raises(RuntimeError, match=message):
            call()


SPEAKING = """
class Key(str):
    def __repr__(self):
        subject.emit(["from the error"])
        subject.log("as well")
        return "key"
class Subject(Bolt):
    def process(self, tup):
        global subject
        subject = self
        self.emit([{"long" * 1000: 1, Key("a"): {1, 2}}])
"""


def test_user_code_may_speak_while_an_emit_fails(start: Start) -> None:
    """The path in the error shows the keys, by a __repr__ that is user code."""
    parent = start(SPEAKING)
    id, said = parent.exchange(1)
    assert [message["command"] for message in said] == ["emit", "log", "error", "fail"]
    assert said[0]["tuple"] == ["from the error"]
    assert "tuple[0][key] is a set" in said[2]["msg"]
    assert said[3]["id"] == id
