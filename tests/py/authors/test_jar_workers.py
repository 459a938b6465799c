"""What is said of the workers, and what follows from it."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from stormcell.jar import JarError
from stormcell.jar.wheels import platforms
from stormcell.jar.workers import Workers

HERE = (sys.version_info[0], sys.version_info[1])


@pytest.mark.parametrize(("given", "python", "version"), [
    ("", "", None), ("3.11", "python3.11", (3, 11)), ("python3.13", "python3.13", (3, 13)),
    ("/opt/x/bin/python3.12", "/opt/x/bin/python3.12", (3, 12)), ("/no/such/python", "/no/such/python", None),
    (sys.executable, sys.executable, HERE), ("../venv/bin/python3", "../venv/bin/python3", None)])
def test_pythons(given: str, python: str, version: tuple[int, int] | None) -> None:
    workers = Workers.of(given)
    assert (workers.python, workers.version) == (python, version)


def test_a_python_beside_the_components_is_not_sought_here(tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    """What ../venv is here has nothing to do with what it is there."""
    python = tmp_path / "venv" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert Workers.of("../venv/bin/python3").version is None
    with pytest.raises(JarError, match=f"--python {python}: {python} does not start, or is no Python"):
        Workers.of(str(python))


@pytest.mark.parametrize("python", ["2.7", "3.9", "/usr/bin/python3.8"])
def test_pythons_that_are_too_old(python: str) -> None:
    with pytest.raises(JarError, match="components need Python 3.10 or later"):
        Workers.of(python)


def test_a_version_that_has_to_be_known() -> None:
    assert Workers.of("3.12").of_known_version("r.txt").python == "python3.12"
    assert Workers.of().of_known_version("r.txt").python == "python{}.{}".format(*HERE)
    with pytest.raises(JarError) as caught:
        Workers.of("/opt/python").of_known_version("r.txt")
    assert str(caught.value) == ("r.txt: wheels are for one version of Python, which --python /opt/python "
                                 "does not tell here: give it as 3.11, or as a path that ends in python3.11")


def test_this_machine() -> None:
    workers = Workers.of()
    assert workers.machine == platform.machine()
    assert f"2.{workers.glibc}" == platform.libc_ver()[1]


@pytest.mark.parametrize("name", [
    "x86_64", "win_amd64", "manylinux2014", "manylinux2014_vax", "macosx_11_0_arm64"])
def test_platforms_that_are_none(name: str) -> None:
    with pytest.raises(JarError, match=f"--platform {name}: it is called as wheels are"):
        Workers.of("", name)


def test_which_wheels_a_platform_takes() -> None:
    assert platforms(Workers.of("", "manylinux2014_x86_64")) == [
        "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_16_x86_64", "manylinux_2_15_x86_64",
        "manylinux_2_14_x86_64", "manylinux_2_13_x86_64", "manylinux_2_12_x86_64", "manylinux2010_x86_64",
        "manylinux_2_11_x86_64", "manylinux_2_10_x86_64", "manylinux_2_9_x86_64", "manylinux_2_8_x86_64",
        "manylinux_2_7_x86_64", "manylinux_2_6_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64",
        "linux_x86_64"]
    assert platforms(Workers.of("", "manylinux_2_18_aarch64")) == [
        "manylinux_2_18_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64"]
    assert platforms(Workers.of("", "musllinux_1_2_x86_64")) == [
        "musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "linux_x86_64"]
    assert platforms(Workers.of("", "linux_armv7l")) == ["linux_armv7l"]
