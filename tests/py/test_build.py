"""What `pip install .` and CMake make of an interpreter: the right Python, its environment's
packages, and nothing else."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "cmake" / "python_facts.py"

# One worker runs all of this, so that what is installed is installed once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("build")]

PROBE = """
import json, sys
import stormcell, only_here

class Probe(stormcell.Bolt):
    def initialize(self, conf, ctx):
        found = [sys.version, sys.prefix, stormcell.__file__, only_here.__file__]
        self.log('probe:' + json.dumps(found))
"""


def clean_environment() -> dict[str, str]:
    """Without what leads to this tree's own build."""
    ours = ("PYTHON", "STORMCELL", "VIRTUAL_ENV", "CMAKE", "CFLAGS", "LDFLAGS")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def start(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
        **options,
    )


def run(*command: str | Path, **options: Any) -> str:
    done = start(*command, **options)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def facts() -> dict[str, str]:
    return dict(json.loads(run(sys.executable, "-I", FACTS)))


def configure(folder: Path, *options: str, python: str | Path = sys.executable) -> str:
    """What CMake says, on one line, when it prepares `folder` for building."""
    interpreter = f"-DPython_EXECUTABLE={python}"
    said = start("cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", interpreter, *options).stdout
    return " ".join(said.split())


def probe(folder: Path, *shim: str | Path) -> list[str]:
    """What PROBE finds when `shim` hosts it."""
    (folder / "probe.py").write_text(PROBE)
    context = {"taskid": 1, "componentid": "probe", "task->component": {"1": "probe"}}
    handshake = json.dumps({"conf": {}, "context": context, "pidDir": str(folder)})
    said = run(*shim, "probe.Probe", cwd=folder, input=f"{handshake}\nend\n")
    messages = [json.loads(line) for line in said.splitlines() if line != "end"]
    found = [m["msg"] for m in messages if str(m.get("msg")).startswith("probe:")]
    assert found, said
    return list(json.loads(found[0].removeprefix("probe:")))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An environment of the interpreter, with Stormcell and a package of its own."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    run(facts()["executable"], "-m", "venv", environment)
    run(environment / "bin" / "python", "-m", "pip", "install", "--quiet", ROOT)
    left = [*ROOT.glob("*.egg-info"), *ROOT.glob("pyapi/*.egg-info"), *ROOT.glob("build/lib*")]
    assert not left, "pip has left something in the tree"
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "only_here.py").touch()
    yield environment
    shutil.rmtree(environment)


def test_installed_shim_says_what_it_is(installed: Path) -> None:
    shim = shutil.which("stormcell-shim", path=str(installed / "bin"))
    assert shim, "no executable stormcell-shim in the environment's bin"
    said = run(shim, "--version")
    match = re.fullmatch(r"stormcell-shim (\S+), Python (\S+) \((static|shared)\) at (\S+)\n", said)
    assert match, said
    [metadata] = installed.glob("lib/python*/site-packages/stormcell-*.dist-info/METADATA")
    assert f"\nVersion: {match[1]}\n" in metadata.read_text()
    assert match[2] == platform.python_version()
    assert os.path.samefile(match[4], facts()["executable"])


def test_installed_shim_is_its_environments_python(installed: Path, tmp_path: Path) -> None:
    version, prefix, package, only_here = probe(tmp_path, installed / "bin" / "stormcell-shim")
    assert version == sys.version
    assert prefix == str(installed)
    assert package.startswith(str(installed))
    assert only_here.startswith(str(installed))


def test_installed_extension_is_its_environments_python(installed: Path, tmp_path: Path) -> None:
    version, prefix, *_ = probe(tmp_path, installed / "bin" / "python", "-m", "stormcell.run")
    assert (version, prefix) == (sys.version, str(installed))


def test_installed_command_makes_a_project_and_runs_it(installed: Path, tmp_path: Path) -> None:
    command = installed / "bin" / "stormcell"
    run(command, "quickstart", "words", cwd=tmp_path)
    assert (tmp_path / "words" / ".gitignore").exists()
    said = run(command, "run", "--tuples", "10", cwd=tmp_path / "words")
    assert said.endswith("nothing failed\n")
    assert f"in {installed}\n" in run(command, "doctor", cwd=tmp_path)


def test_installed_files_show_what_they_should(installed: Path) -> None:
    [module] = installed.glob("lib/python*/site-packages/_stormcell.*.so")
    exported = run("nm", "-D", "--defined-only", module).split()[2::3]
    assert exported == ["PyInit__stormcell"]
    # The executable shows Python's symbols to extension modules, and not our jansson's.
    shim = installed / "bin" / "stormcell-shim"
    exported = run("nm", "-D", "--defined-only", shim).split()[2::3]
    assert "PyUnicode_FromString" in exported or "libpython" in run("ldd", shim)
    assert not [name for name in exported if name.startswith(("json_", "frame_"))]


def test_installed_runner_is_whole(installed: Path) -> None:
    """What a topology takes along to its workers, whose Python is not known."""
    [runner] = installed.glob("lib/python*/site-packages/stormcell/runner")
    assert sorted(path.name for path in runner.iterdir()) == ["_stormcell.abi3.so", "start", "stormcell-shim"]
    assert os.access(runner / "stormcell-shim", os.X_OK), "the x bit is lost"
    assert "Python 3.10 or newer" in run(runner / "stormcell-shim", "--version")
    assert "libpython" not in run("ldd", runner / "stormcell-shim") + run("ldd", runner / "_stormcell.abi3.so")
    exported = run("nm", "-D", "--defined-only", runner / "_stormcell.abi3.so").split()[2::3]
    assert exported == ["PyInit__stormcell"]


@pytest.mark.parametrize("link", ["static", "shared"])
def test_cmake_install_keeps_the_interpreter(link: str, tmp_path: Path) -> None:
    """An executable that loses its way to libpython may start, with another Python's."""
    build, prefix = tmp_path / "build", tmp_path / "prefix"
    said = configure(build, f"-DSTORMCELL_LINK={link}")
    if f"No libpython (STORMCELL_LINK={link})" in said:
        pytest.skip(f"this Python has no {link} library")
    run("cmake", "--build", build)
    run("cmake", "--install", build, "--prefix", prefix)
    shutil.rmtree(build)
    run(facts()["executable"], "-m", "venv", "--without-pip", tmp_path / "venv")
    [packages] = (tmp_path / "venv").glob("lib/python*/site-packages")
    (packages / "prefix.pth").write_text(str(next(prefix.glob("lib/python*/site-packages"))))
    (packages / "only_here.py").touch()
    shim = prefix / "bin" / "stormcell-shim"
    assert f"({link})" in run(shim, "--version")
    version, *_ = probe(tmp_path, "env", f"VIRTUAL_ENV={tmp_path / 'venv'}", shim)
    assert version == sys.version


def impostor(folder: Path, **lies: str) -> Path:
    """A `python` that tells the build other facts than the running interpreter's."""
    (folder / "facts.json").write_text(json.dumps(facts() | lies))
    python = folder / "python"
    python.write_text(f"#!/bin/sh\ncat '{folder}/facts.json'\n")
    python.chmod(0o755)
    return python


def test_archive_that_does_not_link_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "libpython.a").write_bytes(b"!<arch>\n")
    python = impostor(tmp_path, archive=str(tmp_path / "libpython.a"))
    said = configure(tmp_path / "build", "-DSTORMCELL_LINK=static", python=python)
    assert "No libpython (STORMCELL_LINK=static)" in said
    assert "trial.log" in said


def test_library_of_another_python_is_not_taken(tmp_path: Path) -> None:
    python = impostor(tmp_path, identity="another 3.11")
    assert "No libpython (STORMCELL_LINK=auto)" in configure(tmp_path / "build", python=python)


def test_old_python_is_refused(tmp_path: Path) -> None:
    said = configure(tmp_path / "build", python=impostor(tmp_path, version="3.9.2"))
    assert re.search(r"Stormcell needs Python 3\.10 or newer: \S+ is 3\.9\.2", said)


def test_missing_jansson_names_its_package(tmp_path: Path) -> None:
    header = run("cc", "-E", "-include", "jansson.h", "-xc", "/dev/null")
    folder = re.search(r'"(\S+)/jansson\.h"', header)
    assert folder
    said = configure(tmp_path / "build", f"-DCMAKE_IGNORE_PATH={folder[1]}")
    assert "jansson is missing: apt-get install libjansson-dev" in said


def test_missing_headers_name_their_package(tmp_path: Path) -> None:
    said = configure(tmp_path / "build", f"-DCMAKE_IGNORE_PATH={sysconfig.get_path('include')}")
    assert "has no Python.h: apt-get install python3-dev" in said
