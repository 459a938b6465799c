"""What is known of the workers: their Python, and the platform that they are."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

from stormcell.jar.elf import MACHINES
from stormcell.jar.fault import JarError

__all__ = ["LEGACY", "Workers"]

OLDEST = (3, 10)

LEGACY = {"manylinux1": 5, "manylinux2010": 12, "manylinux2014": 17}
"""The platforms that are called after years, and the version 2.x of glibc that each stands for."""

PATIENCE = 30.0
"""How long a Python may take to tell its version, in seconds."""


@dataclass(frozen=True)
class Workers:
    """What a jar is built for.

    Attributes:
        python: the Python of the components, as a worker finds it; "" for any that it finds.
        version: that Python's, or None: it is not known.
        platform: as in the name of a wheel, "manylinux2014_x86_64".
    """

    python: str
    version: tuple[int, int] | None
    platform: str

    @classmethod
    def of(cls, python: str = "", platform: str | None = None,
           version: tuple[int, int] | None = None) -> Workers:
        """`python` is a version as in "3.11", a name, or a path; `platform` None is that of this machine.
        Raises JarError for what cannot be."""
        if re.fullmatch(r"\d+\.\d+", python):
            python = f"python{python}"
        version = version or _version(python)
        if version is not None and version < OLDEST:
            raise JarError(f"--python {python}: components need Python 3.10 or later")
        found = platform or this_platform()
        if not re.fullmatch(rf"(linux|manylinux\w+|musllinux\w+)_({'|'.join(MACHINES)})", found):
            raise JarError(f"--platform {found}: it is called as wheels are, manylinux2014_x86_64 or "
                           f"manylinux_2_28_aarch64, and the machine is one of {', '.join(MACHINES)}")
        return cls(python, version, found)

    def of_known_version(self, wheels: str) -> Workers:
        """The same, where the version has to be known for the sake of these requirements: without a word
        of it, that of this Python. JarError: it is neither said, nor to be found out here."""
        if self.version is not None:
            return self
        if self.python:
            raise JarError(f"{wheels}: wheels are for one version of Python, which --python {self.python} "
                           "does not tell here: give it as 3.11, or as a path that ends in python3.11")
        major, minor = sys.version_info[:2]
        return Workers(f"python{major}.{minor}", (major, minor), self.platform)

    @property
    def machine(self) -> str:
        return next(name for name in MACHINES if self.platform.endswith(f"_{name}"))

    @property
    def glibc(self) -> int | None:
        """The minor version of the glibc 2 that the platform promises, or None: it does not say."""
        kind = self.platform.removesuffix(f"_{self.machine}")
        if kind in LEGACY:
            return LEGACY[kind]
        numbers = re.fullmatch(r"manylinux_2_(\d+)", kind)
        return int(numbers[1]) if numbers else None


def this_platform() -> str:
    """The platform of this machine."""
    name, version = platform.libc_ver()
    machine = platform.machine()
    numbers = version.split(".")
    if name != "glibc" or len(numbers) < 2:
        return f"linux_{machine}"
    return f"manylinux_{numbers[0]}_{numbers[1]}_{machine}"


def _version(python: str) -> tuple[int, int] | None:
    """What the name tells, or else the program itself, if it is here."""
    named = re.search(r"(?:^|/)python(\d+)\.(\d+)$", python)
    if named:
        return int(named[1]), int(named[2])
    relative = "/" in python and not python.startswith("/")  # to where components run
    path = shutil.which(python) if python and not relative else None
    if path is None:
        return None
    code = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([path, "-I", "-S", "-c", code], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE, check=True)
        major, minor = done.stdout.split()
        return int(major), int(minor)
    except (OSError, subprocess.SubprocessError, ValueError):
        raise JarError(f"--python {python}: {path} does not start, or is no Python") from None

