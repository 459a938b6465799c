"""`stormcell run` without a terminal: its lines, its status, its totals, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from commanding import COMMAND, PATIENCE, flow, living, refused, stormcell, wait_for, write


def totals(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The status of a run and what it wrote of itself."""
    done = stormcell("run", *arguments, "--json", "totals.json")
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(Path("totals.json").read_text())


def test_the_only_topology_runs(folder: Path) -> None:
    flow(folder)
    done = stormcell("run", "--tuples", "100")
    numbers, bolt, verdict = done.stdout.splitlines()
    assert numbers.startswith("numbers: emitted 100, acked 100, failed 0, in flight 0, ")
    assert bolt.startswith("bolt: emitted 100, acked 100, failed 0, ")
    assert verdict.endswith("s (all the tuples asked for have been emitted): nothing failed")
    assert (done.returncode, done.stderr) == (0, "")


def test_totals_are_for_programs(folder: Path) -> None:
    flow(folder)
    status, told = totals("--tuples", "100", "--name", "mine")
    assert status == told["status"] == 0
    assert (told["name"], told["reason"], told["in.flight"]) == ("mine", "tuples", 0)
    assert list(told["components"]) == ["numbers", "bolt"]
    bolt = told["components"]["bolt"]
    assert (bolt["kind"], bolt["executed"], bolt["acked"], bolt["last.error"]) == ("bolt", 100, 100, None)
    assert bolt["process.ms"]["p50"] > 0


def test_totals_on_stdout_are_alone_there(folder: Path) -> None:
    flow(folder)
    done = stormcell("run", "--tuples", "10", "--json", "-")
    assert json.loads(done.stdout)["components"]["numbers"]["acked"] == 10
    assert "nothing failed" in done.stderr


def test_what_fails_is_shown_and_in_the_status(folder: Path) -> None:
    flow(folder, "Raises")
    done = stormcell("run", "--tuples", "3")
    assert done.returncode == 1
    assert "ValueError: number 3 is bad" in done.stdout
    assert "last error: task 2: ValueError: number 3 is bad" in done.stdout
    assert done.stdout.endswith("3 tuples failed, 3 errors\n")


def test_a_component_that_dies_is_shown_and_in_the_status(folder: Path) -> None:
    flow(folder, "Dies")
    done = stormcell("run", "--tuples", "3", "-o", "topology.max.spout.pending=1")
    assert done.returncode == 1
    assert "bolt-2 died: exit status 7 (1 tuple failed); it starts again in 0.1 s" in done.stdout


def test_the_time_is_up(folder: Path) -> None:
    flow(folder)
    status, told = totals("--time", "0.5")
    assert (status, told["reason"]) == (0, "seconds")
    assert told["seconds"] >= 0.5


def test_idle_ends_it(folder: Path) -> None:
    flow(folder)
    write(folder, "src/components.py", """
        from stormcell import Bolt, Spout
        class Numbers(Spout):
            outputs = ["number"]
            def next_tuple(self): pass
        class Pass(Bolt):
            outputs = ["number"]
        """)
    assert totals("--idle", "0.2")[1]["reason"] == "idle"


def test_what_times_out_is_a_failure(folder: Path) -> None:
    flow(folder, "Keep")
    status, told = totals("--tuples", "2", "-o", "topology.message.timeout.secs=1")
    assert (status, told["components"]["numbers"]["timed.out"]) == (1, 2)


def test_settings_reach_the_components(folder: Path) -> None:
    flow(folder)
    write(folder, "src/components.py", """
        from stormcell import Bolt, Spout
        class Numbers(Spout):
            outputs = ["number"]
            def initialize(self, conf, context):
                self.log("conf %s" % sorted((key, conf[key]) for key in conf if key.startswith("my.")))
                ackers = conf["topology.acker.executors"]
                self.log("debug %s, ackers %s" % (conf.get("topology.debug"), ackers))
            def next_tuple(self):
                self.emit([1])
        class Pass(Bolt):
            outputs = ["number"]
            def process(self, tup): pass
        """)
    write(folder, "config.json", '{"envs": {"a": {"options": {"my.a": 1, "my.b": 1}}, "b": {}}}')
    done = stormcell("run", "--tuples", "1", "-e", "a", "-o", "my.b=[2]", "-o", "my.c=x y", "-d", "-a", "0")
    assert "conf [('my.a', 1), ('my.b', [2]), ('my.c', 'x y')]" in done.stdout
    assert "debug True, ackers 0" in done.stdout


def test_the_configuration_is_that_of_the_file(folder: Path) -> None:
    file = flow(folder / "project")
    write(folder, "project/config.json", '{"envs": {"only": {}}}')
    write(folder, "config.json", '{"envs": {"here": {}}}')
    assert stormcell("run", file, "--tuples", "1", "-e", "only").returncode == 0


def test_a_topology_is_found_by_its_name(folder: Path) -> None:
    flow(folder)
    write(folder, "topologies/other.py", "import nothing")
    assert stormcell("run", "flow", "--tuples", "1").returncode == 0
    assert stormcell("run", "--name", "flow", "--tuples", "1").returncode == 0


def test_a_file_of_its_own_runs(folder: Path) -> None:
    """Components in the topology's file, with no project around it."""
    write(folder, "alone.py", """
        from stormcell import Spout, Topology
        class Ones(Spout):
            outputs = ["one"]
            def next_tuple(self): self.emit([1])
        class Alone(Topology):
            ones = Ones.spec()
        """)
    assert stormcell("run", "alone.py", "--tuples", "1").returncode == 0


def test_recordings_are_written(folder: Path) -> None:
    flow(folder)
    assert stormcell("run", "--tuples", "1", "--record", "rec").returncode == 0
    assert sorted(path.name.partition("-")[0] for path in (folder / "rec").iterdir()) == ["bolt", "numbers"]


def test_options_for_a_cluster_are_ignored_with_a_word(folder: Path) -> None:
    flow(folder)
    done = stormcell("run", "--tuples", "1", "--workers", "2")
    assert done.returncode == 0
    assert done.stderr == "stormcell run: --workers is ignored: here all is one worker\n"


# ---- the end ----------------------------------------------------------------------------------


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, "run", *arguments], stdout=subprocess.PIPE, text=True)


def until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"it ended without {text!r}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(folder: Path, number: signal.Signals) -> None:
    flow(folder, "Keep")
    with start("-o", "topology.message.timeout.secs=1") as process:
        until(process, "kept 1")
        process.send_signal(number)
        until(process, "again to stop at once")
        until(process, "(interrupted): ")
        assert process.wait(PATIENCE) == 1


def test_what_nohup_ignores_does_not_end_it(folder: Path) -> None:
    flow(folder, "Waits")
    nohup = 'trap "" HUP; exec "$0" "$@"'
    with subprocess.Popen(["sh", "-c", nohup, *COMMAND, "run", "--tuples", "1"], stdout=subprocess.PIPE,
                          text=True) as process:
        until(process, "waiting")
        process.send_signal(signal.SIGHUP)
        (folder / "src" / "go").touch()
        until(process, "(all the tuples asked for have been emitted): nothing failed")
        assert process.wait(PATIENCE) == 0


def test_a_command_line_that_is_killed_leaves_nothing(folder: Path) -> None:
    flow(folder, "Keep")
    with start() as process:
        until(process, "kept 1")
        assert living(folder)
        process.kill()
    wait_for(lambda: not living(folder), lambda: str(living(folder)))


def test_a_reader_that_goes_ends_it(folder: Path) -> None:
    flow(folder, "Keep")
    process = start()
    until(process, "kept 1")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(PATIENCE) == 1


# ---- what it refuses --------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, said", [
    (["--time", "-1"], "'-1' is no number of seconds above 0"),
    (["--time", "nan"], "'nan' is no number of seconds above 0"),
    (["--idle", "soon"], "'soon' is no number of seconds above 0"),
    (["--tuples", "x"], "'x' is not a valid"),
    (["--tuples", "0"], "0 is not in the range x>=1"),
    (["--json", "."], "'--json': '.': Is a directory"),
    (["--json", "nowhere/totals.json"], "No such file or directory"),
    (["--record", "config.json/rec"], "--record config.json/rec: Not a directory"),
    (["--environment", "prod"], "config.json has no environment 'prod', but 'local'"),
    (["--config", "other.json"], "other.json cannot be read: No such file or directory"),
    (["-o", "key"], "an option is given as key=value, not 'key'"),
    (["-o", "wrong=NaN"], "NaN"),
    (["--nmae", "x"], "No such option '--nmae'"),
    (["other.py"], "there is no topology file other.py"),
    (["--name", "a/b"], "a topology's name has none of"),
    (["a", "b"], "Got unexpected extra argument (b)"),
])
def test_bad_input_is_one_line(folder: Path, arguments: list[str], said: str) -> None:
    flow(folder)
    write(folder, "config.json", '{"envs": {"local": {}}}')
    assert said in refused("run", *arguments)


@pytest.mark.parametrize("text, said", [
    ("class Flow(Topology:", "topologies/flow.py:1: it is no Python: "),
    ("x = 1", "topologies/flow.py: it defines no topology"),
    ("from components import Numbers\nfrom stormcell import Topology\n"
     "class A(Topology): a = Numbers.spec()\nclass B(Topology): a = Numbers.spec()",
     "topologies/flow.py: it defines more than one topology: A, B"),
    ("import broken", "src/broken.py:1: importing it raised ZeroDivisionError: division by zero"),
    ("from stormcell import JavaSpout, Topology\n"
     "class A(Topology): a = JavaSpout.spec(full_class_name='org.A', outputs=['a'])", "has no JVM"),
])
def test_a_bad_topology_is_one_line(folder: Path, text: str, said: str) -> None:
    flow(folder).write_text(text)
    write(folder, "src/broken.py", "1 / 0")
    assert said in refused("run")


def test_several_topologies_are_named(folder: Path) -> None:
    flow(folder)
    write(folder, "topologies/other.py", "")
    assert "There are topologies/flow.py, topologies/other.py: name one" in refused("run")


def test_no_topology_at_all(folder: Path) -> None:
    assert "there is no topology in topologies/: name a file, or begin with" in refused("run")


@pytest.mark.parametrize("variable", ["STORMCELL_ENGINE", "STORMCELL_SHIM"])
def test_a_program_that_is_missing(
        folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    flow(folder)
    monkeypatch.setenv(variable, "/nowhere/program")
    assert refused("run") == f"stormcell: ${variable} names no executable: /nowhere/program"


def test_a_full_disk_is_one_line(folder: Path) -> None:
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("there is no /dev/full")
    flow(folder)
    done = stormcell("run", "--tuples", "1", "--json", "/dev/full")
    assert done.returncode == 2
    assert done.stderr == "stormcell: --json /dev/full: No space left on device\n"
