"""The errors that Storm keeps, as a Python author wants to read them: without Java's frames."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stormcell.operate.state import Report

_PREFIX = re.compile(r"^(?:[a-z]\w*\.)+[A-Z]\w*:\s+(?:Shell Process Exception:\s*)?")
"""What ShellBolt and ShellSpout put before a report, and any Java exception before its message."""

_WRAPPER = re.compile(r"^java\.lang\.(?:Runtime)?Exception: (?=[a-z]\w*\.[\w.$]+: )")
"""An exception that only holds another, whose text follows."""

_FRAME = re.compile(r"^\s+at [\w.$/@<>-]+\(.*\)\s*$|^\s+\.\.\. \d+ (?:more|common frames omitted)\s*$")

_SOURCE = re.compile(r'^\s*File "(.*)", line (\d+), in ', re.MULTILINE)

_SHELL = "Shell Process Exception:"


@dataclass(frozen=True)
class Group:
    """Reports that differ in nothing but the tuple and the message. newest: the one to show."""

    newest: Report
    others: int
    since: int


def readable(text: str) -> str:
    """A report without what Java has put around it."""
    lines = [line for line in text.splitlines() if not _FRAME.match(line)]
    kept = "\n".join(lines)
    prefix = _PREFIX if _SHELL in text else _WRAPPER
    return prefix.sub("", kept, count=1).strip().removesuffix("Serializer Exception:").rstrip()


def gist(text: str) -> str:
    """The one line that says what it is about: of a traceback the last, of others the first."""
    lines = readable(text).splitlines() or ["no reason given"]
    if any(line.startswith("Traceback ") for line in lines):
        return lines[-1]
    return _PREFIX.sub("", lines[0])


def grouped(reports: Iterable[Report]) -> list[Group]:
    """Reports, the newest first, brought together where they came the same way; in their order."""
    found: dict[object, list[Report]] = {}
    for report in reports:
        found.setdefault((report.topology, report.component, _way(report.text)), []).append(report)
    return [Group(same[0], len(same) - 1, same[-1].at) for same in found.values()]


def _way(text: str) -> object:
    """Where an error came from, and of what kind it is."""
    kind = gist(text).partition(":")[0]
    return tuple(_SOURCE.findall(readable(text))) or gist(text), kind
