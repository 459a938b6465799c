"""At least once holds while the processes are killed at random moments under load; bench/soak kills
is the same at any size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIM = os.environ.get("STORMCELL_SHIM") or str(ROOT / "build" / "release" / "stormcell-shim")
IDS, KILLS = 100_000, 40


def soak(folder: Path, *arguments: str) -> dict[str, int]:
    """What a run of bench/soak kills counts; it checks by itself what each message may be."""
    packages = os.pathsep.join([str(ROOT / "pyapi"), str(Path(SHIM).parent)])
    counts = folder / "counts.json"
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "bench" / "soak.py"), "kills", "--json", str(counts)),
            *("--ids", str(IDS), "--kills", str(KILLS), *arguments),
        ],
        env={"PYTHONPATH": packages, **os.environ, "STORMCELL_SHIM": SHIM},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, int] = json.loads(counts.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("restart", [10**6, 0], ids=["replaced", "never replaced"])
def test_every_id_reaches_the_sink_whoever_is_killed(tmp_path: Path, restart: int) -> None:
    counts = soak(tmp_path, "--restart", str(restart))
    assert counts["acked"] == IDS
    assert counts["lost"] == 0
    assert counts["kills"] == KILLS
    ends = counts["guardian_new_shim"] + counts["interpreter_ended_shim"]
    assert counts["starts"] - ends in (0, 1)  # the last one was or was not among the killed
    assert (counts["interpreter_replaced"] > 0) == (restart > 0)
    assert counts["replayed"] > 0
