"""What a component emits: streams, and how their tuples are dealt out to who takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Stream:
    """A stream that a component emits: `Stream(["word", "count"], name="counts")`.

    Args:
        fields: the names of its tuples' values, in their order.
        name: what `emit(stream=...)` calls it.
        direct: whether each emit names the task that gets the tuple.
    """

    fields: Sequence[str] | None = None
    name: str = "default"
    direct: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.fields, str):
            raise TypeError(f"a stream's fields are a list of names, not the string {self.fields!r}")
        names = list(self.fields or ())
        if not isinstance(self.name, str):
            raise TypeError(f"a stream's name is a string, not {self.name!r}")
        if not all(isinstance(name, str) and name for name in names):
            raise TypeError(f"the fields of stream {self.name!r} are names, not {names!r}")
        if len(set(names)) < len(names):
            raise ValueError(f"the stream {self.name!r} has a field twice: {', '.join(names)}")
        object.__setattr__(self, "fields", names)
        object.__setattr__(self, "direct", bool(self.direct))


@dataclass(frozen=True)
class Grouping:
    """Which tasks of a bolt get a tuple of a stream that it takes: one of these constants, or what one of
    the methods gives."""

    kind: str
    names: list[str] = field(default_factory=list)
    java: Any = None

    SHUFFLE: ClassVar[Grouping]
    """Each in turn: every task gets as many."""
    GLOBAL: ClassVar[Grouping]
    """The one with the lowest number."""
    DIRECT: ClassVar[Grouping]
    """The one that the emit names; for direct streams."""
    ALL: ClassVar[Grouping]
    """Every one."""
    NONE: ClassVar[Grouping]
    """Any one."""
    LOCAL_OR_SHUFFLE: ClassVar[Grouping]
    """Those in the same worker in turn, or else all in turn."""

    @classmethod
    def fields(cls, *names: str | Sequence[str]) -> Grouping:
        """The one that these fields' values decide: equal values come to the same task."""
        return cls("fields", _field_names("fields", names))

    @classmethod
    def partial_key(cls, *names: str | Sequence[str]) -> Grouping:
        """Of two that these fields' values decide, the one that has had less: for frequent keys."""
        return cls("partial-key", _field_names("partial_key", names))

    @classmethod
    def custom_object(cls, java_class_name: str, arg_list: Sequence[Any] = ()) -> Grouping:
        """What an instance of a Java class decides, which implements CustomStreamGrouping."""
        return cls("custom-object", java=(java_class_name, list(arg_list)))

    @classmethod
    def custom_serialized(cls, java_serialized: bytes) -> Grouping:
        """The same, of an instance that Java has serialized."""
        if not isinstance(java_serialized, bytes):
            raise TypeError(f"a serialized Java object is bytes, not {java_serialized!r}")
        return cls("custom-serialized", java=java_serialized)

    @property
    def needs_java(self) -> bool:
        return self.java is not None

    def __str__(self) -> str:
        return f"{self.kind} {', '.join(self.names)}" if self.names else self.kind


def _field_names(method: str, names: Sequence[str | Sequence[str]]) -> list[str]:
    if len(names) == 1 and not isinstance(names[0], str):
        names = list(names[0])
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"Grouping.{method} takes the names of one or more fields, not {names!r}")
    return [str(name) for name in names]


Grouping.SHUFFLE = Grouping("shuffle")
Grouping.GLOBAL = Grouping("global")
Grouping.DIRECT = Grouping("direct")
Grouping.ALL = Grouping("all")
Grouping.NONE = Grouping("none")
Grouping.LOCAL_OR_SHUFFLE = Grouping("local-or-shuffle")
