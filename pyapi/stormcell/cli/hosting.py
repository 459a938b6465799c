"""What options of the commands that run a single component have in common."""

from __future__ import annotations

import sys
from pathlib import Path

import click


def _sources() -> Path:
    """Where a project has its components, if this is the folder of one."""
    sources = Path("src")
    return sources if sources.is_dir() else Path()


directory = click.option(
    "--directory", type=click.Path(exists=True, file_okay=False, path_type=Path), default=_sources,
    metavar="DIR",
    help="Where the component's module is imported from; by default src/, where there is one, or here.")

python = click.option(
    "--python", default=sys.executable, metavar="PYTHON",
    help="The interpreter to run it with, which must have Stormcell; by default this one.")
