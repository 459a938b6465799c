from wordcount import WordCounter, WordSpout

from stormcell import Grouping, Topology


class WordCount(Topology):
    words = WordSpout.spec()
    count = WordCounter.spec(inputs={words: Grouping.fields("word")}, par=2)
