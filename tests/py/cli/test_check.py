"""`stormcell check`: what it finds, and that it survives what it looks at."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from commanding import BUILT, flow, refused, stormcell, write
from stormcell.cli.check import unsendable


def found(*arguments: str | Path) -> list[str]:
    """The lines of what is wrong."""
    done = stormcell("check", *arguments)
    wrong = [line[4:] for line in done.stdout.splitlines() if line.startswith("NO  ")]
    assert (done.returncode, done.stderr) == (1 if wrong else 0, "")
    return wrong


def test_all_is_well(folder: Path) -> None:
    flow(folder)
    done = stormcell("check")
    version = ".".join(map(str, sys.version_info[:3]))
    assert done.stdout.splitlines() == [
        f"ok  Python {version}", "ok  topologies/flow.py: Flow, 2 components", "ok  numbers", "ok  bolt"]
    assert done.returncode == 0


@pytest.mark.parametrize("text, wrong", [
    ("class Flow(", "topologies/flow.py:1: it is no Python: "),
    ("import nothing", "flow.py:1: importing it raised ModuleNotFoundError: No module named 'nothing'"),
    ("x = 1", "topologies/flow.py: it defines no topology"),
    ("import os; os._exit(3)", "topologies/flow.py: importing it ended the interpreter (exit status 3)"),
    ("import os; os._exit(0)", "topologies/flow.py: importing it ended the interpreter (exit status 0)"),
    ("import os; os.abort()", "topologies/flow.py: importing it ended the interpreter (signal 6)"),
    ("import sys; sys.exit(3)", "topologies/flow.py:1: importing it raised SystemExit: 3"),
    ("from stormcell import Grouping, Topology\nfrom components import Numbers, Pass\n"
     "class Flow(Topology):\n  numbers = Numbers.spec()\n"
     "  bolt = Pass.spec(inputs={numbers: Grouping.fields('nmber')})",
     "topologies/flow.py:5: 'bolt' groups by the field 'nmber'"),
])
def test_what_is_wrong_with_a_topology(folder: Path, text: str, wrong: str) -> None:
    flow(folder).write_text(text)
    [line] = found()
    assert wrong in line.replace(f"{folder}/", "")


def test_a_component_that_only_this_process_could_import(folder: Path) -> None:
    """A task imports a component's module afresh: not what the topology's file did to it."""
    flow(folder).write_text(
        "import sys, types\n"
        "from stormcell import Spout, Topology\n"
        "made = types.ModuleType('nowhere'); sys.modules['nowhere'] = made\n"
        "made.Numbers = type('Numbers', (Spout,), {'outputs': ['n'], '__module__': 'nowhere'})\n"
        "class Flow(Topology):\n  numbers = made.Numbers.spec()\n")
    [line] = found()
    assert line.endswith("the tasks of 'numbers' could not import Numbers: its module, nowhere, is not what "
                         "`import` finds by that name; move it to another")


def test_a_component_that_ends_its_interpreter(folder: Path) -> None:
    flow(folder)
    source = (folder / "src/components.py").read_text()
    ends = "\nimport sys\nif 'stormcell.spec' not in sys.modules: os._exit(5)\n"
    write(folder, "src/components.py", source + ends)
    assert found() == [f"{name}: ended the interpreter (exit status 5)" for name in ("numbers", "bolt")]


def test_a_program_of_another_language_that_is_missing(folder: Path) -> None:
    flow(folder).write_text(
        "from stormcell import ShellSpout, Topology\n"
        "class Flow(Topology):\n"
        "  there = ShellSpout.spec(command='sh', script='x.sh', outputs=['a'])\n"
        "  missing = ShellSpout.spec(command='no-such-program', script='x', outputs=['a'])\n")
    assert found() == ["missing: there is no program 'no-such-program' on PATH"]


def test_settings_that_would_not_arrive(folder: Path) -> None:
    flow(folder)
    assert found("-o", 'b={"c": [1, 100000000000000000000]}') == [
        "the settings['b']['c'][1]: is 100000000000000000000, which does not fit into 64 bits"]


def test_every_kind_of_setting() -> None:
    good = {"a": [1, -(2**63), 2**63 - 1, 1.5, "x", None, True, {"b": []}]}
    assert list(unsendable(good, "it")) == []
    assert list(unsendable({1: b"x", "y": float("-inf")}, "it")) == [
        ("it[1]", "has a key that is no string but int"),
        ("it[1]", "is a bytes, which JSON does not have"),
        ("it['y']", "is -inf, which JSON does not have")]


def test_a_shim_of_another_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow(folder)
    shim = write(folder, "shim", "#!/bin/sh\necho stormcell-shim 0.1.0, Python 3.8.1 '(static)'\n")
    shim.chmod(0o755)
    monkeypatch.setenv("STORMCELL_SHIM", str(shim))
    [line] = found()
    assert line.endswith("components run as another Python, or do not start: "
                         "stormcell-shim 0.1.0, Python 3.8.1 (static)")


def test_what_cannot_be_checked(folder: Path) -> None:
    assert "there is no topology in topologies/" in refused("check")
    flow(folder)
    write(folder, "config.json", '{"envs": {"a": {}, "b": {}}}')
    done = stormcell("check")
    assert done.returncode == 2
    assert done.stderr == ("stormcell: config.json has several environments: "
                           "choose one with --environment: a, b\n")


# ---- before a cluster ----------------------------------------------------------------------------


CLUSTER = '{"envs": {"prod": {"nimbus": "127.0.0.1:9"%s}}}'


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.environ.get("STORMCELL_RUNNER"):
        monkeypatch.setenv("STORMCELL_RUNNER", str(BUILT / "runner"))


def before_a_cluster(*arguments: str | Path) -> list[str]:
    """What is said of the jar: "ok" or "NO", and the rest of the line. There is no cluster."""
    lines = stormcell("check", "--cluster", "prod", *arguments).stdout.splitlines()
    assert lines[-1].startswith("NO  the cluster: ") or lines[-1].startswith("NO  the jar: "), lines
    return [line for line in lines if "jar" in line]


def test_components_are_imported_from_the_jar(folder: Path, runner: None) -> None:
    """With a Python that has nothing of this environment, and nothing that lies beside the jar."""
    flow(folder)
    write(folder, "config.json", CLUSTER % "")
    base = sys._base_executable  # type: ignore[attr-defined]
    first, *rest = before_a_cluster()
    assert first.startswith("ok  the jar: ")
    assert rest == [f"ok  {name} from the jar, with {base}" for name in ("numbers", "bolt")]


def test_what_is_not_in_the_jar(folder: Path, runner: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what is only on the author's path, nor what was left out, is on a worker."""
    flow(folder)
    write(folder, "library/words.py", "")
    write(folder, "src/components.py", (folder / "src/components.py").read_text() + "\nimport words\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], str(folder / "library")]))
    write(folder, "config.json", CLUSTER % "")
    assert [line.partition(": ")[2] for line in before_a_cluster()[1:]] == [
        "importing 'components' failed: ModuleNotFoundError: No module named 'words'"] * 2
    write(folder, "src/words.py", "")
    assert [line[:2] for line in before_a_cluster()] == ["ok"] * 3
    assert [line[:2] for line in before_a_cluster("--exclude", "words.py")] == ["ok", "NO", "NO"]


def test_the_environment_of_a_worker_is_the_topologys(folder: Path, runner: None) -> None:
    flow(folder)
    write(folder, "away/words.py", "")
    source = (folder / "src/components.py").read_text()
    only_there = "\nimport sys\nif 'stormcell.spec' not in sys.modules: import words\n"
    write(folder, "src/components.py", source + only_there)
    options = f'"options": {{"topology.environment": {{"PYTHONPATH": "{folder}/away"}}}}'
    write(folder, "config.json", CLUSTER % f", {options}")
    assert [line[:2] for line in before_a_cluster()] == ["ok"] * 3


def test_a_python_that_is_not_here(folder: Path, runner: None) -> None:
    flow(folder)
    write(folder, "config.json", CLUSTER % ', "python": "/opt/none/python3.13"')
    assert before_a_cluster()[1] == (
        "ok  the components from the jar: not tried, there is no /opt/none/python3.13 here")


def test_a_jar_that_cannot_be_built(folder: Path) -> None:
    flow(folder)
    write(folder, "config.json", CLUSTER % ', "runner": "none"')
    [line] = before_a_cluster()
    assert line.startswith("NO  the jar: none has no stormcell-shim for the workers")


def test_hosts_are_those_of_a_cluster(folder: Path) -> None:
    flow(folder)
    assert refused("check", "--probe") == (
        "stormcell check: --probe goes with --cluster (stormcell check --help)")
