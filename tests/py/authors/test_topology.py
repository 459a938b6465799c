"""The class of a topology: what it is made of, and what is wrong with one that cannot be."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from projects import ROOT
from stormcell import (Bolt, Grouping, JavaBolt, JavaSpout, ShellBolt, ShellSpout, Spout, Stream,
                       Topology)
from stormcell.spec import TopologyError


class Words(Spout):
    outputs = ["word"]


class Count(Bolt):
    outputs = ["word", "count"]
    par = 2
    config = {"topology.tick.tuple.freq.secs": 5}


class Split(Bolt):
    outputs = [Stream(["word"], name="words"), Stream(["word"], name="tasks", direct=True)]


class Sink(Bolt):
    pass


class Strange(Topology):
    words = Words.spec()


def test_components_are_named_for_their_attributes() -> None:
    class T(Topology):
        words = Words.spec()
        other = Words.spec(name="more-words", par=3)
        counts = Count.spec(inputs={words: Grouping.fields("word"), other: Grouping.SHUFFLE})

    assert [(spec.name, spec.kind, spec.par) for spec in T.specs] == [
        ("words", "spout", 1), ("more-words", "spout", 3), ("counts", "bolt", 2)]
    assert [(str(edge.source.name), edge.stream.name, str(edge.grouping))
            for edge in T.edges["counts"]] == [
        ("words", "default", "fields word"), ("more-words", "default", "shuffle")]
    assert T.counts.config == {"topology.tick.tuple.freq.secs": 5}


@pytest.mark.parametrize("take", [lambda spec: spec, lambda spec: [spec], lambda spec: (spec,),
                                  lambda spec: {spec: Grouping.SHUFFLE}, lambda spec: "words",
                                  lambda spec: ["words:default"], lambda spec: [spec["default"]]])
def test_inputs_have_many_shapes(take: Any) -> None:
    class T(Topology):
        words = Words.spec()
        counts = Count.spec(inputs=take(words))

    [edge] = T.edges["counts"]
    assert (edge.source, edge.stream.name, edge.grouping) == (T.words, "default", Grouping.SHUFFLE)


def test_inputs_are_not_changed() -> None:
    given: dict[Any, Grouping] = {}

    class T(Topology):
        words = Words.spec()
        given[words] = Grouping.SHUFFLE
        counts = Count.spec(inputs=given)

    assert given == {T.words: Grouping.SHUFFLE}


def test_streams_are_taken_by_name() -> None:
    class T(Topology):
        words = Words.spec()
        split = Split.spec(inputs=[words])
        one = Sink.spec(inputs=[split["words"]])
        two = Sink.spec(inputs=[split["tasks"]])

    assert T.edges["one"][0].grouping == Grouping.SHUFFLE
    assert T.edges["two"][0].grouping == Grouping.DIRECT
    with pytest.raises(TopologyError, match="'split' has no stream 'default', but 'words', 'tasks'"):
        T.split["default"]


def test_a_cycle_may_be_wanted() -> None:
    class T(Topology):
        cycles = True
        words = Words.spec()
        first = Count.spec(inputs={words: Grouping.SHUFFLE, "second": Grouping.fields("word")})
        second = Count.spec(inputs=[first])

    assert {str(edge.source.name) for edge in T.edges["first"]} == {"words", "second"}


def test_a_topology_may_be_made_of_another() -> None:
    class Base(Topology):
        config = {"topology.workers": 2}
        words = Words.spec()
        counts = Count.spec(inputs=[words])

    class More(Base):
        sink = Sink.spec(inputs=[Base.counts])

    class Other(Base):
        words = Words.spec(par=7)

    assert [spec.name for spec in More.specs] == ["words", "counts", "sink"]
    assert Other.edges["counts"][0].source.par == 7
    assert Base.edges["counts"][0].source.par == 1
    assert More.config == {"topology.workers": 2}


def test_what_replaces_a_component_need_not_have_its_name() -> None:
    class Base(Topology):
        words = Words.spec(name="old")
        counts = Count.spec(inputs=[words])

    class Other(Base):
        words = Words.spec()

    class More(Base):
        sink = Sink.spec(inputs=[Base.counts])

    class Both(More, Other):
        pass

    assert [spec.name for spec in Other.specs] == ["words", "counts"]
    assert [spec.name for spec in Both.specs] == ["words", "counts", "sink"]
    assert Both.edges["counts"][0].source is Other.words


def test_a_component_may_be_left_out_or_mixed_in() -> None:
    class Base(Topology):
        words = Words.spec()
        counts = Count.spec(inputs=[words])

    class Fewer(Base):
        counts = None  # type: ignore[assignment]

    class Mixin:
        more = Words.spec()

    class Mixed(Mixin, Base):
        pass

    assert [spec.name for spec in Fewer.specs] == ["words"]
    with pytest.raises(TopologyError, match="'counts' takes from 'words' .*, which is no component of Cut"):
        class Cut(Base):
            words = None  # type: ignore[assignment]
            more = Words.spec()
    assert [spec.name for spec in Mixed.specs] == ["words", "counts", "more"]


def test_a_name_may_have_a_colon() -> None:
    class T(Topology):
        words = Words.spec(name="a:b")
        one = Sink.spec(inputs=["a:b"])

    assert T.edges["one"][0].source is T.words


def test_a_component_may_be_of_a_class_within_the_topology() -> None:
    class T(Topology):
        class Inner(Spout):
            outputs = ["a"]

        inner = Inner.spec()

    assert [spec.name for spec in T.specs] == ["inner"]


def test_many_components_in_a_row() -> None:
    members: dict[str, Any] = {"b0": Words.spec()}
    for i in range(2000):
        members[f"b{i + 1}"] = Count.spec(inputs=[members[f"b{i}"]])

    assert len(type(Topology)("T", (Topology,), members).specs) == 2001


def test_a_base_may_have_no_components() -> None:
    class Settings(Topology):
        config = {"topology.workers": 2}

    assert Settings.specs == []


def test_other_languages() -> None:
    class T(Topology):
        words = ShellSpout.spec(command="node", script="words.js", outputs=["word"])
        java = JavaSpout.spec(full_class_name="a.B", args_list=[1, "x"], outputs=["word"])
        shell = ShellBolt.spec(command="ruby", inputs=[words], outputs=[Stream(["n"], "numbers")])
        bolt = JavaBolt.spec(serialized_java=b"\xac\xed", inputs=[shell["numbers"], java])

    assert T.words.command == ["node", "words.js"]
    assert T.java.java == ("a.B", (1, "x"))
    assert T.bolt.java == b"\xac\xed"


def test_par_by_environment() -> None:
    class T(Topology):
        words = Words.spec(par={"prod": 8, "test": 1})
        sink = Sink.spec(inputs=[words])

    assert T.words.tasks("prod") == 8
    with pytest.raises(TopologyError, match="'words' has no par for the environment 'tset'; .* 'test'"):
        T.words.tasks("tset")
    with pytest.raises(TopologyError, match="choose one of 'prod', 'test' with --environment"):
        T.words.tasks(None)


# ---- what cannot be ----------------------------------------------------------------------------

WRONG = {
    "no spout": ("a = Count.spec(inputs=['b']); b = Count.spec(inputs=[a])", "T has no spout"),
    "no inputs": ("words = Words.spec(); sink = Sink.spec()", "nothing reaches 'sink'"),
    "unreached": ("words = Words.spec(); cycles = True\n"
                  "    a = Count.spec(inputs=['b']); b = Count.spec(inputs=[a])",
                  "nothing reaches 'a': no spout"),
    "cycle": ("words = Words.spec()\n    a = Count.spec(inputs=[words, 'b'])\n"
              "    b = Count.spec(inputs=[a])",
              "there is a cycle, 'a' from 'b' from 'a'; if it is wanted, say so in T: cycles = True"),
    "stream": ("words = Words.spec(); sink = Sink.spec(inputs=['words:word'])",
               "takes the stream 'word' of 'words', which has no such stream, but 'default'"),
    "field": ("words = Words.spec(); sink = Sink.spec(inputs={words: Grouping.fields('wrod')})",
              "groups by the field 'wrod', which the stream 'default' of 'words' does not have; "
              "did you mean 'word'?"),
    "direct by shuffle": (
        "words = Words.spec(); split = Split.spec(inputs=[words])\n"
        "    sink = Sink.spec(inputs={split['tasks']: Grouping.SHUFFLE})", "is direct"),
    "shuffle by direct": (
        "words = Words.spec(); sink = Sink.spec(inputs={words: Grouping.DIRECT})", "is not direct"),
    "twice": ("words = Words.spec(); sink = Sink.spec(inputs=[words, words])", "twice"),
    "unknown name": ("words = Words.spec(); sink = Sink.spec(inputs=['wrods'])",
                     "takes from 'wrods', which is no component of T; did you mean 'words'?"),
    "another's spec": ("words = Words.spec(); sink = Sink.spec(inputs=[Strange.words])",
                       "which is no component of T"),
    "stray namesake": ("words = Words.spec(); sink = Sink.spec(inputs=[Words.spec(name='words')])",
                       "which is no component of T"),
    "stray spec": ("words = Words.spec(); sink = Sink.spec(inputs=[Words.spec()])",
                   "it is no attribute of the class"),
    "one name": ("words = Words.spec(); sink = Sink.spec(name='words', inputs=[words])",
                 "two components have the name 'words'"),
    "one spec": ("words = Words.spec(); again = words", "again and words are one component"),
    "system name": ("__acker = Words.spec(name='__acker')", "Storm's own"),
    "system stream": ("class W(Spout): outputs = [Stream(['a'], '__a')]\n    words = W.spec()",
                      "the stream '__a': names with __ in front are Storm's own"),
    "line in a name": ("words = Words.spec(name='a\\nb')", "a component cannot have the name 'a\\nb'"),
    "empty name": ("words = Words.spec(name='')", "a component's name is a string, not ''"),
    "taken attribute": ("edges = Words.spec()", "edges is an attribute that every topology has"),
    "own config": ("config = {'a': {1}}; words = Words.spec()",
                   "the config of T has 'a', which JSON cannot carry: "),
    "config of another kind": ("config = None; words = Words.spec()",
                               "the config of T is a dict with names for keys, not None"),
    "a Java class": ("words = JavaSpout", "words is JavaSpout itself"),
    "spout with inputs": ("words = Words.spec(); more = Words.spec(inputs=[words])",
                          "Words is a spout: it has no inputs"),
    "shell spout with inputs": ("words = ShellSpout.spec('more', 'node', inputs=['a'])",
                                "'more' is a spout: it has no inputs"),
    "inputs": ("words = Words.spec(); sink = Sink.spec(inputs=5)",
               "the inputs of Sink are specs or streams of such, not 5"),
    "stream of a spec": ("words = Words.spec(); sink = Sink.spec(inputs=[words['defualt']])",
                         "Words has no stream 'defualt'; did you mean 'default'?"),
    "self": ("words = Words.spec(); a = Count.spec(inputs=[words, 'a'])",
             "there is a cycle, 'a' from 'a'; if it is wanted"),
    "stream's fields": ("a = Stream('word')", "a stream's fields are a list of names, not 'word'"),
    "stream's name": ("a = Stream(['word'], name=5)", "a stream's name is a string, not 5"),
    "no fields": ("a = Grouping.fields()", "Grouping.fields takes the names of one or more fields, not nothing"),
    "fields": ("a = Grouping.partial_key(5)",
               "Grouping.partial_key takes the names of one or more fields, not 5"),
    "serialized grouping": ("a = Grouping.custom_serialized('x')", "a serialized Java object is bytes, not 'x'"),
    "grouping's class": ("a = Grouping.custom_object(5)", "a Java class is given by its name, not 5"),
    "grouping's arguments": ("a = Grouping.custom_object('A', [None])", "None is no bool, bytes, float, int"),
    "Java arguments": ("j = JavaSpout.spec(full_class_name='A', args_list='ab')",
                       "the arguments of a Java constructor are a list, not 'ab'"),
    "Java name": ("j = JavaSpout.spec(full_class_name='')", "full_class_name is a name, not ''"),
    "serialized": ("j = JavaSpout.spec(serialized_java='x')", "serialized_java is bytes, not 'x'"),
    "script": ("s = ShellSpout.spec(command='node', script=['a'])", "script is one argument, not ['a']"),
    "no spec": ("words = Words", "a topology is made of specs, as Words.spec() gives them"),
    "no outputs": ("class Empty(Spout): pass\n    words = Empty.spec()",
                   "has no outputs: say in its class"),
    "par 0": ("words = Words.spec(par=0)", "the par of Words is a whole number from 1"),
    "par True": ("words = Words.spec(par=True)", "not True"),
    "par text": ("words = Words.spec(par={'prod': '2'})", "the par of Words"),
    "config": ("words = Words.spec(config={'a': {1, 2}})", "the config of Words has 'a', which JSON cannot carry: "),
    "config NaN": ("words = Words.spec(config={'a': float('nan')})", "has 'a', which JSON cannot carry: "),
    "config list": ("words = Words.spec(config=['a'])", "is a dict with names for keys"),
    "grouping": ("words = Words.spec(); sink = Sink.spec(inputs={words: 'shuffle'})",
                 "by 'shuffle', which is no Grouping"),
    "input": ("words = Words.spec(); sink = Sink.spec(inputs=[Words])",
              "which is neither a spec nor a stream of one"),
    "outputs text": ("class W(Spout): outputs = 'word'\n    words = W.spec()",
                     "a list of fields or of streams"),
    "outputs twice": ("class W(Spout): outputs = [Stream(['a']), Stream(['b'])]\n    words = W.spec()",
                      "two streams of the name 'default'"),
    "field twice": ("class W(Spout): outputs = ['a', 'a']\n    words = W.spec()", "a field twice"),
    "name": ("words = Words.spec(name=7)", "a component's name is a string"),
    "java both": ("j = JavaSpout.spec(outputs=['a'])", "either serialized_java or full_class_name"),
    "java argument": ("j = JavaSpout.spec(full_class_name='A', args_list=[[]])", "[] is no bool, bytes, float"),
    "no command": ("s = ShellSpout.spec(outputs=['a'])", "command is a program"),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_error_is_a_sentence_with_its_place(case: str) -> None:
    body, sentence = WRONG[case]
    source = f"class T(Topology):\n    {body}\n"
    with pytest.raises(TopologyError) as caught:
        exec(compile(source, "wordcount.py", "exec"), dict(globals()))
    text = str(caught.value)
    assert sentence in text
    assert text.startswith("wordcount.py:")
    assert "\n" not in text


def test_groupings_and_streams_check_themselves() -> None:
    assert Grouping.fields(["a", "b"]) == Grouping.fields("a", "b")
    assert len({Grouping.fields("a"), Grouping.fields("a"), Grouping.partial_key("a")}) == 2


def test_workers_import_none_of_this() -> None:
    code = ("import sys, stormcell; class_ = stormcell.Bolt; "
            "print([m for m in sys.modules if m in ('click', 'rich', 'typing', 'dataclasses') "
            "or m.startswith('stormcell.') and m.split('.')[1] in ('topology', 'stream', 'spec')])")
    path = [str(ROOT / "pyapi"), *[p for p in sys.path if p.endswith("release")]]
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True,
                          env={"PYTHONPATH": ":".join(path)})
    assert done.stdout == "[]\n", done.stderr


def test_the_picture_shows_it_all() -> None:
    from stormcell.dot import dot

    class T(Topology):
        words = Words.spec(par={"prod": 3})
        split = Split.spec(inputs=[words])
        counts = Count.spec(inputs={split["words"]: Grouping.fields("word")})

    text = dot(T, "prod")
    assert '"words" -> "split" [label="shuffle\\n(word)"]' in text
    assert '"split" -> "counts" [label="fields by word\\nwords: (word)"]' in text
    assert "\u00d7 3" in text and "\u00d7 2" in text
    assert "\u00d7 ?" in dot(T)
