"""A topology that needs nothing of ours on the worker: a spout and a bolt in bare Python, each with a child
process of its own that only its parent's end would end, submitted over Thrift."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from typing import Any

from storm import Storm
from stormcell.nimbus import Nimbus, structures

PYTHON = [sys.executable]

CONNECT = """\
from stormcell.cluster import running
running().connect("127.0.0.1", 6627, 5.0).close()
print("connected")
"""

COMPONENT = """\
import json, os, subprocess, sys, time
def read():
    lines = []
    while True:
        line = sys.stdin.readline()
        if not line:
            sys.exit()
        if line == "end\\n":
            return json.loads("".join(lines))
        lines.append(line)
def send(message):
    print(json.dumps(message) + "\\nend", flush=True)
shake = read()
open(os.path.join(shake["pidDir"], str(os.getpid())), "w").close()
send({"pid": os.getpid()})
# Without the environment, and so without the cluster's mark.
subprocess.Popen(["sleep", "1000"], env={}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                 stderr=subprocess.DEVNULL, start_new_session=True)
"""

SPOUT = COMPONENT + """\
number = 0
while True:
    if read()["command"] == "next":
        number += 1
        send({"command": "emit", "tuple": [number], "id": str(number), "need_task_ids": False})
        time.sleep(0.01)
    send({"command": "sync"})
"""

BOLT = COMPONENT + """\
while True:
    message = read()
    if isinstance(message, dict):
        beat = message["stream"] == "__heartbeat"
        send({"command": "sync"} if beat else {"command": "ack", "id": message["id"]})
"""


def jar() -> bytes:
    """The topology's jar: Storm takes any zip file with a folder resources/."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("resources/spout.py", SPOUT)
        archive.writestr("resources/bolt.py", BOLT)
    return file.getvalue()


def topology() -> Any:
    """numbers, and two tasks of bolts behind them."""
    numbers = structures.SpoutSpec(
        spout_object=_shell("spout.py"),
        common=structures.ComponentCommon(
            inputs={}, parallelism_hint=1, json_conf="{}",
            streams={"default": structures.StreamInfo(output_fields=["number"], direct=False)}))
    source = structures.GlobalStreamId(componentId="numbers", streamId="default")
    bolt = structures.Bolt(
        bolt_object=_shell("bolt.py"),
        common=structures.ComponentCommon(
            inputs={source: structures.Grouping(shuffle=structures.NullStruct())}, streams={},
            parallelism_hint=2, json_conf="{}"))
    return structures.StormTopology(spouts={"numbers": numbers}, bolts={"bolt": bolt}, state_spouts={})


def _shell(script: str) -> Any:
    return structures.ComponentObject(
        shell=structures.ShellComponent(execution_command="python3", script=script))


def submit(cluster: Storm, name: str, workers: int = 2) -> None:
    """Start the topology on this many workers; Storm takes some seconds until it runs."""
    conf = json.dumps({"topology.workers": workers, "topology.acker.executors": 1})
    options = structures.SubmitOptions(initial_status=structures.TopologyInitialStatus.ACTIVE)
    with Nimbus.connect([cluster.nimbus], 20.0, cluster.connect) as nimbus:
        place = nimbus.call("beginFileUpload")
        nimbus.call("uploadChunk", place, jar())
        nimbus.call("finishFileUpload", place)
        nimbus.call("submitTopologyWithOpts", name, place, conf, topology(), options)


def acked(cluster: Storm, name: str) -> int:
    """How many tuples Nimbus says have been acked."""
    with Nimbus.connect([cluster.nimbus], 20.0, cluster.connect) as nimbus:
        ids = [one.id for one in nimbus.call("getClusterInfo").topologies if one.name == name]
        if not ids:
            return 0
        page = nimbus.call("getTopologyPageInfo", ids[0], ":all-time", False)
        counts = page.topology_stats.window_to_acked or {}
        return int(counts.get(":all-time", 0))


def kill(cluster: Storm, name: str) -> None:
    """End the topology now."""
    with Nimbus.connect([cluster.nimbus], 20.0, cluster.connect) as nimbus:
        nimbus.call("killTopologyWithOpts", name, structures.KillOptions(wait_secs=0))
