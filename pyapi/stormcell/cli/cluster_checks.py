"""What `stormcell check --cluster` finds out from the cluster itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stormcell.cli.project import Project
from stormcell.jar import Contents
from stormcell.jar.package import start_commands
from stormcell.nimbus import Nimbus, NimbusError
from stormcell.plan import target
from stormcell.submission.checks import Finding, examine
from stormcell.submission.probe import Told, probe
from stormcell.submission.steps import SubmitError

PROBE_SECONDS = 120.0
"""How long the hosts of a cluster may take to start a worker that tells of them."""


def ask(project: Project, connect: Callable[[], Nimbus]) -> Iterator[Finding]:
    """What Nimbus would say to the topology. Nothing is changed on the cluster."""
    try:
        with connect() as nimbus:
            yield from examine(nimbus, project.topology, project.name, project.environment, project.settings,
                               start_commands(project.topology))
    except NimbusError as error:
        yield "the cluster", str(error)


def try_hosts(project: Project, contents: Contents, connect: Callable[[], Nimbus]) -> Iterator[Finding]:
    """What becomes of the components where they would run: on each host that has a slot free."""
    targets = {str(spec.name): target(spec.component) for spec in project.topology.specs if spec.component}
    try:
        with connect() as nimbus:
            hosts: dict[str, bool] = {}  # those that may answer, and whether a slot is free there
            for one in nimbus.call("getClusterInfo").supervisors:
                hosts[one.host] = hosts.get(one.host, False) or one.num_workers > one.num_used_workers
            for told in probe(nimbus, contents, targets, project.settings, connect, PROBE_SECONDS):
                hosts.pop(told.host, None)
                yield from _told(told, targets)
    except (NimbusError, SubmitError) as error:
        yield "the hosts", str(error)
        return
    for host, free in sorted(hosts.items()):
        yield host, f"it has not answered within {PROBE_SECONDS:g} s" if free else "no slot is free there: not tried"


def _told(told: Told, targets: dict[str, str]) -> Iterator[Finding]:
    if told.python:
        yield f"{told.host}: Python {told.python}", ""
    for name, wrong in told.wrong.items():
        yield f"{told.host}: {name}", wrong
    for name in targets:
        if told.python and name not in told.wrong:
            yield f"{told.host}: {name}", ""
