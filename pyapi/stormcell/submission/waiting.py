"""Waiting until a topology that has been submitted runs, and hearing what its components have to say."""

from __future__ import annotations

import time
from typing import Any

from stormcell.nimbus import Nimbus
from stormcell.submission.steps import LOOK_SECONDS, SubmitError

SLOT_SECONDS = 15.0
"""After how long a topology that has been given no worker, where no slot is free, is taken to get none."""

SETTLED_SECONDS = 5.0
"""From the first word of all executors until their components have been started, and have told what is wrong."""

COMPONENTS_OWN = "Shell Process Exception:"
"""In what a component reports, and not in what its worker does."""


def wait_until_running(nimbus: Nimbus, topology_id: str, patience: float) -> dict[str, str]:
    """Wait until every executor has been heard of. What went wrong meanwhile: by component, the last error.

    patience: in seconds. SubmitError when they are over; NimbusError.
    """
    began, heard = time.monotonic(), None
    while True:
        # While workers start, Nimbus and its machine may be slow to answer; there is time.
        info = nimbus.call("getTopologyInfo", topology_id, timeout=patience)
        now = time.monotonic()
        silent = sorted({one.component_id for one in info.executors if not one.uptime_secs})
        if info.executors and not silent:
            heard = heard or now
            if any(info.errors.values()) or now - heard >= SETTLED_SECONDS:
                return {name: telling(errors) for name, errors in info.errors.items() if errors}
        elif not info.executors and now - began > min(SLOT_SECONDS, patience):
            _check_slots(nimbus, info.name)
        if now - began > patience:
            raise SubmitError(f"after {patience:g} s not all of {info.name} runs: {_lacking(silent)}; it stays "
                              "submitted, `stormcell stats` and the supervisors' logs tell more")
        time.sleep(LOOK_SECONDS)


def telling(errors: list[Any]) -> str:
    """The last error of a component's own if there is one: when it ends for that, its worker has another."""
    own = [one for one in errors if COMPONENTS_OWN in one.error]
    return str(max(own or errors, key=lambda one: one.error_time_secs).error)


def _check_slots(nimbus: Nimbus, name: str) -> None:
    """SubmitError: the cluster has no slot left for a topology that has none yet."""
    supervisors = nimbus.call("getClusterInfo").supervisors
    slots = sum(one.num_workers for one in supervisors)
    if slots <= sum(one.num_used_workers for one in supervisors):
        raise SubmitError(f"{name} waits for a worker: {_taken(slots)}; it stays submitted, and begins when one is "
                          "free (stormcell slot_usage tells whose they are)")


def _taken(slots: int) -> str:
    return f"the cluster's slots, {slots} in all, are taken" if slots else "the cluster has no supervisor that is alive"


def _lacking(silent: list[str]) -> str:
    return f"nothing is heard of {', '.join(silent)}" if silent else "it has been given no workers"
