"""stormcell.report: what Storm is told of an exception, whatever the exception is like."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

import stormcell
from starting import Start
from stormcell import Tuple
from stormcell.report import TEXT_MAX, describe, shorten, trace


class Counter(stormcell.Bolt):
    component_name = "count"
    task_id = 7


def raised(function: Callable[[], object]) -> BaseException:
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def fail() -> None:
    raise KeyError("no")


def test_says_what_where_and_with_which_tuple() -> None:
    tup = Tuple("5", "words", "default", 2, ["dog"])
    lines = describe(Counter(), raised(fail), tup).splitlines()
    assert lines[0] == f"Python KeyError raised while processing {tup!r}"
    assert lines[1] == (
        f"in component 'count', task 7, on {socket.gethostname()}, process {os.getpid()}"
    )
    assert lines[2] == "Traceback (most recent call last):"
    assert lines[-2] == '    raise KeyError("no")'
    assert lines[-1] == "KeyError: 'no'"


def test_without_a_tuple() -> None:
    text = describe(Counter(), raised(fail))
    assert text.startswith("Python KeyError raised\nin component 'count', task 7, ")


def test_causes_are_told() -> None:
    def chain() -> None:
        try:
            fail()
        except KeyError as error:
            raise ValueError("outer") from error

    text = describe(Counter(), raised(chain))
    assert "KeyError: 'no'\n\nThe above exception was the direct cause" in text
    assert text.endswith("ValueError: outer")


class Unshowable:
    def __repr__(self) -> str:
        raise ValueError("no repr")

    __str__ = __repr__


class BadError(Exception):
    def __str__(self) -> str:
        raise ValueError("no str")

    __repr__ = __str__


class WorseError(Exception):
    @property
    def __cause__(self) -> Any:  # type: ignore[override]
        raise ValueError("no cause")


def test_an_exception_that_cannot_be_shown() -> None:
    def bad() -> None:
        raise BadError

    text = describe(Counter(), raised(bad))
    assert text.startswith("Python BadError raised\nin component")
    assert text.splitlines()[-1].startswith("test_report.BadError: <exception str() failed>")


def test_an_exception_that_traceback_cannot_take() -> None:
    def worse() -> None:
        raise WorseError

    assert trace(raised(worse)) == "WorseError (which could not be shown: ValueError)"


def test_a_tuple_that_cannot_be_shown() -> None:
    tup = Tuple("5", "words", "default", 2, [Unshowable()])
    text = describe(Counter(), raised(fail), tup)
    assert text.startswith(
        "Python KeyError raised while processing a Tuple (its repr raised ValueError)\n"
    )


def test_a_huge_message_is_cut_in_the_middle() -> None:
    def huge() -> None:
        raise ValueError("begin" + "x" * 10_000_000 + "end")

    text = describe(Counter(), raised(huge))
    assert TEXT_MAX < len(text) < TEXT_MAX + 100
    assert text.startswith("Python ValueError raised\n")
    assert "ValueError: beginxxx" in text
    assert " characters left out ...\n" in text
    assert text.endswith("xxxend")


def test_a_huge_tuple_is_cut_in_the_middle() -> None:
    tup = Tuple("5", "words", "default", 2, ["x" * 1_000_000, "end"])
    text = describe(Counter(), raised(fail), tup)
    first = text.partition("\nin component")[0]
    assert len(first) < 2200
    assert first.startswith("Python KeyError raised while processing Tuple(id='5'")
    assert first.endswith("xxx', 'end'))")


def test_deep_recursion_is_told_in_short() -> None:
    def deep() -> None:
        deep()

    text = describe(Counter(), raised(deep))
    assert "[Previous line repeated " in text
    assert text.splitlines()[-1].startswith("RecursionError: maximum recursion depth exceeded")


@pytest.mark.parametrize("length", [0, 9, 10, 11, 1000])
def test_shorten(length: int) -> None:
    text = "".join(chr(97 + n % 26) for n in range(length))
    short = shorten(text, 10)
    if length <= 10:
        assert short == text
    else:
        assert short == f"{text[:5]}\n... {length - 10} characters left out ...\n{text[-5:]}"


REPORTS = """
class Unshowable(Exception):
    def __str__(self):
        raise ValueError("no str")
    __repr__ = __str__
class Subject(Bolt):
    def process(self, tup):
        if tup.values[0] == "huge":
            raise ValueError("begin" + "\\u20ac" * 1_000_000 + "end")
        if tup.values[0] == "surrogate":
            raise ValueError("a\\ud800b\\0c")
        raise Unshowable
"""


@pytest.mark.parametrize(
    ("what", "end"),
    [
        ("huge", "\u20ac\u20acend"),
        ("surrogate", "ValueError: a?b\0c"),
        ("unshowable", "<exception str() failed>"),
    ],
)
def test_storm_gets_every_report(start: Start, what: str, end: str) -> None:
    parent = start(REPORTS)
    id, said = parent.exchange(what)
    assert [message["command"] for message in said] == ["error", "fail"]
    assert said[0]["msg"].endswith(end)
    assert len(said[0]["msg"]) < 70_000
    _, said = parent.exchange(what)
    assert [message["command"] for message in said] == ["error", "fail"]


def test_an_own_raise_exception_is_called(start: Start) -> None:
    parent = start("""
        class Subject(Bolt):
            def process(self, tup):
                raise KeyError(tup.values[0])
            def raise_exception(self, exception, tup=None):
                if "no" in str(exception):
                    raise ValueError("second")
                self.report_error(f"mine: {exception!r} {tup.id}")
        """)
    id, said = parent.exchange("yes")
    assert said == [
        {"command": "error", "msg": f"mine: KeyError('yes') {id}"},
        {"command": "fail", "id": id},
    ]
    id, said = parent.exchange("no")
    assert "KeyError: 'no'" in said[0]["msg"]
    assert "and then raise_exception() raised:\n" in said[0]["msg"]
    assert said[0]["msg"].endswith("ValueError: second")
    assert said[1:] == [{"command": "fail", "id": id}]
