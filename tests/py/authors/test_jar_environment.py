"""An environment as a blob: it starts from where it was unpacked, and is refused if it would not."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

from jars import COMPONENTS, TOPOLOGY, build, fake_elf, fake_runner
from projects import Write
from stormcell.jar import Environment, JarError
from stormcell.jar.workers import Workers

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An environment with a package that has a module, a program and a script."""
    root = tmp_path / "made"
    venv.create(root, symlinks=True)
    site = root / "lib" / VERSION / "site-packages"
    (site / "words").mkdir()
    (site / "words" / "__init__.py").write_text("dog = 'dog'\n")
    (site / "words" / "__pycache__").mkdir()
    (site / "words" / "__pycache__" / "x.pyc").write_bytes(b"")
    (site / "words" / "link.py").symlink_to(site / "words" / "__init__.py")
    (site / "paths.pth").write_text("# none\nimport sys\n./words\n/not/there\n")
    _program(root / "bin" / "words-tool", f"#!{root}/bin/python3\n")
    _program(root / "bin" / "long-tool", f"#!/bin/sh\n'''exec' \"{root}/bin/python\" \"$0\" \"$@\"\n")
    _program(root / "bin" / "native-tool", "#!/bin/sh\necho native\n")
    return root


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o750)


def refused(root: Path) -> str:
    with pytest.raises(JarError) as caught:
        Environment.of(root).pack(root.parent)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{root.parent}/", "")


def test_it_runs_where_it_is_unpacked(made: Path, tmp_path: Path) -> None:
    """As on a worker: unpacked by tar, and started from the folder beside."""
    environment = Environment.of(made)
    packed = environment.pack(tmp_path)
    made.rename(tmp_path / "gone")
    (tmp_path / "worker" / "resources").mkdir(parents=True)
    unpacked = tmp_path / "worker" / "stormcell-venv"
    unpacked.mkdir()
    done = subprocess.run(["tar", "-xzf", packed.path], cwd=unpacked, capture_output=True, check=True)
    assert done.stderr == b""
    said = subprocess.run([environment.python, "-c", "import sys, words.link; print(sys.prefix, words.dog)"],
                          cwd=tmp_path / "worker" / "resources", capture_output=True, text=True)
    assert said.stdout == f"{unpacked} dog\n", said.stderr
    assert subprocess.run([unpacked / "bin" / "native-tool"], capture_output=True).stdout == b"native\n"


def test_what_it_says_of_itself(made: Path, tmp_path: Path) -> None:
    environment = Environment.of(made)
    packed = environment.pack(tmp_path)
    assert environment.version == sys.version_info[:2]
    assert os.path.samefile(environment.base, Path(sys._base_executable).parent)  # type: ignore[attr-defined]
    assert packed.key == packed.path.name == f"stormcell-venv-{packed.digest[:12]}.tgz"
    assert packed.size == packed.path.stat().st_size
    assert packed.conf == {
        "topology.blobstore.map": {packed.key: {"localname": "stormcell-venv", "uncompress": True}}}


def test_what_is_in_it(made: Path, tmp_path: Path) -> None:
    with tarfile.open(Environment.of(made).pack(tmp_path).path) as archive:
        members = {member.name: member for member in archive.getmembers()}
        settings = archive.extractfile("pyvenv.cfg")
        assert settings and b"command" not in settings.read()
    site = f"lib/{VERSION}/site-packages"
    assert members[f"{site}/words/link.py"].linkname == "__init__.py"
    assert members["bin/native-tool"].mode == 0o755
    assert members[f"{site}/words/__init__.py"].mode == 0o644
    assert {(member.uid, member.gid, member.uname, member.mtime) for member in members.values()} == {
        (0, 0, "", 315532800)}
    assert not [name for name in members if "activate" in name.lower() or "__pycache__" in name
                or name in ("bin/words-tool", "bin/long-tool")]


def test_the_same_environment_makes_the_same_bytes(made: Path, tmp_path: Path) -> None:
    first = Environment.of(made).pack(tmp_path).digest
    subprocess.run(["cp", "-r", "--no-preserve=timestamps", made, tmp_path / "copy"], check=True)
    link = tmp_path / "copy" / "lib" / VERSION / "site-packages" / "words" / "link.py"
    link.unlink()
    link.symlink_to(link.parent / "__init__.py")
    before = os.umask(0o077)
    try:
        second = Environment.of(tmp_path / "copy").pack(tmp_path)
    finally:
        os.umask(before)
    assert second.digest == first


def test_a_whole_python_needs_none_there(tmp_path: Path) -> None:
    root = tmp_path / "python"
    (root / "bin").mkdir(parents=True)
    (root / "lib" / "python3.13").mkdir(parents=True)
    _program(root / "bin" / "python3.13", "#!/bin/sh\n")
    (root / "bin" / "python3").symlink_to("python3.13")
    environment = Environment.of(root)
    assert (environment.version, environment.base) == ((3, 13), "")
    with tarfile.open(environment.pack(tmp_path).path) as archive:
        assert archive.getmember("bin/python3").linkname == "python3.13"


# ---- what would not run elsewhere ----------------------------------------------------------------


def test_an_editable_package(made: Path) -> None:
    info = made / "lib" / VERSION / "site-packages" / "mine-1.0.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    assert refused(made) == ("--venv made: mine is installed as editable: its code is not in there; install "
                             "the package itself (pip install, without -e)")
    (info / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {}}')
    (info.parent / "older.egg-link").write_text("/x")
    assert refused(made).startswith("--venv made: older is installed as editable: ")


def test_a_path_that_leads_out_of_it(made: Path, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (made / "lib" / VERSION / "site-packages" / "more.pth").write_text("../../../../library\n")
    assert refused(made) == ("--venv made: more.pth leads to library, which is not in there; install the "
                             "package itself (pip install, without -e)")


def test_a_link_that_leads_out_of_it(made: Path, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_text("")
    (made / "model.bin").symlink_to(tmp_path / "model.bin")
    assert refused(made) == ("--venv made: model.bin is a link to model.bin, which is not in there: put the "
                             "file itself into its place")
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))


def test_one_that_is_named_by_a_way_around(made: Path, tmp_path: Path) -> None:
    """--venv ../venv, from a folder beside it: its own links are no links out of it."""
    (tmp_path / "beside").mkdir()
    assert Environment.of(tmp_path / "beside" / ".." / made.relative_to(tmp_path)).pack(tmp_path).path.is_file()


def test_what_is_no_environment(made: Path, tmp_path: Path) -> None:
    assert refused(tmp_path / "none") == ("--venv none: that is no environment of Python: there is no "
                                          "bin/python3 in it that starts, or no lib/python3.X")
    (made / "lib" / "python3.1").mkdir()
    assert refused(made) == "--venv made: lib/ has packages of several Pythons: make the environment anew"
    (made / "lib" / "python3.1").rmdir()
    (made / "pyvenv.cfg").write_text("version = 3.11\n")
    assert refused(made) == "made/pyvenv.cfg does not say where its Python is from (home = …)"


def test_where_it_cannot_be_written(made: Path, tmp_path: Path) -> None:
    with pytest.raises(JarError, match="stormcell-venv.tgz cannot be written: No such file or directory"):
        Environment.of(made).pack(tmp_path / "none")


# ---- what it is for ------------------------------------------------------------------------------

X86, ARM = 62, 183


def native(root: Path, name: str, machine: int) -> str:
    """Put a file there that is for this machine."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(fake_elf(machine))
    return name


def for_another(root: Path, platform: str) -> str:
    """What is said of it where the workers are such ones; "": nothing."""
    try:
        Environment.of(root).check_machine(Workers.of("", platform))
    except JarError as error:
        return str(error).replace(f"{root.parent}/", "")
    return ""


@pytest.mark.parametrize("name", [f"lib/{VERSION}/site-packages/words/fast.cpython-311-x86_64-linux-gnu.so",
                                  f"lib/{VERSION}/site-packages/_fast.abi3.so",
                                  f"lib/{VERSION}/site-packages/fast.libs/libfast.so.3.1", "bin/python3.11"])
def test_a_file_that_is_for_another_machine(made: Path, name: str) -> None:
    """If it fails, an environment goes to workers that cannot run it."""
    (made / name).unlink(missing_ok=True)
    native(made, name, X86)
    assert for_another(made, "manylinux_2_28_x86_64") == ""
    assert for_another(made, "manylinux2014_aarch64") == (
        f"--venv made: {name} is for x86_64, and the workers are manylinux2014_aarch64: make the environment on such a "
        "machine, or say by --platform what they are")


def test_a_package_for_several_machines(made: Path) -> None:
    """If it fails, a package that chooses among its files keeps an environment from being packed."""
    site = f"lib/{VERSION}/site-packages"
    native(made, f"{site}/words/arm/trace.so", ARM)
    native(made, f"{site}/words/x86/trace.so", X86)
    assert for_another(made, "manylinux2014_x86_64") == for_another(made, "manylinux2014_aarch64") == ""
    assert for_another(made, "manylinux2014_s390x").startswith(f"--venv made: {site}/words/arm/trace.so is for aarch64")


def test_what_only_looks_native(made: Path) -> None:
    """If it fails, a linker's script or a link to this machine's Python is taken for a file that is for a machine."""
    (made / "lib" / VERSION / "site-packages" / "words" / "libc.so").write_text("INPUT(libc.so.6)\n")
    assert (made / "bin" / "python3").is_symlink()
    assert for_another(made, "manylinux2014_aarch64") == ""


# ---- a jar for it --------------------------------------------------------------------------------


@pytest.fixture
def flow(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STORMCELL_RUNNER", str(fake_runner(tmp_path / "runner")))
    write("src/components.py", COMPONENTS)
    return write("topologies/flow.py", TOPOLOGY)


def test_a_jar_whose_components_run_in_it(flow: Path, tmp_path: Path, made: Path) -> None:
    jar = build(flow, tmp_path / "flow.jar", environment=Environment.of(made))
    [start] = [entry for entry in jar.contents.entries if entry.name.endswith("components.Pass")]
    assert b"python='../stormcell-venv/bin/python3'" in start.open().read()
    assert jar.contents.workers.version == sys.version_info[:2]


def test_a_jar_for_other_machines_than_its_environment(flow: Path, tmp_path: Path, made: Path) -> None:
    name = native(made, f"lib/{VERSION}/site-packages/_fast.abi3.so", ARM)
    with pytest.raises(JarError, match=f"{name} is for aarch64, and the workers are manylinux2014_x86_64"):
        build(flow, tmp_path / "flow.jar", environment=Environment.of(made), platform="manylinux2014_x86_64")
    assert not (tmp_path / "flow.jar").exists()


@pytest.mark.parametrize("more", [{"python": "3.11"}, {"requirements": [Path("requirements.txt")]}])
def test_it_has_a_python_already(flow: Path, tmp_path: Path, made: Path, more: dict[str, object]) -> None:
    with pytest.raises(JarError, match="has Python and packages: install into it what is missing"):
        build(flow, tmp_path / "flow.jar", environment=Environment.of(made), **more)
