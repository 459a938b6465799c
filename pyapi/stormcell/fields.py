"""Names for the values of tuples, from the fields that the topology declares."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def values_type(
    fields: dict[str, dict[str, list[str]]], component: str, stream: str
) -> type[Any] | None:
    """The class for the values of tuples of `component`'s `stream`; None: plain tuples.

    `fields` is the handshake's source->stream->fields. A stream that is not among them cannot be
    subscribed to: ValueError. Storm's own (their components start with "__") are never among them.
    """
    if not fields or component.startswith("__"):
        return None
    try:
        names = fields[component][stream]
    except KeyError:
        known = ", ".join(f"{c}/{s}" for c, streams in fields.items() for s in streams)
        raise ValueError(
            f"a tuple came from stream {stream!r} of component {component!r}, to which this "
            f"component does not subscribe (it subscribes to: {known}); has the topology been "
            f"changed without this component?"
        ) from None
    from collections import namedtuple  # costs a millisecond: only for those who get tuples

    # A field's name that is none for Python (user-id, class, _x) becomes its position: _0, _1.
    return namedtuple(_type_name(component, stream), names, rename=True)


def _type_name(component: str, stream: str) -> str:
    return _identifier(component) + _identifier(stream) + "Tuple"


def _identifier(text: str) -> str:
    name = "".join(c if c.isalnum() or c == "_" else "_" for c in text.title())
    return "_" + name if name[:1].isdigit() else name
