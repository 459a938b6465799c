"""Counts words: each word always comes to the same task of count_bolt."""

from bolts.wordcount import WordCounter
from spouts.words import WordSpout

from stormcell import Grouping, Topology


class WordCount(Topology):
    word_spout = WordSpout.spec()
    count_bolt = WordCounter.spec(inputs={word_spout: Grouping.fields("word")}, par=2)
