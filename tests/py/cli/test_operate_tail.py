"""`stormcell tail`: logs as files, and from a server that answers as Storm's logviewer does."""

from __future__ import annotations

import contextlib
import gzip
import html
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from commanding import COMMAND, PATIENCE, refused, stormcell, write
from nimbus_standin import Standin
from stormcell.operate.logs import BLOCK, FileLog, Files, Filter, Log, Viewer, WebLog
from terminals import CTRL_C, terminal

ID = "words-1-1795700000"


def everything(lines: object) -> list[str]:
    return list(lines)  # type: ignore[call-overload, no-any-return]


class Logviewer(BaseHTTPRequestHandler):
    """What LogviewerResource and LogviewerLogPageHandler of Storm 2 do, for the folder `artifacts`."""

    artifacts: Path
    refuses = ""
    escapes = 2

    def do_GET(self) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        if self.refuses:
            self._answer(403, f"<body><h2>{self.refuses}</h2></body>")
        elif urlsplit(self.path).path == "/api/v1/searchLogs":
            self._answer(200, json.dumps(sorted(str(path.relative_to(self.artifacts))
                                                for path in (self.artifacts / query["topoId"]).glob("*/*"))))
        else:
            self._page(self.artifacts / query["file"], query)

    def _page(self, path: Path, query: dict[str, str]) -> None:
        if not path.is_file():
            return self._answer(404, "Page not found")
        data, length = path.read_bytes(), min(10485760, int(query.get("length", 51200)))
        # Without a start it is the end of the log; both reckoned as Storm does.
        start = int(query["start"]) if "start" in query else len(data) - length
        if start >= len(data):
            return self._answer(400, "Cannot start past the end of the file")
        text = data[max(0, start):][:length].decode("utf-8", "replace")
        text = re.sub("[^\x00-\x7f]", lambda found: f"&#{ord(found[0])};", html.escape(text).replace("&#x27;", "'"))
        if self.escapes == 2:
            text = html.escape(text)
        following = min(max(0, len(data) - length), start + length)
        link = f'<a href="/api/v1/log?file=x&amp;start={following}&amp;length={length}" class="btn">Next</a>'
        self._answer(200, f'<html><body><div>{link}</div><pre class="logContent">{text}</pre>{link}</body></html>')

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def artifacts(folder: Path) -> Path:
    return folder / "logs" / "workers-artifacts"


@contextlib.contextmanager
def logviewer(artifacts: Path, **how: object) -> Iterator[int]:
    handler = type("Handler", (Logviewer,), {"artifacts": artifacts, **how})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(params=["file", "logviewer", "logviewer that escapes once"])
def log(request: pytest.FixtureRequest, artifacts: Path) -> Iterator[Log]:
    """The log 6700/worker.log, by one way or the other."""
    path = artifacts / ID / "6700" / "worker.log"
    path.parent.mkdir(parents=True)
    if request.param == "file":
        yield FileLog("6700", path)
    else:
        with logviewer(artifacts, escapes=1 if "once" in request.param else 2) as port:
            yield WebLog("6700", Viewer("127.0.0.1", port, 10), f"{ID}/6700/worker.log")


@pytest.fixture
def path(artifacts: Path) -> Path:
    return artifacts / ID / "6700" / "worker.log"


# ---- a log ----

def test_a_log_that_is_not_there_yet(log: Log, path: Path) -> None:
    assert log.last(5, everything) == []
    assert log.news() == []
    path.write_text("")
    assert log.last(5, everything) == log.news() == []
    path.write_text("first\n")
    assert log.news() == ["first"]


def test_the_last_lines_and_then_what_comes(log: Log, path: Path) -> None:
    path.write_text("one\ntwo\nthree\n")
    assert log.last(2, everything) == ["two", "three"]
    assert log.news() == []
    with path.open("a") as file:
        file.write("four\nfi")
        file.flush()
        assert log.news() == ["four"]
        file.write("ve\n")
    assert log.news() == ["five"]
    assert log.news() == []


def test_a_last_line_that_is_not_whole(log: Log, path: Path) -> None:
    path.write_text("one\ntw")
    assert log.last(2, everything) == ["one", "tw"]
    with path.open("a") as file:
        file.write("o\n")
    assert log.news() == ["two"]


def test_what_html_would_change(log: Log, path: Path) -> None:
    line = """<b> & "quoted" 'text' &lt; &amp;lt; größe 词语 🐕 <pre class="logContent">x</pre> a=b?start=3">Next<"""
    path.write_text(f"{line}\n{line}\n", encoding="utf-8")
    assert log.last(1, everything) == [line]
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\nnext\n")
    assert log.news() == [line, "next"]
    assert log.news() == []


def test_control_sequences_do_not_reach_the_terminal(log: Log, path: Path) -> None:
    path.write_bytes(b"\x1b[2Jred\x07\tx\r\n")
    assert log.last(1, everything) == ["[2Jred\tx"]


def test_few_lines_of_a_long_log(log: Log, path: Path) -> None:
    path.write_text("".join(f"line {n} {'x' * 50}\n" for n in range(20_000)))
    assert [line.split()[1] for line in log.last(3, everything)] == ["19997", "19998", "19999"]
    wanted = Filter(grep=re.compile(r"^line [12]00 "))
    assert [line.split()[1] for line in log.last(3, wanted)] == ["100", "200"]
    assert log.news() == []
    with path.open("a") as file:
        file.write("y" * (3 * BLOCK) + "\nend\n")
    assert [len(line) for line in log.news()] == [3 * BLOCK, 3]


def test_a_log_that_is_begun_anew(log: Log, path: Path) -> None:
    path.write_text("old line one\nold line two\n")
    assert log.last(1, everything) == ["old line two"]
    path.rename(path.with_name("worker.log.1"))
    path.write_text("new\n")
    assert log.news() == ["new"]
    assert log.news() == []


def test_what_a_file_got_before_it_was_put_aside(artifacts: Path, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("one\n")
    log = FileLog("6700", path)
    assert log.last(1, everything) == ["one"]
    with path.open("a") as file:
        file.write("two\n")
    path.rename(path.with_name("worker.log.1"))
    assert log.news() == ["two"]
    # log4j2 packs it, and has the next file later than that.
    path.with_name("worker.log.1.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    path.with_name("worker.log.1").unlink()
    assert log.news() == []
    path.write_text("three, longer than what was there before\n")
    assert log.news() == ["three, longer than what was there before"]


# ---- which lines ----

def test_the_entries_of_a_component() -> None:
    wanted = Filter("counts")
    lines = [
        "2026-11-26 13:48:20.001 o.a.s.t.ShellBolt Thread-23 [INFO] ShellLog pid:9, name:counts first",
        "  of two lines",
        "2026-11-26 13:48:20.002 o.a.s.t.ShellBolt Thread-23 [INFO] ShellLog pid:9, name:counts2 another's",
        "  of two lines",
        "13:48:20.003 o.a.s.t.ShellBolt Thread-23 [INFO] ShellLog pid:9, name:counts second",
        "2026-11-26 13:48:20.004 o.a.s.d.Worker main [INFO] name:counts is not what says it"]
    assert wanted(lines[:1]) + wanted(lines[1:]) == [lines[0], lines[1], lines[4]]


# ---- the command ----

def logged(folder: Path, *lines: str, port: int = 6700, name: str = "worker.log") -> Path:
    return write(folder, f"logs/workers-artifacts/{ID}/{port}/{name}", "".join(f"{line}\n" for line in lines))


def said(*arguments: str) -> list[str]:
    done = stormcell("tail", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_each_line_says_whose_it_is(nimbus: Standin, folder: Path) -> None:
    nimbus.run("words")
    logged(folder, "a", "b")
    logged(folder, "c", port=6701)
    logged(folder, "err", name="worker.log.err")
    assert said("words", "--logs", "logs", "-l", "1") == ["6700 b", "6701 c"]
    assert said("-n", "words", "--logs", "logs", "--grep", "a|c") == ["6700 a", "6701 c"]
    assert said("words", "--logs", "logs", "--pattern", "00/.*err$") == ["6700 worker.log.err err"]


def test_files_of_several_hosts(folder: Path) -> None:
    """If it fails, one looks for a component on the wrong machine."""
    logged(folder, "a")
    logged(folder, "b", port=6702)
    found = Files(folder / "logs", ID, None, {6700: "127.0.0.1", 6702: "127.0.0.2"}).find()
    assert [opened().label for _, opened in found] == ["127.0.0.1:6700", "127.0.0.2:6702"]


ONE_HOST = [("127.0.0.1", 6700), ("127.0.0.1", 6701)]


def test_from_the_logviewer(nimbus: Standin, folder: Path) -> None:
    nimbus.run("words", workers=ONE_HOST)
    logged(folder, "a", "b")
    logged(folder, "c", port=6701)
    with logviewer(folder / "logs" / "workers-artifacts") as port:
        expected = ["127.0.0.1:6700 b", "127.0.0.1:6701 c"]
        assert said("words", "-l", "1", "--logviewer", str(port)) == expected
        nimbus.settings["logviewer.port"] = port
        assert said("words", "-l", "1") == expected


def test_no_logviewer(nimbus: Standin) -> None:
    nimbus.run("words")
    assert refused("tail", "words", "--logviewer", "1") == (
        "stormcell: no logviewer answers at 127.0.0.1:1: connection refused; it is `storm logviewer` on each host, "
        "or --logs names a folder of logs")


def test_one_host_has_no_logviewer(nimbus: Standin, folder: Path) -> None:
    nimbus.run("words")
    logged(folder, "a")
    with logviewer(folder / "logs" / "workers-artifacts") as port:
        done = stormcell("tail", "words", "--logviewer", str(port))
    assert (done.returncode, done.stdout) == (0, "127.0.0.1:6700 a\n")
    assert done.stderr == f"stormcell tail: no logviewer answers at 127.0.0.2:{port}: connection refused\n"


def test_a_logviewer_that_refuses(nimbus: Standin, folder: Path) -> None:
    nimbus.run("words", workers=ONE_HOST)
    with logviewer(folder, refuses="User 'null' is not authorized.") as port:
        assert refused("tail", "words", "--logviewer", str(port)) == (
            f"stormcell: the logviewer at 127.0.0.1:{port} refuses: User 'null' is not authorized.")


def test_no_logs_yet(nimbus: Standin, folder: Path) -> None:
    nimbus.run("words")
    (folder / "logs").mkdir()
    assert refused("tail", "words", "--logs", "logs") == (
        "stormcell: words has no log yet: its workers may still be starting")


@pytest.mark.parametrize("option", ["--grep", "--pattern"])
def test_an_expression_that_is_none(nimbus: Standin, option: str) -> None:
    assert f"Invalid value for '{option}': '(' is no regular expression: " in refused("tail", "x", option, "(")


@pytest.mark.parametrize("how", ["files", "logviewer"])
def test_following(nimbus: Standin, folder: Path, how: str) -> None:
    nimbus.run("words", workers=ONE_HOST)
    path = logged(folder, "first", "second")
    with contextlib.ExitStack() as stack:
        where, label = ["--logs", "logs"], ""
        if how == "logviewer":
            port = stack.enter_context(logviewer(folder / "logs" / "workers-artifacts"))
            where, label = ["--logviewer", str(port)], "127.0.0.1:"
        process = stack.enter_context(following("words", "-l", "1", *where))
        assert process.stdout is not None
        assert process.stdout.readline() == f"{label}6700 second\n"
        os.rename(path, f"{path}.1")
        path.write_text("anew\n")
        assert process.stdout.readline() == f"{label}6700 anew\n"
        logged(folder, "of a worker", "that has come", port=6701)
        assert [process.stdout.readline(), process.stdout.readline()] == [
            f"{label}6701 of a worker\n", f"{label}6701 that has come\n"]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stdout.read() == ""


def test_following_ends_with_the_topology(nimbus: Standin, folder: Path) -> None:
    nimbus.run("words")
    logged(folder, "first")
    with following("words", "--logs", "logs") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "6700 first\n"
        logged(folder, "first", "last")
        nimbus.topologies.clear()
        assert process.stdout.readlines() == ["6700 last\n", "words is gone\n"]
        assert process.wait(PATIENCE) == 0


def following(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, "tail", "-f", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def test_colors_in_a_terminal(nimbus: Standin, folder: Path) -> None:
    nimbus.run("words")
    logged(folder, "13:48:20.001 a Thread-1 [ERROR] bad")
    with terminal("tail", "words", "-f", "--logs", "logs") as seen:
        seen.until("[ERROR] bad")
        seen.press(CTRL_C)
        assert seen.finish() == 0
    assert "\x1b[36m6700\x1b[0m \x1b[31m13:48" in seen.raw
