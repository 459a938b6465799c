"""The pytest plugin, and that docs/testing.md shows what works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from parent import ROOT, SHIM

pytest_plugins = ["pytester"]

PLUGIN = "stormcell.testing.plugin"

FAILING = """
from stormcell import Bolt
from stormcell.testing import run_bolt

class Divides(Bolt):
    def process(self, tup):
        self.emit([1 // tup.values[0]])

def test_passes():
    assert run_bolt(Divides, [[0]]).errors

def test_fails():
    assert run_bolt(Divides, [[1], [0]]).values() == [[1], [0]]

def test_fails_otherwise():
    assert False
"""


FINDS = """
import pytest
from stormcell.spec import TopologyError

def test_finds(topology_runner):
    with pytest.raises(TopologyError, match="empty.py: it defines no topology"):
        topology_runner("topologies/empty.py")
    with pytest.raises(TopologyError, match="there is no topology file .*/none.py"):
        topology_runner("topologies/none.py")
"""


def test_errors_are_shown_where_a_test_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    result = pytester.runpytest_inprocess("-p", PLUGIN)
    result.assert_outcomes(passed=1, failed=2)
    shown = "errors that components reported"
    assert result.stdout.str().count(shown) == 1
    result.stdout.fnmatch_lines(
        ["*_ test_fails _*", f"*{shown} call*", "*values=(0,)*", "ZeroDivisionError: *"]
    )


def test_the_fixture_is_told_of(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("-p", PLUGIN, "--fixtures")
    result.stdout.fnmatch_lines(["topology_runner*", "*runs a topology on the local engine*"])


def test_a_topology_s_file_is_found_from_any_directory(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]")
    pytester.makepyfile(**{"topologies/empty.py": "", "tests/test_it.py": FINDS})
    monkeypatch.chdir(pytester.path / "tests")
    pytester.runpytest_inprocess("-p", PLUGIN).assert_outcomes(passed=1)


def test_it_is_named_in_the_package() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"stormcell": PLUGIN}


def test_the_examples_of_the_page(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORMCELL_SHIM", SHIM)
    monkeypatch.setenv("STORMCELL_ENGINE", str(Path(SHIM).with_name("stormcell-engine")))
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    files: dict[str, str] = {}
    name = ""
    for block in blocks:  # one that names no file goes on with the last one
        named = re.match(r"# (\S+\.py)\n", block)
        name = named[1] if named else name
        files[name] = files.get(name, "") + "\n\n" + block
    assert sorted(files) == ["src/words.py", "tests/test_words.py"]
    for path, text in files.items():
        (pytester.path / path).parent.mkdir()
        (pytester.path / path).write_text(text, encoding="utf-8")
    result = pytester.runpytest_inprocess("-p", PLUGIN, "-o", "pythonpath=src", "tests")
    result.assert_outcomes(passed=len(re.findall(r"^def test_", files[name], re.MULTILINE)))
