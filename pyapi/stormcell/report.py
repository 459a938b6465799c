"""What Storm is told of an exception. Imported when there is one."""

from __future__ import annotations

import os
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from stormcell import _native
    from stormcell.component import Component

TEXT_MAX = 64 * 1024
"""Characters of a report; Storm keeps it in ZooKeeper, which takes a megabyte at most."""

_PACKAGE = os.path.dirname(__file__) + os.sep


def describe(
    component: Component, exception: BaseException, tup: _native.Tuple | None = None
) -> str:
    """A report of an exception in user code: what, where, with which tuple, and the traceback."""
    what = f"Python {type(exception).__name__} raised"
    if tup is not None:
        what += f" while processing {shorten(_safe_repr(tup), 2000)}"
    where = (
        f"in component {component.component_name!r}, task {component.task_id}, "
        f"on {os.uname().nodename}, process {os.getpid()}"
    )
    return shorten(f"{what}\n{where}\n{trace(exception)}", TEXT_MAX)


def trace(exception: BaseException) -> str:
    """The exception with its traceback, without the frames of this package that called it."""
    frames = exception.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        frames = frames.tb_next
    if frames is None and not isinstance(exception, SyntaxError):
        frames = exception.__traceback__  # it is this package's own, then
    try:
        return "".join(traceback.format_exception(type(exception), exception, frames)).rstrip()
    except Exception as second:  # its own __str__ may raise
        return f"{type(exception).__name__} (which could not be shown: {type(second).__name__})"


def _safe_repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as exception:
        return f"a {type(value).__name__} (its repr raised {type(exception).__name__})"


def shorten(text: str, limit: int) -> str:
    """`text` without its middle where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
