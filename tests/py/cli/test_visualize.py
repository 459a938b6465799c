"""`stormcell visualize`: where the graph goes, and how it is drawn."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commanding import flow, refused, stormcell, write


def test_the_graph_goes_to_stdout(folder: Path) -> None:
    flow(folder)
    done = stormcell("visualize")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('digraph "Flow" {\n') and '"numbers" -> "bolt"' in done.stdout


def test_the_graph_goes_to_a_file(folder: Path) -> None:
    flow(folder)
    assert stormcell("visualize", "-o", "flow.dot").returncode == 0
    assert (folder / "flow.dot").read_text() == stormcell("visualize").stdout


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"),
                                             ("pdf", b"%PDF")])
def test_graphviz_itself_draws(folder: Path, kind: str, start: bytes) -> None:
    flow(folder)
    assert stormcell("visualize", "-o", f"flow.{kind}").returncode == 0
    assert (folder / f"flow.{kind}").read_bytes().startswith(start)


@pytest.fixture
def graphviz(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `dot` that writes down how it is called and what it is given; with FAILS, it fails."""
    script = write(folder, "bin/dot", """\
        #!/bin/sh
        if [ "$FAILS" ]; then echo "Error: no" >&2; echo "layout" >&2; exit 3; fi
        { echo "$1"; cat; } > "$3"
        """)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return script


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_graphviz_draws(folder: Path, graphviz: Path, kind: str) -> None:
    flow(folder)
    assert stormcell("visualize", "-o", f"flow.{kind}").returncode == 0
    first, rest = (folder / f"flow.{kind}").read_text().split("\n", 1)
    assert first == f"-T{kind}"
    assert rest == stormcell("visualize").stdout


def test_graphviz_that_fails_is_one_line(
        folder: Path, graphviz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow(folder)
    monkeypatch.setenv("FAILS", "1")
    assert refused("visualize", "-o", "flow.svg") == (
        "stormcell: Graphviz cannot draw flow.svg: Error: no layout")


def test_without_graphviz_there_is_a_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow(folder)
    monkeypatch.setenv("PATH", str(folder))
    assert refused("visualize", "-o", "flow.svg") == (
        "stormcell: Graphviz is needed for .svg (apt-get install graphviz); -o flow.dot does without")


@pytest.mark.parametrize("output, said", [
    ("flow.doc", "--output flow.doc: the name must end in .dot, .svg, .png, .pdf"),
    ("nowhere/flow.dot", "--output nowhere/flow.dot: No such file or directory"),
    ("topologies", "'topologies' is a directory"),
])
def test_an_output_that_is_none(folder: Path, output: str, said: str) -> None:
    flow(folder)
    assert said in refused("visualize", "-o", output)
