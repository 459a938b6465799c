"""To whom a tuple goes. That keys come to the same tasks as on a cluster, tests/storm shows."""

from __future__ import annotations

from collections import Counter

import pytest

from engine import Runner, inputs, topology

TELL = """
class Tell(Bolt):
    def initialize(self, conf, context):
        self.task = context['taskid']
    def process(self, tup):
        self.emit([self.task, *tup.values])
"""


def told(run: Runner, grouping: tuple[str, ...], count: int = 40, tasks: int = 4,
         **keys: int) -> list[tuple[int, int]]:
    ended = run(TELL, topology(
        spout={"of": "Numbers"},
        tell={"of": "Tell", "inputs": inputs(("spout", *grouping)),  # type: ignore[arg-type]
              "parallelism": tasks, "fields": ["task", "value"]}), tuples=count, emits=True, **keys)
    assert ended.status == 0
    return [(task, value) for task, value in ended.emits("tell")]


@pytest.mark.parametrize("kind", ["shuffle", "local-or-shuffle"])
def test_shuffle_is_even(run: Runner, kind: str) -> None:
    assert sorted(Counter(task for task, _ in told(run, (kind,))).values()) == [10, 10, 10, 10]


def test_all_reaches_each(run: Runner) -> None:
    assert Counter(value for _, value in told(run, ("all",), 5)) == dict.fromkeys(range(5), 4)


def test_global_is_the_lowest_task(run: Runner) -> None:
    assert {task for task, _ in told(run, ("global",))} == {3}  # behind __acker and the spout


def test_none_reaches_one(run: Runner) -> None:
    assert sorted(value for _, value in told(run, ("none",))) == list(range(40))


def test_fields_is_floor_mod_of_javas_hash(run: Runner) -> None:
    # Arrays.deepHashCode([n]) = 31 + n for an Integer
    for task, value in told(run, ("fields", "value"), 50, 3):
        assert task == 3 + (31 + value) % 3


def test_integers_of_any_size_are_keys(run: Runner) -> None:
    # BigInteger(2**64 + n).hashCode is 31 * 31 + n, of its three words 1, 0 and n
    ended = run(TELL + """
class Big(Numbers):
    def next_tuple(self):
        self.emit([2**64 + self.number], tup_id=self.number)
        self.number += 1
""", topology(spout={"of": "Big"}, tell={"of": "Tell", "inputs": inputs(("spout", "fields", "value")),
                                         "parallelism": 3, "fields": ["task", "value"]}), tuples=50, emits=True)
    assert ended.status == 0
    found = {value - 2**64: task for task, value in ended.emits("tell")}
    assert found == {number: 3 + (31 + 31 * 31 + number) % 3 for number in range(50)}


def test_partial_key_is_one_of_two(run: Runner) -> None:
    ended = run(TELL + """
class Keys(Numbers):
    def next_tuple(self):
        self.emit([self.number % 5 if self.number % 2 else 0], tup_id=self.number)
        self.number += 1
""", topology(spout={"of": "Keys"},
              tell={"of": "Tell", "inputs": inputs(("spout", "partial-key", "value")),
                    "parallelism": 6, "fields": ["task", "value"]}), tuples=200, emits=True)
    places: dict[int, Counter[int]] = {}
    for task, key in ended.emits("tell"):
        places.setdefault(key, Counter())[task] += 1
    assert all(len(counts) <= 2 for counts in places.values())
    assert len(places[0]) == 2  # the frequent one does not burden one task alone


def test_the_same_seed_takes_the_same_ways(run: Runner) -> None:
    first, second = (sorted(told(run, ("none",), seed=7)) for _ in range(2))
    assert first == second
    assert first != sorted(told(run, ("none",), seed=8))


def test_a_direct_emit_goes_where_it_says(run: Runner) -> None:
    ended = run(TELL + """
class Direct(Numbers):
    def initialize(self, conf, context):
        super().initialize(conf, context)
        self.tasks = [int(t) for t, c in context['task->component'].items() if c == 'tell']
    def next_tuple(self):
        self.emit([self.number], tup_id=self.number, direct_task=self.tasks[self.number % 2])
        self.number += 1
""", topology(spout={"of": "Direct", "outputs": {"default": {"fields": ["value"], "direct": True}}},
              tell={"of": "Tell", "inputs": inputs(("spout", "direct")), "parallelism": 2,
                    "fields": ["task", "value"]}), tuples=6, emits=True)
    assert ended.status == 0
    assert {(task, value) for task, value in ended.emits("tell")} == {
        (3 + value % 2, value) for value in range(6)}


def test_task_ids_are_told_on_demand(run: Runner) -> None:
    ended = run("""
        class Asking(Numbers):
            def next_tuple(self):
                ids = self.emit([self.number], tup_id=self.number, need_task_ids=True)
                self.log('task ids %s' % sorted(ids))
                self.number += 1
        class Relay(Bolt):
            def process(self, tup):
                self.log('task ids %s' % self.emit(tup.values, need_task_ids=True))
        """, topology(spout={"of": "Asking"},
                      relay={"of": "Relay", "inputs": inputs(("spout", "all")), "parallelism": 2},
                      sink={"of": "Sink", "inputs": inputs(("relay", "global"))}), tuples=3)
    assert [text for text in ended.logs("spout") if text[0] == "t"] == ["task ids [2, 3]"] * 3
    assert ended.logs("relay") == ["task ids [4]"] * 6


def test_streams_have_their_own_takers(run: Runner) -> None:
    ended = run("""
        class Two(Numbers):
            def next_tuple(self):
                stream = 'odd' if self.number % 2 else 'even'
                self.emit([self.number], tup_id=self.number, stream=stream)
                self.number += 1
        class Pass(Bolt):
            def process(self, tup):
                self.emit([tup.stream, tup.component] + list(tup.values))
        """, topology(
            spout={"of": "Two", "outputs": {"odd": {"fields": ["n"], "direct": False},
                                            "even": {"fields": ["n"], "direct": False}}},
            odds={"of": "Pass", "fields": ["stream", "from", "n"], "inputs": inputs(
                {"component": "spout", "stream": "odd", "grouping": {"type": "shuffle"}})}),
        tuples=4, emits=True)
    assert ended.emits("odds") == [["odd", "spout", 1], ["odd", "spout", 3]]
    assert ended.totals("spout")["acked"] == 4


def test_values_pass_as_through_a_jvm(run: Runner) -> None:
    ended = run("""
        class Odd(Spout):
            def next_tuple(self):
                self.emit([{'b': 1, 'a': [1.5, None, True]}, 'a/\\u2028\\x7f', 2**62, 1e300], tup_id=1)
        class Pass(Bolt):
            def process(self, tup):
                self.emit(tup.values)
        """, topology(spout={"of": "Odd", "fields": list("abcd")},
                      bolt={"of": "Pass", "inputs": inputs("spout"), "fields": list("abcd")}),
        tuples=1, emits=True)
    assert ended.emits("bolt")[0] == [
        {"b": 1, "a": [1.5, None, True]}, "a/\u2028\x7f", 2**62, 1e300]
