"""`stormcell deactivate`: a topology's spouts, on or off."""

from __future__ import annotations

from typing import Any

import click

from stormcell.cli import connection, operating
from stormcell.operate import ask, change


@click.command("deactivate")
@operating.topology
@operating.name
@connection.choices
def command(topology: str | None, name: str | None, **where: Any) -> None:
    """Let the spouts of a topology emit nothing more.

    Its bolts finish what is in flight; its workers stay.

    TOPOLOGY is by default the project's only one.

    \b
    Example:
      stormcell deactivate words
    """
    chosen = operating.chosen(topology, name, where["config_file"])
    with connection.open_nimbus(**where) as nimbus:
        changed = change.activate(nimbus, ask.find(nimbus, chosen), "INACTIVE")
    click.echo(f"{chosen} is inactive" if changed else f"{chosen} is inactive already: nothing to do")
