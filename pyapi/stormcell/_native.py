"""The compiled part, under a name that type checkers find (its stub is beside this file)."""

try:
    import _stormcell
except ImportError as error:
    from stormcell._loading import load_from_memory

    load_from_memory(error)

from _stormcell import (
    Bolt,
    Component,
    Loopback,
    Spout,
    StormWentAwayError,
    Tuple,
    __version__,
    answer,
    close,
    handshake,
    last_words,
    open,
    serve_bolt,
    serve_spout,
)

__all__ = [
    "Bolt",
    "Component",
    "Loopback",
    "Spout",
    "StormWentAwayError",
    "Tuple",
    "__version__",
    "answer",
    "close",
    "handshake",
    "last_words",
    "open",
    "serve_bolt",
    "serve_spout",
]
