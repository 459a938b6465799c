"""`stormcell submit`: a topology on a real cluster, without a JVM here."""

from __future__ import annotations

import contextlib
import json
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from stormcell.cli import Refused, connection, parameters
from stormcell.cli.jar import needs
from stormcell.cli.packing import PACKING, Choices, jar_options
from stormcell.cli.progress import shown_progress
from stormcell.cli.project import Project
from stormcell.jar.package import start_commands
from stormcell.nimbus import Nimbus, NimbusError
from stormcell.operate.traces import readable
from stormcell.submission import settings
from stormcell.submission.cargo import Cargo, pack
from stormcell.submission.steps import Interrupted, Order, Steps, SubmitError
from stormcell.submission.structure import make_structure
from stormcell.submission.waiting import wait_until_running
from stormcell.topology import check_name

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

RUNNING_SECONDS = 180.0
"""How long --wait waits."""

KILL_WAIT = 5
"""Seconds that the spouts of a replaced topology stop before it ends, where nobody says."""


class WithWait(click.Command):
    """--wait stands alone or, as in streamparse, with a number."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        joined: list[str] = []
        for argument in arguments:
            if joined and joined[-1] == "--wait":
                joined[-1] = f"--wait={argument if argument.isdecimal() else 'running'}"
                if argument.isdecimal():
                    continue
            joined.append(argument)
        return super().parse_args(context, ["--wait=running" if one == "--wait" else one for one in joined])


def _ignored(*names: str, **more: Any) -> Callable[[Decorated], Decorated]:
    """An option of streamparse that has nothing to do here."""
    return click.option(*names, hidden=True, expose_value=False, callback=_say_ignored, **more)


def _say_ignored(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        click.echo(f"{context.command_path}: {parameter.opts[-1]} is ignored: there is nothing to install on "
                   "the workers", err=True)


@click.command("submit", cls=WithWait)
@parameters.topology_file
@connection.choices
@click.option("-n", "--name", help="The topology's name, by default that of its file; without FILE, the file in "
              "topologies/ as well.")
@click.option("-N", "--override_name", metavar="NAME", help="The name on the cluster, if it is to be another.")
@click.option("-f", "--force", is_flag=True, help="If a topology of this name runs, kill it first.")
@click.option("-i", "--inactive", is_flag=True, help="Its spouts wait for `stormcell activate`.")
@click.option("--wait", metavar="[S]", help="Wait until all of it runs. With S and --force, as in streamparse: the "
              f"old topology's spouts stop for so many seconds before it ends, by default {KILL_WAIT}.")
@parameters.options
@click.option("-d", "--debug", is_flag=True, help="Set topology.debug: components log at level debug.")
@click.option("-a", "--ackers", type=click.IntRange(min=0), metavar="N", help="Set topology.acker.executors.")
@click.option("-w", "--workers", type=click.IntRange(min=1), metavar="N", help="Set topology.workers.")
@click.option("-j", "--local_jar_path", "local_jar", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              metavar="JAR", help="Send this jar, which `stormcell jar` has made, and make none.")
@click.option("-R", "--remote_jar_path", "remote_jar", metavar="PATH",
              help="Use this jar, which Nimbus has already, and send none.")
@jar_options
@_ignored("-u", "--uber_jar", is_flag=True)
@_ignored("--overwrite_virtualenv", is_flag=True)
@_ignored("--pool_size", type=int)
@_ignored("--user")
def command(file: Path | None, *, environment: str | None, config_file: Path | None, nimbus: tuple[str, ...],
            timeout: int, override_name: str | None, force: bool, inactive: bool, wait: str | None,
            local_jar: Path | None, remote_jar: str | None, ackers: int | None, workers: int | None,
            **choices: Any) -> int:
    """Submit a topology to a Storm cluster.

    FILE defines the topology; by default it is the only one in topologies/. Its jar is made on the way; the
    workers need Python 3.10 or later and nothing else.

    \b
    Example:
      stormcell submit topologies/wordcount.py --nimbus storm-1:6627 --wait

    The exit status is 0 if it was submitted, 1 if it was and does not run well (--wait), 2 if it was not.
    """
    packing = {option: choices.pop(option) for option in PACKING}
    project = Project.open(file, config_file=config_file, environment=environment, **choices)
    packed = Choices.of(project.file, config_file, environment, **packing)
    project.name = override_name or project.name
    project.settings.update(_given({"topology.acker.executors": ackers, "topology.workers": workers}))
    _check(project)

    def connect() -> Nimbus:
        return connection.open_nimbus(nimbus=nimbus, environment=environment, config_file=config_file,
                                      timeout=timeout)

    far = _Far()
    with _interruptible(far), connect() as leader, tempfile.TemporaryDirectory(prefix="stormcell-") as folder:
        version = str(leader.call("getLeader").version)
        click.echo(f"Nimbus {version} at {leader.address}")
        cargo = Cargo() if local_jar or remote_jar else _pack(project, packed, Path(folder))
        order = Order(project.name, _structure(project), {**_conf(project, leader, version), **cargo.conf},
                      jar=local_jar or cargo.jar, remote_jar=remote_jar, blobs=cargo.blobs, active=not inactive,
                      replace=force, kill_wait=int(wait) if wait and wait.isdecimal() else KILL_WAIT)
        with shown_progress() as listener:
            far.steps = Steps(leader, order, connect, listener)
            topology_id = far.steps.run()
        return _submitted(leader, order.name, topology_id, wait == "running")


def _structure(project: Project) -> Any:
    return make_structure(project.topology, project.environment, start_commands(project.topology))


def _pack(project: Project, packed: Choices, folder: Path) -> Cargo:
    """Make the files in that folder, and say what they are."""
    contents = packed.gather(project)
    for notice in contents.notices:
        click.echo(f"note: {notice}", err=True)
    cargo = pack(contents, folder, project.name, project.settings)
    assert cargo.jar is not None
    click.echo(f"the jar: {cargo.jar.stat().st_size:,} bytes, {len(contents.entries)} files; the workers need "
               f"{needs(contents)}")
    return cargo


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value is not None}


def _check(project: Project) -> None:
    """Refused: Storm would not take it, or it would not run."""
    wrong = [*filter(None, [check_name(project.name)]), *settings.wrong(project.topology, project.settings)]
    for sentence in wrong[:-1]:
        click.echo(f"stormcell submit: {sentence}", err=True)
    if wrong:
        raise Refused(f"{wrong[-1]}; nothing was submitted")


@dataclass
class _Far:
    """How far a submission is: its steps, once there are any."""

    steps: Steps | None = None

    @property
    def left(self) -> str:
        return self.steps.left if self.steps else "the cluster is as it was"


@contextlib.contextmanager
def _interruptible(far: _Far) -> Iterator[None]:
    """SIGTERM and SIGHUP end it as Ctrl-C does: in order, and with a word. Interrupted."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {far.left}") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conf(project: Project, nimbus: Nimbus, version: str) -> dict[str, Any]:
    """The topology's settings with what Python components need; says what that is."""
    new = settings.added(project.topology, project.settings, settings.version_of(version))
    for key, value in new.items():
        click.echo(f"set for its components: {key} = {_short(value)}")
    unused = project.config.unused(project.environment)
    if unused:
        click.echo(f"note: {project.config.path} has settings that nothing needs any more: {', '.join(unused)}", err=True)
    for sentence in settings.doubtful(project.settings, json.loads(nimbus.call("getNimbusConf"))):
        click.echo(f"note: {sentence}", err=True)
    return {**project.settings, **new}


def _short(value: Any) -> str:
    return ", ".join(str(one).rpartition(".")[2] for one in value) if isinstance(value, list) else str(value)


def _submitted(nimbus: Nimbus, name: str, topology_id: str, wait: bool) -> int:
    """Say so; or wait until it runs as well, and show what its components have reported by then."""
    try:
        click.echo(f"{name} is submitted: {topology_id}")
        if not wait:
            return 0
        errors = wait_until_running(nimbus, topology_id, RUNNING_SECONDS)
    except (SubmitError, NimbusError) as error:
        click.echo(f"stormcell: {error}", err=True)
        return 1
    except KeyboardInterrupt:
        click.echo(f"stormcell: interrupted; {topology_id} stays submitted", err=True)
        return 1
    for component, text in sorted(errors.items()):
        click.echo(f"{component} reports: {readable(text)}", err=True)
    click.echo("it runs" if not errors else "it runs, but not all of it well")
    return 1 if errors else 0
