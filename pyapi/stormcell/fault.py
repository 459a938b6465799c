"""What is wrong with a topology, and where it is said."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

# A module of components imports this on a worker too, where it declares streams: nothing that is slow
# to import may be at the top of it.

PACKAGE = __name__.partition(".")[0]


class TopologyError(ValueError):
    """A topology that cannot be.

    Attributes:
        where: "file:line" of what is wrong, or the file, or "".
        sentence: what is wrong and, where it is not plain, what to do.
    """

    def __init__(self, where: str, sentence: str) -> None:
        super().__init__(where, sentence)
        self.where = where
        self.sentence = sentence

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}" if self.where else self.sentence


def caller() -> str:
    """Where the nearest code outside of this package stands: "file:line"."""
    frame: FrameType = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == PACKAGE:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def listed(names: Iterable[str]) -> str:
    """The names as a sentence has them: "'a', 'b'"."""
    return ", ".join(repr(name) for name in names) or "none"


def nearest(name: str, names: Iterable[str]) -> str:
    """How a sentence ends that says of a name that there is none: with what may have been meant, or
    with all that there are."""
    import difflib

    known = list(names)
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f", but {listed(known)}" if known else ", nor any other"


def not_json(settings: object) -> str | None:
    """What of Storm's keys JSON cannot carry, as the end of a sentence that begins with whose they are,
    or None."""
    import json

    if not isinstance(settings, dict) or not all(isinstance(key, str) for key in settings):
        return f"is a dict with names for keys, not {settings!r}"
    for key, value in settings.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            return f"has {key!r}, which JSON cannot carry: {error}"
    return None
