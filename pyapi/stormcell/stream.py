"""What a component emits: streams, and how their tuples are dealt out to who takes them."""

from __future__ import annotations

from stormcell.fault import TopologyError, caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, ClassVar, Union

    Java = Union[tuple[str, tuple[Any, ...]], bytes]


class Stream:
    """A stream that a component emits: `Stream(["word", "count"], name="counts")`.

    Attributes:
        fields: list, the names of its tuples' values, in their order.
        name: str, what `emit(stream=...)` calls it.
        direct: bool, whether each emit names the task that gets the tuple.

    Raises TopologyError for what is no name, and for a field that there is twice.
    """

    __slots__ = ("direct", "fields", "name")

    def __init__(self, fields: Sequence[str] | None = None, name: str = "default",
                 direct: bool = False) -> None:
        wrong = _wrong_stream(fields, name)
        if wrong:
            raise TopologyError(caller(), wrong)
        self.fields = list(fields or ())
        self.name = name
        self.direct = bool(direct)

    def __repr__(self) -> str:
        return f"Stream({self.fields!r}, name={self.name!r}, direct={self.direct!r})"


def _wrong_stream(fields: object, name: object) -> str | None:
    """What is wrong with a stream of these fields and this name, or None."""
    if not isinstance(name, str) or not name:
        return f"a stream's name is a string, not {name!r}"
    if not isinstance(fields, (list, tuple, type(None))):
        return f"a stream's fields are a list of names, not {fields!r}"
    names = list(fields or ())
    if not all(isinstance(one, str) and one for one in names):
        return f"the fields of the stream {name!r} are names, not {names!r}"
    if len(set(names)) < len(names):
        return f"the stream {name!r} has a field twice: {', '.join(names)}"
    return None


class Grouping:
    """Which tasks of a bolt get a tuple of a stream that it takes: one of these constants, or what one of
    the methods gives."""

    __slots__ = ("java", "kind", "names")

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

    def __init__(self, kind: str, names: tuple[str, ...] = (), java: Java | None = None) -> None:
        self.kind = kind
        self.names = names
        self.java = java

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
        """What an instance of a Java class decides, which implements CustomStreamGrouping.

        Args:
            java_class_name: the class, with its package.
            arg_list: its constructor's arguments: bool, bytes, float, int or str.
        """
        if not isinstance(java_class_name, str) or not java_class_name:
            raise TopologyError(caller(), f"a Java class is given by its name, not {java_class_name!r}")
        return cls("custom-object", java=(java_class_name, java_arguments(arg_list)))

    @classmethod
    def custom_serialized(cls, java_serialized: bytes) -> Grouping:
        """The same, of an instance that Java has serialized."""
        if not isinstance(java_serialized, bytes):
            raise TopologyError(caller(), f"a serialized Java object is bytes, not {java_serialized!r}")
        return cls("custom-serialized", java=java_serialized)

    @property
    def needs_java(self) -> bool:
        """Whether Java code decides, which a local run does not have."""
        return self.java is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grouping) and (
            (self.kind, self.names, self.java) == (other.kind, other.names, other.java))

    def __hash__(self) -> int:
        return hash((self.kind, self.names, self.java))

    def __str__(self) -> str:
        return f"{self.kind} {', '.join(self.names)}" if self.names else self.kind

    def __repr__(self) -> str:
        return f"<Grouping {self}>"


def _field_names(method: str, names: Sequence[str | Sequence[str]]) -> tuple[str, ...]:
    if len(names) == 1 and isinstance(names[0], (list, tuple)):
        names = names[0]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise TopologyError(caller(), f"Grouping.{method} takes the names of one or more fields, not "
                                      f"{', '.join(map(repr, names)) or 'nothing'}")
    return tuple(str(name) for name in names)


def java_arguments(given: object) -> tuple[Any, ...]:
    """The arguments of a Java constructor. TopologyError: one is of a type that cannot be passed."""
    if not isinstance(given, (list, tuple)):
        raise TopologyError(caller(), f"the arguments of a Java constructor are a list, not {given!r}")
    for argument in given:
        if not isinstance(argument, (bool, bytes, float, int, str)):
            raise TopologyError(caller(), f"{argument!r} is no bool, bytes, float, int or str: nothing "
                                          "else can be passed to a Java constructor")
    return tuple(given)


Grouping.SHUFFLE = Grouping("shuffle")
Grouping.GLOBAL = Grouping("global")
Grouping.DIRECT = Grouping("direct")
Grouping.ALL = Grouping("all")
Grouping.NONE = Grouping("none")
Grouping.LOCAL_OR_SHUFFLE = Grouping("local-or-shuffle")
