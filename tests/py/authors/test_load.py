"""A topology's file: the class that it defines, and each way in which it cannot be used."""

from __future__ import annotations

import importlib
import sys

import pytest

from projects import Write
from stormcell.load import folders, load
from stormcell.spec import TopologyError

COMPONENTS = """
from stormcell import Bolt, Spout
class Words(Spout):
    outputs = ["word"]
class Sink(Bolt):
    pass
"""

GOOD = """
from stormcell import Topology
from parts import Sink, Words
class WordCount(Topology):
    words = Words.spec()
    sink = Sink.spec(inputs=[words])
"""


def test_the_class_that_it_defines(write: Write) -> None:
    write("src/parts.py", COMPONENTS)
    path = write("topologies/count.py", GOOD)
    assert load(path).__name__ == "WordCount"
    assert [folder.name for folder in folders(path)] == ["src", "topologies"]


def test_without_src_all_is_in_one_folder(write: Write) -> None:
    write("parts.py", COMPONENTS)
    assert load(write("count.py", GOOD)).__name__ == "WordCount"


def test_an_imported_topology_is_not_the_files(write: Write) -> None:
    write("src/parts.py", COMPONENTS)
    write("src/base.py", GOOD)
    assert load(write("topologies/more.py", """
        from base import WordCount
        from parts import Sink
        class More(WordCount):
            another = Sink.spec(inputs=[WordCount.words])
        """)).__name__ == "More"


STREAMPARSES = """
from streamparse import Grouping, JavaBolt, JavaSpout, ShellBolt, Stream, Topology
from parts import Sink, Words

class Everything(Topology):
    config = {"topology.workers": 2}
    words = Words.spec(name="word-spout", par={"prod": 4, "beta": 1})
    clicks = JavaSpout.spec(full_class_name="org.example.Clicks", args_list=["a", 5], outputs=["user"])
    split = ShellBolt.spec(command="node", script="split.js", inputs=[words],
                           outputs=[Stream(fields=["word"], name="words"), Stream(name="errors", direct=True)])
    sink = Sink.spec(inputs={split["words"]: Grouping.fields(["word"]), clicks: Grouping.custom_object("A", [1]),
                             words: Grouping.LOCAL_OR_SHUFFLE}, par=2, config={"a": 1})
    errors = JavaBolt.spec(full_class_name="org.example.Errors", inputs=split["errors"])
"""


def test_a_file_that_was_written_for_streamparse(write: Write) -> None:
    write("src/parts.py", COMPONENTS)
    topology = load(write("topologies/everything.py", STREAMPARSES.replace("streamparse", "stormcell")))
    assert [spec.name for spec in topology.specs] == ["word-spout", "clicks", "split", "sink", "errors"]
    assert [(edge.source.name, edge.stream.name, str(edge.grouping)) for edge in topology.edges["sink"]] == [
        ("split", "words", "fields word"), ("clicks", "default", "custom-object"),
        ("word-spout", "default", "local-or-shuffle")]
    assert [str(edge.grouping) for edge in topology.edges["errors"]] == ["direct"]


def test_a_base_in_the_file_is_not_meant(write: Write) -> None:
    write("src/parts.py", COMPONENTS)
    assert load(write("topologies/more.py", GOOD + """
class More(WordCount):
    another = Sink.spec(inputs=[WordCount.words])
""")).__name__ == "More"


def test_a_module_of_the_same_name_may_be_imported(write: Write) -> None:
    write("src/parts.py", COMPONENTS)
    assert load(write("topologies/parts.py", GOOD)).__name__ == "WordCount"


def test_a_file_may_have_the_name_of_a_module_of_pythons(write: Write) -> None:
    write("src/parts.py", COMPONENTS)
    assert load(write("topologies/queue.py", GOOD)).__module__ == "topology_queue"
    assert importlib.import_module("queue").Empty


def test_what_cannot_be_loaded_leaves_nothing_behind(write: Write) -> None:
    before = list(sys.path)
    path = write("topologies/unfinished.py", "1 / 0\n")
    with pytest.raises(TopologyError) as caught:
        load(path)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert sys.path == before
    assert "unfinished" not in sys.modules


def test_it_may_be_loaded_again_when_it_has_changed(write: Write) -> None:
    path = write("t.py", COMPONENTS + GOOD.replace("from parts import Sink, Words", ""))
    assert [spec.name for spec in load(path).specs] == ["words", "sink"]
    path.write_text(path.read_text().replace("sink =", "another_sink ="))
    assert [spec.name for spec in load(path).specs] == ["words", "another_sink"]


def test_an_interrupt_is_not_explained(write: Write) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(write("interrupted.py", "raise KeyboardInterrupt\n"))
    assert "interrupted" not in sys.modules


WRONG = {
    "syntax": ("class T(:\n", "t.py:1: it is no Python:"),
    "none": ("x = 1\n", "t.py: it defines no topology"),
    "several": (GOOD + "class Other(Topology):\n    words = Words.spec()\n",
                "it defines more than one topology: WordCount, Other"),
    "missing module": ("import nonexistent_module\n",
                       "t.py:1: importing it raised ModuleNotFoundError: No module named"),
    "exit": ("import sys\nsys.exit('no')\n", "t.py:2: importing it raised SystemExit: no"),
    "component raises": ("import broken\n", "broken.py:2: importing it raised ZeroDivisionError"),
    "imported": ("from made import WordCount\n", "t.py: it defines no topology: no class in it is made of"),
    "empty": ("from stormcell import Topology\nclass T(Topology):\n    pass\n",
              "t.py: the topology that it defines has no components: T"),
    "component's syntax": ("import unfinished\n", "unfinished.py:1: it is no Python: "),
    "null byte": ("x = 1\0\n", "source code string cannot contain null bytes"),
    "several lines": ("raise ValueError('one\\ntwo')\n", "t.py:1: importing it raised ValueError: one"),
    "no component": ("class Plain:\n    pass\nx = Plain.spec()\n",
                     "t.py:3: importing it raised AttributeError: type object 'Plain' has no attribute 'spec'"),
    "component's outputs": ("import twice\n", "twice.py:3: the stream 'default' has a field twice: a, a"),
    "its own error": ("from stormcell import Topology\nfrom parts import Sink\n"
                      "class T(Topology):\n    sink = Sink.spec()\n", "t.py:3: T has no spout"),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_line_for_each_error(write: Write, case: str) -> None:
    text, sentence = WRONG[case]
    write("src/parts.py", COMPONENTS)
    write("src/broken.py", "\n1 / 0\n")
    write("src/unfinished.py", "def f(:\n")
    write("src/made.py", GOOD)
    write("src/twice.py", "from stormcell import Bolt, Stream\nclass B(Bolt):\n    outputs = [Stream(['a', 'a'])]\n")
    with pytest.raises(TopologyError) as caught:
        load(write("topologies/t.py", text))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_utf8(write: Write) -> None:
    path = write("t.py", "")
    path.write_bytes(b"x = '\xff'\n")
    with pytest.raises(TopologyError, match="t.py.*: it is no Python: .*0xff"):
        load(path)


def test_a_file_of_another_kind(write: Write) -> None:
    with pytest.raises(TopologyError, match="it is no Python file: its name does not end in .py"):
        load(write("topology.txt", GOOD))


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(TopologyError, match="there is no topology file none.py"):
        load("none.py")
