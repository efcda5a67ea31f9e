"""What a request makes has an id by which a second try finds it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rubber_duck.server.idempotency import Token


def test_a_second_try_finds_what_the_first_made_for_a_day_and_no_other_request_does() -> None:
    first, other = Token("a" * 64, None), Token("b" * 64, None)
    night = datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC)
    made, _ = first.made(night)
    assert made in first.made(night + timedelta(seconds=2))
    assert made in first.made(night + timedelta(hours=23))
    assert made not in first.made(night + timedelta(days=2))
    assert made not in other.made(night)
