"""stormcell.fields: which class the values of a stream's tuples are of."""

from __future__ import annotations

from typing import Any

import pytest

from stormcell.fields import values_type

FIELDS: dict[str, dict[str, list[str]]] = {
    "words": {"default": ["word"], "2nd": ["a", "user-id", "def", "a"]},
    "a b": {"c/d": []},
}


def test_a_named_tuple_of_the_streams_fields() -> None:
    found: Any = values_type(FIELDS, "words", "default")
    assert found is not None
    assert found.__name__ == "WordsDefaultTuple"
    assert issubclass(found, tuple)
    assert found("dog").word == "dog"


def test_names_that_python_cannot_use_are_positions() -> None:
    found: Any = values_type(FIELDS, "words", "2nd")
    assert found is not None
    assert found.__name__ == "Words_2NdTuple"
    assert found._fields == ("a", "_1", "_2", "_3")


def test_odd_names_of_components_and_streams() -> None:
    found: Any = values_type(FIELDS, "a b", "c/d")
    assert found is not None
    assert found.__name__ == "A_BC_DTuple"
    assert found() == ()


@pytest.mark.parametrize(
    ("component", "stream"), [("__system", "__tick"), ("__acker", "x"), ("__system", "default")]
)
def test_storms_own_streams_have_no_known_fields(component: str, stream: str) -> None:
    assert values_type(FIELDS, component, stream) is None


def test_where_nothing_is_known_everything_is_plain() -> None:
    assert values_type({}, "words", "default") is None


@pytest.mark.parametrize(
    ("component", "stream"), [("words", "other"), ("other", "default"), ("", "")]
)
def test_a_stream_that_nobody_subscribed_to(component: str, stream: str) -> None:
    with pytest.raises(ValueError) as error:
        values_type(FIELDS, component, stream)
    assert str(error.value) == (
        f"a tuple came from stream {stream!r} of component {component!r}, to which this component "
        "does not subscribe (it subscribes to: words/default, words/2nd, a b/c/d); has the topology "
        "been changed without this component?"
    )
    assert error.value.__suppress_context__
