"""A Nimbus of the tests' own, in this process: it speaks Thrift as Storm's does, keeps what it is given, and
fails where it is told to.

    with Standin() as nimbus:
        nimbus.run("words", spouts={"words": (1, 1)}, bolts={"counts": (2, 4)})
        nimbus.fail["killTopologyWithOpts"] = refusal("AuthorizationException", "no")
        ... "127.0.0.1", nimbus.port ...
        assert nimbus.called("killTopologyWithOpts") == [("words", structures.KillOptions(wait_secs=5))]

What it answers is what a Storm 2.8.3 was seen to answer; where Storm has an internal error, so has it.
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from thriftpy2.protocol.binary import TBinaryProtocol
from thriftpy2.thrift import TApplicationException, TException, TProcessor
from thriftpy2.transport import TSocket, TTransportException
from thriftpy2.transport.framed import TFramedTransport

from stormcell.nimbus import structures as storm

HOST = "127.0.0.1"

CLOSES = "closes the connection"
HANGS = "never answers"
IS_OLDER = TApplicationException(TApplicationException.UNKNOWN_METHOD, "Invalid method name")
BREAKS = TApplicationException(TApplicationException.INTERNAL_ERROR, "Internal error")
"""What a call can do in place of answering; a refusal() is another."""

Failure = str | TException

WINDOWS = ("600", "10800", "86400", ":all-time")


def refusal(kind: str, text: str) -> TException:
    """One of Storm's own exceptions, such as "AuthorizationException"."""
    error: TException = getattr(storm, kind)(msg=text)
    return error


@dataclass
class Topology:
    """A topology that the stand-in has. sizes: executors and tasks of each component."""

    id: str
    name: str
    structure: Any
    settings: dict[str, Any]
    jar: bytes = b""
    status: str = "ACTIVE"
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    workers: list[tuple[str, int]] = field(default_factory=list)
    stats: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, list[Any]] = field(default_factory=dict)
    levels: dict[str, Any] = field(default_factory=dict)
    uptime_s: int = 61
    until: float = 0.0
    then: str = ""

    def executors(self) -> Iterator[Any]:
        """ExecutorSummary of each, its workers in turn."""
        task, places = 1, itertools.cycle(self.workers)
        for name in sorted(self.sizes):
            executors, tasks = self.sizes[name]
            for index in range(executors):
                own = tasks // executors + (index < tasks % executors)
                host, port = next(places)
                yield storm.ExecutorSummary(
                    executor_info=storm.ExecutorInfo(task_start=task, task_end=task + own - 1),
                    component_id=name, host=host, port=port,
                    uptime_secs=self.stats.get(name, {}).get("uptime_s", 0), stats=self._stats(name, executors))
                task += own

    def _stats(self, name: str, executors: int) -> Any:
        """An executor's share of what has been counted of the component."""
        counted = self.stats.get(name)
        if counted is None:
            return None

        def by(stream: Any, key: str, share: int = executors) -> Any:
            return {window: {stream: counted.get(key, 0) // share} for window in WINDOWS}

        def mean(stream: Any) -> Any:
            return {window: {stream: counted.get("latency", 0.0)} for window in WINDOWS}

        source = storm.GlobalStreamId(componentId="words", streamId="default")
        if name in self.structure.spouts:
            specific = storm.ExecutorSpecificStats(spout=storm.SpoutStats(
                acked=by("default", "acked"), failed=by("default", "failed"), complete_ms_avg=mean("default")))
        else:
            specific = storm.ExecutorSpecificStats(bolt=storm.BoltStats(
                acked=by(source, "acked"), failed=by(source, "failed"), executed=by(source, "executed"),
                process_ms_avg=mean(source), execute_ms_avg=mean(source)))
        return storm.ExecutorStats(emitted=by("default", "emitted"), transferred=by("default", "emitted"),
                                   specific=specific, rate=0.05)


class Standin:
    """Serves from `with` to its end, on a port of the loopback.

    Attributes:
        topologies: by name.
        uploads, blobs: what has been sent, by location or key; what is not finished is in `unfinished`.
        fail: what a method does in place of answering, by its name, or by its name and the number of the call,
            from 1.
        vanishes: topologies that are gone, by the method that is called then.
        calls: the methods that have been called, with their arguments.
        leader: host and port of the one that leads, by default this one.
        settings: its storm.yaml.
        greet: what is done with a connection before calls are taken from it.
    """

    def __init__(self, hosts: tuple[str, ...] = (HOST,), slots: int = 2,
                 greet: Callable[[Any], None] = lambda link: None) -> None:
        self.topologies: dict[str, Topology] = {}
        self.uploads: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.unfinished: dict[str, bytes] = {}
        self.fail: dict[str | tuple[str, int], Failure] = {}
        self.vanishes: dict[str, str] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.settings: dict[str, Any] = {"executor.metrics.frequency.secs": 60, "logviewer.port": 8000}
        self.hosts, self.slots, self.greet = hosts, slots, greet
        self._number = 0
        self._ended = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listens = socket.create_server((HOST, 0))
        self.port: int = self._listens.getsockname()[1]
        self.leader = HOST, self.port

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Standin:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._ended.set()
        for each in (self._listens, *self._sockets):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def called(self, method: str) -> list[tuple[Any, ...]]:
        """The arguments of each call of a method."""
        return [arguments for name, arguments in self.calls if name == method]

    def run(self, name: str, spouts: dict[str, tuple[int, int]] | None = None,
            bolts: dict[str, tuple[int, int]] | None = None, **more: Any) -> Topology:
        """Have a topology: of each component how many executors and tasks."""
        sizes = {**(spouts or {"words": (1, 1)}), **(bolts or {"counts": (2, 4)})}
        structure = storm.StormTopology(spouts=dict.fromkeys(spouts or {"words": 1}),
                                        bolts=dict.fromkeys(bolts or {"counts": 1}), state_spouts={})
        return self._add(name, structure, {"topology.workers": 2}, sizes=sizes, **more)

    def _add(self, name: str, structure: Any, settings: dict[str, Any], **more: Any) -> Topology:
        self._number += 1
        ports = [(host, 6700 + slot) for slot in range(self.slots) for host in self.hosts]
        workers = ports[: int(settings.get("topology.workers") or 1)]
        found = Topology(f"{name}-{self._number}-1795700000", name, structure, settings,
                         **{"workers": workers, **more})
        self.topologies[name] = found
        return found

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listens.accept()
            except OSError:
                return
            self._sockets.append(connected)
            threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

    def _serve(self, connected: socket.socket) -> None:
        link = TSocket(sock=connected)
        protocol = TBinaryProtocol(TFramedTransport(link))
        processor = _Processor(self)
        try:
            self.greet(link)
            while True:
                processor.process(protocol, protocol)
        except (TTransportException, OSError, EOFError):
            connected.close()

    def failure(self, method: str) -> Failure | None:
        """What this call, which has been noted, is to do in place of answering."""
        return self.fail.get(method) or self.fail.get((method, len(self.called(method))))

    def hang(self) -> None:
        self._ended.wait()


class _Processor(TProcessor):  # type: ignore[misc]
    """Notes calls, and lets them fail."""

    def __init__(self, standin: Standin) -> None:
        super().__init__(storm.Nimbus, _Methods(standin))
        self._standin = standin

    def process(self, iprot: Any, oprot: Any) -> None:
        method, number, result, call = self.process_in(iprot)
        if isinstance(result, TApplicationException):
            return self.send_exception(oprot, method, result, number)
        arguments = inspect_arguments(call)
        self._standin.calls.append((method, arguments))
        if method in self._standin.vanishes:
            self._standin.topologies.pop(self._standin.vanishes[method], None)
        failure = self._standin.failure(method)
        if failure == HANGS:
            self._standin.hang()
        if failure in (HANGS, CLOSES):
            raise TTransportException(TTransportException.END_OF_FILE, "told to")
        try:
            if isinstance(failure, TException):
                raise failure
            result.success = call()
        except TApplicationException as error:
            return self.send_exception(oprot, method, error, number)
        except TException as error:
            if not self.handle_exception(error, result):
                return self.send_exception(oprot, method, _internal(method), number)
        except Exception as error:
            print(f"nimbus_standin: {method}: {error!r}")
            return self.send_exception(oprot, method, _internal(method), number)
        self.send_result(oprot, method, result, number)


def _internal(method: str) -> TApplicationException:
    """As much as Storm tells of an exception of its own."""
    return TApplicationException(TApplicationException.INTERNAL_ERROR, f"Internal error processing {method}")


def inspect_arguments(call: Any) -> tuple[Any, ...]:
    """The arguments that TProcessor has put into a call."""
    within = dict(zip(call.__code__.co_freevars, (cell.cell_contents for cell in call.__closure__)))
    return tuple(within["args"].__dict__[name] for name in within["api_args"])


class _Methods:
    """The methods of Nimbus."""

    def __init__(self, standin: Standin) -> None:
        self._all = standin

    def getLeader(self) -> Any:
        host, port = self._all.leader
        return storm.NimbusSummary(host=host, port=port, uptime_secs=100, isLeader=True, version="2.8.3")

    def getNimbusConf(self) -> str:
        return json.dumps(self._all.settings)

    def getClusterInfo(self) -> Any:
        for each in list(self._all.topologies.values()):
            self._settle(each)
        supervisors = [
            storm.SupervisorSummary(host=host, uptime_secs=3700, num_workers=self._all.slots, version="2.8.3",
                                    num_used_workers=len(self._workers(host)), supervisor_id=f"id-{host}")
            for host in self._all.hosts
        ]
        return storm.ClusterSummary(supervisors=supervisors, nimbuses=[self.getLeader()],
                                    topologies=list(map(_summary, self._all.topologies.values())))

    def getTopologyInfo(self, id: str) -> Any:
        found = self._by_id(id)
        return storm.TopologyInfo(id=id, name=found.name, uptime_secs=found.uptime_s, status=found.status,
                                  executors=list(found.executors()), errors=found.errors)

    def getTopologyInfoWithOpts(self, id: str, options: Any) -> Any:
        told = self.getTopologyInfo(id)
        if options.num_err_choice == storm.NumErrorsChoice.NONE:
            told.errors = {}
        return told

    def getTopologyConf(self, id: str) -> str:
        return json.dumps(self._by_id(id).settings)

    def getTopologyPageInfo(self, id: str, window: str, is_include_sys: bool) -> Any:
        found = self._by_id(id)
        spouts = {name: _component(found, name) for name in found.structure.spouts}
        bolts = {name: _component(found, name) for name in found.structure.bolts}
        return storm.TopologyPageInfo(
            id=id, name=found.name, uptime_secs=found.uptime_s, status=found.status,
            topology_conf=json.dumps(found.settings), id_to_spout_agg_stats=spouts, id_to_bolt_agg_stats=bolts,
            topology_stats=_sums(found), workers=[self._worker(found, *each) for each in found.workers])

    def getComponentPageInfo(self, topology_id: str, component_id: str, window: str, is_include_sys: bool) -> Any:
        found = self._by_id(topology_id)
        told = _component(found, component_id)
        spout = component_id in found.structure.spouts
        has = component_id in found.stats
        source = storm.GlobalStreamId(componentId="words", streamId="default")
        threads = [storm.ExecutorAggregateStats(exec_summary=each, stats=told)
                   for each in found.executors() if each.component_id == component_id]
        return storm.ComponentPageInfo(
            component_id=component_id, component_type=2 if spout else 1, topology_name=found.name,
            num_executors=found.sizes[component_id][0] if has else 0,
            num_tasks=found.sizes[component_id][1] if has else 0,
            window_to_stats=dict.fromkeys(WINDOWS, told) if has else {},
            gsid_to_input_stats=None if spout else {source: told} if has else {},
            sid_to_output_stats={"default": told} if has else {}, exec_stats=threads if has else [],
            errors=found.errors.get(component_id, []))

    def getSupervisorPageInfo(self, id: str | None, host: str | None, is_include_sys: bool) -> Any:
        assert id is not None and id.startswith("id-")  # as in Storm, with a stack trace
        return storm.SupervisorPageInfo(supervisor_summaries=[],
                                        worker_summaries=self._workers(id.removeprefix("id-")))

    def isTopologyNameAllowed(self, name: str) -> bool:
        return name not in self._all.topologies

    def beginFileUpload(self) -> str:
        location = f"/nimbus/inbox/stormjar-{len(self._all.uploads) + len(self._all.unfinished)}.jar"
        self._all.unfinished[location] = b""
        return location

    def uploadChunk(self, location: str, chunk: bytes) -> None:
        self._all.unfinished[location] += chunk

    def finishFileUpload(self, location: str) -> None:
        self._all.uploads[location] = self._all.unfinished.pop(location)

    def submitTopologyWithOpts(self, name: str, location: str, settings: str, structure: Any, options: Any) -> None:
        if name in self._all.topologies:
            raise refusal("AlreadyAliveException", f"{name} is already alive")
        parts = {**structure.spouts, **structure.bolts}
        hints = {key: part.common.parallelism_hint or 1 for key, part in parts.items()}
        found = self._all._add(name, structure, json.loads(settings), jar=self._all.uploads[location],
                               sizes={key: (hint, hint) for key, hint in hints.items()})
        found.status = "ACTIVE" if options.initial_status == storm.TopologyInitialStatus.ACTIVE else "INACTIVE"

    def killTopologyWithOpts(self, name: str, options: Any) -> None:
        found = self._named(name)
        found.status, found.then = "KILLED", ""
        found.until = time.monotonic() + (30 if options.wait_secs is None else options.wait_secs)

    def activate(self, name: str) -> None:
        self._named(name).status = "ACTIVE"

    def deactivate(self, name: str) -> None:
        self._named(name).status = "INACTIVE"

    def rebalance(self, name: str, options: Any) -> None:
        found = self._named(name)
        found.then, found.status = found.status, "REBALANCING"
        found.until = time.monotonic() + (30 if options.wait_secs is None else options.wait_secs)
        for component, executors in (options.num_executors or {}).items():
            found.sizes[component] = executors, found.sizes[component][1]
        found.settings.update(json.loads(options.topology_conf_overrides or "{}"))

    def getLogConfig(self, id: str) -> Any:
        return storm.LogConfig(named_logger_level=self._by_id(id).levels or None)

    def setLogConfig(self, id: str, config: Any) -> None:
        levels = self._by_id(id).levels
        for name, level in config.named_logger_level.items():
            if level.action == storm.LogLevelAction.REMOVE:
                levels.pop(name, None)
            else:
                seconds = level.reset_log_level_timeout_secs
                level.reset_log_level_timeout_epoch = int((time.time() + seconds) * 1000) if seconds else 0
                levels[name] = level

    def getBlobMeta(self, key: str) -> Any:
        if key not in self._all.blobs:
            raise refusal("KeyNotFoundException", key)
        return storm.ReadableBlobMeta(settable=storm.SettableBlobMeta(acl=[]), version=1)

    def beginCreateBlob(self, key: str, meta: Any) -> str:
        if key in self._all.blobs:
            raise refusal("KeyAlreadyExistsException", key)
        self._all.unfinished[key] = b""
        return key

    def uploadBlobChunk(self, session: str, chunk: bytes) -> None:
        self._all.unfinished[session] += chunk

    def finishBlobUpload(self, session: str) -> None:
        self._all.blobs[session] = self._all.unfinished.pop(session)

    def cancelBlobUpload(self, session: str) -> None:
        self._all.unfinished.pop(session)

    def _settle(self, found: Topology) -> None:
        """What it was told to do after a time, if that is over."""
        if found.until and time.monotonic() >= found.until:
            found.until = 0.0
            if found.status == "KILLED":
                del self._all.topologies[found.name]
            else:
                found.status = found.then

    def _named(self, name: str) -> Topology:
        found = self._all.topologies.get(name)
        if found is None:
            raise refusal("NotAliveException", f"{name} is not alive")
        return found

    def _by_id(self, id: str) -> Topology:
        for found in self._all.topologies.values():
            if found.id == id:
                return found
        raise refusal("NotAliveException", id)

    def _workers(self, host: str) -> list[Any]:
        return [self._worker(found, *each) for found in self._all.topologies.values()
                for each in found.workers if each[0] == host]

    def _worker(self, found: Topology, host: str, port: int) -> Any:
        own = [each for each in found.executors() if (each.host, each.port) == (host, port)]
        tasks: dict[str, int] = {}
        for each in own:
            number = each.executor_info.task_end - each.executor_info.task_start + 1
            tasks[each.component_id] = tasks.get(each.component_id, 0) + number
        return storm.WorkerSummary(supervisor_id=f"id-{host}", host=host, port=port, topology_id=found.id,
                                   topology_name=found.name, num_executors=len(own), component_to_num_tasks=tasks,
                                   uptime_secs=found.uptime_s if found.stats else 0)


def _summary(found: Topology) -> Any:
    return storm.TopologySummary(
        id=found.id, name=found.name, num_tasks=sum(tasks for _, tasks in found.sizes.values()),
        num_executors=sum(executors for executors, _ in found.sizes.values()), num_workers=len(found.workers),
        uptime_secs=found.uptime_s, status=found.status, owner="storm")


def _component(found: Topology, name: str) -> Any:
    """ComponentAggregateStats: before there are counts, with the size that was submitted."""
    counted = found.stats.get(name, {})
    executors, tasks = found.sizes[name]
    common = storm.CommonAggregateStats(
        num_executors=executors, num_tasks=tasks, emitted=counted.get("emitted", 0), failed=counted.get("failed"),
        transferred=counted.get("emitted", 0), acked=counted.get("acked", 0))
    latency = counted.get("latency", 0.0)
    if name in found.structure.spouts:
        specific = storm.SpecificAggregateStats(spout=storm.SpoutAggregateStats(complete_latency_ms=latency))
    else:
        specific = storm.SpecificAggregateStats(bolt=storm.BoltAggregateStats(
            execute_latency_ms=latency, process_latency_ms=latency, executed=counted.get("executed", 0),
            capacity=counted.get("capacity", 0.0)))
    errors = found.errors.get(name) if counted else None
    return storm.ComponentAggregateStats(type=2 if name in found.structure.spouts else 1, common_stats=common,
                                         specific_stats=specific, last_error=errors[0] if errors else None)


def _sums(found: Topology) -> Any:
    """TopologyStats: what spouts and bolts have emitted, and what became of the spouts' tuples."""
    if not found.stats:
        return storm.TopologyStats(window_to_emitted={}, window_to_transferred={}, window_to_acked={},
                                   window_to_failed={}, window_to_complete_latencies_ms={})

    def of(key: str, names: Any) -> Any:
        return dict.fromkeys(WINDOWS, sum(found.stats.get(name, {}).get(key, 0) for name in names))

    spouts = found.structure.spouts
    return storm.TopologyStats(
        window_to_emitted=of("emitted", found.sizes), window_to_transferred=of("emitted", found.sizes),
        window_to_acked=of("acked", spouts), window_to_failed=of("failed", spouts),
        window_to_complete_latencies_ms=of("latency", spouts))
