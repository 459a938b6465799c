"""Values cross from one worker to another as they were."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from storm import Storm
from submitting import Submitted, clear, eventually

from huge import HUGE  # isort: skip
from travelling import FLOATS, INTS, VALUES  # isort: skip


class Kept(NamedTuple):
    """What a task of `keep` was sent. sender: the task that its sender says it is; source: what Storm says."""

    number: int
    value: Any
    sender: int
    source: int
    stream: str
    keeper: int


@pytest.fixture(scope="module")
def travelling(cluster: Storm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submitted]:
    clear(cluster)
    yield Submitted.start(cluster, "travelling", tmp_path_factory.mktemp("travelling"), "-w", "2", "-a", "2")
    clear(cluster)


@pytest.fixture(scope="module")
def kept(travelling: Submitted) -> list[Kept]:
    """All that arrived, when all has."""
    wanted = len(VALUES) * (1 + 2) * 2 * 2 + len(HUGE) * 2
    found: dict[Path, list[Kept]] = {}

    def all_there() -> bool:
        for path in travelling.folder.glob("kept-*"):
            found[path] = read(path)
        return sum(map(len, found.values())) >= wanted

    try:
        eventually(all_there, "not all values have arrived")
    except AssertionError as error:
        count = sum(map(len, found.values()))
        raise AssertionError(f"{error}: {count} of {wanted}") from None
    return [one for some in found.values() for one in some]


def read(path: Path) -> list[Kept]:
    """As far as it has been written."""
    found = []
    with path.open("rb") as file:
        while True:
            try:
                found.append(Kept(*pickle.load(file)))
            except (EOFError, pickle.UnpicklingError):
                return found


def same(one: Any, other: Any) -> bool:
    """Whether Python sees the same: type and value, in all that is within, however deep."""
    left = [(one, other)]
    while left:
        one, other = left.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, (list, dict)):
            if len(one) != len(other) or isinstance(one, dict) and one.keys() != other.keys():
                return False
            left += [(one[key], other[key]) for key in (one if isinstance(one, dict) else range(len(one)))]
        elif isinstance(one, float) and repr(one) != repr(other) or one != other:
            return False
    return True


def short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) < 100 else f"{text[:60]}… ({len(text)} characters)"


def test_values_are_as_they_were(travelling: Submitted, kept: list[Kept]) -> None:
    """If not, a value is changed on its way through Storm's JSON, Kryo or our own codec; or a class that
    Kryo does not know has ended the worker, if none came."""
    sent = {task.task: HUGE if task.component == "huge" else VALUES for task in travelling.processes().values()}
    wrong = [f"{short(one.value)} came of {short(sent.get(one.sender, HUGE)[one.number])}, task {one.sender} to "
             f"{one.keeper}" for one in kept if not same(one.value, sent.get(one.sender, HUGE)[one.number])]
    assert not wrong, "\n".join(wrong[:10])


def test_each_value_came_from_within_and_from_the_other_worker(travelling: Submitted, kept: list[Kept]) -> None:
    """If not, the test above has shown nothing of the way between workers."""
    ports = travelling.ports()
    assert len(set(ports.values())) == 2, ports
    ways = defaultdict(set)
    for one in kept:
        if one.number < len(VALUES) and one.sender in travelling.processes():
            ways[one.number].add((ports[one.sender] == ports[one.keeper], one.stream))
    everyway = {(within, stream) for within in (True, False) for stream in ("default", "direct")}
    assert dict(ways) == {number: everyway for number in range(len(VALUES))}


def test_integers_of_more_than_64_bits_come_from_the_other_worker(travelling: Submitted, kept: list[Kept]) -> None:
    """If not, what a component in another language emits cannot be read."""
    ports, ours = travelling.ports(), travelling.processes()
    crossed = {one.number for one in kept if one.sender not in ours and ports[one.sender] != ports[one.keeper]}
    assert crossed == set(range(len(HUGE)))


def test_a_direct_tuple_comes_to_its_task_alone(travelling: Submitted, kept: list[Kept]) -> None:
    """If not, emitDirect is broken, as it is in Storm since 2.6 for whom sends the task's number as it is."""
    direct: dict[tuple[int, int, int], int] = defaultdict(int)
    for one in kept:
        assert one.source == one.sender
        if one.stream == "direct":
            direct[one.number, one.sender, one.keeper] += 1
    # Each task of `on` is sent each value once, by the spout, and sends it to each task of `keep` once.
    keepers = [one.task for one in travelling.of("keep")]
    senders = [one.task for name in ("values", "on") for one in travelling.of(name)]
    assert dict(direct) == {(number, sender, keeper): 1 for number in range(len(VALUES)) for sender in senders
                            for keeper in keepers}


def test_nobody_died_of_it(travelling: Submitted, kept: list[Kept]) -> None:
    """If not, a value has ended a worker or an interpreter, which was then started anew."""
    lines = (travelling.folder / "processes").read_text().splitlines()
    assert len(lines) == len(travelling.processes()) == 5


def test_the_values_are_the_hard_ones() -> None:
    """What Storm's JSON reader makes BigDecimal of, and what needs all bits of a long."""
    assert sum(len(repr(value)) > 18 for value in FLOATS) > 50
    assert {2**63 - 1, -(2**63)} <= set(INTS)
