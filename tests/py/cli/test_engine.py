"""stormcell.engine: a plan on stormcell-engine, from Python."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import stormcell.engine
from stormcell.engine import Engine, EngineError, program

COMPONENTS = """
    import sys
    from stormcell import Bolt, Spout

    class Numbers(Spout):
        number = 0
        def next_tuple(self):
            self.number += 1
            self.emit([self.number], tup_id=self.number)

    class Pass(Bolt):
        def process(self, tup):
            self.emit(tup.values)

    class Prefix(Bolt):
        def process(self, tup):
            self.emit([sys.prefix])

    class Raises(Bolt):
        def process(self, tup):
            raise ValueError("no")
    """


def plan(folder: Path, bolt: str = "Pass", **run: Any) -> dict[str, Any]:
    (folder / "components.py").write_text(textwrap.dedent(COMPONENTS))
    outputs = {"default": {"fields": ["number"], "direct": False}}
    source = {"component": "numbers", "stream": "default", "grouping": {"type": "shuffle"}}
    return {
        "name": "test",
        "directory": str(folder),
        "components": {
            "numbers": {"kind": "spout", "command": [program("stormcell-shim"), "components.Numbers"],
                        "parallelism": 1, "outputs": outputs},
            "bolt": {"kind": "bolt", "command": [program("stormcell-shim"), f"components.{bolt}"],
                     "parallelism": 2, "outputs": outputs, "inputs": [source]},
        },
        "run": run,
    }


def test_events_come_in_order_and_then_there_is_a_status(tmp_path: Path) -> None:
    with Engine(plan(tmp_path, tuples=10, emits=True)) as engine:
        events = list(engine)
    kinds = [event["event"] for event in events]
    assert kinds[0] == "tasks" and "running" in kinds and kinds[-1] == "end"
    assert sorted(event["tuple"][0] for event in events
                  if event["event"] == "emit" and event["component"] == "bolt") == list(range(1, 11))
    assert engine.status == 0


def test_components_run_in_the_environment_of_the_running_python(tmp_path: Path) -> None:
    with Engine(plan(tmp_path, "Prefix", tuples=1, emits=True)) as engine:
        [prefix] = [event["tuple"][0] for event in engine
                    if event["event"] == "emit" and event["component"] == "bolt"]
    assert prefix == sys.prefix


def test_a_failure_is_in_the_status(tmp_path: Path) -> None:
    with Engine(plan(tmp_path, "Raises", tuples=2)) as engine:
        [*_, end] = engine
    assert end["components"]["numbers"]["failed"] == 2
    assert engine.status == 1


def test_an_interrupt_ends_it_in_order(tmp_path: Path) -> None:
    with Engine(plan(tmp_path, **{"report.ms": 50})) as engine:
        for event in engine:
            if event["event"] == "stats" and event["components"]["bolt"]["acked"]:
                engine.interrupt()
        assert event["event"] == "end" and event["reason"] == "interrupted"
    assert engine.status == 0


def test_an_early_close_leaves_no_process(tmp_path: Path) -> None:
    with Engine(plan(tmp_path)) as engine:
        next(event for event in engine if event["event"] == "running")
        group = engine._process.pid
        os.killpg(group, 0)
    assert engine.status is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    engine.close()


def test_an_engine_that_no_longer_answers_is_killed(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stormcell.engine, "CLOSE_SECONDS", 0.2)
    with Engine(plan(tmp_path)) as engine:
        next(iter(engine))
        os.kill(engine._process.pid, signal.SIGSTOP)
    assert engine.status == -signal.SIGKILL


def test_a_plan_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught, Engine(plan(tmp_path, wrong=1)) as engine:
        list(engine)
    assert "wrong" in str(caught.value) and "\n" not in str(caught.value)


def test_an_engine_that_crashes_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="ended by signal 9"), Engine(plan(tmp_path)) as engine:
        for _ in engine:
            os.kill(engine._process.pid, signal.SIGKILL)


def test_an_engine_that_is_ended_within_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tmp_path / "engine"
    engine.write_text("""#!/bin/sh\necho '{"event": "running"}'\nprintf '{"event": '\nkill -9 $$\n""")
    engine.chmod(0o755)
    monkeypatch.setenv("STORMCELL_ENGINE", str(engine))
    with Engine({}) as started:
        events = iter(started)
        assert next(events) == {"event": "running"}
        with pytest.raises(EngineError, match="ended by signal 9"):
            next(events)


def test_a_variable_that_names_no_executable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORMCELL_ENGINE", "/nowhere/engine")
    with pytest.raises(EngineError, match=r"^\$STORMCELL_ENGINE names no executable: /nowhere/engine$"):
        program("stormcell-engine")


def test_an_executable_that_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STORMCELL_SHIM")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(EngineError, match="stormcell-shim is neither in .* nor on PATH: install"):
        program("stormcell-shim")


def test_the_executable_beside_the_running_python_comes_first(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("scripts", "path"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "stormcell-shim").touch(0o755)
    monkeypatch.delenv("STORMCELL_SHIM")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path / "scripts"))
    assert program("stormcell-shim") == str(tmp_path / "scripts" / "stormcell-shim")
