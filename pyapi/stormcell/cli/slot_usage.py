"""`stormcell slot_usage`: which hosts run what."""

from __future__ import annotations

from typing import Any

import click

from stormcell.cli import connection, operating
from stormcell.operate import ask, tables


@click.command("slot_usage")
@operating.as_json
@connection.choices
def command(as_json: bool, **where: Any) -> None:
    """Show which hosts run which topologies.

    For each host: its slots, those that are free, and of each topology how many workers it runs and, in
    brackets, how many executors they have, Storm's own included.

    \b
    Example:
      stormcell slot_usage
    """
    with connection.open_nimbus(**where) as nimbus:
        told, workers = ask.cluster(nimbus), ask.workers(nimbus)
    if as_json:
        operating.write_json({"supervisors": told.supervisors, "workers": workers})
    else:
        tables.show(tables.slots(told, workers))
