"""log() and Python's logging."""

from __future__ import annotations

import pytest

from starting import Start
from jvm import Topology
from parent import level_of

RUN = """
class Subject(Bolt):
    def process(self, tup):
        exec(tup.values[0], {**globals(), "self": self})
"""

LEVELS = [
    ("'text'", "info"),
    ("'text', None", "info"),
    ("'text', 'trace'", "trace"),
    ("'text', 'debug'", "debug"),
    ("'text', 'info'", "info"),
    ("'text', 'warn'", "warn"),
    ("'text', 'warning'", "warn"),
    ("'text', 'error'", "error"),
    ("'text', 'critical'", "error"),
    ("'text', 'WARN'", "warn"),
    ("message='text', level='Error'", "error"),
    ("'text', 'no level'", "info"),
    ("'text', 30", "info"),
    ("'text', '\\ud800'", "info"),
]


@pytest.mark.parametrize(("arguments", "level"), LEVELS, ids=[row[0] for row in LEVELS])
def test_levels(start: Start, arguments: str, level: str) -> None:
    parent = start(RUN)
    _, said = parent.exchange(f"self.log({arguments})")
    assert said[0]["msg"] == "text"
    assert said[0]["level"] == 2**32 + ["trace", "debug", "info", "warn", "error"].index(level)


TEXTS = [
    ("5", "5"),
    ("None", "None"),
    ("['a', 1]", "['a', 1]"),
    ("''", ""),
    ("'two\\nlines\\0'", "two\nlines\0"),
    ("'a\\ud800b'", "a?b"),
    ("'\\U0001f40e/\"'", '\U0001f40e/"'),
    ("ValueError('no')", "no"),
    ("b'bytes'", "b'bytes'"),
]


@pytest.mark.parametrize(("message", "text"), TEXTS, ids=[row[0] for row in TEXTS])
def test_what_is_logged_is_str_of_it(start: Start, message: str, text: str) -> None:
    parent = start(RUN)
    _, said = parent.exchange(f"self.log({message})")
    assert said[0]["msg"] == text


def test_a_message_that_cannot_be_shown_raises(start: Start) -> None:
    parent = start("""
        class Unshowable:
            def __str__(self):
                raise KeyError("no str")
        class Subject(Bolt):
            def process(self, tup):
                self.log(Unshowable())
        """)
    _, said = parent.exchange(1)
    assert [message["command"] for message in said] == ["error", "fail"]
    assert said[0]["msg"].endswith("KeyError: 'no str'")


CALLS = [
    ("", "TypeError: log() needs the argument 'message'"),
    ("1, 2, 3", "TypeError: log() takes at most 2 arguments (3 given)"),
    ("1, lvl='info'", "TypeError: log() has no argument named 'lvl'"),
]


@pytest.mark.parametrize(("arguments", "message"), CALLS, ids=[row[0] for row in CALLS])
def test_wrong_calls(start: Start, arguments: str, message: str) -> None:
    parent = start(RUN)
    _, said = parent.exchange(f"self.log({arguments})")
    assert said[0]["msg"].splitlines()[-1] == message


# ---- logging --------------------------------------------------------------------------------

LOGGING = "import logging\n" + RUN


def logs(start: Start, source: str, conf: dict[str, object] | None = None) -> list[tuple[str, str]]:
    parent = start(LOGGING, topology=Topology(conf=conf or {}))
    _, said = parent.exchange(source)
    return [(level_of(m), m["msg"]) for m in said if m["command"] == "log"]


ALL = "[getattr({}, level)('to %s', level) for level in ('debug', 'info', 'warning', 'error', 'critical')]"


def test_the_components_logger(start: Start) -> None:
    assert logs(start, ALL.format("self.logger")) == [
        ("info", "stormcell.component.subject - to info"),
        ("warn", "stormcell.component.subject - to warning"),
        ("error", "stormcell.component.subject - to error"),
        ("error", "stormcell.component.subject - to critical"),
    ]


def test_loggers_of_other_packages(start: Start) -> None:
    found = logs(start, ALL.format("logging.getLogger('third.party')"))
    assert found[0] == ("info", "third.party - to info")
    assert len(found) == 4
    assert logs(start, "logging.warning('root')") == [("warn", "root - root")]


THRESHOLDS: list[tuple[dict[str, object], int]] = [
    ({"stormcell.log.level": "debug"}, 5),
    ({"stormcell.log.level": "DEBUG"}, 5),
    ({"stormcell.log.level": "trace"}, 5),
    ({"stormcell.log.level": "info"}, 4),
    ({"stormcell.log.level": "warn"}, 3),
    ({"stormcell.log.level": "warning"}, 3),
    ({"stormcell.log.level": "error"}, 2),
    ({"stormcell.log.level": "critical"}, 1),
    ({"stormcell.log.level": "nonsense"}, 4),
    ({"stormcell.log.level": None}, 4),
    ({"stormcell.log.level": 5}, 4),
    ({"topology.debug": True}, 5),
    ({"topology.debug": True, "stormcell.log.level": "error"}, 5),
]


@pytest.mark.parametrize(("conf", "count"), THRESHOLDS, ids=[str(row[0]) for row in THRESHOLDS])
def test_the_level_comes_from_the_conf(start: Start, conf: dict[str, object], count: int) -> None:
    assert len(logs(start, ALL.format("logging.getLogger('a')"), conf)) == count


def test_the_conf_does_not_limit_log(start: Start) -> None:
    assert logs(start, "self.log('text', 'trace')", {"stormcell.log.level": "error"}) == [
        ("trace", "text")
    ]


def test_exceptions_are_logged_with_their_traceback(start: Start) -> None:
    source = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    self.logger.exception('what')"
    [(level, text)] = logs(start, source)
    assert level == "error"
    assert text.startswith(
        "stormcell.component.subject - what\nTraceback (most recent call last):\n"
    )
    assert text.endswith("ZeroDivisionError: division by zero")


def test_levels_in_between_are_rounded_down(start: Start) -> None:
    found = logs(
        start,
        "[self.logger.log(n, n) for n in (5, 15, 25, 35, 45, 99)]",
        {"stormcell.log.level": "debug"},
    )
    assert [level for level, text in found] == ["debug", "info", "warn", "error", "error"]


def test_a_record_that_cannot_be_formatted_is_told_of_and_harms_nothing(start: Start) -> None:
    parent = start(LOGGING)
    id, said = parent.exchange("self.logger.warning('%d', 'no number')")
    assert {"command": "ack", "id": id} in said  # what Python wrote to stderr may come behind it
    assert "--- Logging error ---" in str(said) or parent.expect("log", "--- Logging error ---")


def test_who_does_not_use_logging_does_not_load_it(start: Start) -> None:
    parent = start("import sys\n" + RUN)
    _, said = parent.exchange("self.emit(['logging' in sys.modules])")
    assert said[0]["tuple"] == [False]


def test_the_logger_alone_is_enough(start: Start) -> None:
    parent = start(RUN)
    _, said = parent.exchange("self.logger.warning('text')")
    assert said[0]["msg"] == "stormcell.component.subject - text"


def test_logging_that_is_loaded_late_is_routed_with_the_logger(start: Start) -> None:
    parent = start(RUN)
    # Before that, Python prints what is a warning or worse, which is logged like every print.
    source = "import logging; late = logging.getLogger('late'); late.warning('printed'), late.info('lost')"
    parent.send(source)
    assert parent.expect("log")["msg"] == "printed"
    parent.expect("ack")
    _, said = parent.exchange("import logging; self.logger; logging.getLogger('late').info('text')")
    assert said[0]["msg"] == "late - text"


def test_logging_while_it_starts(start: Start) -> None:
    parent = start("""
        import logging
        logging.getLogger("imported").warning("at import")
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                self.logger.info("at start")
                logging.getLogger("initialized").info("at start")
        """)
    found = sorted(parent.expect("log")["msg"] for _ in range(3))
    assert found == [
        "at import",  # nobody listened yet: Python itself prints it
        "initialized - at start",
        "stormcell.component.subject - at start",
    ]


def test_basic_config_does_not_log_twice(start: Start) -> None:
    parent = start("""
        import logging, sys
        logging.basicConfig(level="DEBUG", stream=sys.stdout)
        class Subject(Bolt):
            def process(self, tup):
                logging.getLogger("a").info("text")
                print("printed")
        """)
    parent.send(1)
    assert parent.expect("log", "text")["msg"] == "a - text"
    assert parent.expect("log")["msg"] == "printed"
    parent.expect("ack")


def test_a_configuration_of_the_components_own_is_kept(start: Start) -> None:
    parent = start("""
        import logging
        class Subject(Bolt):
            def initialize(self, conf, ctx):
                logging.getLogger().handlers[0].setFormatter(logging.Formatter("mine: %(message)s"))
                logging.getLogger().setLevel("ERROR")
            def process(self, tup):
                self.logger.warning("no"), self.logger.error("yes")
        """)
    _, said = parent.exchange(1)
    assert [message["msg"] for message in said[:-1]] == ["mine: yes"]
