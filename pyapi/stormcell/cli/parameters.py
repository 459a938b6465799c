"""What options of several commands have in common."""

from __future__ import annotations

import math
from pathlib import Path

import click


def seconds(text: str) -> float:
    """The type of options that are a time: more than nothing, less than for ever, fractions allowed."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise click.BadParameter(f"{text!r} is no number of seconds above 0.")
    return number


topology_file = click.argument(
    "file", required=False, type=click.Path(path_type=Path, dir_okay=False), metavar="[FILE]")

config_file = click.option(
    "--config", "config_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="The project's configuration; by default config.json or pyproject.toml, if there is one.")

environment = click.option(
    "-e", "--environment", metavar="NAME",
    help="Which of the configuration's `envs`; may be left out where there is only one.")

options = click.option(
    "-o", "--option", "options", multiple=True, metavar="KEY=VALUE",
    help="A setting of the topology, VALUE as JSON or plain text; may be given several times.")
