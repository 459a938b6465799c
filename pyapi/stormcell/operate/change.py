"""Tells Nimbus to do something to a topology, and follows it until that is done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stormcell.nimbus import NimbusError, structures
from stormcell.operate import ask
from stormcell.operate.ask import Asked
from stormcell.operate.state import Page, Topology

GRACE_S = 60.0
"""How much longer than it was told Storm may take before nobody waits for it, in seconds."""

ASSIGNED_S = 10.0
"""How long Storm may take to plan the workers of a topology that has been rebalanced, in seconds."""

POLL_S = 0.5
"""How often Nimbus is asked whether something is done, in seconds."""


class Unfinished(NimbusError):
    """Storm has begun with something, and it is not known to be done."""


@dataclass(frozen=True)
class Wanted:
    """What a rebalance is to change.

    workers: how many, or None: as many as before. executors: of components, by name. settings: Storm's keys.
    """

    workers: int | None = None
    executors: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def activate(nimbus: Asked, topology: Topology, wanted: str) -> bool:
    """Make it ACTIVE or INACTIVE. False: it is already."""
    if topology.status == wanted:
        return False
    if topology.status not in ("ACTIVE", "INACTIVE"):
        raise NimbusError(f"{topology.name} is {_doing(topology)}: until that is done, Storm can neither "
                          "activate nor deactivate it")
    method = "activate" if wanted == "ACTIVE" else "deactivate"
    ask.of(nimbus, topology, method, topology.name)
    return True


def kill(nimbus: Asked, topology: Topology, wait_s: int) -> None:
    """Tell Storm to kill it: to turn its spouts off, and wait_s later to end its workers."""
    ask.of(nimbus, topology, "killTopologyWithOpts", topology.name,
           structures.KillOptions(wait_secs=wait_s))


def gone(nimbus: Asked, topology: Topology, wait_s: int) -> None:
    """Return when the topology is no more. Unfinished."""
    def there() -> bool:
        return any(each.id == topology.id for each in ask.topologies(nimbus))

    _until(lambda: not there(), wait_s, f"{topology.name} is still being killed")


def changes(page: Page, wanted: Wanted) -> list[str]:
    """What a rebalance would change, from what to what. NimbusError: it cannot be."""
    components = {each.name: each for each in page.components}
    ask.known(page.topology.name, wanted.executors, components)
    found = []
    if wanted.workers is not None:
        before = page.settings.get("topology.workers", len(page.workers))
        found.append(f"workers {before} to {wanted.workers}")
    for name, executors in wanted.executors.items():
        have = components[name]
        if executors > have.tasks:
            raise NimbusError(
                f"{name!r} cannot have {executors} executors: it has {have.tasks} "
                f"{'task' if have.tasks == 1 else 'tasks'}, whose number is fixed when a topology is "
                "submitted")
        found.append(f"executors of {name} {have.executors} to {executors}")
    for key, value in wanted.settings.items():
        found.append(f"{key} {json.dumps(page.settings.get(key))} to {json.dumps(value)}")
    return found


def rebalance(nimbus: Asked, topology: Topology, wanted: Wanted, wait_s: int) -> None:
    """Tell Storm to rebalance it: to turn its spouts off, and wait_s later to start its workers anew."""
    if topology.status not in ("ACTIVE", "INACTIVE"):
        raise NimbusError(f"{topology.name} is {_doing(topology)}: until that is done, Storm cannot rebalance "
                          "it")
    options = structures.RebalanceOptions(
        wait_secs=wait_s, num_workers=wanted.workers, num_executors=wanted.executors or None,
        topology_conf_overrides=json.dumps(wanted.settings) if wanted.settings else None)
    ask.of(nimbus, topology, "rebalance", topology.name, options)


def rebalanced(nimbus: Asked, topology: Topology, wanted: Wanted, wait_s: int) -> dict[str, int]:
    """Return when the topology runs again: how many executors each component has then. Unfinished."""
    def done() -> bool:
        return ask.find(nimbus, topology.name).status != "REBALANCING"

    def assigned() -> bool:
        have.update({name: executors for name, (executors, _) in ask.sizes(nimbus, topology).items()})
        return wanted.executors.items() <= have.items()

    have: dict[str, int] = {}
    _until(done, wait_s, f"{topology.name} is still being rebalanced")
    # Storm plans the workers when it has changed the status already.
    deadline = time.monotonic() + ASSIGNED_S
    while not assigned() and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return have


def _until(done: Callable[[], bool], wait_s: int, otherwise: str) -> None:
    deadline = time.monotonic() + wait_s + GRACE_S
    while not done():
        if time.monotonic() > deadline:
            raise Unfinished(f"{otherwise} after {wait_s + GRACE_S:g} s: `stormcell list` shows how it "
                             "stands")
        time.sleep(POLL_S)


def _doing(topology: Topology) -> str:
    return {"KILLED": "being killed", "REBALANCING": "being rebalanced"}.get(topology.status, topology.status)
