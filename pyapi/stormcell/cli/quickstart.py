"""`stormcell quickstart`: a new project that runs, with tests that pass."""

from __future__ import annotations

from pathlib import Path

import click

from stormcell.cli import Refused

TEMPLATE = Path(__file__).parent / "template"
PLACEHOLDER = "PROJECT"
HIDDEN = {"gitignore": ".gitignore"}
"""A template that began with a dot would be none for setuptools, and would hide files from Git here."""


@click.command("quickstart")
@click.argument("name", type=click.Path(path_type=Path))
def command(name: Path) -> None:
    """Make a new project.

    It gets a directory NAME, and has a topology that counts words, and its tests.

    \b
    Example:
      stormcell quickstart words
    """
    try:
        name.mkdir()
    except FileExistsError:
        raise Refused(f"{name} exists already: choose another name") from None
    except OSError as error:
        raise Refused(f"{name} cannot be made: {error.strerror}") from None
    _copy(TEMPLATE, name, name.resolve().name)
    click.echo(NEXT.format(name=name))


NEXT = """\
{name} is a topology that counts words. Next:
  cd {name}
  stormcell run     run it, without Storm; Ctrl-C ends it
  pytest            run its tests
Its components are in src/, how they are joined is in topologies/wordcount.py."""


def _copy(source: Path, target: Path, project: str) -> None:
    for entry in source.iterdir():
        path = target / HIDDEN.get(entry.name, entry.name)
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            path.mkdir()
            _copy(entry, path, project)
        else:
            path.write_text(entry.read_text(encoding="utf-8").replace(PLACEHOLDER, project), encoding="utf-8")
