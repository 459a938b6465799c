"""`stormcell list`: the topologies of a cluster."""

from __future__ import annotations

from typing import Any

import click

from stormcell.cli import connection, operating
from stormcell.operate import ask, tables


@click.command("list")
@operating.as_json
@connection.choices
def command(as_json: bool, **where: Any) -> None:
    """List the topologies of a cluster.

    \b
    Example:
      stormcell list -e prod
    """
    with connection.open_nimbus(**where) as nimbus:
        found = ask.topologies(nimbus)
    if as_json:
        operating.write_json(found)
    else:
        tables.show(tables.listing(found))
