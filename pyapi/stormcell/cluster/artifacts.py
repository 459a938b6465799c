"""Apache Storm itself: Maven's artifacts, fetched once into the user's cache directory, or one that is
installed.

No archive of Storm is among the artifacts, so that its folders are put together as its own build does:
lib/ is for the daemons, lib-worker/ for the workers.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stormcell.cluster.error import ClusterError

VERSION = "2.8.3"
"""The Storm that is fetched where nobody says which."""

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"

ROOTS = {"lib": "storm-server", "lib-worker": "storm-client"}
"""The artifacts that, with all they need, are these folders."""

SET = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>stormcell</groupId>
  <artifactId>{name}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
{body}</project>
"""

FOLDER = """\
  <properties><outputDirectory>{folder}</outputDirectory></properties>
  <dependencies>
    <dependency>
      <groupId>org.apache.storm</groupId>
      <artifactId>{artifact}</artifactId>
      <version>{version}</version>
      <exclusions>
        <exclusion>   <!-- as much as all the rest, and only Nimbus' store of old metrics uses it -->
          <groupId>org.rocksdb</groupId>
          <artifactId>rocksdbjni</artifactId>
        </exclusion>
      </exclusions>
    </dependency>
  </dependencies>
"""

MODULES = "  <modules>{modules}</modules>\n"

UNREACHABLE = re.compile(r"Unknown host|Could not transfer|Connection refused|Connection reset|timed out"
                         r"|Network is unreachable|Temporary failure in name resolution|offline mode")

Tell = Callable[[str, str], None]
"""Is told what is happening, again and again while it does: what takes long, or "", and how far it is."""


@dataclass(frozen=True)
class Storm:
    """An Apache Storm.

    Attributes:
        folder: with lib/, lib-worker/, and in an installed one more.
        version: as in "2.8.3".
    """

    folder: Path
    version: str

    @property
    def has_metric_store(self) -> bool:
        """Whether Nimbus can keep old metrics."""
        return any((self.folder / "lib").glob("rocksdbjni-*.jar"))

    @property
    def has_web(self) -> bool:
        """Whether the UI and the logviewer are there."""
        return (self.folder / "lib-webapp").is_dir()


def installed(folder: Path) -> Storm:
    """The Storm that the user has installed there. ClusterError: there is none that can be used."""
    folder = folder.resolve()
    jars = sorted((folder / "lib").glob("storm-client-*.jar"))
    if not jars or not (folder / "lib-worker").is_dir():
        raise ClusterError(f"{folder} is no Apache Storm 2: it has no lib/storm-client-VERSION.jar or no "
                           "lib-worker/")
    return Storm(folder, jars[0].stem.removeprefix("storm-client-"))


def cache() -> Path:
    """Where downloads are kept: stormcell/ in the user's cache directory."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stormcell"


def fetched(version: str = VERSION, tell: Tell = lambda *_: None) -> Storm:
    """Storm from the cache, fetched into it by the user's Maven if it is not there.

    ClusterError: it cannot be fetched; nothing is left that could be taken for it.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", version):
        raise ClusterError(f"{version!r} is no version of Storm; one is {VERSION}")
    folder = cache() / f"storm-{version}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_name(f"{folder.name}.lock"), tell):
            if not is_whole(folder):
                _fetch(folder, version, tell)
    except OSError as error:
        raise ClusterError(f"{error.filename or folder}: {error.strerror}") from None
    return Storm(folder, version)


def is_whole(folder: Path) -> bool:
    """Whether a Storm has been put there."""
    return all((folder / name).is_dir() for name in ROOTS)


@contextlib.contextmanager
def _alone(path: Path, tell: Tell) -> Iterator[None]:
    """Keep others out of what is within."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("waiting for another command that fetches Storm", "")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path, version: str, tell: Tell) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ClusterError(f"Apache Storm {version} is fetched by Maven, and there is no mvn on PATH (Debian: "
                           "apt-get install maven); or name an installed Storm: --storm-home DIR")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        poms = part / "poms"
        _write_poms(poms, part, version)
        _run_maven(maven, poms, version, tell)
        shutil.rmtree(poms)
        _share(part / "lib", part / "lib-worker")
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_poms(poms: Path, part: Path, version: str) -> None:
    for name, artifact in ROOTS.items():
        (poms / name).mkdir(parents=True)
        body = FOLDER.format(folder=part / name, artifact=artifact, version=version)
        (poms / name / "pom.xml").write_text(SET.format(name=name, body=body))
    modules = "".join(f"<module>{name}</module>" for name in ROOTS)
    body = MODULES.format(modules=modules)
    (poms / "pom.xml").write_text(SET.format(name="storm", body=body))


def _run_maven(maven: str, poms: Path, version: str, tell: Tell) -> None:
    command = [maven, "-B", "-f", str(poms / "pom.xml"), f"{PLUGIN}:copy-dependencies",
               "-DincludeScope=runtime"]
    said = cache() / f"storm-{version}.maven.log"
    step = f"fetching Apache Storm {version} (once, some 90 MB)"
    tell(step, "")
    with said.open("w") as log, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                 stderr=subprocess.STDOUT, text=True,
                                                 errors="replace") as process:
        assert process.stdout is not None
        try:
            _listen(process.stdout, log.write, step, tell)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise ClusterError(_refusal(said, version))
    said.unlink()


def _listen(lines: Iterable[str], keep: Callable[[str], object], step: str, tell: Tell) -> None:
    """Keep all that Maven says, and tell how much it has downloaded."""
    count, size = 0, 0.0
    for line in lines:
        keep(line)
        done = re.search(r"Downloaded from .* \(([\d.]+) ([kM]?)B", line)
        if done:
            count += 1
            size += float(done[1]) * {"": 1e-6, "k": 1e-3, "M": 1}[done[2]]
            tell(step, f"{count} files, {size:.0f} MB")


def _refusal(said: Path, version: str) -> str:
    text = said.read_text(errors="replace")
    first = next((line for line in text.splitlines() if "ERROR" in line), "no reason given")
    first = re.sub(r"\x1b\[[\d;]*m|\[ERROR\] *", "", first).strip()
    if UNREACHABLE.search(text):
        return (f"Maven cannot reach where Apache Storm {version} is to be had: check the network, or Maven's "
                f"settings.xml; all that it said is in {said}")
    return f"Maven could not fetch Apache Storm {version}: {first[:300]}; all that it said is in {said}"


def _share(one: Path, other: Path) -> None:
    """What is in both folders takes its place once."""
    for path in other.iterdir():
        if (one / path.name).exists():
            path.unlink()
            os.link(one / path.name, path)
