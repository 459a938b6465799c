"""`stormcell worker_uptime`: how long each worker has run."""

from __future__ import annotations

from typing import Any

import click

from stormcell.cli import connection, operating
from stormcell.operate import ask, tables


@click.command("worker_uptime")
@operating.as_json
@connection.choices
def command(as_json: bool, **where: Any) -> None:
    """Show how long each worker has run, and where its log is.

    An uptime is as of the worker's last report, and "-" until the first. The log is below workers-artifacts
    in its host's folder of logs.

    \b
    Example:
      stormcell worker_uptime
    """
    with connection.open_nimbus(**where) as nimbus:
        workers = ask.workers(nimbus)
    if as_json:
        operating.write_json(workers)
    else:
        tables.show(tables.worker_uptimes(workers))
