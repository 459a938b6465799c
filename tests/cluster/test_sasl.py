"""A Storm that asks who one is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storm import Storm
from submitting import TOPOLOGIES

IDLE = TOPOLOGIES / "idle.py"

AUTH = "org.apache.storm.security.auth"

JAAS = f"""\
StormServer {{
    {AUTH}.digest.DigestSaslTransportPlugin required
    user_storm="daemons" user_ada="engine" user_bob="pässwörd";
}};
StormClient {{
    {AUTH}.digest.DigestSaslTransportPlugin required
    username="storm" password="daemons";
}};
"""

ACCESS = {
    "nimbus.authorizer": f"{AUTH}.authorizer.SimpleACLAuthorizer",
    "supervisor.authorizer": f"{AUTH}.authorizer.SupervisorSimpleACLAuthorizer",
    "nimbus.admins": '["storm"]',
    "nimbus.supervisor.users": '["storm"]',
    "storm.blobstore.acl.validation.enabled": "true",
}
"""So that it matters who one is: a topology is its owner's, and a file in the blob store."""


def told(user: str, password: str) -> dict[str, str]:
    return {"STORMCELL_NIMBUS_USER": user, "STORMCELL_NIMBUS_PASSWORD": password}


ADA, BOB = told("ada", "engine"), told("bob", "pässwörd")


def start(storm: Storm, plugin: str, **settings: str) -> None:
    settings = {"storm.thrift.transport": f"{AUTH}.{plugin}", **settings}
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    done = storm.stormcell("cluster", "up", "--slots", "1", *options, **ADA)
    assert done.returncode == 0, done


def refused(storm: Storm, *arguments: str | Path, cwd: Path | None = None, **more: str) -> str:
    done = storm.stormcell(*arguments, cwd=cwd, **more)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done
    return done.stderr.removeprefix("stormcell: ").rstrip("\n")


def test_digest(own: Storm, tmp_path: Path) -> None:
    """If it fails, nobody submits to a Storm with DIGEST-MD5."""
    jaas = own.home.parent / "jaas.conf"
    jaas.write_text(JAAS)
    start(own, "digest.DigestSaslTransportPlugin", **{"java.security.auth.login.config": str(jaas)}, **ACCESS)
    (tmp_path / "config.json").write_text(
        '{"envs": {"digest": {"transport": "stormcell.nimbus.sasl:digest"}, '
        '"plain": {"transport": "stormcell.nimbus.sasl:plain"}, "none": {"transport": "stormcell.nimbus.client:framed"}}}')

    def said(environment: str, **more: str) -> str:
        return refused(own, "list", "-e", environment, cwd=tmp_path, **more)

    assert own.stormcell("list", "-e", "digest", cwd=tmp_path, **ADA).stdout == "no topologies\n"
    who = "127.0.0.1:6627: Nimbus does not take the user '{}' with this password"
    assert said("digest", **told("ada", "Engine")).startswith(who.format("ada"))
    assert said("digest", **told("eve", "engine")).startswith(who.format("eve"))
    assert said("plain", **ADA).startswith("127.0.0.1:6627: Nimbus does not take PLAIN (Unsupported mechanism")
    assert said("none", **ADA).startswith("no Nimbus answers: 127.0.0.1:6627: closed the connection at getLeader")
    assert said("digest") == (
        "Nimbus is to be told who you are: set STORMCELL_NIMBUS_USER and STORMCELL_NIMBUS_PASSWORD")
    _submit_as_two_users(own, tmp_path)


def _submit_as_two_users(own: Storm, folder: Path) -> None:
    """One runs a topology with an environment of its own; the other uses the same environment, and may not kill it."""
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    done = own.stormcell("submit", IDLE, "--venv", venv, "--wait", "--timeout", "60000", **ADA)
    assert done.returncode == 0 and done.stdout.endswith("\nit runs\n"), done
    assert own.stormcell("list", **BOB).stdout.splitlines()[1].split()[-1] == "ada"
    assert own.stormcell("stats", "idle", **ADA).returncode == 0
    assert "not authorized" in refused(own, "kill", "idle", "--wait", "0", **BOB)
    done = own.stormcell("submit", IDLE, "-N", "other", "--venv", venv, "--timeout", "60000", **BOB)
    assert done.returncode == 0 and ": the cluster has it already (" in done.stdout, done
    for name, owner in (("other", BOB), ("idle", ADA)):
        assert own.stormcell("kill", name, "--wait", "0", **owner).returncode == 0


def test_plain(own: Storm) -> None:
    """If it fails, nobody speaks to a Storm with PLAIN."""
    start(own, "plain.PlainSaslTransportPlugin")
    assert own.stormcell("list", **ADA).stdout == "no topologies\n"
    done = own.stormcell("cluster", "status")  # it is up, whoever asks
    assert done.returncode == 0 and " is up: Nimbus is to be told who you are: set " in done.stdout


def test_a_storm_that_does_not_ask(cluster: Storm, tmp_path: Path) -> None:
    """If it fails, a "transport" that is one too many is a riddle."""
    (tmp_path / "config.json").write_text('{"envs": {"prod": {"transport": "stormcell.nimbus.sasl:digest"}}}')
    said = refused(cluster, "list", cwd=tmp_path, **ADA)
    assert said.startswith("no Nimbus answers: 127.0.0.1:6627: closed the connection when it was told who you are")
