"""How a component stands in a topology: its name, what it takes and emits, how many tasks it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Union

from stormcell.fault import TopologyError, caller, listed, nearest, not_json
from stormcell.stream import Grouping, Stream, java_arguments

if TYPE_CHECKING:
    from stormcell.component import Component

__all__ = ["From", "Inputs", "JavaBolt", "JavaSpout", "Outputs", "Parallelism", "ShellBolt", "ShellSpout",
           "Source", "Spec", "TopologyError", "make_spec"]


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
Java = Union[tuple[str, tuple[Any, ...]], bytes]
Fail = Callable[[str], TopologyError]


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
    java: Java | None = None

    def __getitem__(self, stream: str) -> Source:
        """The stream of this name, to be taken by a bolt. TopologyError: there is none."""
        if stream not in self.outputs:
            raise TopologyError(caller(), f"{self.title} has no stream {stream!r}"
                                          f"{nearest(str(stream), self.outputs)}")
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
        if environment is None:
            raise self.fail(f"the par of {self.title} depends on the environment: choose one of "
                            f"{listed(self.par)} with --environment")
        if environment not in self.par:
            raise self.fail(f"{self.title} has no par for the environment {environment!r}"
                            f"{nearest(environment, self.par)}")
        return self.par[environment]

    def fail(self, sentence: str) -> TopologyError:
        """The error of this sentence, which says where the spec stands."""
        return TopologyError(self.where, sentence)


def make_spec(kind: str, *, name: str | None, inputs: Inputs | None = None,
              par: Parallelism | None = None, config: Mapping[str, Any] | None = None,
              outputs: Outputs | None = None, component: type[Component] | None = None,
              command: list[str] | None = None,
              java: Java | None = None) -> Spec:
    """Check what `spec()` was given, as far as it can be known then. TopologyError says what is wrong."""
    where = caller()
    title = repr(name) if name else component.__name__ if component else f"the {kind}"

    def fail(sentence: str) -> TopologyError:
        return TopologyError(where, sentence)

    if name is not None and (not isinstance(name, str) or not name):
        raise fail(f"a component's name is a string, not {name!r}")
    if kind == "spout" and inputs is not None:
        raise fail(f"{title} is a spout: it has no inputs")
    return Spec(kind, name, _inputs(inputs, title, fail), _par(par, title, fail),
                _config(config, title, fail), _outputs(outputs, title, fail), where,
                component=component, command=command, java=java)


def _inputs(inputs: Inputs | None, title: str, fail: Fail) -> list[tuple[From, Grouping | None]]:
    pairs = _pairs(inputs)
    if pairs is None:
        raise fail(f"the inputs of {title} are specs or streams of such, not {inputs!r}")
    for source, grouping in pairs:
        if not isinstance(source, (Spec, Source, str)):
            raise fail(f"{title} takes {source!r}, which is neither a spec nor a stream of one")
        if grouping is not None and not isinstance(grouping, Grouping):
            raise fail(f"{title} takes a stream by {grouping!r}, which is no Grouping")
    return pairs


def _pairs(inputs: Inputs | None) -> list[tuple[From, Grouping | None]] | None:
    """Each stream and its grouping, if it was given one, or None: it is neither one nor several."""
    if inputs is None:
        return []
    if isinstance(inputs, Mapping):
        return list(inputs.items())
    if isinstance(inputs, (Spec, Source, str)):
        return [(inputs, None)]
    return [(source, None) for source in inputs] if isinstance(inputs, Iterable) else None


def _par(par: Parallelism | None, title: str, fail: Fail) -> Parallelism:
    counts = dict(par) if isinstance(par, Mapping) else {"": 1 if par is None else par}
    if not counts or not all(isinstance(name, str) and type(count) is int and count > 0
                             for name, count in counts.items()):
        raise fail(f"the par of {title} is a whole number from 1, or a dict of such by environment, "
                   f"not {par!r}")
    return counts if isinstance(par, Mapping) else counts[""]


def _config(config: Mapping[str, Any] | None, title: str, fail: Fail) -> dict[str, Any]:
    copy = dict(config) if isinstance(config, Mapping) else {} if config is None else config
    wrong = not_json(copy)
    if wrong:
        raise fail(f"the config of {title} {wrong}")
    return copy


def _outputs(outputs: Outputs | None, title: str, fail: Fail) -> dict[str, Stream]:
    given = [] if outputs is None else outputs
    if not isinstance(given, (list, tuple)):
        raise fail(f"the outputs of {title} are a list of fields or of streams, not {outputs!r}")
    if given and all(isinstance(one, str) for one in given):
        return {"default": _fields(given, title, fail)}
    streams: dict[str, Stream] = {}
    for one in given:
        if not isinstance(one, Stream):
            raise fail(f"the outputs of {title} hold {one!r}, which is no Stream")
        if one.name in streams:
            raise fail(f"{title} has two streams of the name {one.name!r}")
        streams[one.name] = one
    return streams


def _fields(names: Sequence[Any], title: str, fail: Fail) -> Stream:
    try:
        return Stream(names)
    except TopologyError as error:
        raise fail(f"the outputs of {title}: {error.sentence}") from None


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
             outputs: Outputs | None = None, *, inputs: None = None) -> Spec:
        """As `ShellBolt.spec`, without inputs."""
        return make_spec("spout", name=name, inputs=inputs, par=par, config=config, outputs=outputs,
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
             outputs: Outputs | None = None, *, inputs: None = None) -> Spec:
        """As `JavaBolt.spec`, without inputs."""
        return make_spec("spout", name=name, inputs=inputs, par=par, config=config, outputs=outputs,
                         java=_java(serialized_java, full_class_name, args_list))


def _java(serialized: bytes | None, class_name: str | None, arguments: Sequence[Any] | None) -> Java:
    if (serialized is None) == (class_name is None):
        raise TopologyError(caller(), "a Java component has either serialized_java or full_class_name")
    if serialized is not None:
        if not isinstance(serialized, bytes):
            raise TopologyError(caller(), f"serialized_java is bytes, not {serialized!r}")
        return serialized
    if not isinstance(class_name, str) or not class_name:
        raise TopologyError(caller(), f"a Java component's full_class_name is a name, not {class_name!r}")
    return class_name, java_arguments(() if arguments is None else arguments)
