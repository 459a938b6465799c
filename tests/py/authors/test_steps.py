"""Submitting step by step: what each failure and each interruption leaves, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import projects  # noqa: F401 - makes the package importable
from stormcell.nimbus import AlreadyAlive, NimbusError, NotAlive, NotAuthorized, NotFound, Unreachable, structures
from stormcell.submission import steps, upload
from stormcell.submission.steps import Interrupted, Order, Steps, SubmitError
from stormcell.submission.upload import CHUNK

LOST = Unreachable("127.0.0.1:6627: connection reset by peer")
SPOUT = structures.SpoutSpec(
    spout_object=structures.ComponentObject(shell=structures.ShellComponent("sh", "start")),
    common=structures.ComponentCommon(inputs={}, streams={}, parallelism_hint=1))
STRUCTURE = structures.StormTopology(spouts={"words": SPOUT}, bolts={}, state_spouts={})


class Standin:
    """A Nimbus as far as submitting goes, that fails where it is told to.

    before, after: what is called before, or after, a method does what it does.
    """

    def __init__(self) -> None:
        self.alive: dict[str, str] = {}
        self.jars: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.opened: dict[str, bytes] = {}
        self.conf: dict[str, Any] = {}
        self.submitted: list[tuple[str, str, dict[str, Any], Any]] = []
        self.called: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self.numbers = 0

    def call(self, method: str, *arguments: Any, timeout: float | None = None) -> Any:
        self.called.append(method)
        self.before.get(method, lambda: None)()
        result = getattr(self, method)(*arguments)
        self.after.get(method, lambda: None)()
        return result

    def __enter__(self) -> Standin:
        return self

    def __exit__(self, *_: object) -> None: ...

    def getNimbusConf(self) -> str:
        return json.dumps(self.conf)

    def getClusterInfo(self) -> Any:
        for name, status in list(self.alive.items()):
            if status == "KILLED":
                del self.alive[name]  # it is gone when it is looked for again
        return SimpleNamespace(topologies=[SimpleNamespace(name=name, status=status, id=f"{name}-{self.numbers}")
                                           for name, status in self.alive.items()])

    def isTopologyNameAllowed(self, name: str) -> bool:
        return name not in self.alive and name != "forbidden"

    def beginFileUpload(self) -> str:
        self.opened["inbox/1"] = b""
        return "inbox/1"

    def uploadChunk(self, location: str, chunk: bytes) -> None:
        self.opened[location] += chunk

    def finishFileUpload(self, location: str) -> None:
        self.jars[location] = self.opened.pop(location)

    def getBlobMeta(self, key: str) -> None:
        if key in self.opened:
            raise NimbusError("Internal error processing getBlobMeta")  # as Storm 2.8.3 does
        if key not in self.blobs:
            raise NotFound(key)

    def beginCreateBlob(self, key: str, meta: Any) -> str:
        if key in self.blobs or key in self.opened:
            raise AlreadyAlive(key)
        assert meta.acl[0].access == 1  # nobody else is to change it
        self.opened[key] = b""
        return key

    def uploadBlobChunk(self, session: str, chunk: bytes) -> None:
        self.opened[session] += chunk

    def finishBlobUpload(self, session: str) -> None:
        self.blobs[session] = self.opened.pop(session)

    def cancelBlobUpload(self, session: str) -> None:
        self.opened[session] = b"cancelled"

    def deleteBlob(self, key: str) -> None:
        del self.opened[key]

    def killTopologyWithOpts(self, name: str, options: Any) -> None:
        if name not in self.alive:
            raise NotAlive(name)
        self.alive[name] = "KILLED"
        self.kill_wait = options.wait_secs

    def submitTopologyWithOpts(self, name: str, location: str, conf: str, structure: Any, options: Any) -> None:
        if name in self.alive:
            raise AlreadyAlive(f"{name} already exists!")
        assert location in self.jars or location == "there/already.jar"
        self.numbers += 1
        self.alive[name] = "ACTIVE" if options.initial_status == structures.TopologyInitialStatus.ACTIVE \
            else "INACTIVE"
        self.submitted.append((name, location, json.loads(conf), structure))


@pytest.fixture
def nimbus(monkeypatch: pytest.MonkeyPatch) -> Standin:
    monkeypatch.setattr(steps.time, "sleep", lambda seconds: None)
    return Standin()


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    path = tmp_path / "words.jar"
    path.write_bytes(bytes(range(256)) * 3000)  # three chunks
    return path


def run(nimbus: Standin, again: Standin | None = None, **order: Any) -> str:
    made = Order("words", STRUCTURE, {"topology.workers": 2}, **order)
    return Steps(nimbus, made, lambda: again or nimbus).run()  # type: ignore[arg-type, return-value]


def fails(nimbus: Standin, kind: type[SubmitError] = SubmitError, again: Standin | None = None,
          **order: Any) -> str:
    with pytest.raises(kind) as caught:
        run(nimbus, again, **order)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    return str(caught.value)


def raising(error: BaseException) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


def test_it_is_submitted(nimbus: Standin, jar: Path) -> None:
    assert run(nimbus, jar=jar) == "words-1"
    assert nimbus.submitted == [("words", "inbox/1", {"topology.workers": 2}, STRUCTURE)]
    assert nimbus.jars["inbox/1"] == jar.read_bytes()
    assert nimbus.called.count("uploadChunk") == -(-jar.stat().st_size // CHUNK) == 3
    assert nimbus.alive == {"words": "ACTIVE"}


def test_inactive(nimbus: Standin, jar: Path) -> None:
    run(nimbus, jar=jar, active=False)
    assert nimbus.alive == {"words": "INACTIVE"}


def test_a_jar_that_nimbus_has(nimbus: Standin) -> None:
    run(nimbus, remote_jar="there/already.jar")
    assert nimbus.submitted[0][1] == "there/already.jar" and "beginFileUpload" not in nimbus.called


# ---- before anything is sent ---------------------------------------------------------------------


def test_a_name_that_is_taken(nimbus: Standin, jar: Path) -> None:
    nimbus.alive["words"] = "ACTIVE"
    assert fails(nimbus, jar=jar) == (
        "there is a topology 'words' already: --force replaces it, --override_name NAME makes another one; "
        "the cluster is as it was")
    assert "beginFileUpload" not in nimbus.called


def test_a_name_that_storm_does_not_allow(nimbus: Standin, jar: Path) -> None:
    nimbus.before["isTopologyNameAllowed"] = lambda: None
    made = Order("forbidden", STRUCTURE, {}, jar=jar)
    with pytest.raises(SubmitError, match="Storm does not allow the name 'forbidden'; the cluster is as it was"):
        Steps(nimbus, made, lambda: nimbus).run()  # type: ignore[arg-type, return-value]


def test_a_topology_larger_than_nimbus_messages(nimbus: Standin, jar: Path) -> None:
    nimbus.conf["nimbus.thrift.max_buffer_size"] = 16 * 1024
    said = fails(nimbus, jar=jar)
    assert "messages of up to 16,384 (nimbus.thrift.max_buffer_size)" in said and "as it was" in said
    assert "beginFileUpload" not in nimbus.called


# ---- the jar -------------------------------------------------------------------------------------


def test_no_room_for_the_jar(nimbus: Standin, jar: Path) -> None:
    nimbus.before["uploadChunk"] = raising(NimbusError("Nimbus failed at uploadChunk"))
    assert fails(nimbus, jar=jar) == (
        "the jar (768,000 bytes) could not be stored: Nimbus failed at uploadChunk; is its disk full, or was it "
        "started just now and does not lead yet? no topology "
        "was touched; what was sent of the jar Nimbus removes within the hour")
    assert nimbus.alive == {}


@pytest.mark.parametrize("method", ["beginFileUpload", "uploadChunk", "finishFileUpload"])
@pytest.mark.parametrize("error, kind, start", [(KeyboardInterrupt(), Interrupted, "interrupted"),
                                                (LOST, SubmitError, "127.0.0.1:6627: connection reset by peer")])
def test_an_upload_that_is_cut_short(nimbus: Standin, jar: Path, method: str, error: BaseException,
                                     kind: type[SubmitError], start: str) -> None:
    nimbus.alive["words"] = "ACTIVE"
    nimbus.before[method] = raising(error)
    said = fails(nimbus, kind, jar=jar, replace=True)
    assert said == f"{start}; no topology was touched; what was sent of the jar Nimbus removes within the hour"
    assert nimbus.alive == {"words": "ACTIVE"}


def test_a_jar_that_cannot_be_read(nimbus: Standin, tmp_path: Path) -> None:
    said = fails(nimbus, jar=tmp_path / "gone.jar")
    assert "gone.jar: No such file or directory; no topology was touched" in said


# ---- blobs ---------------------------------------------------------------------------------------


def test_a_blob_is_sent_once(nimbus: Standin, jar: Path, tmp_path: Path) -> None:
    blob = tmp_path / "venv.tgz"
    blob.write_bytes(b"x" * (CHUNK + 1))
    run(nimbus, jar=jar, blobs=[("venv-1.tgz", blob)])
    assert nimbus.blobs == {"venv-1.tgz": blob.read_bytes()}
    nimbus.called.clear()
    run(nimbus, jar=jar, blobs=[("venv-1.tgz", blob)], replace=True)
    assert "beginCreateBlob" not in nimbus.called


def test_a_blob_that_somebody_else_brings_meanwhile(nimbus: Standin, jar: Path, tmp_path: Path) -> None:
    blob = tmp_path / "venv.tgz"
    blob.write_bytes(b"x")

    def meanwhile() -> None:
        nimbus.blobs["venv-1.tgz"] = b"x"

    nimbus.before["beginCreateBlob"] = meanwhile
    assert run(nimbus, jar=jar, blobs=[("venv-1.tgz", blob)]) == "words-1"


def test_a_blob_that_is_cut_short_is_taken_back(nimbus: Standin, jar: Path, tmp_path: Path) -> None:
    blob = tmp_path / "venv.tgz"
    blob.write_bytes(b"x")
    nimbus.before["uploadBlobChunk"] = raising(KeyboardInterrupt())
    assert fails(nimbus, Interrupted, jar=jar, blobs=[("venv-1.tgz", blob)]) == (
        "interrupted; the cluster is as it was")
    assert nimbus.opened == {} and nimbus.blobs == {}


def test_what_a_killed_upload_has_left_is_replaced(nimbus: Standin, jar: Path, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """Storm keeps the key of an upload that nobody ends, with nothing behind it."""
    monkeypatch.setattr(upload, "HALF_SECONDS", -1.0)
    blob = tmp_path / "venv.tgz"
    blob.write_bytes(b"x")
    nimbus.opened["venv-1.tgz"] = b"half"
    run(nimbus, jar=jar, blobs=[("venv-1.tgz", blob)])
    assert nimbus.blobs == {"venv-1.tgz": b"x"}


def test_half_of_a_blob_of_another_users_is_said_to_be_that(nimbus: Standin, jar: Path, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not remove it waits for nothing."""
    monkeypatch.setattr(upload, "HALF_SECONDS", -1.0)
    blob = tmp_path / "venv.tgz"
    blob.write_bytes(b"x")
    nimbus.opened["venv-1.tgz"] = b"half"
    nimbus.before["deleteBlob"] = raising(NotAuthorized("[bob] does not have [WRITE ] access"))
    assert "venv-1.tgz is half of what another user has sent, which only they replace" in fails(
        nimbus, jar=jar, blobs=[("venv-1.tgz", blob)])


# ---- replacing -----------------------------------------------------------------------------------


def test_force_kills_the_old_one_only_when_the_jar_is_there(nimbus: Standin, jar: Path) -> None:
    nimbus.alive["words"] = "ACTIVE"
    assert run(nimbus, jar=jar, replace=True, kill_wait=3) == "words-1"
    assert nimbus.kill_wait == 3
    assert nimbus.called.index("finishFileUpload") < nimbus.called.index("killTopologyWithOpts")


def test_interrupted_while_the_old_one_ends(nimbus: Standin, jar: Path) -> None:
    nimbus.alive["words"] = "ACTIVE"
    nimbus.after["killTopologyWithOpts"] = lambda: nimbus.before.update(getClusterInfo=raising(KeyboardInterrupt()))
    assert fails(nimbus, Interrupted, jar=jar, replace=True) == (
        "interrupted; the words that ran is being killed (stormcell list shows it), and the new one has not been "
        "submitted")


def test_a_kill_that_was_not_answered(nimbus: Standin, jar: Path) -> None:
    nimbus.alive["words"] = "ACTIVE"
    nimbus.after["killTopologyWithOpts"] = raising(LOST)
    assert fails(nimbus, jar=jar, replace=True).endswith(
        "; the words that ran is gone, and the new one has not been submitted")


@pytest.mark.parametrize("error, kind", [(KeyboardInterrupt(), Interrupted), (LOST, SubmitError)])
def test_a_kill_that_did_not_arrive(nimbus: Standin, jar: Path, error: BaseException,
                                    kind: type[SubmitError]) -> None:
    nimbus.alive["words"] = "ACTIVE"
    nimbus.before["killTopologyWithOpts"] = raising(error)
    assert fails(nimbus, kind, jar=jar, replace=True).endswith("; the words that runs goes on")
    assert nimbus.alive == {"words": "ACTIVE"}


def test_a_kill_of_which_nobody_is_left_to_tell(nimbus: Standin, jar: Path) -> None:
    nimbus.alive["words"] = "ACTIVE"

    def lost() -> None:
        nimbus.before["getClusterInfo"] = raising(LOST)
        raise LOST

    nimbus.before["killTopologyWithOpts"] = lost
    assert fails(nimbus, jar=jar, replace=True).endswith(
        "; whether the words that ran is being killed is not known: stormcell list tells; the new one has not been "
        "submitted")


def test_an_old_one_that_does_not_go(nimbus: Standin, jar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nimbus.alive["words"] = "ACTIVE"
    monkeypatch.setattr(steps, "GONE_SECONDS", -6.0)

    def stays() -> None:
        nimbus.alive["words"] = "ACTIVE"

    nimbus.after["killTopologyWithOpts"] = stays
    assert "is still there after" in fails(nimbus, jar=jar, replace=True)


# ---- the submission itself -----------------------------------------------------------------------


def test_storm_refuses_it(nimbus: Standin, jar: Path) -> None:
    nimbus.before["submitTopologyWithOpts"] = raising(NimbusError("nonsense"))
    assert fails(nimbus, jar=jar) == (
        "Storm refused the topology: nonsense; no topology was touched; what was sent of the jar Nimbus removes "
        "within the hour")


def test_two_at_once(nimbus: Standin, jar: Path) -> None:
    def other() -> None:
        nimbus.alive["words"] = "ACTIVE"

    nimbus.before["submitTopologyWithOpts"] = other
    assert fails(nimbus, jar=jar) == (
        "somebody else has just submitted a topology 'words'; this one was not submitted")


@pytest.mark.parametrize("error, kind", [(KeyboardInterrupt(), Interrupted), (LOST, SubmitError)])
def test_an_answer_that_did_not_come(nimbus: Standin, jar: Path, error: BaseException,
                                     kind: type[SubmitError]) -> None:
    nimbus.after["submitTopologyWithOpts"] = raising(error)
    assert fails(nimbus, kind, jar=jar).endswith("; but words has been submitted: it is words-1")


@pytest.mark.parametrize("error, kind", [(KeyboardInterrupt(), Interrupted), (LOST, SubmitError)])
def test_a_call_that_did_not_arrive(nimbus: Standin, jar: Path, error: BaseException,
                                    kind: type[SubmitError]) -> None:
    nimbus.before["submitTopologyWithOpts"] = raising(error)
    assert fails(nimbus, kind, jar=jar).endswith("; words was not submitted")


def test_nobody_is_left_to_ask(nimbus: Standin, jar: Path) -> None:
    gone = Standin()
    gone.before["getClusterInfo"] = raising(LOST)
    nimbus.after["submitTopologyWithOpts"] = raising(LOST)
    assert fails(nimbus, again=gone, jar=jar).endswith(
        "whether words was submitted is not known: stormcell list tells")
