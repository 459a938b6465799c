"""What native files say of the machine that they are for."""

from __future__ import annotations

import re

__all__ = ["MACHINES", "glibc_of", "machine_of"]

MACHINES = {"x86_64": 62, "aarch64": 183, "i686": 3, "armv7l": 40, "ppc64le": 21, "s390x": 22, "riscv64": 243}
"""The machines that a platform may end in, and their numbers in files."""

BIG_ENDIAN = 2


def machine_of(content: bytes) -> str | None:
    """The machine of an executable or a library by its first 20 bytes: a number in words where it is none
    of MACHINES, or None: they begin neither."""
    if len(content) < 20 or content[:4] != b"\x7fELF":
        return None
    number = int.from_bytes(content[18:20], "big" if content[5] == BIG_ENDIAN else "little")
    return next((name for name, known in MACHINES.items() if known == number), f"machine {number}")


def glibc_of(content: bytes) -> int:
    """The least minor version of glibc 2 that has all the symbols it asks for; 0: any has."""
    return max((int(number) for number in re.findall(rb"\0GLIBC_2\.(\d+)", content)), default=0)
