"""Column types keep their values unchanged."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from rubber_duck.errors import InvalidInput
from rubber_duck.storage.columns import PathText, Timestamp, to_json

CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)
DIALECTS: list[Dialect] = [sqlite.dialect(), postgresql.dialect()]  # type: ignore[no-untyped-call]  # SQLAlchemy leaves them untyped


@given(name=st.binary())
def test_every_file_name_survives_as_valid_text(name: bytes) -> None:
    path = os.fsdecode(name)
    for dialect in DIALECTS:
        stored = PathText().process_bind_param(path, dialect)
        assert stored is not None
        stored.encode()
        assert PathText().process_result_value(stored, dialect) == path


@given(left=st.binary(), right=st.binary())
def test_two_file_names_never_become_one(left: bytes, right: bytes) -> None:
    stored = [PathText().process_bind_param(os.fsdecode(name), DIALECTS[0]) for name in (left, right)]
    assert (stored[0] == stored[1]) == (left == right)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_moment_is_stored_in_utc_and_a_naive_one_is_refused(dialect: Dialect) -> None:
    moment = datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
    stored = Timestamp().process_bind_param(moment, dialect)
    assert stored is not None
    assert stored.replace(tzinfo=None) == datetime(2026, 7, 1, 10, 30, 15, 123456)  # noqa: DTZ001  # as stored
    assert Timestamp().process_result_value(stored, dialect) == moment
    with pytest.raises(InvalidInput, match="time zone"):
        Timestamp().process_bind_param(datetime(2026, 7, 1), dialect)  # noqa: DTZ001  # what is refused


def test_nothing_stays_nothing() -> None:
    for column in (Timestamp(), PathText()):
        assert column.process_bind_param(None, DIALECTS[0]) is None
        assert column.process_result_value(None, DIALECTS[0]) is None


def test_json_is_ascii_and_knows_no_infinity() -> None:
    assert to_json({"ü": "\ud800"}) == '{"\\u00fc":"\\ud800"}'
    for value in (float("inf"), {1}, CIRCLE):
        with pytest.raises(InvalidInput, match="JSON"):
            to_json([value])


def test_utc_is_what_comes_back() -> None:
    value = Timestamp().process_result_value(datetime(2026, 7, 1, tzinfo=timezone(timedelta(hours=5))), DIALECTS[1])
    assert value is not None
    assert value.tzinfo is UTC
