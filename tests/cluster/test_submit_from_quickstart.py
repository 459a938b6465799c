"""From `stormcell quickstart` to a topology on two workers."""

from __future__ import annotations

from storm import Storm
from submitting import Submitted, eventually


def executed(words: Submitted) -> dict[int, int]:
    """By the port of its worker, how many words each task of count_bolt has been sent by the spout."""
    found = {}
    for one in words.executors():
        if one.component_id == "count_bolt" and one.stats and one.stats.specific.bolt:
            counts = one.stats.specific.bolt.executed.get(":all-time", {})
            found[one.port] = sum(count for source, count in counts.items() if source.componentId == "word_spout")
    return found


def test_words_cross_from_one_worker_to_the_other(cluster: Storm, words: Submitted) -> None:
    """If it fails: `submit` does not start what `quickstart` makes, or nothing goes from JVM to JVM."""
    ports = {one.component_id: one.port for one in words.executors() if one.component_id == "word_spout"}
    assert sorted(executed(words)) == sorted(cluster.here.slots), "the counters share a worker"
    assert cluster.stormcell("activate", "wordcount").returncode == 0
    try:
        eventually(lambda: all(executed(words).values()), "not every counter has been sent a word")
        [far] = set(executed(words)) - {ports["word_spout"]}
        assert executed(words)[far] > 0
        eventually(lambda: acked(words), "no word is acked")
    finally:
        assert cluster.stormcell("deactivate", "wordcount").returncode == 0


def acked(words: Submitted) -> int:
    """How many words have been counted and acked."""
    [spout] = [one.stats.specific.spout for one in words.executors() if one.component_id == "word_spout"]
    return sum(spout.acked.get(":all-time", {}).values())
