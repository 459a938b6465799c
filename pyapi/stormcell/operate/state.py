"""What Nimbus tells of a cluster, as plain Python: nothing here knows Thrift, nor how it is drawn.

Counts are as workers have reported them, which they do once a minute unless the cluster's
executor.metrics.frequency.secs says otherwise, and they are made from samples: with Storm's
topology.stats.sample.rate of 0.05 all are multiples of 20.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WINDOWS = {"10m": "600", "3h": "10800", "1d": "86400", "all": ":all-time"}
"""The times that Storm keeps counts of: our names, and Storm's, most of them in seconds."""


@dataclass(frozen=True)
class Topology:
    """A topology that there is. uptime_s: seconds; status: ACTIVE, INACTIVE, REBALANCING or KILLED."""

    id: str
    name: str
    status: str
    uptime_s: int
    workers: int
    executors: int
    tasks: int
    owner: str


@dataclass(frozen=True)
class Supervisor:
    """A machine that has slots for workers."""

    id: str
    host: str
    uptime_s: int
    slots: int
    used: int
    version: str


@dataclass(frozen=True)
class NimbusNode:
    """One of those that may lead."""

    host: str
    port: int
    leads: bool
    uptime_s: int
    version: str


@dataclass(frozen=True)
class Cluster:
    """All of it."""

    nimbuses: list[NimbusNode]
    supervisors: list[Supervisor]
    topologies: list[Topology]


@dataclass(frozen=True)
class Counts:
    """What has been counted of a component, an executor or a stream, or what does not apply: None.

    emitted, transferred, acked, failed, executed: tuples. Latencies are in milliseconds: complete_ms from a
    spout's emit to its ack, process_ms from a bolt's getting a tuple to its ack, execute_ms within its
    execute(). capacity: the share of the last ten minutes that was spent in execute(), 1.0 is all.
    """

    emitted: int = 0
    transferred: int = 0
    acked: int = 0
    failed: int = 0
    executed: int | None = None
    complete_ms: float | None = None
    process_ms: float | None = None
    execute_ms: float | None = None
    capacity: float | None = None


@dataclass(frozen=True)
class Report:
    """An error that a component has reported. at: seconds since 1970; text: all that Storm keeps of it."""

    topology: str
    component: str
    host: str
    port: int
    at: int
    text: str


@dataclass(frozen=True)
class Component:
    """A component of a topology, and its counts in the window that was asked for."""

    name: str
    kind: str
    executors: int
    tasks: int
    counts: Counts
    last_error: Report | None = None


@dataclass(frozen=True)
class Worker:
    """A worker's process. tasks: how many of each component it runs. A supervisor's id is of one start."""

    topology: str
    topology_id: str
    host: str
    port: int
    supervisor: str
    uptime_s: int
    executors: int
    tasks: dict[str, int] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def log(self) -> str:
        """Its log, below workers-artifacts in the folder where its supervisor has logs written."""
        return f"{self.topology_id}/{self.port}/worker.log"


@dataclass(frozen=True)
class Page:
    """A topology as a whole. windows: its counts by the names in WINDOWS, as Storm sums them up."""

    topology: Topology
    window: str
    windows: dict[str, Counts]
    components: list[Component]
    workers: list[Worker]
    settings: dict[str, object]


@dataclass(frozen=True)
class Executor:
    """A thread of a component. first_task, last_task: the tasks that it runs in turn."""

    first_task: int
    last_task: int
    host: str
    port: int
    uptime_s: int
    counts: Counts


@dataclass(frozen=True)
class Thread:
    """What an executor has told in its last report, at its age of uptime_s: since its start, and in the ten
    minutes before."""

    component: str
    kind: str
    first_task: int
    last_task: int
    place: str
    uptime_s: int
    total: Counts
    recent: Counts


@dataclass(frozen=True)
class Input:
    """What a component gets from one stream of another."""

    component: str
    stream: str
    counts: Counts


@dataclass(frozen=True)
class Output:
    """What a component emits on one of its streams."""

    stream: str
    counts: Counts


@dataclass(frozen=True)
class ComponentPage:
    """A component as a whole."""

    topology: str
    name: str
    kind: str
    window: str
    executors: int
    tasks: int
    windows: dict[str, Counts]
    inputs: list[Input]
    outputs: list[Output]
    threads: list[Executor]
    errors: list[Report]
