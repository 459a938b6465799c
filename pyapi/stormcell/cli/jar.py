"""`stormcell jar`: all that a topology needs on a cluster, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stormcell.cli import parameters
from stormcell.cli.packing import Choices, jar_options
from stormcell.cli.project import Project, find_config, find_file
from stormcell.jar import Contents, Jar, PackedEnvironment


@click.command("jar")
@parameters.topology_file
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write it; by default the topology's name with .jar, in this folder.")
@click.option("--list", "only_list", is_flag=True, help="Show what would be in it, and build nothing.")
@jar_options
@click.option("-s", "--simple_jar", is_flag=True, hidden=True)
@parameters.environment
@parameters.config_file
def command(file: Path | None, output: Path | None, only_list: bool, simple_jar: bool,
            environment: str | None, config_file: Path | None, **choices: Any) -> None:
    """Build a topology's jar.

    It holds the topology's code and all that a worker needs to run it but Python.

    FILE defines the topology; by default it is the only one in topologies/. `stormcell submit` builds it by
    itself.

    \b
    Example:
      stormcell jar topologies/wordcount.py --python 3.11
    """
    if simple_jar:
        click.echo("--simple_jar: every jar is one; the option is not needed any more", err=True)
    file = find_file(file, find_config(file, config_file))
    chosen = Choices.of(file, config_file, environment, **choices)
    project = Project.open(file, config_file=config_file, environment=environment)
    contents = chosen.gather(project)
    for notice in contents.notices:
        click.echo(f"stormcell: {notice}", err=True)
    if only_list:
        show_entries(contents)
        return
    path = output or Path(f"{project.name}.jar")
    if contents.environment:
        show_environment(contents.environment.pack(path.parent))
    show(contents.write(path))


def show_entries(contents: Contents) -> None:
    """The files, and the bytes that each will take on a worker."""
    for entry in contents.entries:
        click.echo(f"{entry.size():>12,}  {entry.name}")


def show_environment(packed: PackedEnvironment) -> None:
    """What has been packed, and how the workers get it."""
    click.echo(f"{packed.path}: {packed.size:,} bytes, a blob that `stormcell submit` uploads")
    click.echo(f"  sha256 {packed.digest}")


def show(jar: Jar) -> None:
    """What has been built, and what it is for."""
    click.echo(f"{jar.path}: {jar.size:,} bytes, {len(jar.contents.entries)} files")
    click.echo(f"  sha256 {jar.digest}")
    click.echo(f"  the workers need {needs(jar.contents)}")


def needs(contents: Contents) -> str:
    """What must be on the workers."""
    workers, environment, glibc = contents.workers, contents.environment, contents.runner.glibc
    system = f"Linux on {workers.machine}" + (f" with glibc 2.{glibc} or later" if glibc else "")
    if environment is None:
        return f"{workers.python or contents.runner.pythons}, and {system}"
    if not environment.base:
        return system
    version = ".".join(map(str, environment.version))
    return f"Python {version} in {environment.base}, which the environment is made from, and {system}"
