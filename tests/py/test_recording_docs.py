"""What docs/recording.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from stormcell.recording import Part, load, parse

from starting import Start
from jvm import Topology
from parent import ROOT, Parent
from test_replay import replay

PAGE = (ROOT / "docs" / "recording.md").read_text(encoding="utf-8")
CONTEXT = ("taskid", "componentid", "task->component", "stream->outputfields", "source->stream->fields")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def counter(start: Start, tmp_path: Path) -> Parent:
    """The session that the page tells of, which has ended."""
    (tmp_path / "count.py").write_text(blocks("python")[0])
    topology = Topology(
        name="count",
        outputs={"default": ["word", "count"]},
        targets={},
        conf={"stormcell.record": "rec"},
    )
    parent = start("", "count.WordCounter", topology=topology)
    for id, word in ("101", "dog"), ("102", "cat"), ("103", "dog"):
        parent.send(word, id=id)
        parent.expect("ack")
    assert parent.finish() == 0
    return parent


def test_the_difference_is_the_one_that_is_shown(counter: Parent) -> None:
    file = counter.folder / "count.py"
    file.write_text(file.read_text().replace("self.counts[word] += 1", "self.counts[word] = 1"))
    assert "`self.counts[word] = 1`" in PAGE
    done = replay(counter, file=Path("rec/count-4.rec"))
    [shown] = blocks("console")
    command, output = shown.split("\n", 1)
    assert command == "$ stormcell replay rec/count-4.rec"
    when = r"\(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC\)"
    assert re.sub(when, "", done.stdout) == re.sub(when, "", output)
    assert (done.returncode, done.stderr) == (1, "")


def outline(part: Part) -> list[object]:
    """Of the first messages, what does not differ from run to run; of the handshake, what is shown."""
    context = {key: part.handshake["context"].get(key) for key in CONTEXT[:2]}
    return [part.component, part.goes_on, context] + [
        (record.kind, record.message()) for record in part.records[1:4]
    ]


def test_the_format_is_the_one_that_is_shown(counter: Parent) -> None:
    [text] = blocks("text")
    shown = parse(text.encode(), "the page")
    assert shown.cuts == []
    [part] = shown.parts
    [real] = load(counter.folder / "rec" / "count-4.rec").parts
    assert outline(part) == outline(real)
    assert part.handshake.keys() == real.handshake.keys()
    assert list(part.handshake["context"]) == list(CONTEXT)


def test_the_program_works(counter: Parent, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(counter.folder)
    exec(compile(blocks("python")[1], "program.py", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 3
    assert lines[3].endswith("{'command': 'ack', 'id': '103'}]")


def test_the_words_for_secrets_are_all_there() -> None:
    listed = PAGE.split("between the letters: ")[1].split(" (ZooKeeper's)")[0]
    words = (ROOT / "shim" / "redact.c").read_text().split("words[] = {")[1].split("}")[0]
    assert re.findall(r"`(\w+)`", listed) == re.findall(r'"(\w+)"', words)


def test_the_settings_are_the_ones_that_are_read() -> None:
    source = (ROOT / "shim" / "record.c").read_text()
    assert set(re.findall(r'"(stormcell\.record[a-z.]*)"', source)) == {
        "stormcell.record",
        "stormcell.record.max.bytes",
    } == set(re.findall(r"^\| `(stormcell\.[a-z.]+)`", PAGE, re.MULTILINE))
    assert "BYTES_DEFAULT = 64 << 20;" in source and f"{64 << 20} (64 MiB)" in PAGE
