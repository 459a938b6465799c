from bolts.wordcount import WordCounter
from spouts.words import WordSpout

from stormcell.testing import run_bolt, run_spout


def test_each_word_is_counted():
    record = run_bolt(WordCounter, [["dog"], ["cat"], ["dog"]], fields=["word"])
    assert record.values() == [["dog", 1], ["cat", 1], ["dog", 2]]
    assert record.acks == record.tuples


def test_words_come_in_turn():
    record = run_spout(WordSpout, calls=3)
    assert record.values() == [["dog"], ["cat"], ["zebra"]]


def test_a_word_that_fails_comes_again():
    record = run_spout(WordSpout, calls=1, fail=lambda emit: True)
    assert record.values() == [["dog"], ["dog"]]


def test_the_topology_counts_words(topology_runner):
    run = topology_runner("topologies/wordcount.py", tuples=8)
    animals = ["cat", "dog", "elephant", "zebra"]
    assert sorted(run["count_bolt"].values()) == [[word, count] for word in animals for count in (1, 2)]
    assert run["word_spout"].acked == 8
