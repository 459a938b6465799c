"""Asks Nimbus, and makes of its structures what is in `state`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Protocol

from stormcell.fault import nearest
from stormcell.nimbus import NimbusError, NotAlive, NotFound, structures
from stormcell.operate.state import (
    WINDOWS,
    Cluster,
    Component,
    ComponentPage,
    Counts,
    Executor,
    Input,
    NimbusNode,
    Output,
    Page,
    Report,
    Supervisor,
    Thread,
    Topology,
    Worker,
)

REPORTED_EVERY = "executor.metrics.frequency.secs"
"""The cluster's setting of how often workers tell Nimbus their counts; a topology's own is ignored."""


class Asked(Protocol):
    """What is needed of a connection to Nimbus."""

    def call(self, method: str, *arguments: Any) -> Any: ...


def cluster(nimbus: Asked) -> Cluster:
    """Nimbuses, supervisors and topologies."""
    told = nimbus.call("getClusterInfo")
    nimbuses = [NimbusNode(each.host, each.port, each.isLeader, each.uptime_secs, each.version)
                for each in told.nimbuses]
    supervisors = [
        Supervisor(each.supervisor_id, each.host, each.uptime_secs, each.num_workers, each.num_used_workers,
                   each.version or "")
        for each in told.supervisors
    ]
    return Cluster(nimbuses, sorted(supervisors, key=lambda each: each.host),
                   sorted(map(_topology, told.topologies), key=lambda each: each.name))


def topologies(nimbus: Asked) -> list[Topology]:
    """All topologies, by name."""
    return cluster(nimbus).topologies


def find(nimbus: Asked, name: str) -> Topology:
    """The topology of this name. NotAlive names those that there are."""
    there = topologies(nimbus)
    for topology in there:
        if topology.name == name:
            return topology
    raise NotAlive(f"the cluster has no topology {name!r}{nearest(name, [each.name for each in there])}")


def of(nimbus: Asked, topology: Topology, method: str, *arguments: Any) -> Any:
    """Call a method about a topology. NotAlive says so if it has gone since it was found."""
    try:
        return nimbus.call(method, *arguments)
    except NimbusError as error:
        # What Nimbus answers for one that has gone is its id alone, or an internal error.
        if isinstance(error, NotAlive) or not _is_there(nimbus, topology):
            raise NotAlive(f"the topology {topology.name!r} has gone meanwhile") from None
        raise


def page(nimbus: Asked, topology: Topology, window: str = "all", system: bool = False) -> Page:
    """A topology, with the counts of a window. system: with Storm's own components as well."""
    told = of(nimbus, topology, "getTopologyPageInfo", topology.id, WINDOWS[window], system)
    kinds = (("spout", told.id_to_spout_agg_stats), ("bolt", told.id_to_bolt_agg_stats))
    components = [_component(topology.name, name, kind, stats)
                  for kind, found in kinds for name, stats in sorted((found or {}).items())]
    have = sizes(nimbus, topology)
    components = [replace(each, executors=executors, tasks=tasks) for each in components
                  for executors, tasks in [have.get(each.name, (each.executors, each.tasks))]]
    return Page(topology, window, _sums(told.topology_stats), components, _workers(told.workers),
                json.loads(told.topology_conf or "{}"))


def sizes(nimbus: Asked, topology: Topology) -> dict[str, tuple[int, int]]:
    """How many executors and tasks each component has, where workers are planned for them.

    Pages have instead what workers have reported, or else what was submitted: both are wrong for a minute
    after a rebalance.
    """
    none = structures.GetInfoOptions(num_err_choice=structures.NumErrorsChoice.NONE)
    found: dict[str, tuple[int, int]] = {}
    for each in of(nimbus, topology, "getTopologyInfoWithOpts", topology.id, none).executors:
        executors, tasks = found.get(each.component_id, (0, 0))
        own = each.executor_info.task_end - each.executor_info.task_start + 1
        found[each.component_id] = executors + 1, tasks + own
    return found


def component(nimbus: Asked, topology: Topology, name: str, window: str = "all",
              system: bool = False) -> ComponentPage:
    """A component of a topology. NotFound names those that there are."""
    names = [each.name for each in page(nimbus, topology, window, system).components]
    known(topology.name, [name], names)
    return known_component(nimbus, topology, name, window, system)


def known_component(nimbus: Asked, topology: Topology, name: str, window: str = "all",
                    system: bool = False) -> ComponentPage:
    """A component that the topology has: of others Nimbus says no more than that it failed."""
    told = of(nimbus, topology, "getComponentPageInfo", topology.id, name, WINDOWS[window], system)
    windows = {ours: _counts(told.window_to_stats[theirs])
               for ours, theirs in WINDOWS.items() if theirs in (told.window_to_stats or {})}
    inputs = [Input(source.componentId, source.streamId, _counts(stats))
              for source, stats in (told.gsid_to_input_stats or {}).items()]
    outputs = [Output(stream, _counts(stats)) for stream, stats in (told.sid_to_output_stats or {}).items()]
    return ComponentPage(
        topology.name, name, "spout" if told.component_type == 2 else "bolt", window,
        told.num_executors or 0, told.num_tasks or 0, windows,
        sorted(inputs, key=lambda each: (each.component, each.stream)),
        sorted(outputs, key=lambda each: each.stream), _executors(told.exec_stats),
        _newest_first(_report(topology.name, name, each) for each in told.errors or []))


def errors(nimbus: Asked, topology: Topology) -> list[Report]:
    """What Storm keeps of the errors of a topology's components, the newest first."""
    # Its page has none of them before the first counts are in.
    return _reports(topology, of(nimbus, topology, "getTopologyInfo", topology.id))


def threads(nimbus: Asked, topology: Topology) -> tuple[list[Thread], list[Report]]:
    """What the executors of a topology's own components have reported, and its errors."""
    told = of(nimbus, topology, "getTopologyInfo", topology.id)
    own = [each for each in told.executors if not _of_storm(each.component_id)]
    return list(map(_thread, own)), _reports(topology, told)


def workers(nimbus: Asked) -> list[Worker]:
    """The workers of all topologies, by host and port."""
    found = []
    for supervisor in cluster(nimbus).supervisors:
        told = nimbus.call("getSupervisorPageInfo", supervisor.id, None, True)
        found += _workers(told.worker_summaries)
    return sorted(found, key=lambda each: (each.host, each.port))


def reported_every(nimbus: Asked) -> int:
    """After how many seconds workers tell their counts again."""
    return int(settings(nimbus).get(REPORTED_EVERY) or 60)


def settings(nimbus: Asked) -> dict[str, Any]:
    """The cluster's storm.yaml, as Nimbus has it."""
    found: dict[str, Any] = json.loads(nimbus.call("getNimbusConf"))
    return found


def known(topology: str, wanted: Iterable[str], there: Iterable[str]) -> None:
    """Check the names of components. NotFound names those that there are."""
    have = list(there)
    for name in wanted:
        if name not in have:
            raise NotFound(f"{topology!r} has no component {name!r}{nearest(name, have)}")


def _is_there(nimbus: Asked, topology: Topology) -> bool:
    return any(each.id == topology.id for each in topologies(nimbus))


def _topology(told: Any) -> Topology:
    return Topology(told.id, told.name, told.status, told.uptime_secs, told.num_workers, told.num_executors,
                    told.num_tasks, told.owner or "")


def _component(topology: str, name: str, kind: str, told: Any) -> Component:
    common = told.common_stats
    error = _report(topology, name, told.last_error) if told.last_error else None
    return Component(name, kind, common.num_executors or 0, common.num_tasks or 0, _counts(told), error)


def _counts(told: Any) -> Counts:
    common, bolt, spout = told.common_stats, None, None
    if told.specific_stats is not None:
        bolt, spout = told.specific_stats.bolt, told.specific_stats.spout
    return Counts(
        common.emitted or 0, common.transferred or 0, common.acked or 0, common.failed or 0,
        executed=(bolt.executed or 0) if bolt else None,
        complete_ms=spout.complete_latency_ms if spout else None,
        process_ms=bolt.process_latency_ms if bolt else None,
        execute_ms=bolt.execute_latency_ms if bolt else None,
        capacity=bolt.capacity if bolt else None)


def _sums(told: Any) -> dict[str, Counts]:
    """Storm's totals of a topology. In older versions there are none before the first counts."""
    def of(counts: dict[str, int] | None, window: str) -> int:
        return (counts or {}).get(window, 0)

    if told is None:
        return {}
    return {
        ours: Counts(of(told.window_to_emitted, theirs), of(told.window_to_transferred, theirs),
                     of(told.window_to_acked, theirs), of(told.window_to_failed, theirs),
                     complete_ms=(told.window_to_complete_latencies_ms or {}).get(theirs))
        for ours, theirs in WINDOWS.items()
    }


def _workers(told: Any) -> list[Worker]:
    found = [
        Worker(each.topology_name or "", each.topology_id or "", each.host or "", each.port or 0,
               each.supervisor_id or "", each.uptime_secs or 0, each.num_executors or 0,
               dict(sorted((each.component_to_num_tasks or {}).items())))
        for each in told or []
    ]
    return sorted(found, key=lambda each: (each.host, each.port))


def _executors(told: Any) -> list[Executor]:
    found = []
    for each in told or []:
        who = each.exec_summary
        found.append(Executor(who.executor_info.task_start, who.executor_info.task_end, who.host, who.port,
                              who.uptime_secs, _counts(each.stats)))
    return sorted(found, key=lambda each: each.first_task)


def _thread(told: Any) -> Thread:
    who, stats = told.executor_info, told.stats
    bolt = stats is not None and stats.specific.bolt is not None
    total, recent = (_summed(stats, WINDOWS[window]) if stats else Counts() for window in ("all", "10m"))
    kind = "bolt" if bolt else "spout" if stats else ""
    return Thread(told.component_id, kind, who.task_start, who.task_end, f"{told.host}:{told.port}",
                  told.uptime_secs, total, recent)


def _summed(stats: Any, window: str) -> Counts:
    """An executor's counts over its streams, without Storm's own."""
    def of(counts: dict[str, dict[Any, Any]]) -> dict[Any, Any]:
        return {stream: number for stream, number in (counts.get(window) or {}).items()
                if not _of_storm(getattr(stream, "streamId", stream))}

    def mean(times: dict[str, dict[Any, float]], weights: dict[Any, int]) -> float:
        spent: float = sum(of(times).get(stream, 0.0) * number for stream, number in weights.items())
        return spent / (sum(weights.values()) or 1)

    emitted, transferred = sum(of(stats.emitted).values()), sum(of(stats.transferred).values())
    bolt, spout = stats.specific.bolt, stats.specific.spout
    acked, failed = of((bolt or spout).acked), sum(of((bolt or spout).failed).values())
    if bolt is None:
        return Counts(emitted, transferred, sum(acked.values()), failed,
                      complete_ms=mean(spout.complete_ms_avg, acked))
    executed = of(bolt.executed)
    return Counts(emitted, transferred, sum(acked.values()), failed, sum(executed.values()),
                  process_ms=mean(bolt.process_ms_avg, acked), execute_ms=mean(bolt.execute_ms_avg, executed))


def _of_storm(name: str) -> bool:
    """Whether a component or a stream is one that Storm has added."""
    return name.startswith("__")


def _reports(topology: Topology, told: Any) -> list[Report]:
    return _newest_first(_report(topology.name, name, each)
                         for name, found in (told.errors or {}).items() for each in found)


def _report(topology: str, name: str, told: Any) -> Report:
    return Report(topology, name, told.host or "", told.port or 0, told.error_time_secs, told.error)


def _newest_first(reports: Iterable[Report]) -> list[Report]:
    return sorted(reports, key=lambda each: each.at, reverse=True)
