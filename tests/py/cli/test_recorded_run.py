"""What `stormcell run --record` writes is what `stormcell replay` takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from commanding import flow, stormcell


def replays(folder: Path) -> dict[str, tuple[int, str]]:
    """For each component that was recorded: the status of its replay, and the last line of what it said."""
    found = {}
    for path in sorted((folder / "rec").iterdir()):
        done = stormcell("replay", str(path))
        assert done.stderr == ""
        found[path.name.partition("-")[0]] = (done.returncode, done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("bolt", ["Pass", "Raises", "Keep"])
def test_a_recorded_run_is_replayed(folder: Path, bolt: str) -> None:
    flow(folder, bolt)
    stormcell("run", "--tuples", "20", "-o", "topology.message.timeout.secs=2", "--record", "rec")
    for status, line in replays(folder).values():
        assert status == 0
        assert line.endswith(" messages replayed: the same answers")


def test_a_death_is_replayed(folder: Path) -> None:
    flow(folder, "Dies")
    stormcell("run", "--tuples", "2", "--record", "rec")
    [path] = (folder / "rec").glob("bolt-*.rec")
    done = stormcell("replay", str(path))
    assert done.returncode == 0
    assert "\nthe component ended here: the Python process " in done.stdout
    assert " ended with exit status 7 while it had tuple " in done.stdout


def test_a_change_is_seen(folder: Path) -> None:
    flow(folder)
    stormcell("run", "--tuples", "5", "--record", "rec")
    module = folder / "src" / "components.py"
    module.write_text(module.read_text().replace("self.emit(tup.values)", "self.emit([-tup.values[0]])"))
    found = replays(folder)
    assert found["numbers"][0] == 0
    assert found["bolt"][0] == 1
    assert found["bolt"][1].endswith(": 5 answered differently")
