"""Packages that a topology needs: pip finds their wheels for the workers' Python and platform."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from stormcell.jar.entries import Entry
from stormcell.jar.fault import JarError, unreadable
from stormcell.jar.workers import LEGACY, Workers

__all__ = ["cache_folder", "wheel_files"]

SITE = "resources/stormcell/site-packages"

PIP = """
import json, sys
sys.path[:] = [entry for entry in sys.path if entry]  # nothing of the working directory's
from pip._vendor.packaging import markers
ours, theirs = markers.default_environment(), json.loads(sys.argv.pop(1))
markers.default_environment = lambda: {**ours, **theirs}
sys.argv[0] = "pip"
import runpy
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""pip takes the wheels of another Python, and yet decides by its own what is only needed `;
python_version < "3.11"`: it has to be told."""

OF_THIS_INSTALL = ("INSTALLER", "REQUESTED", "direct_url.json")
"""What pip notes of how and from where it has installed a package: another machine's differs."""

OLDEST_GLIBC = {"x86_64": 5, "i686": 5}
"""The first minor version that there are wheels for; 17 elsewhere."""


def wheel_files(requirements: Sequence[Path], workers: Workers, cache: bool = True) -> Iterator[Entry]:
    """The packages that these files ask for, unpacked.

    What was found for the same requirements, Python and platform before is taken again, if `cache`.
    Raises JarError.
    """
    kept = cache_folder() / "wheels" / _key(requirements, workers)
    if not (cache and kept.is_dir()):
        _install(requirements, workers, kept)
    for path in sorted(kept.rglob("*")):
        if path.is_file():
            yield Entry(f"{SITE}/{path.relative_to(kept).as_posix()}", path)


def cache_folder() -> Path:
    """Where this user's programs keep what they can get again."""
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(home if home and os.path.isabs(home) else Path.home() / ".cache") / "stormcell"


def _install(requirements: Sequence[Path], workers: Workers, kept: Path) -> None:
    """Have pip install them into a folder, which is there only once it is whole."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=kept.parent, prefix="part-"))
    except OSError as error:
        raise JarError(f"packages cannot be kept in {kept.parent} ($XDG_CACHE_HOME): "
                       f"{error.strerror}") from None
    try:
        _run_pip(requirements, workers, scratch / "site")
        _refuse_editable(requirements, scratch / "site")
        _tidy(scratch / "site")
        shutil.rmtree(kept, ignore_errors=True)
        os.replace(scratch / "site", kept)
    except OSError as error:
        if not kept.is_dir():  # or another build was faster
            raise JarError(f"packages cannot be kept in {kept}: {error.strerror}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


# ---- pip -----------------------------------------------------------------------------------------


def _run_pip(requirements: Sequence[Path], workers: Workers, target: Path) -> None:
    target.mkdir()
    command = [sys.executable, "-c", PIP, json.dumps(_markers(workers)), "install", "--quiet",
               "--disable-pip-version-check", "--no-input", "--no-compile", "--only-binary=:all:",
               f"--target={target}", *_wanted(workers)]
    for path in requirements:
        command += ["-r", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, "PIP_USER": "0",
                                                         "PIP_REQUIRE_VIRTUALENV": "0"})
    if done.returncode != 0:
        raise JarError(_why(requirements, workers, done.stderr))


def _wanted(workers: Workers) -> Iterator[str]:
    """The options that tell pip which wheels the workers can use."""
    assert workers.version is not None
    major, minor = workers.version
    yield from (f"--python-version={major}.{minor}", "--implementation=cp", f"--abi=cp{major}{minor}")
    yield from (f"--platform={name}" for name in platforms(workers))


def platforms(workers: Workers) -> list[str]:
    """All that a wheel for the workers may be called after, the best first: what an older glibc is enough
    for, and what was built without a thought of others."""
    machine, glibc = workers.machine, workers.glibc
    if glibc is None:
        return list(dict.fromkeys([*_musl(workers.platform), f"linux_{machine}"]))
    years = {number: name for name, number in LEGACY.items()}
    found = []
    for number in range(glibc, OLDEST_GLIBC.get(machine, 17) - 1, -1):
        found.append(f"manylinux_2_{number}_{machine}")
        if number in years:
            found.append(f"{years[number]}_{machine}")
    return [*found, f"linux_{machine}"]


def _musl(platform: str) -> Iterator[str]:
    """A platform with musl 1.x, and those with an earlier one; any other alone."""
    named = re.fullmatch(r"musllinux_1_(\d+)(_.+)", platform)
    for number in range(int(named[1]) if named else 0, 0, -1):
        yield f"musllinux_1_{number}{named[2]}" if named else ""
    if named is None:
        yield platform


def _markers(workers: Workers) -> dict[str, str]:
    """What pip has to believe of the interpreter that it works for."""
    assert workers.version is not None
    version = ".".join(map(str, workers.version))
    return {"python_version": version, "python_full_version": f"{version}.0",
            "implementation_name": "cpython", "implementation_version": f"{version}.0",
            "platform_python_implementation": "CPython",
            "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux",
            "platform_machine": workers.machine, "platform_release": "", "platform_version": ""}


def _why(requirements: Sequence[Path], workers: Workers, said: str) -> str:
    """What pip failed at, in one line."""
    which = ", ".join(map(str, requirements))
    if "No module named 'pip'" in said:
        return (f"{which}: packages are fetched by pip, which {sys.executable} does not have: "
                "python3 -m ensurepip, or apt-get install python3-pip")
    if "Retrying (" in said:
        return f"{which}: pip does not reach its index of packages: is there a network?"
    missing = re.search(r"No matching distribution found for (.+)", said)
    if missing:
        version = ".".join(map(str, workers.version or ()))
        return (f"{which}: pip finds no wheel of {missing[1]} for Python {version} on {workers.platform}: "
                "take a version that has one, build it (pip wheel) and name its folder in the file as "
                "--find-links, or pack an environment that has it with --venv")
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    last = (said.strip().splitlines() or ["pip gave no reason"])[-1]
    return f"{which}: {' '.join((errors or [last])[0].split())}"


# ---- what pip has installed ----------------------------------------------------------------------


def _refuse_editable(requirements: Sequence[Path], site: Path) -> None:
    """JarError: the code of a package stays where it is."""
    for note in sorted(site.glob("*.dist-info/direct_url.json")):
        found = json.loads(note.read_text(encoding="utf-8"))
        if found.get("dir_info", {}).get("editable"):
            raise JarError(f"{', '.join(map(str, requirements))}: {note.parent.name.partition('-')[0]} is "
                           "asked for as editable, and its code would stay here: name it without -e")


def _tidy(site: Path) -> None:
    """Leave out what depends on this machine: scripts with the path of this Python, and notes."""
    for record in sorted(site.glob("*.dist-info/RECORD")):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        for name in _scripts(lines):
            (site / "bin" / name).unlink(missing_ok=True)
        for name in OF_THIS_INSTALL:
            (record.parent / name).unlink(missing_ok=True)
        record.write_text("".join(line for line in lines if _is_kept(line, site)), encoding="utf-8")
    for cache in list(site.rglob("__pycache__")):
        shutil.rmtree(cache)


def _scripts(lines: list[str]) -> list[str]:
    """The names of the programs that came with a package."""
    return [match[1] for line in lines if (match := re.match(r'"?(?:\.\./)+bin/([^/,"]+)', line))]


def _is_kept(line: str, site: Path) -> bool:
    path = line.rpartition(",")[0].rpartition(",")[0].strip('"')
    return not path.startswith("../") and (site / path).exists()


# ---- what was found before -----------------------------------------------------------------------


def _key(requirements: Sequence[Path], workers: Workers) -> str:
    """The same for the same requirements."""
    digest = hashlib.sha256(repr((1, workers.version, workers.platform)).encode())
    for path in requirements:
        for part in _parts(path, frozenset()):
            digest.update(f"{len(part)} {part}".encode(errors="surrogateescape"))
    settings = sorted(item for item in os.environ.items() if item[0].startswith("PIP_"))
    digest.update(repr(settings).encode(errors="surrogateescape"))
    return digest.hexdigest()


def _parts(path: Path, above: frozenset[Path]) -> Iterator[str]:
    """All that a file of requirements says, and the files that it names."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError:
        raise JarError(f"{path} is no file of requirements: it is no UTF-8") from None
    yield text
    for word in re.split(r"[\s=]+", text):
        for named in {path.parent / word, Path(word)} if word else ():
            yield from _named(named, above | {path})


def _named(path: Path, above: frozenset[Path]) -> Iterator[str]:
    """A file or a folder beside the requirements, if a word of theirs is one."""
    try:
        if path.is_file() and path.suffix in (".txt", ".in") and path not in above:
            yield from _parts(path, above)
        elif path.is_file():
            yield _state(path)
        elif path.is_dir():
            yield from map(_state, sorted(path.rglob("*")))
    except (OSError, ValueError):
        return  # a word that is no path


def _state(path: Path) -> str:
    found = path.stat()
    return f"{path.name} {found.st_size} {found.st_mtime_ns}"
