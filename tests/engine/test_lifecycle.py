"""Start, death and end: of components, of the engine, and of whoever started it."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import PATIENCE, Runner, inputs, python, topology

TWO = topology(spout={"of": "Numbers"}, bolt={"of": "Sink", "inputs": inputs("spout")})


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_what_is_in_flight_is_waited_for(run: Runner) -> None:
    one = run("""
        class Slow(Bolt):
            def process(self, tup):
                time.sleep(0.05)
        """, topology(spout={"of": "Numbers", "conf": {"topology.max.spout.pending": 10}},
                      bolt={"of": "Slow", "inputs": inputs("spout")}), wait=False)
    one.until("log", lambda event: event["text"] == "acked 3")
    one.interrupt()
    one.finish()
    assert one.end["reason"] == "interrupted"
    assert one.end["in.flight"] == 0
    assert one.totals("spout")["acked"] == one.totals("spout")["emitted"]
    assert one.status == 0


def test_a_second_signal_ends_at_once(run: Runner) -> None:
    one = run("""
        class Stuck(Bolt):
            def process(self, tup):
                time.sleep(1000)
        """, topology(spout={"of": "Numbers", "conf": {"topology.max.spout.pending": 5}},
                      bolt={"of": "Stuck", "inputs": inputs("spout")}),
              wait=False, drain_secs=1000)
    one.until("stats", lambda event: event["components"]["bolt"]["in.flight"] == 5)
    pids = children(one.process.pid)
    one.interrupt()
    one.until("note")
    one.interrupt()
    one.finish()
    assert one.end["in.flight"] == 10  # five trees, five tuples
    assert one.status == 1
    assert not any(is_running(pid) for pid in pids)


def test_draining_has_a_limit(run: Runner) -> None:
    ended = run("""
        class Keep(Bolt):
            auto_ack = False
            def process(self, tup):
                pass
        """, topology(spout={"of": "Numbers"}, bolt={"of": "Keep", "inputs": inputs("spout")}),
        tuples=2, drain_secs=0.5)
    assert ended.end["in.flight"] == 4
    assert ended.status == 1


@pytest.mark.parametrize(("keys", "reason"), [({"seconds": 0.5}, "seconds"),
                                              ({"idle_secs": 2}, "idle")])
def test_a_run_has_an_end(run: Runner, keys: dict[str, float], reason: str) -> None:
    ended = run("class Few(Numbers):\n    last = 3\n",
                topology(spout={"of": "Few"}, bolt={"of": "Sink", "inputs": inputs("spout")}), **keys)
    assert ended.end["reason"] == reason
    assert ended.totals("spout")["acked"] == 3
    assert ended.status == 0


def test_a_component_that_dies_is_started_again(run: Runner) -> None:
    # Not before it has acked anything, nor when all is emitted: then it would not be started again.
    ended = run("""
        class Fragile(Bolt):
            def process(self, tup):
                if tup.values[0] == 500:
                    os.kill(os.getppid(), 9)
                    time.sleep(10)
        """, topology(spout={"of": "Numbers", "conf": {"topology.max.spout.pending": 50}},
                      bolt={"of": "Fragile", "inputs": inputs("spout")}), tuples=2000)
    [death] = ended.of("died", "bolt")
    assert death["text"].startswith("signal 9")
    assert death["again.secs"] > 0
    totals = ended.totals("spout")
    assert totals["failed"] == death["failed"] > 0
    assert totals["acked"] + totals["failed"] == 2000
    assert ended.totals("bolt")["restarts"] == 1
    assert ended.status == 1


def test_a_spouts_successor_is_activated(run: Runner) -> None:
    ended = run("""
        class Fragile(Numbers):
            def initialize(self, conf, context):
                super().initialize(conf, context)
                self.first = not os.path.exists('been')
                open('been', 'w').close()
            def next_tuple(self):
                super().next_tuple()
                if self.first and self.number == 50:
                    os._exit(3)
        """, topology(spout={"of": "Fragile"}, bolt={"of": "Sink", "inputs": inputs("spout")}),
        tuples=200)
    assert len(ended.of("died", "spout")) == 1
    assert ended.totals("spout")["restarts"] == 1
    assert ended.end["reason"] == "tuples"


def test_what_dies_again_and_again_ends_the_run(run: Runner) -> None:
    ended = run("""
        class Hopeless(Bolt):
            def process(self, tup):
                if tup.values[0] % 100 == 99:
                    os._exit(3)
        """, topology(spout={"of": "Numbers", "conf": {"topology.max.spout.pending": 10}},
                      bolt={"of": "Hopeless", "inputs": inputs("spout")}))
    deaths = ended.of("died", "bolt")
    assert len(deaths) == 6
    assert [death["again.secs"] is None for death in deaths] == [False] * 5 + [True]
    assert ended.end["reason"] == "failed"
    assert ended.status == 1


def test_a_component_that_cannot_start_ends_the_run(run: Runner) -> None:
    ended = run("raise RuntimeError('no database')\n", TWO)
    assert any("no database" in event["text"] for event in ended.of("log") + ended.of("error"))
    assert ended.end["reason"] == "failed"
    assert ended.status == 1


def test_a_component_that_never_did_anything_ends_the_run(run: Runner) -> None:
    ended = run("""
        class Hopeless(Bolt):
            def process(self, tup):
                os._exit(3)
        """, topology(spout={"of": "Numbers"},
                      bolt={"of": "Hopeless", "inputs": inputs("spout")}))
    [death] = ended.of("died", "bolt")
    assert death["again.secs"] is None
    assert ended.end["reason"] == "failed"


def test_a_program_that_is_not_there(run: Runner) -> None:
    ended = run("", topology(spout={"command": ["/no/such/program"]}))
    [death] = ended.of("died")
    assert "/no/such/program" in death["text"]
    assert ended.status == 1


@pytest.mark.parametrize("said", [
    "nonsense", "[1]", '{"command": "dance"}', '{"no": "command"}', '{"command": "emit"}',
    '{"command": "emit", "tuple": 7}', '{"command": "emit", "tuple": [1, 2]}',
    '{"command": "emit", "tuple": [1], "stream": "other"}',
    '{"command": "emit", "tuple": [1], "anchors": ["77"]}', '{"command": "ack", "id": "77"}',
    '{"command": "emit", "tuple": [1], "task": 3}', '{"command": "ack"}',
    '{"command": "log", "msg": 1}',
])
def test_what_ends_a_worker_ends_the_component(run: Runner, said: str) -> None:
    ended = run("", topology(
        spout={"of": "Numbers"},
        bolt={"command": python(f"shake(); hear(); say({said!r}); hear(); hear(); hear()"),
              "inputs": inputs("spout")},
        sink={"of": "Sink", "inputs": inputs("bolt")}))
    deaths = ended.of("died", "bolt")
    assert "Storm ends the worker" in deaths[0]["text"]
    assert said[:20] in deaths[0]["text"]


def test_silence_ends_a_component(run: Runner) -> None:
    ended = run("", topology(spout={"of": "Numbers"},
                             bolt={"command": python("shake()\nwhile True: hear()"),
                                   "inputs": inputs("spout")}),
                conf={"topology.subprocess.timeout.secs": 3})
    assert "said nothing for 3 s" in ended.of("died", "bolt")[0]["text"]


def test_stderr_is_logged(run: Runner) -> None:
    ended = run("", topology(spout={"command": python(r"""
        shake()
        sys.stderr.write('one\ntwo \xff\nhalf')
        sys.stderr.flush()
        while True:
            hear()
            say({'command': 'sync'})
        """)}), idle_secs=2)
    assert ended.logs("spout") == ["one", "two \xff", "half"]


def test_a_full_queue_stops_the_spout_and_no_more(run: Runner) -> None:
    ended = run("""
        class Wide(Numbers):
            def next_tuple(self):
                self.emit([self.number, 'x' * 1000])
                self.number += 1
        class Slow(Bolt):
            def initialize(self, conf, context):
                self.count = 0
            def process(self, tup):
                self.count += 1
                if self.count < 500:
                    time.sleep(0.001)
        """, topology(spout={"of": "Wide", "fields": ["a", "b"]},
                      bolt={"of": "Slow", "inputs": inputs("spout")}), tuples=5000, report_ms=20)
    most = max(event["components"]["bolt"]["in.flight"] for event in ended.of("stats"))
    assert 100 < most < 3000
    assert ended.totals("bolt")["acked"] == 5000


def test_a_cycle_does_not_stop_itself(run: Runner) -> None:
    ended = run("""
        class Loop(Bolt):
            def process(self, tup):
                n, text = tup.values
                if n % 1000:
                    self.emit([n - 1, text])
        class Ends(Numbers):
            def next_tuple(self):
                self.emit([self.number * 1000 + 40, 'x' * 2000], tup_id=self.number)
                self.number += 1
        """, topology(spout={"of": "Ends", "fields": ["n", "text"]},
                      loop={"of": "Loop", "fields": ["n", "text"],
                            "inputs": inputs("spout", "loop")}), tuples=300)
    assert ended.totals("spout")["acked"] == 300
    assert ended.totals("loop")["executed"] == 300 * 41
    assert ended.status == 0


def test_ticks_come_in_time(run: Runner) -> None:
    ended = run("""
        class Ticks(Bolt):
            def process(self, tup):
                pass
            def process_tick(self, tup):
                self.log('tick %s' % tup.values[0])
        class Few(Numbers):
            last = 1
        """, topology(spout={"of": "Few"},
                      bolt={"of": "Ticks", "inputs": inputs("spout"),
                            "conf": {"topology.tick.tuple.freq.secs": 1}}), seconds=3.5)
    assert 2 <= len(ended.logs("bolt")) <= 4
    assert set(ended.logs("bolt")) == {"tick 1"}


def test_to_wait_for_a_slow_spout_costs_nothing(run: Runner) -> None:
    def processor_time() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = processor_time()
    ended = run("""
        class Slow(Numbers):
            def next_tuple(self):
                time.sleep(5)
                super().next_tuple()
        """, topology(fast={"of": "Numbers"}, slow={"of": "Slow"},
                      bolt={"of": "Sink", "inputs": inputs("fast", "slow")}), tuples=2)
    assert ended.status == 0
    assert processor_time() - before < 3  # it was the 5 s of the wait: the engine looked all the time


def test_nothing_outlives_the_engine(run: Runner) -> None:
    one = run("", TWO, wait=False)
    one.until("running")
    pids = children(one.process.pid)
    assert len(pids) == 2
    one.process.kill()
    wait_for(lambda: not any(is_running(pid) for pid in pids))


def test_the_engine_does_not_outlive_who_started_it(run: Runner, tmp_path: Path) -> None:
    one = run("", TWO, wait=False, command=[
        sys.executable, "-c",
        "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); print(p.pid, file=open("
        f"{str(tmp_path / 'pid')!r}, 'w'), flush=True); p.wait()"])
    one.until("running")
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n"))
    engine = int((tmp_path / "pid").read_text())
    one.process.kill()
    one.finish()  # reads on: it says much, and must not be held up by that
    wait_for(lambda: not is_running(engine))
    assert one.end["reason"] == "interrupted"


def test_it_ends_when_nobody_listens(run: Runner) -> None:
    one = run("", TWO, wait=False, report_ms=10)
    one.until("running")
    assert one.process.stdout is not None
    one.process.stdout.close()
    assert one.process.wait(PATIENCE) == 1


def test_nothing_is_left_behind(run: Runner, tmp_path: Path) -> None:
    assert run("", TWO, tuples=10).status == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_hundred_tasks(run: Runner) -> None:
    ended = run("", topology(spout={"of": "Numbers", "parallelism": 50},
                             bolt={"of": "Sink", "inputs": inputs("spout"), "parallelism": 50}),
                tuples=5000)
    assert ended.status == 0
    assert ended.totals("bolt")["acked"] == 5000
    assert len(ended.events[0]["tasks"]) == 101


def test_what_is_on_stdin_is_a_plan_too(tmp_path: Path) -> None:
    from engine import ENGINE
    done = subprocess.run([ENGINE], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: stormcell-engine PLAN")
    done = subprocess.run([ENGINE, str(tmp_path / "none.json")], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 2
    assert "none.json" in done.stderr and "No such file" in done.stderr


