"""Which Nimbus the commands of a cluster speak to."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stormcell.cli import Refused, parameters
from stormcell.cli.lasting import Lasting
from stormcell.cli.project import find_config
from stormcell.cluster import running
from stormcell.config import Config, ConfigError
from stormcell.nimbus import Nimbus, Unreachable
from stormcell.nimbus.client import Address, OpenSocket, Transport, framed, open_socket

PORT = 6627
"""Nimbus' Thrift port, where nothing else is said."""

VARIABLE = "STORMCELL_NIMBUS"

Command = TypeVar("Command", bound=Callable[..., Any])


def choices(command: Command) -> Command:
    """The options that say which cluster is meant: `environment`, `config_file`, `nimbus` and `timeout`."""
    for option in (timeout, nimbus, parameters.config_file, parameters.environment):
        command = option(command)
    return command


nimbus = click.option(
    "--nimbus", multiple=True, metavar="HOST[:PORT]",
    help="A seed of the cluster, may be given several times; by default the environment's \"nimbus\", "
    f"${VARIABLE}, or the cluster of this machine (stormcell cluster).")

timeout = click.option(
    "--timeout", type=click.IntRange(min=1), default=7000, show_default=True, metavar="MS",
    help="How long Nimbus may take for an answer, in milliseconds.")


def open_nimbus(*, nimbus: tuple[str, ...] = (), environment: str | None = None,
                config_file: Path | None = None, timeout: int = 7000, config: Config | None = None) -> Nimbus:
    """Connect to the leader of the cluster that is meant. NimbusError, ConfigError or Refused.

    config: the project's configuration, if it has been read already.
    """
    config = config or find_config(None, config_file)
    opener: OpenSocket = open_socket
    transport = _transport(environment, config)
    seeds = _seeds(nimbus, environment, config)
    if not seeds:
        here = running()
        if here is None:
            raise Refused("which cluster? Name it by --nimbus HOST:PORT, or as \"nimbus\" in the environment of "
                          "config.json, or start one on this machine: stormcell cluster up")
        seeds, opener, transport = [here.nimbus], here.connect, transport or here.transport
    try:
        return Nimbus.connect(seeds, timeout / 1000, opener, transport or framed)
    except Unreachable as error:
        raise Unreachable(f"no Nimbus answers: {error}") from None


def open_lasting(**where: Any) -> Lasting:
    """The same for a command that goes on until it is ended: Nimbus may go and come back."""
    return Lasting(lambda: open_nimbus(**where))


def _seeds(given: tuple[str, ...], environment: str | None, config: Config) -> list[Address]:
    """What the command line, the configuration or the process' environment says; empty: nothing."""
    name, settings = config.environment(environment)
    named = settings.get("nimbus")
    if given or not named:
        named = list(given) or list(filter(None, os.environ.get(VARIABLE, "").split(",")))
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        raise ConfigError(f'{config.path}: "nimbus" of the environment {name!r} is "host:port" or a list of '
                          f"such, not {named!r}")
    return [address(one) for one in named]


def _transport(environment: str | None, config: Config) -> Transport | None:
    """What the environment's "transport" names, "module:function" of the project's or ours, if it names one."""
    name, settings = config.environment(environment)
    named = settings.get("transport")
    if named is None:
        return None
    sys.path.insert(0, str(config.folder.resolve()))
    try:
        module, _, function = str(named).partition(":")
        found: Transport = getattr(importlib.import_module(module), function)
    except Exception as error:
        raise ConfigError(f'{config.path}: "transport" of the environment {name!r} is {named!r}, and that is no '
                          f"function of a module, as in \"stormcell.nimbus.sasl:digest\": {error}") from None
    finally:
        del sys.path[0]
    return found


def address(text: str) -> Address:
    """"host", "host:port" or "[v6 address]:port". Refused."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or host.count(":") and not host.endswith("]"):
        host, port = text.strip(), str(PORT)
    if host and port.isdecimal() and 0 < int(port) < 65536:
        return host.strip("[]"), int(port)
    raise Refused(f"{text!r} is no address of a Nimbus: it is HOST or HOST:PORT")
