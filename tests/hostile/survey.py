"""Runs every case against the strict parent and every way in a real worker, for Stormcell and for
storm.py, and writes what was seen to docs/hostile.md. tests/hostile/run starts it.

    survey.py CLASS_PATH FOLDER     FOLDER is what tests/hostile/build made for CLASS_PATH
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("py", "storm")]

from cluster import Cluster
from parent import ROOT
from real import Trial
from table import Results, write_page
from trials import Outcome, play
from ways import CASES, WAYS, Case

SLOTS = 6
"""Workers at once: they wait more than they work."""
HOSTS = ("stock", "ours")
ATTEMPTS = 3
"""How often a trial is made, at most, when the machine stood still in it."""


def run_all(
    jobs: list[tuple[Case, str]], run: Callable[[Case, str], Outcome], at_once: int
) -> Results:
    """Run the jobs; what came of each, by the case's name and the host."""

    def watched(job: tuple[Case, str]) -> tuple[str, Outcome]:
        case, host = job
        try:
            outcome = run(case, host)
        except Exception as error:
            traceback.print_exc()
            outcome = Outcome("fails", f"{type(error).__name__}: {str(error)[:200]}")
        print(f"{case.name:24} {host:6} {outcome.verdict:8} {outcome.why}", flush=True)
        return f"{case.name} {host}", outcome

    pool = ThreadPoolExecutor(at_once)
    try:
        return dict(pool.map(watched, jobs))
    finally:  # at an interrupt, what is begun is not waited for
        pool.shutdown(wait=False, cancel_futures=True)


def against_parent() -> Results:
    def run(case: Case, host: str) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            return play(case, host, Path(folder))

    return run_all([(case, host) for case in CASES.values() for host in HOSTS], run, 3)


def in_workers(class_path: str, folder: Path) -> Results:
    cases = [way.real for way in WAYS if way.real]
    with Cluster(folder / "storm", class_path, folder / "topologies.jar", SLOTS) as storm:

        def run(case: Case, host: str) -> Outcome:
            for attempt in range(1, ATTEMPTS + 1):
                began = time.monotonic()
                outcome = Trial(storm, case, host, attempt).run()
                if not storm.stood_still(began):
                    break
            return outcome

        return run_all([(case, host) for case in cases for host in HOSTS], run, SLOTS)


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    class_path, folder = sys.argv[1], Path(sys.argv[2])
    print("--- against the strict parent", flush=True)
    parent = against_parent()
    print("--- in real workers", flush=True)
    real = in_workers(class_path, folder)
    page = ROOT / "docs" / "hostile.md"
    lost = write_page(page, parent, real)
    for name, results in (("parent", parent), ("real", real)):
        found = {key: outcome.as_json() for key, outcome in results.items()}
        (folder / f"{name}.json").write_text(json.dumps(found, indent=1))
    print(f"--- {page.relative_to(ROOT)} is written" + "".join(f"\nlost: {each}" for each in lost))
    return bool(lost)


if __name__ == "__main__":
    raise SystemExit(main())
