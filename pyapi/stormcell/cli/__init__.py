"""The command line `stormcell`, for authors of topologies; workers import none of this.

Each command is a module of this package with the name of the command, in which it is called `command`.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from typing import Any

import click

from stormcell import __version__

COMMANDS = (
    "activate", "check", "cluster", "component", "deactivate", "doctor", "errors", "jar", "kill", "list", "quickstart",
    "rebalance", "replay", "run", "set_log_level", "slot_usage", "stats", "submit", "tail", "top", "visualize",
    "worker_uptime",
)

ERRORS = (("stormcell.cluster.error", "ClusterError"), ("stormcell.config", "ConfigError"),
          ("stormcell.engine", "EngineError"),
          ("stormcell.fault", "TopologyError"), ("stormcell.jar.fault", "JarError"),
          ("stormcell.nimbus.errors", "NimbusError"), ("stormcell.submission.steps", "SubmitError"))
"""What is told in its own words, by the module that defines it: not all are loaded for each command."""

STATUS_UNUSABLE = 2
"""The exit status for what the user gave and nothing can be done with."""


class Refused(click.ClickException):
    """Something that the user gave or lacks stands in the way; the text is one line."""

    exit_code = STATUS_UNUSABLE


class Commands(click.Group):
    """The commands, each loaded when it is needed: rich alone takes longer than the engine's start.

    What goes wrong is one line on stderr and a status, whichever command it was.
    """

    show_traceback = False

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"stormcell.cli.{name}").command
        if not any(parameter.name == "traceback" for parameter in command.params):
            command.params.append(traceback_option())
        return command

    def main(self, *arguments: Any, **named: Any) -> Any:
        """Run the command that the arguments name, and exit with its status."""
        self.show_traceback = False
        try:
            status = super().main(*arguments, **{**named, "standalone_mode": False})
        except Exception as error:
            if self.show_traceback:
                traceback.print_exception(error)
            status = _tell(error)
        sys.exit(status)


def traceback_option() -> click.Option:
    """The option that every command has."""

    def remember(context: click.Context, _: click.Parameter, wanted: bool) -> None:
        group = context.find_root().command
        if wanted and isinstance(group, Commands):
            group.show_traceback = True

    return click.Option(["--traceback"], is_flag=True, expose_value=False, is_eager=True,
                        callback=remember, help="Show where in the code an error came from.")


def _tell(error: Exception) -> int:
    """Say in one line what has gone wrong. The status to exit with."""
    if isinstance(error, BrokenPipeError):
        # Python would complain of it once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if isinstance(error, click.Abort):
        click.echo("stormcell: interrupted", err=True)
        return 1
    who, text, status = _words(error)
    click.echo(f"{who}: {text}", err=True)
    return status


def _words(error: Exception) -> tuple[str, str, int]:
    """Who speaks, what there is to say, and the status."""
    if isinstance(error, click.UsageError):
        who = error.ctx.command_path if error.ctx else "stormcell"
        return who, f"{error.format_message()} ({who} --help)", STATUS_UNUSABLE
    if isinstance(error, click.ClickException):
        return "stormcell", error.format_message(), error.exit_code
    if isinstance(error, _errors()):
        return "stormcell", str(error), STATUS_UNUSABLE
    kind = type(error).__name__
    return "stormcell", f"{kind}: {error} (--traceback shows where)", STATUS_UNUSABLE


def _errors() -> tuple[type[Exception], ...]:
    """The errors of Stormcell's own whose text says all, as far as this command has loaded their modules."""
    return tuple(getattr(sys.modules[module], name) for module, name in ERRORS if module in sys.modules)


EPILOG = """\b
Example:
  stormcell quickstart words && cd words && stormcell run --time 5

\b
Completion in bash (zsh and fish likewise), in ~/.bashrc:
  eval "$(_STORMCELL_COMPLETE=bash_source stormcell)"
"""


@click.command(cls=Commands, epilog=EPILOG, params=[traceback_option()], invoke_without_command=True,
               context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stormcell", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Python on Apache Storm: write, run, test and look at topologies."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
