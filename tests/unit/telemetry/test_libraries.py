"""What libraries say through Python's own logging becomes events, from warning on."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rubber_duck.telemetry import listening
from rubber_duck.telemetry.libraries import libraries_heard

LIBRARY = logging.getLogger("some.library")


@contextmanager
def _heard() -> Iterator[list[tuple[str, Mapping[str, object]]]]:
    heard: list[tuple[str, Mapping[str, object]]] = []
    with listening(lambda name, fields: heard.append((name, fields))), libraries_heard():
        yield heard


def test_a_warning_and_an_error_are_events_and_less_is_not() -> None:
    with _heard() as heard:
        LIBRARY.info("connected")
        LIBRARY.warning("no answer from %s", "h")
        LIBRARY.critical("gone")

    assert heard == [
        ("library.warned", {"library": "some.library", "said": "no answer from h", "traceback": None}),
        ("library.failed", {"library": "some.library", "said": "gone", "traceback": None}),
    ]


def test_an_exception_is_told_with_where_it_was_raised() -> None:
    with _heard() as heard:
        try:
            _ = os.environ["DUCK_GONE"]
        except KeyError:
            LIBRARY.exception("failed")

    ((name, fields),) = heard
    assert (name, fields["said"], str(fields["traceback"]).splitlines()[-1]) == (
        "library.failed",
        "failed",
        "KeyError: 'DUCK_GONE'",
    )


def test_a_block_inside_another_says_nothing_twice() -> None:
    with _heard() as heard:
        with libraries_heard():
            LIBRARY.warning("once")
        LIBRARY.warning("and again")

    assert [fields["said"] for _, fields in heard] == ["once", "and again"]


def test_after_the_block_nothing_is_an_event_any_more() -> None:
    with _heard() as heard:
        pass
    with listening(lambda name, fields: heard.append((name, fields))):
        LIBRARY.warning("later")

    assert heard == []
