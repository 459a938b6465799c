"""`stormcell kill`: the end of a topology."""

from __future__ import annotations

from typing import Any

import click

from stormcell.cli import connection, operating
from stormcell.operate import ask, change


@click.command("kill")
@operating.topology
@operating.name
@operating.wait
@operating.follow
@connection.choices
def command(topology: str | None, name: str | None, wait: int, follow: bool, **where: Any) -> int:
    """End a topology.

    TOPOLOGY is by default the project's only one. Its spouts are turned off at once, its workers end after
    --wait seconds. The command returns when the name is free again; with --no-follow, at once.

    \b
    Example:
      stormcell kill words --wait 30

    The exit status is 0 if it has been killed, 1 if Ctrl-C came before its end, 2 if it could not be.
    """
    chosen = operating.chosen(topology, name, where["config_file"])
    with connection.open_nimbus(**where) as nimbus:
        found = ask.find(nimbus, chosen)
        again = "once more: " if found.status == "KILLED" else ""
        change.kill(nimbus, found, wait)
        with operating.on_its_own(f"{chosen} is still being killed"):
            click.echo(f"killing {chosen}: {again}its spouts are off, its workers end in {wait} s")
            if follow:
                change.gone(nimbus, found, wait)
                click.echo(f"{chosen} is gone")
            return 0
    return 1
