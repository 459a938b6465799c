"""Python's logging, sent to Storm's log. Imported where user code has imported logging."""

from __future__ import annotations

import logging
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from stormcell.component import Component

LEVEL_KEY = "stormcell.log.level"
"""The topology setting that names the least level that is sent: 'debug', 'info' (the default) ..."""

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


class StormHandler(logging.Handler):
    """Sends each record to Storm's log, at the level that it has."""

    def __init__(self, component: Component) -> None:
        super().__init__()
        self.component = component
        self.setFormatter(logging.Formatter("%(name)s - %(message)s"))  # Storm adds the time

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.component.log(self.format(record), _storm_level(record.levelno))
        except Exception:
            self.handleError(record)


def install(component: Component) -> None:
    """Make the root logger send to Storm, once, at the level that the topology's conf names."""
    root = logging.getLogger()
    if any(isinstance(handler, StormHandler) for handler in root.handlers):
        return
    for handler in root.handlers[:]:
        # Of logging.basicConfig(): what it prints is captured, and would be logged a second time.
        if type(handler) is logging.StreamHandler and handler.stream in (sys.stdout, sys.stderr):
            root.removeHandler(handler)
    root.addHandler(StormHandler(component))
    root.setLevel(least_level(component))


def least_level(component: Component) -> int:
    """The least level of `logging` that is sent, as the topology's conf has it."""
    name = str(component.storm_conf.get(LEVEL_KEY) or "info").lower()
    return logging.DEBUG if component.debug else _LEVELS.get(name, logging.INFO)


def component_logger(component: Component) -> logging.Logger:
    """The logger of a component, ready to use."""
    if hasattr(component, "storm_conf"):
        install(component)
    return named_logger(component)


def named_logger(component: Component) -> logging.Logger:
    """The logger that is called after a component."""
    return logging.getLogger(f"stormcell.component.{component.component_name}")


def _storm_level(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    return "info" if number >= logging.INFO else "debug"
