"""Draws what `state` holds: tables that fit into 80 columns, and say nothing twice."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from stormcell.cli.screen import console_on
from stormcell.cli.totals import counted
from stormcell.cli.view import milliseconds
from stormcell.operate import traces
from stormcell.operate.state import (
    Cluster,
    Component,
    ComponentPage,
    Counts,
    Page,
    Report,
    Topology,
    Worker,
)

UNLIMITED = 1000
"""Columns where there is no terminal: nothing is cut or broken that another program reads."""

STYLES = {"ACTIVE": "green", "INACTIVE": "yellow", "REBALANCING": "yellow", "KILLED": "red"}

WINDOWS = {"10m": "10 minutes", "3h": "3 hours", "1d": "day", "all": "all time"}

COUNTS = ("emitted", "transferred", "acked", "failed")

BUSY = 0.8
"""From this capacity on a bolt has little to spare."""


def out() -> Console:
    """Where tables go: stdout."""
    console = console_on(sys.stdout)
    if not console.is_terminal:
        console.width = UNLIMITED
    return console


def show(*parts: RenderableType) -> None:
    """Draw the parts, with an empty line between them."""
    console = out()
    for index, part in enumerate(parts):
        if index:
            console.print()
        console.print(part)


def grid(*headings: str, left: Iterable[int] = (0,), tight: bool = False) -> Table:
    """A table without lines: columns of numbers, but for those at `left`, which are text. tight: less space
    between them."""
    found = Table(box=None, pad_edge=False, collapse_padding=tight, header_style="bold")
    for index, heading in enumerate(headings):
        text = index in set(left)
        found.add_column(heading, justify="left" if text else "right", no_wrap=not text, overflow="fold",
                         vertical="bottom")
    return found


def titled(title: str, table: RenderableType) -> RenderableType:
    return Group(Text(title, style="bold"), table)


def listing(topologies: Sequence[Topology]) -> RenderableType:
    """`stormcell list`."""
    if not topologies:
        return Text("no topologies")
    found = grid("topology", "status", "uptime", "workers", "executors", "tasks", "owner", left=(0, 1, 6))
    for each in topologies:
        found.add_row(each.name, status(each.status), age(each.uptime_s), str(each.workers),
                      str(each.executors), str(each.tasks), each.owner)
    return found


def cluster(told: Cluster) -> list[RenderableType]:
    """`stormcell stats`."""
    nimbuses = grid("nimbus", "", "uptime", "Storm", left=(0, 1, 3))
    for node in told.nimbuses:
        nimbuses.add_row(f"{node.host}:{node.port}", "leads" if node.leads else "", age(node.uptime_s),
                         node.version)
    supervisors = grid("supervisor", "slots", "used", "uptime", "Storm", left=(0, 4))
    for each in told.supervisors:
        supervisors.add_row(each.host, str(each.slots), str(each.used), age(each.uptime_s), each.version)
    return [nimbuses, supervisors if told.supervisors else Text("no supervisors: nothing can run", "red"),
            listing(told.topologies)]


def topology(page: Page, every_s: int) -> list[RenderableType]:
    """`stormcell stats -n`. every_s: how often workers report."""
    about = page.topology
    heading = Text.assemble((about.name, "bold"), "  ", status(about.status), f"  up {age(about.uptime_s)}  ",
                            f"{counted(len(page.workers), 'worker', 'workers')}  {about.id}")
    table = components(page.components)
    if any(counts.emitted for counts in page.windows.values()):
        return [heading, windows(page.windows, page.window), titled(f"in {WINDOWS[page.window]}", table),
                *last_errors(page.components)]
    return [heading, table, silence(every_s), *last_errors(page.components)]


def silence(every_s: int) -> Text:
    return Text(f"no counts yet: workers report them every {every_s} s", style="yellow")


def windows(found: dict[str, Counts], chosen: str) -> RenderableType:
    """The counts of each window. Of what the counts are tells which latencies there are."""
    times = _latencies(found.values())
    table = grid("in", *COUNTS, *times)
    for name, counts in found.items():
        style = "bold" if name == chosen and len(found) > 1 else ""
        table.add_row(WINDOWS[name], *_numbers(counts), *_times(counts, times), style=style)
    return table if found else Text("no counts")


def components(found: Iterable[Component]) -> Table:
    """A row for each component; only bolts have what is executed."""
    table = grid("component", "threads/\ntasks", "emitted", "executed", "acked", "failed", "latency\nms",
                 "capa-\ncity")
    for each in found:
        counts = each.counts
        executed = "" if counts.executed is None else number(counts.executed)
        table.add_row(each.name, f"{each.executors}/{each.tasks}", number(counts.emitted), executed,
                      number(counts.acked), failures(counts.failed), latency(counts), capacity(counts))
    return table


def component(page: ComponentPage, every_s: int, *, raw: bool = False, most: int = 5) -> list[RenderableType]:
    """`stormcell stats -n -c`."""
    heading = Text.assemble((page.name, "bold"), f"  {page.kind} of {page.topology}  ",
                            f"{counted(page.executors, 'thread', 'threads')}, ",
                            counted(page.tasks, "task", "tasks"))
    parts: list[RenderableType] = [heading]
    if page.threads:
        parts.append(windows(page.windows, page.window))
    else:
        parts.append(silence(every_s))
    parts += _inputs(page) + _outputs(page) + _threads(page)
    return parts + errors(page.errors, raw=raw, most=most)


def _inputs(page: ComponentPage) -> list[RenderableType]:
    if not page.inputs:
        return []
    table = grid("input", "stream", "executed", "acked", "failed", "process ms", "execute ms", left=(0, 1))
    for each in page.inputs:
        table.add_row(each.component, each.stream, number(each.counts.executed or 0),
                      number(each.counts.acked), failures(each.counts.failed),
                      *_times(each.counts, ("process ms", "execute ms")))
    return [titled(f"in {WINDOWS[page.window]}", table)]


def _outputs(page: ComponentPage) -> list[RenderableType]:
    if not page.outputs:
        return []
    spout = page.kind == "spout"
    headings = ("emitted", "transferred") + (("acked", "failed", "complete ms") if spout else ())
    table = grid("output stream", *headings)
    for each in page.outputs:
        counts = each.counts
        more = (number(counts.acked), failures(counts.failed), milliseconds(counts.complete_ms))
        table.add_row(each.stream, number(counts.emitted), number(counts.transferred),
                      *(more if spout else ()))
    return [table]


def _threads(page: ComponentPage) -> list[RenderableType]:
    if not page.threads:
        return []
    table = grid("tasks", "worker", "uptime", "emitted", "executed", "acked", "failed", "latency\nms",
                 "capa-\ncity", left=(0, 1), tight=True)
    for each in page.threads:
        counts = each.counts
        executed = "" if counts.executed is None else number(counts.executed)
        tasks = str(each.first_task) + (f"-{each.last_task}" if each.last_task > each.first_task else "")
        table.add_row(tasks, f"{each.host}:{each.port}", age(each.uptime_s), number(counts.emitted), executed,
                      number(counts.acked), failures(counts.failed), latency(counts), capacity(counts))
    return [table]


def last_errors(found: Iterable[Component]) -> list[RenderableType]:
    """A line for each component that has reported an error."""
    lines = [
        Text(f"{each.name}: {ago(each.last_error.at)}, {each.last_error.host}:{each.last_error.port}: "
             f"{traces.gist(each.last_error.text)}", style="red")
        for each in found if each.last_error
    ]
    return [titled("last errors (`stormcell errors` has their tracebacks)", Group(*lines))] if lines else []


def errors(reports: Sequence[Report], *, raw: bool = False, most: int | None = None,
           every: bool = False) -> list[RenderableType]:
    """Reports with their tracebacks. most: so many at most; every: also those that came the same way."""
    groups = ([traces.Group(each, 0, each.at) for each in reports] if raw or every
              else traces.grouped(reports))
    shown = groups if most is None else groups[:most]
    parts: list[RenderableType] = [error(each, raw=raw) for each in shown]
    if len(groups) > len(shown):
        parts.append(Text(f"... and {len(groups) - len(shown)} more (`stormcell errors --limit {len(groups)}` "
                          "shows them)", "dim"))
    return parts


def error(group: traces.Group, *, raw: bool = False) -> RenderableType:
    """One report, under a line that says whose and when."""
    report = group.newest
    more = f", and {group.others} more like it since {clock(group.since)}" if group.others else ""
    heading = Text.assemble(
        (f"{report.topology}: {report.component}", "bold red"),
        f"  {clock(report.at)} ({ago(report.at)}) on {report.host}:{report.port}{more}")
    return Group(heading, Text(report.text.rstrip() if raw else traces.readable(report.text)))


def slots(told: Cluster, workers: Sequence[Worker]) -> RenderableType:
    """`stormcell slot_usage`: hosts, and how many workers (executors) of each topology run there."""
    if not told.supervisors:
        return Text("no supervisors: nothing can run", style="red")
    names = sorted({each.topology for each in workers})
    table = grid("host", "slots", "free", *names)
    for host in sorted({each.host for each in told.supervisors}):
        here = [each for each in told.supervisors if each.host == host]
        free = sum(each.slots - each.used for each in here)
        table.add_row(host, str(sum(each.slots for each in here)), str(free),
                      *(_share(workers, host, name) for name in names))
    return table


def _share(workers: Sequence[Worker], host: str, topology: str) -> str:
    found = [each for each in workers if (each.host, each.topology) == (host, topology)]
    return f"{len(found)} ({sum(each.executors for each in found)})" if found else "-"


def worker_uptimes(workers: Sequence[Worker]) -> RenderableType:
    """`stormcell worker_uptime`."""
    if not workers:
        return Text("no workers")
    table = grid("host", "port", "topology", "uptime", "log in workers-artifacts", left=(0, 2, 4))
    for each in workers:
        table.add_row(each.host, str(each.port), each.topology, age(each.uptime_s) if each.uptime_s else "-",
                      each.log)
    return table


def status(text: str) -> Text:
    return Text(text, style=STYLES.get(text, ""))


def failures(value: int) -> Text:
    return Text(number(value), style="bold red" if value else "")


def latency(counts: Counts) -> str:
    """What a tuple takes: from a spout's emit to its ack, or within a bolt."""
    return _time(counts.complete_ms if counts.executed is None else counts.process_ms, counts)


def capacity(counts: Counts) -> Text:
    return Text("") if counts.capacity is None else share(counts.capacity)


def share(value: float) -> Text:
    """A capacity: red where there is little to spare."""
    return Text(f"{value:.2f}", style="bold red" if value >= BUSY else "")


def number(value: float) -> str:
    """With commas, and in millions where that would be hard to read; all are multiples of 20 anyway."""
    if value >= 1e9:
        return f"{value / 1e9:,.2f} G"
    return f"{value / 1e6:,.2f} M" if value >= 1e6 else f"{value:,.0f}"


def age(seconds: int) -> str:
    """A time in its two largest units."""
    units = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"),
             (seconds % 60, "s")]
    first = next((index for index, (value, _) in enumerate(units) if value), len(units) - 1)
    return " ".join(f"{value} {unit}" for value, unit in units[first:first + 2])


def ago(at: int) -> str:
    """How long ago a time was, in its largest unit."""
    return " ".join(age(max(0, int(time.time()) - at)).split()[:2]) + " ago"


def clock(at: int) -> str:
    """A time of this machine's day, with the day where that was another."""
    then, now = time.localtime(at), time.localtime()
    return time.strftime("%H:%M:%S" if then[:3] == now[:3] else "%Y-%m-%d %H:%M:%S", then)


def _latencies(found: Iterable[Counts]) -> tuple[str, ...]:
    """The headings of the latencies that there are."""
    named = (("complete ms", "complete_ms"), ("process ms", "process_ms"), ("execute ms", "execute_ms"))
    return tuple(heading for heading, key in named if any(getattr(each, key) is not None for each in found))


def _times(counts: Counts, headings: Iterable[str]) -> list[str]:
    return [_time(getattr(counts, heading.replace(" ", "_")), counts) for heading in headings]


def _time(value: float | None, counts: Counts) -> str:
    """A latency; of nothing there is none, for which Storm has 0."""
    happened = counts.executed or counts.acked or counts.failed
    return milliseconds(value if happened else None)


def _numbers(counts: Counts) -> list[str | Text]:
    return [number(counts.emitted), number(counts.transferred), number(counts.acked), failures(counts.failed)]
