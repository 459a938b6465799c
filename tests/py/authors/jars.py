"""For the tests of jars: native files that only look like some, projects, and what is in a jar."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from stormcell.jar import Jar, build_jar
from stormcell.load import folders, load

COMPONENTS = """
    from stormcell import Bolt, Spout

    class Numbers(Spout):
        outputs = ["number"]
        def next_tuple(self):
            self.emit([1])

    class Pass(Bolt):
        outputs = ["number"]
        def process(self, tup):
            self.emit(tup.values)
    """

TOPOLOGY = """
    from stormcell import Topology
    from components import Numbers, Pass

    class Flow(Topology):
        numbers = Numbers.spec()
        passed = Pass.spec(inputs=[numbers])
    """

ABI3 = "_stormcell.abi3.so"


def fake_runner(folder: Path, machine: int = 62, modules: tuple[str, ...] = (ABI3,),
                glibc: str = "2.17") -> Path:
    """A folder of files with ELF's header and a wish for glibc, which is what is looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("stormcell-shim", *modules):
        (folder / name).write_bytes(fake_elf(machine, glibc))
    return folder


def fake_elf(machine: int, glibc: str = "2.17", big: bool = False) -> bytes:
    order, code = (2, ">") if big else (1, "<")
    header = b"\x7fELF" + bytes([2, order]) + bytes(10) + struct.pack(f"{code}HH", 2, machine)
    return header.ljust(64, b"\0") + f"\0GLIBC_{glibc}\0GLIBC_2.2.5\0".encode()


def build(file: Path, path: Path, **choices: object) -> Jar:
    """The jar of the topology that a file defines."""
    return build_jar(path, load(file), folders(file)[0], **choices)  # type: ignore[arg-type]


def names(jar: Jar) -> list[str]:
    """Its files but those of the package, without what all of their names begin with."""
    with zipfile.ZipFile(jar.path) as archive:
        found = [name.removeprefix("resources/") for name in archive.namelist()]
    return [name for name in found
            if not name.startswith(("stormcell/", "_stormcell", "META-INF/MANIFEST"))]
