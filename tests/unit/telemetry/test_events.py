"""Events are declared, reach whoever listens, and are logged as lines that a program or a person can read."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

import rubber_duck
from rubber_duck.errors import InvalidInput, UnknownName
from rubber_duck.settings import LogSettings
from rubber_duck.telemetry import COUNTERS, EVENTS, SPANS, configure_logs, correlated, emit, listening

CALLS: dict[str, Mapping[str, object]] = {"emit": EVENTS, "span": SPANS, "count": COUNTERS}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged: JSON, from debug on."""
    stream = io.StringIO()
    configure_logs(LogSettings(level="debug", format="json"), stream=stream)
    yield stream
    configure_logs(LogSettings())


def _lines(log: io.StringIO) -> list[dict[str, object]]:
    """Each line without the moment it was written."""
    return [
        {key: value for key, value in json.loads(line).items() if key != "timestamp"}
        for line in log.getvalue().splitlines()
    ]


def test_an_event_is_one_line_of_json(log: io.StringIO) -> None:
    with correlated("abc"):
        emit("engine.finished", engine="echo", duration_ms=3)

    assert _lines(log) == [
        {"event": "engine.finished", "level": "info", "trace": "abc", "engine": "echo", "duration_ms": 3}
    ]


def test_a_line_tells_the_moment_in_universal_time(log: io.StringIO) -> None:
    emit("app.closed")

    assert datetime.fromisoformat(json.loads(log.getvalue())["timestamp"]).utcoffset() == timedelta(0)


def test_outside_any_request_there_is_no_trace(log: io.StringIO) -> None:
    emit("app.closed")

    assert _lines(log) == [{"event": "app.closed", "level": "info"}]


@examples(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(), reason=st.text())
def test_whatever_a_field_holds_it_is_one_line_that_parses(log: io.StringIO, path: str, reason: str) -> None:
    log.seek(0)
    log.truncate()
    emit("analysis.file_crashed", path=path, reason=reason)

    assert _lines(log) == [{"event": "analysis.file_crashed", "level": "warning", "path": path, "reason": reason}]


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("debug", ["engine.started", "app.closed", "engine.failed", "part.abandoned"]),
        ("info", ["app.closed", "engine.failed", "part.abandoned"]),
        ("warning", ["engine.failed", "part.abandoned"]),
        ("error", ["part.abandoned"]),
    ],
)
def test_only_events_at_or_above_the_level_are_written(level: str, written: list[str]) -> None:
    stream = io.StringIO()
    configure_logs(LogSettings(level=level, format="json"), stream=stream)  # type: ignore[arg-type]  # a level
    for name in ("engine.started", "app.closed", "engine.failed", "part.abandoned"):
        emit(name)
    configure_logs(LogSettings())

    assert [line["event"] for line in _lines(stream)] == written


def test_lines_for_people_show_control_characters_instead_of_obeying_them() -> None:
    stream = io.StringIO()
    configure_logs(LogSettings(level="debug"), stream=stream)
    emit("analysis.file_crashed", path="a\x1b[2J\u202e\n.py", reason="died")
    configure_logs(LogSettings())

    assert stream.getvalue().partition("Z ")[2].split() == [
        "[warning",
        "]",
        "analysis.file_crashed",
        r"path='a\x1b[2J\u202e\n.py'",
        "reason='died'",
    ]


def test_a_traceback_stands_below_the_line_for_people() -> None:
    stream = io.StringIO()
    configure_logs(LogSettings(level="debug"), stream=stream)
    emit("part.abandoned", part="p", error="e", traceback="Traceback:\n  line 1\x1b[2J\nKeyError: 'gone'\n", crashes=1)
    configure_logs(LogSettings())

    first, *below = stream.getvalue().splitlines()
    assert (first.endswith("crashes=1 error='e' part='p'"), below) == (
        True,
        ["Traceback:", r"  line 1\x1b[2J", "KeyError: 'gone'"],
    )


def test_whoever_listens_hears_events_of_every_level_until_the_block_ends() -> None:
    heard: list[tuple[str, Mapping[str, object]]] = []
    with listening(lambda name, fields: heard.append((name, fields))):
        emit("engine.started", engine="echo")
        emit("part.abandoned", part="p", error="e", crashes=1)
    emit("app.closed")

    assert heard == [
        ("engine.started", {"engine": "echo"}),
        ("part.abandoned", {"part": "p", "error": "e", "crashes": 1}),
    ]


def test_listening_ends_also_when_the_block_raises() -> None:
    heard: list[str] = []
    with pytest.raises(KeyError), listening(lambda name, fields: heard.append(name)):
        raise KeyError
    emit("app.closed")

    assert heard == []


def test_an_undeclared_event_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"^there is no event 'app.close'; did you mean 'app.closed'\?$"):
        emit("app.close")


def test_an_undeclared_field_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        emit("engine.started", engine="echo", prompt="secret")

    assert caught.value.message == (
        "the event 'engine.started' has no field 'prompt'; declare it in telemetry/catalogue.py"
    )


def _mentioned(function: str) -> dict[str, set[str]]:
    """The names given to `telemetry.<function>` anywhere in the code, with the keywords given beside them."""
    found: dict[str, set[str]] = {}
    for path in Path(rubber_duck.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="telemetry"), attr=attribute),
                    args=[ast.Constant(value=str(name)), *_],
                    keywords=keywords,
                ) if attribute == function:
                    found.setdefault(name, set()).update(word.arg for word in keywords if word.arg)
    return found


@pytest.mark.parametrize("function", CALLS)
def test_what_the_code_mentions_is_what_the_catalogue_declares(function: str) -> None:
    assert set(_mentioned(function)) - set(CALLS[function]) == set()


def test_no_event_of_the_code_has_an_undeclared_field() -> None:
    undeclared = {name: fields - EVENTS[name].fields.keys() for name, fields in _mentioned("emit").items()}

    assert {name: fields for name, fields in undeclared.items() if fields} == {}


def test_every_event_is_listed_under_its_own_name() -> None:
    assert [name for name, event in EVENTS.items() if event.name != name] == []
