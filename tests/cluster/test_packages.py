"""What a topology brings along arrives: packages in its jar, and a whole environment as a blob."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storm import Storm
from submitting import TOPOLOGIES, Submitted, ask, clear, eventually, ids, kill, submit
from wheels import make_wheel

PACKAGE = """\
from animals import native
def words():
    return [native.word(), __name__]
"""

NATIVE = """\
#define Py_LIMITED_API 0x030a0000
#include <Python.h>

static PyObject *
word(PyObject *module, PyObject *nothing)
{
    return PyUnicode_FromString("elephant");
}

static PyMethodDef methods[] = {{"word", word, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "native", .m_methods = methods};

PyMODINIT_FUNC
PyInit_native(void)
{
    return PyModule_Create(&definition);
}
"""

WORDS = ["elephant", "animals"]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels: `animals`, of Python, needs `animals_native`, a module in C for this machine."""
    folder = tmp_path_factory.mktemp("wheels")
    library = folder / "native.abi3.so"
    source = folder / "native.c"
    source.write_text(NATIVE)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, "-I", sysconfig.get_path("include"), source], check=True)
    make_wheel(folder, "animals", {"animals/__init__.py": PACKAGE}, needs=("animals_native",))
    make_wheel(folder, "animals_native", {"animals/native.abi3.so": library.read_bytes()},
               tag=f"cp310-abi3-{sysconfig.get_platform().replace('-', '_')}")
    return folder


@pytest.fixture(scope="module")
def environment(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with both installed, and no pip of its own: it would be sent as well."""
    folder = tmp_path_factory.mktemp("environment") / "workers"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    subprocess.run([sys.executable, "-m", "pip", "--python", folder / "bin" / "python3", "install", "-q", "--no-index",
                    "--find-links", wheels, "animals"], check=True, stdin=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def submitted(cluster: Storm, wheels: Path, environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[
        dict[str, Submitted]]:
    """The topology `telling` twice, which start at the same time: with --requirements, and with --venv."""
    clear(cluster)
    requirements = wheels / "requirements.txt"
    requirements.write_text(f"--no-index\n--find-links {wheels}\nanimals\n")
    found = {}
    for name, given in {"requirements": requirements, "venv": environment}.items():
        folder = tmp_path_factory.mktemp(name)
        done = send(cluster, name, folder, given)
        assert done.returncode == 0, done
        found[name] = Submitted(cluster, name, ids(cluster)[name], folder)
    yield found
    clear(cluster)


def send(cluster: Storm, name: str, folder: Path, given: Path) -> subprocess.CompletedProcess[str]:
    """Submit the topology with the option of that name."""
    return submit(cluster, TOPOLOGIES / "telling.py", "-N", name, "-a", "0", f"--{name}", given, "-o",
                  f"test.folder={folder}", XDG_CACHE_HOME=str(folder / "cache"))


def told(one: Submitted) -> dict[str, Any]:
    """What its component has told."""
    eventually((one.folder / "told").exists, f"nothing is heard of {one.name}")
    found: dict[str, Any] = json.loads((one.folder / "told").read_text())
    return found


def test_packages_come_in_the_jar(submitted: dict[str, Submitted]) -> None:
    """If it fails: what `--requirements` brings is not found by a component, or its native files do not load."""
    found = told(submitted["requirements"])
    assert found["words"] == WORDS
    resources = Path(found["resources"])
    assert resources.is_relative_to(submitted["requirements"].storm.home / "local" / "supervisor")
    assert all(Path(found[name]).is_relative_to(resources) for name in ("package", "native")), found


def test_an_environment_comes_as_a_blob(submitted: dict[str, Submitted], environment: Path) -> None:
    """If it fails: a component runs with another Python than the one of `--venv`, or with packages from elsewhere."""
    found = told(submitted["venv"])
    assert found["words"] == WORDS
    prefix = Path(found["prefix"])
    assert prefix.is_relative_to(submitted["venv"].storm.home / "local" / "supervisor"), found
    assert all(Path(found[name]).is_relative_to(prefix) for name in ("package", "native")), found
    [interpreter] = (prefix / "bin").glob("python3")
    assert os.readlink(interpreter) == os.readlink(environment / "bin" / "python3")
    assert found["python"] == os.path.realpath(environment / "bin" / "python3")
    assert os.path.realpath(sys.base_prefix) == found["base"]


def test_the_blob_stays_and_is_not_sent_again(cluster: Storm, submitted: dict[str, Submitted],
                                              environment: Path) -> None:
    """If it fails: an environment of hundreds of megabytes is sent each time, or the next start lacks it."""
    [key] = submitted["venv"].conf()["topology.blobstore.map"]
    kill(cluster, "venv")
    assert ask(cluster, "getBlobMeta", key)
    done = send(cluster, "venv", submitted["venv"].folder, environment)
    assert done.returncode == 0, done
    assert f"{key}: the cluster has it already" in done.stdout and f"sending {key}" not in done.stdout
