"""A topology's configuration on its way to Storm: what Python components need is added to it, and what
would end a worker or be refused is found before anything is sent."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from stormcell.submission import rules
from stormcell.topology import Topology

REGISTER = "topology.kryo.register"
SUBPROCESS_TIMEOUT = "topology.subprocess.timeout.secs"
SERIALIZER = "topology.multilang.serializer"
BIG_INTEGERS = "stormcell.big.integers"
BATCHES = ("topology.producer.batch.size", "topology.transfer.batch.size")

JSON_SERIALIZER = "org.apache.storm.multilang.JsonSerializer"

SMART_SINCE = (2, 6)
"""The Storm whose JSON reader is json-smart, no more json-simple (STORM-3961). It takes integers of any size;
of one past 64 bits the older ones' workers end."""

JSON_SMART = ("java.math.BigDecimal", "org.apache.storm.shade.net.minidev.json.JSONArray",
              "org.apache.storm.shade.net.minidev.json.JSONObject")
"""What json-smart makes of long floats, lists and maps, and Kryo does not know: without them, such a tuple on
its way to another worker ends this one."""

JSON_SIMPLE = ("org.apache.storm.shade.org.json.simple.JSONArray",
               "org.apache.storm.shade.org.json.simple.JSONObject")
"""The same of json-simple."""

PATIENCE = 60
"""How long a component may be silent before Storm ends its worker, in seconds, where nobody says; Storm's
own 30 are soon over where a machine is busy, and cost the worker."""


def version_of(text: str) -> tuple[int, int] | None:
    """(major, minor) of what a Nimbus calls its version; None: it is no number."""
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def added(topology: type[Topology], settings: dict[str, Any], storm: tuple[int, int] | None) -> dict[str, Any]:
    """What is to be set, beside what the user has set, for the components that speak multilang.

    storm: the cluster's version, None if it is not known.
    """
    if not speaks_multilang(topology):
        return {}
    new: dict[str, Any] = {}
    registered = list(settings.get(REGISTER) or [])
    known = {name for one in registered for name in (one if isinstance(one, dict) else [one])}
    missing = [name for name in _classes(storm) if name not in known]
    if missing:
        new[REGISTER] = registered + missing
    if settings.get(SUBPROCESS_TIMEOUT) is None:
        new[SUBPROCESS_TIMEOUT] = PATIENCE
    if settings.get(BIG_INTEGERS) is None and storm is not None and storm >= SMART_SINCE:
        new[BIG_INTEGERS] = True
    return new


def _classes(storm: tuple[int, int] | None) -> tuple[str, ...]:
    return JSON_SIMPLE if storm is not None and storm < SMART_SINCE else JSON_SMART


def speaks_multilang(topology: type[Topology]) -> bool:
    """Whether any component is a process of its own."""
    return any(spec.java is None for spec in topology.specs)


# ---- what Storm would not take -------------------------------------------------------------------


def wrong(topology: type[Topology], settings: dict[str, Any]) -> Iterator[str]:
    """One sentence for each setting with which the topology would not run."""
    yield from _wrong_values(settings, "")
    for spec in topology.specs:
        yield from _wrong_values(spec.config, f" of {spec.name!r}")
    if not speaks_multilang(topology):
        return
    for key in BATCHES:
        size = settings.get(key)
        if isinstance(size, int) and size > 1:
            yield (f"{key} is {size}: with more than 1, what Python components emit and ack lies in Storm until "
                   "more comes along, and times out (STORM-3646); leave it out")
    serializer = settings.get(SERIALIZER)
    if serializer not in (None, JSON_SERIALIZER):
        yield f"{SERIALIZER} is {serializer!r}, which Stormcell's components do not speak: leave it out"


def _wrong_values(settings: dict[str, Any], whose: str) -> Iterator[str]:
    for key, value in settings.items():
        wanted = rules.refused(key, value)
        if wanted is not None:
            yield f"{key}{whose} is {value!r}: Storm takes {wanted}"


def doubtful(settings: dict[str, Any], cluster: dict[str, Any]) -> Iterator[str]:
    """One sentence for each of Storm's keys that Storm does not have, but one of nearly the name.

    cluster: what Nimbus tells of its own configuration, which has the defaults of nearly all keys.
    """
    known = {*cluster, *rules.known()}
    for key in settings:
        if key.startswith("topology.") and key not in known:
            close = difflib.get_close_matches(key, known, 1, 0.9)
            if close:
                yield f"Storm has no {key}; did you mean {close[0]}?"
