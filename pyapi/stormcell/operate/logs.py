"""The logs of a topology's workers: as files of this machine, or from Storm's logviewer on each host.

A log is read by offsets, in whole lines. It may grow, and be put aside for a new one, while it is read;
workers come and go.
"""

from __future__ import annotations

import html
import http.client
import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

from stormcell.operate.state import Worker

BLOCK = 64 * 1024
"""Bytes that are read at a time; the logviewer gives ten megabytes at most."""

WORKER_LOG = "worker.log"
"""What is read unless a pattern says what."""

ENTRY = re.compile(r"^\d{4}-\d\d-\d\d |^\d\d:\d\d:\d\d")
"""How an entry begins in the layout of Storm's log4j2/worker.xml; other lines belong to the one before."""

SAID_BY = re.compile(r"\bShellLog pid:\d+, name:(\S+) ")
"""How Storm logs what a component in another language says."""

_PAGE = re.compile(r'<pre (?:class|id)="logContent">(.*?)</pre>', re.DOTALL)
_NEXT = re.compile(r'href="[^"]*[?&](?:amp;)?start=(\d+)[^"]*"[^>]*>Next<')
_PLAIN = re.compile(r"&(?!(?:#\w+|\w+);)|[<>\"]")
"""What a text that is still escaped does not have."""


class LogError(Exception):
    """Logs that cannot be read: one line."""


class NoViewer(LogError):
    """There is no logviewer where one was asked."""


class Filter:
    """Passes on the lines of a component, or that match; for one log, since an entry may have many lines."""

    def __init__(self, component: str | None = None, grep: re.Pattern[str] | None = None) -> None:
        self._component = component
        self._grep = grep
        self._within = False

    def __call__(self, lines: Iterable[str]) -> list[str]:
        return [line for line in lines if self._wanted(line) and self._matches(line)]

    def _matches(self, line: str) -> bool:
        return self._grep is None or self._grep.search(line) is not None

    def _wanted(self, line: str) -> bool:
        if self._component is None:
            return True
        if ENTRY.match(line):
            said = SAID_BY.search(line)
            self._within = said is not None and said[1] == self._component
        return self._within


class Log(ABC):
    """A log that is read on and on. label: which it is, for people."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._at = 0

    @abstractmethod
    def size(self) -> int:
        """Its bytes now; 0 where it is not there (yet). LogError."""

    @abstractmethod
    def read(self, start: int, length: int) -> bytes:
        """Some of its bytes, as far as they are there. LogError."""

    def last(self, lines: int, wanted: Callable[[Iterable[str]], list[str]]) -> list[str]:
        """So many of its last lines that are wanted; what is added to it later is news."""
        size, span = self.size(), BLOCK
        while True:
            start = max(0, size - span)
            data = self._span(start, size)
            if start:
                data = data.partition(b"\n")[2]
            found = wanted(_lines(data))
            if not start or len(found) >= lines:
                break
            span *= 4
        # A line that is not whole yet is news when it is.
        self._at = size - len(data) + (data.rfind(b"\n") + 1)
        return found[-lines:] if lines else []

    def news(self) -> list[str]:
        """The lines that have been added since."""
        size = self.size()
        if size < self._at:
            self._at = 0  # it has been put aside for a new one
        data = self._span(self._at, size)
        whole = data[:data.rfind(b"\n") + 1]
        self._at += len(whole)
        return _lines(whole)

    def _span(self, start: int, end: int) -> bytes:
        data = b""
        while start + len(data) < end:
            more = self.read(start + len(data), min(BLOCK, end - start - len(data)))
            if not more:
                break
            data += more
        return data


class FileLog(Log):
    """A file, which log4j2 renames when it is full, and begins anew."""

    def __init__(self, label: str, path: Path) -> None:
        super().__init__(label)
        self._path = path
        self._file: BinaryIO | None = None

    def size(self) -> int:
        try:
            self._file = self._file or self._path.open("rb")
            return os.fstat(self._file.fileno()).st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise LogError(f"{self._path} cannot be read: {error.strerror}") from None

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, start) if self._file else b""

    def news(self) -> list[str]:
        found = super().news()
        if self._put_aside():
            found += super().news()  # what has come to the old one in between
            self.close()
            self._at = 0
            found += super().news()
        return found

    def close(self) -> None:
        if self._file:
            self._file.close()
        self._file = None

    def _put_aside(self) -> bool:
        if self._file is None:
            return False
        try:
            return not os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False


class WebLog(Log):
    """A log at a logviewer, which has pages for people: a part of the log, as HTML."""

    def __init__(self, label: str, viewer: Viewer, name: str) -> None:
        super().__init__(label)
        self._viewer = viewer
        self._name = name

    def size(self) -> int:
        # A page that names no start is of the log's end; its link to the next page is that of its last bytes.
        page = self._viewer.page("log", file=self._name, length=1)
        found = _NEXT.search(page or "")
        return int(found[1]) + 1 if found and page and _content(page) else 0

    def read(self, start: int, length: int) -> bytes:
        page = self._viewer.page("log", file=self._name, start=start, length=length)
        return _content(page) if page else b""


class Viewer:
    """The logviewer of one host."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self.host, self.port = host, port
        self._timeout_s = timeout_s

    def files(self, topology_id: str) -> list[str]:
        """The logs that it has of a topology: "ID/PORT/NAME". LogError."""
        return list(json.loads(self.page("searchLogs", topoId=topology_id) or "[]"))

    def page(self, what: str, **parameters: str | int) -> str | None:
        """An answer's text, or None: there is no such log, or nothing more in it. LogError."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self._timeout_s)
        try:
            connection.request("GET", f"/api/v1/{what}?{urlencode(parameters)}")
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NoViewer(f"no logviewer answers at {self.host}:{self.port}: {reason.lower()}") from None
        finally:
            connection.close()
        if answer.status == 200:
            return text
        if answer.status in (400, 404):
            return None
        said = " ".join(re.sub(r"<[^>]*>", " ", text).split())[:200]
        raise LogError(f"the logviewer at {self.host}:{self.port} refuses: {said or answer.reason}")


class Files:
    """The logs below a folder of logs of this machine. hosts: by a worker's port, where it runs, if that is to be
    told."""

    def __init__(self, folder: Path, topology_id: str, pattern: re.Pattern[str] | None = None,
                 hosts: Mapping[int, str] | None = None) -> None:
        self._folder = folder / "workers-artifacts"
        self._topology_id = topology_id
        self._pattern = pattern
        self._hosts = {str(port): host for port, host in (hosts or {}).items()}

    def find(self) -> Iterator[tuple[str, Callable[[], Log]]]:
        """The logs that there are now: their names, and how to open each."""
        for path in sorted((self._folder / self._topology_id).glob("*/*")):
            name = str(path.relative_to(self._folder))
            if _chosen(name, self._pattern) and path.is_file():
                yield name, partial(FileLog, _label(self._hosts.get(path.parent.name, ""), name), path)


class Viewers:
    """The logs at the logviewers of the hosts that workers run on. workers: those that there are now."""

    def __init__(self, workers: Callable[[], Iterable[Worker]], topology_id: str, port: int, timeout_s: float,
                 pattern: re.Pattern[str] | None = None) -> None:
        self._workers = workers
        self._topology_id = topology_id
        self._port = port
        self._timeout_s = timeout_s
        self._pattern = pattern

    def find(self) -> Iterator[tuple[str, Callable[[], Log]]]:
        """The logs that there are now: their names, and how to open each. LogError in the end, if a host's
        could not be asked for."""
        wrong = None
        for host in sorted({each.host for each in self._workers()}):
            viewer = Viewer(host, self._port, self._timeout_s)
            try:
                names = viewer.files(self._topology_id)
            except LogError as error:
                wrong = wrong or error
                continue
            for name in sorted(names):
                if _chosen(name, self._pattern):
                    yield f"{host}/{name}", partial(WebLog, _label(host, name), viewer, name)
        if wrong:
            raise wrong


def _chosen(name: str, pattern: re.Pattern[str] | None) -> bool:
    return bool(pattern.search(name)) if pattern else Path(name).name == WORKER_LOG


def _label(host: str, name: str) -> str:
    """"host:port", and what file it is unless it is the usual one."""
    _, port, file = name.rsplit("/", 2)
    return (f"{host}:" if host else "") + port + ("" if file == WORKER_LOG else f" {file}")


def _lines(data: bytes) -> list[str]:
    """The lines, without what would move a terminal; a last one may have no end."""
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", data.decode("utf-8", "replace"))
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _content(page: str) -> bytes:
    """The part of a log that is on a page. Storm escapes it twice, which might be mended one day."""
    found = _PAGE.search(page)
    text = html.unescape(found[1]) if found else ""
    return (text if _PLAIN.search(text) else html.unescape(text)).encode()
