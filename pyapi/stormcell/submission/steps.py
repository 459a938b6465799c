"""Submitting a topology: each step, and what has become of the cluster where one fails or is interrupted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thriftpy2.utils import serialize

from stormcell.nimbus import AlreadyAlive, Nimbus, NimbusError, Unreachable, structures
from stormcell.submission.upload import has_blob, upload_blob, upload_jar

SUBMIT_SECONDS = 120.0
"""How long Nimbus may take to take in a topology: it copies the jar into its blob store."""

GONE_SECONDS = 120.0
"""How long a killed topology may take to be gone, beyond the time that its spouts were given."""

LOOK_SECONDS = 0.5
"""How often Nimbus is asked whether something has come about."""

NAME_LEFT = 16 * 1024
"""Bytes of a message that are neither structure nor configuration, at most."""


class SubmitError(Exception):
    """The topology was not submitted; the text is one line, and says how the cluster is left."""


class Interrupted(SubmitError):
    """The user wants no more of it."""


@dataclass(frozen=True)
class Order:
    """What is to be submitted.

    Attributes:
        name: the topology's.
        structure: its StormTopology.
        conf: Storm's keys for it.
        jar: the file to upload, or
        remote_jar: where Nimbus has one already.
        blobs: files that its conf refers to, by their keys.
        active: whether its spouts begin at once.
        replace: whether a topology of this name that runs is killed first,
        kill_wait: after so many seconds without its spouts.
    """

    name: str
    structure: Any
    conf: dict[str, Any]
    jar: Path | None = None
    remote_jar: str | None = None
    blobs: Sequence[tuple[str, Path]] = ()
    active: bool = True
    replace: bool = False
    kill_wait: int = 5


class Listener:
    """Is told how far it is; a subclass shows it."""

    def step(self, text: str) -> None:
        """Something begins, or has been found."""

    def sending(self, what: str, size: int) -> None:
        """So many bytes are about to be sent."""

    def sent(self, size: int) -> None:
        """So many more of them have arrived."""


@dataclass
class Steps:
    """An order being carried out.

    reconnect: opens another connection to the leader, for when this one is lost at the wrong moment.
    """

    nimbus: Nimbus
    order: Order
    reconnect: Callable[[], Nimbus]
    listener: Listener = field(default_factory=Listener)
    left: str = "the cluster is as it was"

    def run(self) -> str:
        """Submit it: the id that Storm gives it. SubmitError, Interrupted."""
        order = self.order
        try:
            self._check_size()
            self._check_name()
            for key, path in order.blobs:
                self._send_blob(key, path)
            location = order.remote_jar or self._send_jar()
            self._make_room()
            topology_id = self._submit(location)
            self.left = self._done(topology_id)
            return topology_id
        except NimbusError as error:
            raise SubmitError(f"{error}; {self.left}") from None
        except OSError as error:
            raise SubmitError(f"{error.filename or order.jar}: {error.strerror}; {self.left}") from None
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; {self.left}") from None

    # ---- before anything is sent -----------------------------------------------------------

    def _check_size(self) -> None:
        wrong = message_size(self.order.structure, self.order.conf, self._cluster_conf())
        if wrong:
            raise SubmitError(f"{wrong}; {self.left}")

    def _cluster_conf(self) -> dict[str, Any]:
        conf = json.loads(self.nimbus.call("getNimbusConf"))
        return conf if isinstance(conf, dict) else {}

    def _check_name(self) -> None:
        name = self.order.name
        if not self.order.replace and self._alive() is not None:
            raise SubmitError(f"there is a topology {name!r} already: --force replaces it, --override_name NAME "
                              f"makes another one; {self.left}")
        if not self.nimbus.call("isTopologyNameAllowed", name) and self._alive() is None:
            raise SubmitError(f"Storm does not allow the name {name!r}; {self.left}")

    def _alive(self, nimbus: Nimbus | None = None) -> Any:
        """The summary of the topology of this name, or None."""
        running = (nimbus or self.nimbus).call("getClusterInfo").topologies
        return next((one for one in running if one.name == self.order.name), None)

    # ---- files -----------------------------------------------------------------------------

    def _send_blob(self, key: str, path: Path) -> None:
        if has_blob(self.nimbus, key):
            self.listener.step(f"{path.name}: the cluster has it already ({key})")
            return
        self.listener.sending(path.name, path.stat().st_size)
        upload_blob(self.nimbus, key, path, self.listener.sent, self.reconnect)

    def _send_jar(self) -> str:
        jar = self.order.jar
        assert jar is not None
        self.left = "no topology was touched; what was sent of the jar Nimbus removes within the hour"
        size = jar.stat().st_size
        self.listener.sending(jar.name, size)
        try:
            return upload_jar(self.nimbus, jar, self.listener.sent)
        except Unreachable:
            raise
        except NimbusError as error:
            raise SubmitError(f"the jar ({size:,} bytes) could not be stored: {error}; is its disk full, or was it "
                              f"started just now and does not lead yet? {self.left}") from None

    # ---- the topology ----------------------------------------------------------------------

    def _make_room(self) -> None:
        """Kill the one that runs, if there is one and it may be, and wait until it is gone."""
        order = self.order
        if not order.replace or self._alive() is None:
            return
        self.listener.step(f"killing the {order.name} that runs; its spouts have stopped, and it ends in "
                           f"{order.kill_wait} s")
        if self._alive().status != "KILLED":
            self._kill()
        self.left = self._ending()
        deadline = time.monotonic() + order.kill_wait + GONE_SECONDS
        while self._alive() is not None:
            if time.monotonic() > deadline:
                raise SubmitError(f"the old {order.name} is still there after {order.kill_wait + GONE_SECONDS:g}"
                                  f" s; {self.left}")
            time.sleep(LOOK_SECONDS)
        self.left = self._gone()

    def _kill(self) -> None:
        """Kill the one that runs; where that is not answered, see what has become of it."""
        order = self.order
        try:
            self.nimbus.call("killTopologyWithOpts", order.name, structures.KillOptions(order.kill_wait))
        except (Unreachable, KeyboardInterrupt):
            self.left = self._look_at_the_old()
            raise

    def _look_at_the_old(self) -> str:
        name = self.order.name
        try:
            with self.reconnect() as nimbus:
                found = self._alive(nimbus)
        except (NimbusError, KeyboardInterrupt):
            return (f"whether the {name} that ran is being killed is not known: stormcell list tells; the new one has "
                    "not been submitted")
        if found is None:
            return self._gone()
        return self._ending() if found.status == "KILLED" else f"the {name} that runs goes on"

    def _ending(self) -> str:
        return (f"the {self.order.name} that ran is being killed (stormcell list shows it), and the new one has not "
                "been submitted")

    def _gone(self) -> str:
        return f"the {self.order.name} that ran is gone, and the new one has not been submitted"

    def _submit(self, location: str) -> str:
        order = self.order
        before, self.left = self.left, self._perhaps()
        status = structures.TopologyInitialStatus
        options = structures.SubmitOptions(status.ACTIVE if order.active else status.INACTIVE)
        self.listener.step(f"submitting {order.name}")
        try:
            self.nimbus.call("submitTopologyWithOpts", order.name, location, json.dumps(order.conf),
                             order.structure, options, timeout=SUBMIT_SECONDS)
            return str(self._submitted().id)
        except AlreadyAlive:
            raise SubmitError(f"somebody else has just submitted a topology {order.name!r}; this one was not "
                              "submitted") from None
        except (Unreachable, KeyboardInterrupt):
            self.left = self._look_again()
            raise
        except NimbusError as error:
            raise SubmitError(f"Storm refused the topology: {error}; {before}") from None

    def _submitted(self) -> Any:
        found = self._alive()
        if found is None:
            raise SubmitError(f"{self.order.name} was submitted, and somebody has killed it since")
        return found

    def _perhaps(self) -> str:
        return f"whether {self.order.name} was submitted is not known: stormcell list tells"

    def _look_again(self) -> str:
        """What has become of a topology whose submission was not answered."""
        try:
            with self.reconnect() as nimbus:
                found = self._alive(nimbus)
        except (NimbusError, KeyboardInterrupt):
            return self._perhaps()
        if found is None:
            return f"{self.order.name} was not submitted"
        return self._done(found.id)

    def _done(self, topology_id: str) -> str:
        return f"but {self.order.name} has been submitted: it is {topology_id}"


def message_size(structure: Any, conf: dict[str, Any], cluster: dict[str, Any]) -> str | None:
    """What is wrong with the size of a topology and its settings, or None. Nimbus closes the connection over
    a message that is too long, without a word.

    cluster: what Nimbus tells of its own configuration.
    """
    limit = cluster.get("nimbus.thrift.max_buffer_size") or 1 << 20
    size = len(serialize(structure)) + len(json.dumps(conf).encode()) + NAME_LEFT
    if size <= limit:
        return None
    return (f"the topology and its settings take {size:,} bytes, and this Nimbus takes messages of up to "
            f"{limit:,} (nimbus.thrift.max_buffer_size): move what is large out of the settings, or raise that "
            "limit in Nimbus' storm.yaml")
