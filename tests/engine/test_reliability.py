"""Trees of tuples: acked, failed, timed out, replayed, as Storm does it."""

from __future__ import annotations

import pytest

from engine import Runner, inputs, python, topology


def test_every_tuple_is_acked_once(run: Runner) -> None:
    ended = run("", topology(spout={"of": "Numbers"},
                             bolt={"of": "Sink", "inputs": inputs("spout")}), tuples=500)
    assert ended.status == 0
    assert ended.end["reason"] == "tuples"
    assert ended.logs("spout") == [f"acked {i}" for i in range(500)]
    assert ended.totals("bolt")["acked"] == ended.totals("spout")["acked"] == 500
    assert ended.totals("spout")["process.ms"]["p50"] > 0


def test_a_tree_waits_for_its_last_tuple(run: Runner) -> None:
    ended = run("""
        class Split(Bolt):
            def process(self, tup):
                for part in range(3):
                    self.emit([tup.values[0] * 10 + part])
        class Odd(Bolt):
            auto_ack = False
            def process(self, tup):
                (self.fail if tup.values[0] == 12 else self.ack)(tup)
        """, topology(spout={"of": "Numbers"},
                      split={"of": "Split", "inputs": inputs("spout")},
                      odd={"of": "Odd", "inputs": inputs("split"), "parallelism": 2}), tuples=3)
    assert sorted(ended.logs("spout")) == ["acked 0", "acked 2", "failed 1"]
    assert ended.status == 1
    assert ended.totals("odd")["acked"] == 8
    assert ended.totals("odd")["failed"] == 1


def test_a_tuple_in_many_trees_fails_them_all(run: Runner) -> None:
    ended = run("""
        class Batch(BatchingBolt):
            ticks_between_batches = 1
            def group_key(self, tup):
                return tup.values[0] % 2
            def process_batch(self, key, tups):
                self.emit([key], anchors=tups)
        class Picky(Bolt):
            auto_ack = False
            def process(self, tup):
                (self.fail if tup.values[0] == 1 else self.ack)(tup)
        """, topology(spout={"of": "Numbers"},
                      batch={"of": "Batch", "inputs": inputs("spout"),
                             "conf": {"topology.tick.tuple.freq.secs": 1}},
                      picky={"of": "Picky", "inputs": inputs("batch")}), tuples=6)
    assert sorted(ended.logs("spout")) == [
        "acked 0", "acked 2", "acked 4", "failed 1", "failed 3", "failed 5"]


def test_what_nobody_settles_times_out(run: Runner) -> None:
    ended = run("""
        class Forgetful(Bolt):
            auto_ack = False
            def process(self, tup):
                if tup.values[0] != 1:
                    self.ack(tup)
        """, topology(spout={"of": "Numbers"},
                      bolt={"of": "Forgetful", "inputs": inputs("spout")}),
        tuples=3, conf={"topology.message.timeout.secs": 4}, drain_secs=8)
    assert sorted(ended.logs("spout")) == ["acked 0", "acked 2", "failed 1"]
    assert ended.totals("spout")["timed.out"] == ended.totals("spout")["failed"] == 1
    assert ended.end["in.flight"] == 1  # the bolt still has it
    assert ended.status == 1


def test_a_reliable_spout_emits_again_what_failed(run: Runner) -> None:
    ended = run("""
        class Source(ReliableSpout):
            def initialize(self, conf, context):
                self.number = 0
            def next_tuple(self):
                if self.number < 5:
                    self.emit([self.number], tup_id=self.number)
                    self.number += 1
        class Once(Bolt):
            auto_ack = False
            def initialize(self, conf, context):
                self.seen = set()
            def process(self, tup):
                new = tup.values[0] not in self.seen
                self.seen.add(tup.values[0])
                (self.fail if new else self.ack)(tup)
        """, topology(spout={"of": "Source"},
                      bolt={"of": "Once", "inputs": inputs("spout")}), idle_secs=3)
    assert ended.totals("bolt")["failed"] == ended.totals("bolt")["acked"] == 5
    assert ended.totals("spout")["emitted"] == 10
    assert ended.end["reason"] == "idle"


def test_without_an_id_nothing_is_tracked(run: Runner) -> None:
    ended = run("""
        class Plain(Spout):
            def next_tuple(self):
                self.emit([1])
        class Refuse(Bolt):
            auto_ack = False
            def process(self, tup):
                self.fail(tup)
        """, topology(spout={"of": "Plain"},
                      bolt={"of": "Refuse", "inputs": inputs("spout")}), tuples=5)
    assert ended.totals("spout")["acked"] == ended.totals("spout")["failed"] == 0
    assert ended.totals("bolt")["failed"] == 5


@pytest.mark.parametrize("conf", [{"topology.acker.executors": 0}, {}])
def test_an_emit_that_nobody_takes_is_acked(run: Runner, conf: dict[str, int]) -> None:
    ended = run("", topology(spout={"of": "Numbers"}), tuples=3, conf=conf)
    assert ended.logs("spout") == ["acked 0", "acked 1", "acked 2"]


def test_without_ackers_a_tuple_counts_at_once(run: Runner) -> None:
    ended = run("""
        class Refuse(Bolt):
            auto_ack = False
            def process(self, tup):
                self.fail(tup)
        """, topology(spout={"of": "Numbers"}, bolt={"of": "Refuse", "inputs": inputs("spout")}),
        tuples=3, conf={"topology.acker.executors": 0})
    assert ended.logs("spout") == ["acked 0", "acked 1", "acked 2"]


@pytest.mark.parametrize("id", ["7", '"a \\"b\\" \\u00e9"', "[1, {\"a\": null}]", "1.5"])
def test_any_id_comes_back(run: Runner, id: str) -> None:
    command = python(f"""
        shake()
        sent = False
        while True:
            command = hear()
            if command['command'] == 'ack':
                say({{'command': 'log', 'msg': json.dumps(command['id'] == json.loads({id!r}))}})
            elif command['command'] == 'next' and not sent:
                sent = True
                say('{{"command": "emit", "tuple": [1], "need_task_ids": false, "id": ' + {id!r} + '}}')
            say({{'command': 'sync'}})
        """)
    ended = run("", topology(spout={"command": command},
                             bolt={"of": "Sink", "inputs": inputs("spout")}), tuples=1)
    assert ended.logs("spout") == ["true"]


def test_max_pending_bounds_what_is_open(run: Runner) -> None:
    ended = run("""
        class Hold(Bolt):
            auto_ack = False
            def initialize(self, conf, context):
                self.held = []
            def process(self, tup):
                self.held.append(tup)
                self.emit([len(self.held)])
            def process_tick(self, tup):
                for one in self.held:
                    self.ack(one)
                self.held = []
        """, topology(spout={"of": "Numbers", "conf": {"topology.max.spout.pending": 7}},
                      hold={"of": "Hold", "inputs": inputs("spout"), "fields": ["held"],
                            "conf": {"topology.tick.tuple.freq.secs": 1}}),
        tuples=20, emits=True)
    assert max(tuple[0] for tuple in ended.emits("hold")) == 7
    assert ended.totals("spout")["acked"] == 20
