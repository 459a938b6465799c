"""`stormcell cluster` where there is no Storm: what is refused, and what is left of clusters that are none
any more. tests/cluster has a real one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commanding import COMMAND, PATIENCE, refused, stormcell, wait_for, write
from stormcell.cluster.processes import MARK, Process, marked

MAVEN = """\
#!/bin/sh
# Does what Maven would: puts jars where each pom says.
echo run >> {folder}/runs
poms=$(dirname "$3")
for pom in "$poms"/*/pom.xml; do
    out=$(sed -n 's:.*<outputDirectory>\\(.*\\)</outputDirectory>.*:\\1:p' "$pom")
    mkdir -p "$out"
    echo jar > "$out/storm-client-2.8.3.jar"
done
{more}
"""


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a cluster would be; nothing of it is there, nor in the cache."""
    monkeypatch.setenv("STORMCELL_CLUSTER", str(folder / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder / "home"


def program(folder: Path, name: str, text: str) -> Path:
    path = write(folder, f"bin/{name}", text)
    path.chmod(0o755)
    return path


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> None:
    """These programs are what PATH leads to, with a Java and an `unshare` that does nothing; an empty text
    is none, or the system's."""
    java = "#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\n"
    programs = {"java": java, "unshare": "#!/bin/sh\n", **programs}
    for name, text in programs.items():
        if text:
            program(folder, name, text)
    for name in ("sh", "sed", "dirname", "mkdir", "sleep", "unshare", "true", "tail", "cat"):
        found = shutil.which(name)
        if found and not programs.get(name):
            (folder / "bin").mkdir(exist_ok=True)
            (folder / "bin" / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder / "bin"))


def maven(folder: Path, more: str = "") -> str:
    return MAVEN.format(folder=folder, more=more)


def cached(folder: Path) -> list[str]:
    """What there is in the cache, but for locks."""
    return sorted(path.name for path in (folder / "cache" / "stormcell").iterdir() if path.suffix != ".lock")


def put_state(home: Path, **more: Any) -> None:
    """A state as a watcher writes it, by default of a cluster all of whose processes have gone."""
    home.mkdir(exist_ok=True)
    (home / "lock").touch()
    gone = {"pid": 2**22 - 1, "start": 1, "restarts": 0, "note": ""}
    state = {"storm": "/storm", "version": "2.8.3", "java": "java", "slots": [6700], "outside": "", "phase": "up",
             "why": "", "watcher": [gone["pid"], 1], "daemons": {"nimbus": gone}}
    (home / "state.json").write_text(json.dumps({**state, **more}))


@pytest.fixture
def sleeper(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the cluster's, by its mark."""
    with subprocess.Popen(["sleep", "1000"], env={**os.environ, MARK: str(home)}, cwd="/") as process:
        wait_for(lambda: marked(home), lambda: "no process with the mark")
        yield process
        process.kill()


# ---- nothing is up -----------------------------------------------------------------------------


def test_there_is_none(home: Path) -> None:
    done = stormcell("cluster", "status")
    assert (done.returncode, done.stdout) == (1, f"Storm in {home} is down\n")
    assert json.loads(stormcell("cluster", "status", "--json").stdout) == {
        "status": "down", "home": str(home), "processes": []}
    assert stormcell("cluster", "down").stdout == f"nothing is up in {home}\n"
    assert refused("cluster", "run", "true") == (
        f"stormcell: nothing is up in {home}; stormcell cluster up starts it")
    assert stormcell("cluster", "logs").stdout == ""
    assert refused("cluster", "logs", "nimbus") == f"stormcell: {home}/logs has no log 'nimbus'"
    assert not home.exists()


def test_where_it_is(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def where(*arguments: str) -> str:
        return str(json.loads(stormcell("cluster", "status", "--json", *arguments).stdout)["home"])

    assert where("--home", "other") == str(folder / "other")
    assert where() == str(home)
    monkeypatch.delenv("STORMCELL_CLUSTER")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "states"))
    assert where() == str(folder / "states" / "stormcell" / "cluster")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(folder))
    assert where() == str(folder / ".local" / "state" / "stormcell" / "cluster")


def test_a_state_without_its_processes(home: Path) -> None:
    put_state(home)
    done = stormcell("cluster", "status")
    assert (done.returncode, done.stdout) == (1, f"Storm in {home} is down\n")
    assert stormcell("cluster", "down").stdout == f"nothing is up in {home}\n"
    assert os.listdir(home) == ["lock"]


def test_a_number_that_another_process_has_now(home: Path) -> None:
    with subprocess.Popen(["sleep", "1000"], cwd="/") as other:
        process = Process.of(other.pid)
        assert process is not None
        daemon = {"pid": other.pid, "start": process.start - 1, "restarts": 0, "note": ""}
        put_state(home, watcher=[other.pid, process.start - 1], daemons={"nimbus": daemon, "supervisor": daemon})
        assert stormcell("cluster", "status").returncode == 1
        assert stormcell("cluster", "down").stdout == f"nothing is up in {home}\n"
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"daemons": 3}', '{"phase": "up"}', "\0"])
def test_a_state_that_is_none(home: Path, text: str, sleeper: subprocess.Popen[bytes]) -> None:
    put_state(home)
    (home / "state.json").write_text(text)
    done = stormcell("cluster", "status")
    assert done.returncode == 2
    assert f"{home}/state.json cannot be read: it is no state of a cluster; `stormcell cluster down`" in done.stdout
    assert refused("cluster", "up").startswith(f"stormcell: what is in {home} is broken: {home}/state.json cannot")
    # All commands look for a cluster here, and go on without.
    assert refused("list").startswith("stormcell: which cluster? ")
    assert stormcell("cluster", "down").stdout.startswith("Storm is down")
    assert sleeper.wait(PATIENCE) == -signal.SIGTERM
    assert os.listdir(home) == ["lock"]


def test_what_does_not_want_to_end_is_made_to(home: Path, folder: Path) -> None:
    put_state(home)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(1000)"
    with subprocess.Popen([sys.executable, "-c", stubborn], env={**os.environ, MARK: str(home)},
                          stdout=subprocess.PIPE, cwd="/") as process:
        assert process.stdout is not None and process.stdout.readline()
        assert stormcell("cluster", "down").stdout.startswith("Storm is down")
        assert process.wait(PATIENCE) == -signal.SIGKILL


def test_logs_are_kept_unless_they_are_to_go(home: Path, sleeper: subprocess.Popen[bytes]) -> None:
    put_state(home)
    log = write(home, "logs/nimbus.log", "one\ntwo\nthree\n")
    write(home, "local/nimbus/kept", "much")
    assert stormcell("cluster", "down").stdout == f"Storm is down; its logs are in {home}/logs\n"
    assert sorted(os.listdir(home)) == ["lock", "logs"]
    assert stormcell("cluster", "logs").stdout == f"{'14':>10}  {log}\n"
    assert stormcell("cluster", "logs", "nimbus", "-n", "2").stdout == "two\nthree\n"
    assert stormcell("cluster", "down", "--purge").returncode == 0
    assert not home.exists()


# ---- what does not let it start ------------------------------------------------------------------


def test_options(home: Path, folder: Path) -> None:
    assert "0 is not in the range" in refused("cluster", "up", "--slots", "0")
    assert "0 is not in the range" in refused("cluster", "up", "--supervisors", "0")
    assert refused("cluster", "fail", "nimbus") == (
        f"stormcell: nothing is up in {home}; stormcell cluster up starts it")
    assert "'nine' is no version of Storm; one is 2.8.3" in refused("cluster", "up", "--version", "nine")
    assert refused("cluster", "up", "--storm-home", folder) == (
        f"stormcell: {folder} is no Apache Storm 2: it has no lib/storm-client-VERSION.jar or no lib-worker/")
    assert not (home / "conf").exists()


def test_a_home_that_is_somebody_elses(home: Path, folder: Path) -> None:
    write(folder, "full/thesis.tex", "...")
    assert refused("cluster", "up", "--home", "full") == (
        f"stormcell: {folder}/full has something in it, and no cluster of ours: choose another --home")
    assert os.listdir(folder / "full") == ["thesis.tex"]
    assert refused("cluster", "up", "--home", "a:b") == (
        f"stormcell: {folder}/a:b: Java takes no path with any of : \" \\ * %; choose another --home")
    write(folder, "file", "")
    assert "'file' is a file" in refused("cluster", "up", "--home", "file")
    assert "Not a directory" in refused("cluster", "up", "--home", "file/in")


def test_java_that_is_not_there(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = "Storm 2.8.3 needs Java 17 or later (Debian: apt-get install openjdk-17-jre-headless)"
    on_path(folder, monkeypatch, java="")
    assert refused("cluster", "up") == f"stormcell: there is no java on PATH; {needs}"
    assert refused("cluster", "up", "--java", "/no/java") == f"stormcell: there is no java at /no/java; {needs}"
    monkeypatch.setenv("JAVA_HOME", "/no/home")
    assert refused("cluster", "up") == f"stormcell: there is no java at $JAVA_HOME (/no/home); {needs}"


@pytest.mark.parametrize("version, number", [("11.0.2", 11), ("1.8.0_292", 8)])
def test_java_that_is_too_old(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, version: str,
                              number: int) -> None:
    on_path(folder, monkeypatch, java=f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    assert refused("cluster", "up") == (
        f"stormcell: {folder}/bin/java is Java {number}; Storm 2.8.3 needs Java 17 or later (Debian: apt-get install "
        "openjdk-17-jre-headless), or name another one: --java")
    if number == 11:
        on_maven_failing = refused("cluster", "up", "--version", "2.7.1")
        assert "there is no mvn on PATH" in on_maven_failing  # Java 11 was enough


def test_java_that_says_something_else(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(folder, monkeypatch, java="#!/bin/sh\necho 'no JVM selected'\nexit 1\n")
    assert refused("cluster", "up") == (
        f"stormcell: {folder}/bin/java does not tell its version: no JVM selected")


def test_a_namespace_that_cannot_be_had(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(folder, monkeypatch, mvn=maven(folder),
            unshare="#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2\nexit 1\n")
    said = refused("cluster", "up")
    assert " may not make a network namespace here (unshare: unshare failed: Operation not permitted), " in said
    assert "a container needs --privileged" in said
    assert not (folder / "runs").exists()  # before much is fetched


# ---- Storm is fetched ----------------------------------------------------------------------------


def test_without_maven(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(folder, monkeypatch)
    assert refused("cluster", "up") == (
        "stormcell: Apache Storm 2.8.3 is fetched by Maven, and there is no mvn on PATH (Debian: apt-get install "
        "maven); or name an installed Storm: --storm-home DIR")


@pytest.mark.parametrize("said, told", [
    ("[ERROR] Plugin x could not be resolved: Could not transfer artifact x from/to central (https://r): r: Temporary "
     "failure in name resolution", "Maven cannot reach where Apache Storm 2.8.3 is to be had: check the network, or "
     "Maven's settings.xml; all that it said is in "),
    ("[ERROR] Could not find artifact org.apache.storm:storm-server:jar:2.8.3 in central",
     "Maven could not fetch Apache Storm 2.8.3: Could not find artifact org.apache.storm:storm-server:jar:2.8.3 in "
     "central; all that it said is in "),
])
def test_maven_fails(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str) -> None:
    on_path(folder, monkeypatch, mvn=maven(folder, f"echo '{said}'; exit 1"))
    done = stormcell("cluster", "up")
    log = folder / "cache" / "stormcell" / "storm-2.8.3.maven.log"
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"stormcell: {told}{log}"
    assert said in log.read_text()
    assert cached(folder) == [log.name]
    assert os.listdir(home) == ["lock"]


def test_a_fetch_that_is_interrupted_leaves_nothing(home: Path, folder: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(folder, monkeypatch, mvn=maven(folder, "echo asked; exec sleep 1000"))
    process = subprocess.Popen([*COMMAND, "cluster", "up"], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: (folder / "runs").exists(), lambda: "Maven is not run")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=PATIENCE)[1].splitlines()[-1] == "stormcell: interrupted"
    assert process.returncode == 1
    assert cached(folder) == ["storm-2.8.3.maven.log"]


def fetch() -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "stormcell.cluster", "fetch"], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


def test_it_is_fetched_once(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(folder, monkeypatch, mvn=maven(folder, "sleep 0.5"))
    done: list[subprocess.CompletedProcess[str]] = []
    threads = [threading.Thread(target=lambda: done.append(fetch())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    storm = folder / "cache" / "stormcell" / "storm-2.8.3"
    assert {one.stdout for one in done} == {f"{storm}\n"}
    assert (folder / "runs").read_text() == "run\n"
    assert cached(folder) == [storm.name] and sorted(os.listdir(storm)) == ["lib", "lib-worker"]
    both = [storm / name / "storm-client-2.8.3.jar" for name in ("lib", "lib-worker")]
    assert both[0].samefile(both[1])


def test_a_cache_that_is_not_whole_is_made_anew(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(folder, monkeypatch, mvn=maven(folder))
    write(folder, "cache/stormcell/storm-2.8.3/lib/half.jar", "")
    write(folder, "cache/stormcell/storm-2.8.3.part/lib/half.jar", "")
    assert fetch().returncode == 0
    assert os.listdir(folder / "cache" / "stormcell" / "storm-2.8.3" / "lib") == ["storm-client-2.8.3.jar"]


def test_a_cache_that_cannot_be_written(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(folder, monkeypatch, mvn=maven(folder))
    write(folder, "cache", "")
    assert refused("cluster", "up") == f"stormcell: {folder}/cache/stormcell: Not a directory"


# ---- a daemon that is none -----------------------------------------------------------------------


def test_a_daemon_that_ends_at_its_start(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = "#!/bin/sh\nif [ \"$1\" = -version ]; then echo 'version \"17\"'; else echo 'no memory'; exit 3; fi\n"
    on_path(folder, monkeypatch, mvn=maven(folder), java=java, unshare="")
    done = stormcell("cluster", "up")
    if "may not make a network namespace" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 2
    assert done.stderr.endswith(f"stormcell: zookeeper has not started: exit status 3; the end of "
                                f"{home}/logs/zookeeper.out:\n  no memory\n")
    assert sorted(os.listdir(home)) == ["lock", "logs"] and marked(home) == []
    assert stormcell("cluster", "status").returncode == 1
