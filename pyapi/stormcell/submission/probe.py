"""Trying a topology's jar on every host of a cluster, without the topology: a spout that imports each of its
components there and tells what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from stormcell.jar import Contents
from stormcell.jar.entries import Entry
from stormcell.jar.package import start_command, start_file
from stormcell.load import load
from stormcell.nimbus import Nimbus, NotAlive, structures
from stormcell.operate.traces import readable
from stormcell.submission import settings as rules
from stormcell.submission.cargo import BLOBS, pack
from stormcell.submission.steps import GONE_SECONDS, LOOK_SECONDS, Order, Steps, SubmitError
from stormcell.submission.structure import make_structure
from stormcell.submission.waiting import telling

ENVIRONMENT = "topology.environment"

SPOUT = """
import json, platform, sys
from stormcell import Spout
from stormcell.run import StartError, load

class Probe(Spout):
    outputs = ["nothing"]

    def initialize(self, conf, ctx):
        self.wrong = {}
        for name in conf["stormcell.check"]:
            try:
                load(name)
            except StartError as error:
                self.wrong[name] = str(error)

    def next_tuple(self):
        if self.wrong is not None:
            found = {"python": platform.python_version(), "at": sys.executable, "wrong": self.wrong}
            self.report_error("stormcell check: " + json.dumps(found))
            self.wrong = None
"""

TOPOLOGY = SPOUT + """
from stormcell import Topology

class Check(Topology):
    probe = Probe.spec(par=HOSTS)
"""

FOUND = re.compile(r"stormcell check: (\{.*\})")


@dataclass(frozen=True)
class Told:
    """What a host has told.

    Attributes:
        host: its name, as Storm has it.
        python: version and path of the Python that it runs components with; "" if none could tell.
        wrong: what failed there: a component's name, and a text of one or more lines.
    """

    host: str
    python: str
    wrong: dict[str, str]


def probe(nimbus: Nimbus, contents: Contents, targets: dict[str, str], conf: dict[str, Any],
          reconnect: Callable[[], Nimbus], patience: float) -> Iterator[Told]:
    """Try the contents of a jar on each host that has a slot free, and tell of each as it answers.

    targets: for each component in Python by its name, "module.Class".
    conf: the topology's settings.
    patience: how long to wait for all hosts, in seconds; one that has not answered by then is not told of.

    Raises NimbusError, SubmitError, JarError. The topology that it takes is gone from the cluster in the end.
    """
    supervisors = nimbus.call("getClusterInfo").supervisors
    free = [str(one.host) for one in supervisors if one.num_workers > one.num_used_workers]
    name = f"stormcell-check-{uuid.uuid4().hex[:8]}"
    if not free:
        return
    with tempfile.TemporaryDirectory(prefix="stormcell-") as folder:
        order = _order(name, contents, list(targets.values()), conf, len(free), Path(folder))
        try:
            topology_id = Steps(nimbus, order, reconnect).run()
            yield from _answers(nimbus, topology_id, len(set(free)), targets, time.monotonic() + patience)
        finally:
            _kill(reconnect, name)


def _order(name: str, contents: Contents, targets: list[str], conf: dict[str, Any], hosts: int,
           folder: Path) -> Order:
    file = folder / "stormcell_probe.py"
    file.write_text(TOPOLOGY.replace("HOSTS", str(hosts)))
    topology = load(file)
    [spec] = topology.specs
    entries = (*contents.entries, Entry(f"resources/{file.name}", SPOUT.encode()), start_file(spec, contents.workers.python))
    cargo = pack(dataclasses.replace(contents, entries=entries), folder, name, conf)
    kept = {key: value for key, value in conf.items() if key in (ENVIRONMENT, BLOBS)}
    settings = {**kept, "topology.workers": hosts, "topology.acker.executors": 0, "stormcell.check": targets}
    commands = {str(spec.name): start_command(spec)}
    return Order(name, make_structure(topology, None, commands),
                 {**settings, **rules.added(topology, settings, None), **cargo.conf}, jar=cargo.jar, blobs=cargo.blobs)


def _answers(nimbus: Nimbus, topology_id: str, hosts: int, targets: dict[str, str],
             deadline: float) -> Iterator[Told]:
    told: set[str] = set()
    while len(told) < hosts and time.monotonic() < deadline:
        reports = nimbus.call("getTopologyInfo", topology_id).errors.get("probe") or []
        for host in sorted({str(one.host) for one in reports} - told):
            told.add(host)
            yield _told(host, telling([one for one in reports if one.host == host]), targets)
        time.sleep(LOOK_SECONDS)


def _told(host: str, text: str, targets: dict[str, str]) -> Told:
    found = FOUND.search(text)
    if found is None:
        return Told(host, "", {"Python": readable(text)})
    answer = json.loads(found[1])
    names = {target: name for name, target in targets.items()}
    return Told(host, f"{answer['python']} at {answer['at']}",
                {names[target]: said for target, said in answer["wrong"].items()})


def _kill(reconnect: Callable[[], Nimbus], name: str) -> None:
    """Kill it, and wait until it is gone. By a connection of its own: the other may be what failed."""
    deadline = time.monotonic() + GONE_SECONDS
    with reconnect() as nimbus:
        with contextlib.suppress(NotAlive):
            nimbus.call("killTopologyWithOpts", name, structures.KillOptions(0))
        while any(one.name == name for one in nimbus.call("getClusterInfo").topologies):
            if time.monotonic() > deadline:
                raise SubmitError(f"{name}, which tried the hosts, has been killed and is not gone after "
                                  f"{GONE_SECONDS:g} s: stormcell list shows whether it stays")
            time.sleep(LOOK_SECONDS)
