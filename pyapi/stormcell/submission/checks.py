"""What a cluster would say to a topology, found out by asking and without changing anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stormcell.nimbus import Nimbus, NimbusError
from stormcell.spec import TopologyError
from stormcell.submission import settings as rules
from stormcell.submission.steps import message_size
from stormcell.submission.structure import Command, make_structure
from stormcell.topology import Topology, check_name

Finding = tuple[str, str]
"""What was looked at, and what is wrong with it, or ""."""


def examine(nimbus: Nimbus, topology: type[Topology], name: str, environment: str | None,
            settings: dict[str, Any], commands: dict[str, Command]) -> Iterator[Finding]:
    """Each thing that submitting would come upon, in its order. NimbusError: the cluster is gone."""
    version = str(nimbus.call("getLeader").version)
    yield f"Nimbus {version} at {nimbus.address}", ""
    for sentence in rules.wrong(topology, settings):
        yield "the settings", sentence
    conf = {**settings, **rules.added(topology, settings, rules.version_of(version))}
    cluster = json.loads(nimbus.call("getNimbusConf"))
    for sentence in rules.doubtful(settings, cluster):
        yield "the settings", sentence
    yield from _structure(topology, environment, commands, conf, cluster)
    summary = nimbus.call("getClusterInfo")
    yield f"the name {name!r}", _name(nimbus, name, summary)
    yield _workers(conf, summary)


def _structure(topology: type[Topology], environment: str | None, commands: dict[str, Command],
               conf: dict[str, Any], cluster: dict[str, Any]) -> Iterator[Finding]:
    try:
        structure = make_structure(topology, environment, commands)
    except TopologyError as error:
        yield topology.__name__, str(error)
        return
    yield "the size of the message", message_size(structure, conf, cluster) or ""


def _name(nimbus: Nimbus, name: str, summary: Any) -> str:
    wrong = check_name(name)
    if wrong:
        return wrong
    if any(one.name == name for one in summary.topologies):
        return "a topology of this name runs: submit --force replaces it"
    try:
        return "" if nimbus.call("isTopologyNameAllowed", name) else "Storm does not allow it"
    except NimbusError as error:
        return str(error)


def _workers(conf: dict[str, Any], summary: Any) -> Finding:
    wanted = conf.get("topology.workers") or 1
    slots = sum(one.num_workers for one in summary.supervisors)
    free = slots - sum(one.num_used_workers for one in summary.supervisors)
    subject = f"{wanted} worker{'s' if wanted > 1 else ''}"
    if not summary.supervisors:
        return subject, "no supervisor has registered with Nimbus: nothing would run"
    told = f"{free} of {slots} slots are free"
    return (subject, f"they would be waited for: {told}") if wanted > free else (f"{subject}; {told}", "")
