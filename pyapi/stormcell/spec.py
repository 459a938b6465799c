"""How a component stands in a topology: its name, what it takes and emits, how many tasks it has."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from stormcell.stream import Grouping, Stream

if TYPE_CHECKING:
    from stormcell.component import Component

PACKAGE = __name__.partition(".")[0]


class TopologyError(ValueError):
    """A topology that cannot be: one sentence, which says in which file and line."""

    def __init__(self, where: str, sentence: str) -> None:
        super().__init__(f"{where}: {sentence}" if where else sentence)


class Source(NamedTuple):
    """A stream of a spec: `spec["stream"]`."""

    spec: Spec
    stream: str


# A component by its spec, or by its name where it comes only later in the class; a stream other than
# the default one as `spec["stream"]` or `"name:stream"`.
From = Union["Spec", Source, str]
Inputs = Union[Mapping[From, Grouping], Sequence[From], From]
Outputs = Sequence[Union[str, Stream]]
Parallelism = Union[int, Mapping[str, int]]


@dataclass(eq=False)
class Spec:
    """A component's place in a topology, as `spec()` gives it.

    Attributes:
        kind: "spout" or "bolt".
        name: the component's; None until the topology's class is made and it gets its attribute's.
        inputs: what it takes, as it was given.
        par: how many tasks, or that by environment.
        config: Storm's keys for this component alone.
        outputs: its streams by name.
        where: "file:line" of the spec.
        component: the class, of a component in Python.
        command: the program and its arguments, of one in another language.
        java: the Java class's name and its constructor's arguments, or the serialized object.
    """

    kind: str
    name: str | None
    inputs: list[tuple[From, Grouping | None]]
    par: Parallelism
    config: dict[str, Any]
    outputs: dict[str, Stream]
    where: str
    component: type[Component] | None = None
    command: list[str] | None = None
    java: tuple[str, list[Any]] | bytes | None = None

    def __getitem__(self, stream: str) -> Source:
        """The stream of this name, to be taken by a bolt. KeyError: there is none."""
        if stream not in self.outputs:
            raise KeyError(f"{self.title} has no stream {stream!r}, but {_listed(self.outputs)}")
        return Source(self, stream)

    @property
    def title(self) -> str:
        """What an error calls it."""
        what = self.component.__name__ if self.component is not None else f"the {self.kind}"
        return f"{self.name!r}" if self.name else what

    def tasks(self, environment: str | None) -> int:
        """How many tasks there are in this environment. TopologyError: it is not said."""
        if isinstance(self.par, int):
            return self.par
        if environment is None or environment not in self.par:
            raise TopologyError(self.where, f"{self.title} has no par for the environment "
                                            f"{environment!r}, but {_listed(self.par)}")
        return self.par[environment]

    def fail(self, sentence: str) -> TopologyError:
        return TopologyError(self.where, sentence)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"


def caller() -> str:
    """Where the nearest code outside of this package stands: "file:line"."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == PACKAGE:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def make_spec(kind: str, *, name: str | None, inputs: Inputs | None = None,
              par: Parallelism | None = None, config: Mapping[str, Any] | None = None,
              outputs: Outputs | None = None, component: type[Component] | None = None,
              command: list[str] | None = None,
              java: tuple[str, list[Any]] | bytes | None = None) -> Spec:
    """Check what `spec()` was given, as far as it can be known then. TopologyError says what is wrong."""
    where = caller()
    title = repr(name) if name else component.__name__ if component else f"the {kind}"

    def fail(sentence: str) -> TopologyError:
        return TopologyError(where, sentence)

    if name is not None and (not isinstance(name, str) or not name):
        raise fail(f"a component's name is a string, not {name!r}")
    return Spec(kind, name, _inputs(inputs, title, fail), _par(par, title, fail),
                _config(config, title, fail), _outputs(outputs, title, fail), where,
                component=component, command=command, java=java)


def _inputs(inputs: Inputs | None, title: str, fail: Any) -> list[tuple[From, Grouping | None]]:
    if inputs is None:
        return []
    if isinstance(inputs, Mapping):
        pairs: list[tuple[From, Grouping | None]] = list(inputs.items())
    elif isinstance(inputs, (Spec, Source, str)):
        pairs = [(inputs, None)]
    else:
        pairs = [(source, None) for source in inputs]
    for source, grouping in pairs:
        if not isinstance(source, (Spec, Source, str)):
            raise fail(f"{title} takes {source!r}, which is neither a spec nor a stream of one")
        if grouping is not None and not isinstance(grouping, Grouping):
            raise fail(f"{title} takes a stream by {grouping!r}, which is no Grouping")
    return pairs


def _par(par: Parallelism | None, title: str, fail: Any) -> Parallelism:
    counts = list(par.values()) if isinstance(par, Mapping) else [1 if par is None else par]
    if not counts or not all(isinstance(count, int) and not isinstance(count, bool) and count > 0
                             for count in counts):
        raise fail(f"the par of {title} is a whole number from 1, or a dict of such by environment, "
                   f"not {par!r}")
    return dict(par) if isinstance(par, Mapping) else counts[0]


def _config(config: Mapping[str, Any] | None, title: str, fail: Any) -> dict[str, Any]:
    config = {} if config is None else config
    if not isinstance(config, Mapping) or not all(isinstance(key, str) for key in config):
        raise fail(f"the config of {title} is a dict with names for keys, not {config!r}")
    for key, value in config.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise fail(f"JSON cannot carry {key!r} in the config of {title}: {error}") from None
    return dict(config)


def _outputs(outputs: Outputs | None, title: str, fail: Any) -> dict[str, Stream]:
    given = [] if outputs is None else outputs
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise fail(f"the outputs of {title} are a list of fields or of streams, not {outputs!r}")
    try:
        if given and all(isinstance(one, str) for one in given):
            return {"default": Stream([str(one) for one in given])}
    except ValueError as error:
        raise fail(f"the outputs of {title}: {error}") from None
    streams: dict[str, Stream] = {}
    for one in given:
        if not isinstance(one, Stream):
            raise fail(f"the outputs of {title} hold {one!r}, which is no Stream")
        if one.name in streams:
            raise fail(f"{title} has two streams of the name {one.name!r}")
        streams[one.name] = one
    return streams


# ---- components that are not in Python ---------------------------------------------------------


class ShellBolt:
    """A bolt in any language, that speaks Storm's multilang protocol."""

    @staticmethod
    def spec(name: str | None = None, command: str | None = None, script: str | None = None,
             inputs: Inputs | None = None, par: Parallelism | None = None,
             config: Mapping[str, Any] | None = None, outputs: Outputs | None = None) -> Spec:
        """`command` is the program, `script` its one argument, which Storm passes as it is."""
        return make_spec("bolt", name=name, inputs=inputs, par=par, config=config, outputs=outputs,
                         command=_shell(command, script))


class ShellSpout:
    """A spout in any language, that speaks Storm's multilang protocol."""

    @staticmethod
    def spec(name: str | None = None, command: str | None = None, script: str | None = None,
             par: Parallelism | None = None, config: Mapping[str, Any] | None = None,
             outputs: Outputs | None = None) -> Spec:
        """As `ShellBolt.spec`, without inputs."""
        return make_spec("spout", name=name, par=par, config=config, outputs=outputs,
                         command=_shell(command, script))


def _shell(command: str | None, script: str | None) -> list[str]:
    if not isinstance(command, str) or not command:
        raise TopologyError(caller(), f"a shell component's command is a program, not {command!r}")
    if script is not None and not isinstance(script, str):
        raise TopologyError(caller(), f"a shell component's script is one argument, not {script!r}")
    return [command] if script is None else [command, script]


class JavaBolt:
    """A bolt in Java: it runs on a cluster only."""

    @staticmethod
    def spec(name: str | None = None, serialized_java: bytes | None = None,
             full_class_name: str | None = None, args_list: Sequence[Any] | None = None,
             inputs: Inputs | None = None, par: Parallelism | None = 1,
             config: Mapping[str, Any] | None = None, outputs: Outputs | None = None) -> Spec:
        """Either `full_class_name` and its constructor's `args_list` (bool, bytes, float, int, str), or
        an object that Java has serialized."""
        return make_spec("bolt", name=name, inputs=inputs, par=par, config=config, outputs=outputs,
                         java=_java(serialized_java, full_class_name, args_list))


class JavaSpout:
    """A spout in Java: it runs on a cluster only."""

    @staticmethod
    def spec(name: str | None = None, serialized_java: bytes | None = None,
             full_class_name: str | None = None, args_list: Sequence[Any] | None = None,
             par: Parallelism | None = 1, config: Mapping[str, Any] | None = None,
             outputs: Outputs | None = None) -> Spec:
        """As `JavaBolt.spec`, without inputs."""
        return make_spec("spout", name=name, par=par, config=config, outputs=outputs,
                         java=_java(serialized_java, full_class_name, args_list))


def _java(serialized: bytes | None, class_name: str | None,
          arguments: Sequence[Any] | None) -> tuple[str, list[Any]] | bytes:
    if (serialized is None) == (class_name is None):
        raise TopologyError(caller(), "a Java component has either serialized_java or full_class_name")
    if serialized is not None:
        if not isinstance(serialized, bytes):
            raise TopologyError(caller(), f"serialized_java is bytes, not {serialized!r}")
        return serialized
    given = list(arguments or ())
    for argument in given:
        if not isinstance(argument, (bool, bytes, float, int, str)):
            raise TopologyError(caller(), f"{argument!r} in args_list is no bool, bytes, float, int or "
                                          "str: nothing else can be passed to a Java constructor")
    return str(class_name), given
