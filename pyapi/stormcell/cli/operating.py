"""What the commands that operate a cluster have in common."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from stormcell.cli import Refused
from stormcell.cli.project import find_config
from stormcell.nimbus import Unreachable

topology = click.argument("topology", required=False, metavar="[TOPOLOGY]")

name = click.option("-n", "--name", metavar="TOPOLOGY", help="The topology's name: another way to give it.")

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")

wait = click.option(
    "--wait", type=click.IntRange(min=0), default=5, show_default=True, metavar="S",
    help="Give the topology so many seconds to finish what is in flight: its spouts are off meanwhile.")

follow = click.option(
    "--follow/--no-follow", default=True,
    help="Return when it is done, or at once, while Storm goes on. The first is the default.")


def given(topology: str | None, name: str | None) -> str | None:
    """The topology that the command line names, if it names one."""
    if topology and name and topology != name:
        raise click.UsageError(f"which topology, {topology!r} or {name!r}?")
    return topology or name


def chosen(topology: str | None, name: str | None, config_file: Path | None) -> str:
    """The topology that the command line names, or the project's only one. Refused."""
    named = given(topology, name) or _only(config_file)
    if named is None:
        raise Refused("which topology? Name it (`stormcell list` shows those that there are)")
    return named


def _only(config_file: Path | None) -> str | None:
    specs = find_config(None, config_file).topology_specs
    found = [path.stem for path in specs.glob("*.py") if path.name != "__init__.py"]
    return found[0] if len(found) == 1 else None


def write_json(told: object) -> None:
    """Write dataclasses, or lists and dicts of them, to stdout."""
    click.echo(json.dumps(told, indent=2, default=_plain))


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} is nothing that JSON has")


def joined(parts: Sequence[str]) -> str:
    """Parts of a sentence: "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


@contextlib.contextmanager
def on_its_own(state: str) -> Iterator[None]:
    """While a command waits for what Storm does anyway: Ctrl-C, or Nimbus going, says so and ends it."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"{state}: Storm goes on with it by itself")
    except Unreachable as error:
        raise Unreachable(f"{state} as far as is known; Nimbus no longer answers: {error}") from None
