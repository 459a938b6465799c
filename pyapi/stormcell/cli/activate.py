"""`stormcell activate`: a topology's spouts, on or off."""

from __future__ import annotations

from typing import Any

import click

from stormcell.cli import connection, operating
from stormcell.operate import ask, change


@click.command("activate")
@operating.topology
@operating.name
@connection.choices
def command(topology: str | None, name: str | None, **where: Any) -> None:
    """Let the spouts of a topology emit again.

    TOPOLOGY is by default the project's only one.

    \b
    Example:
      stormcell activate words
    """
    chosen = operating.chosen(topology, name, where["config_file"])
    with connection.open_nimbus(**where) as nimbus:
        changed = change.activate(nimbus, ask.find(nimbus, chosen), "ACTIVE")
    click.echo(f"{chosen} is active" if changed else f"{chosen} is active already: nothing to do")
