"""`stormcell visualize`: a topology as a picture."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click

from stormcell.cli import Refused, parameters
from stormcell.cli.project import find_config, find_file
from stormcell.dot import dot
from stormcell.load import load

PICTURES = (".svg", ".png", ".pdf")


@click.command("visualize")
@parameters.topology_file
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write it, as .dot, .svg, .png or .pdf; by default the graph goes to stdout.")
@parameters.environment
@parameters.config_file
def command(file: Path | None, output: Path | None, environment: str | None,
            config_file: Path | None) -> None:
    """Draw a topology.

    That is: its components, and what goes from where to where by which grouping.

    FILE defines the topology; by default it is the only one in topologies/. All but .dot is drawn by
    Graphviz.

    \b
    Example:
      stormcell visualize topologies/wordcount.py -o wordcount.svg
    """
    graph = dot(load(find_file(file, find_config(file, config_file))), environment)
    if output is None:
        click.echo(graph, nl=False)
    elif output.suffix == ".dot":
        _write(output, graph)
    elif output.suffix in PICTURES:
        _draw(output, graph)
    else:
        raise Refused(f"--output {output}: the name must end in .dot, {', '.join(PICTURES)}")


def _write(output: Path, graph: str) -> None:
    try:
        output.write_text(graph, encoding="utf-8")
    except OSError as error:
        raise Refused(f"--output {output}: {error.strerror}") from None


def _draw(output: Path, graph: str) -> None:
    graphviz = shutil.which("dot")
    if graphviz is None:
        raise Refused(f"Graphviz is needed for {output.suffix} (apt-get install graphviz); "
                      f"-o {output.with_suffix('.dot')} does without")
    done = subprocess.run([graphviz, f"-T{output.suffix[1:]}", "-o", output], input=graph.encode(),
                          stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise Refused(f"Graphviz cannot draw {output}: {said}")
