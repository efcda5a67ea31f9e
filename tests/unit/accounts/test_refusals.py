"""Of the sign-ins that fail a few are written down, and never a flood."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rubber_duck.accounts.refusals import PER_HOUR, Refusals


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment."""
        return self.moment


def test_the_first_of_a_name_and_a_network_is_written_and_then_every_tenfold() -> None:
    refusals = Refusals(Now())
    written = {number: told for number in range(1, 1001) if (told := refusals.count("ann", "10.0.0.0/24"))}
    assert written == {1: (1, 0), 10: (10, 0), 100: (100, 0), 1000: (1000, 0)}
    assert refusals.count("ann", "10.0.1.0/24") == (1, 0)


def test_after_a_while_it_is_the_first_again() -> None:
    now = Now()
    refusals = Refusals(now)
    assert [refusals.count("ann", "") for _ in range(2)] == [(1, 0), None]
    now.moment += timedelta(minutes=11)
    assert refusals.count("ann", "") == (1, 0)


def test_a_flood_of_names_fills_no_audit_and_is_said_afterwards() -> None:
    now = Now()
    refusals = Refusals(now)
    written = [refusals.count(f"name{number}", "10.0.0.0/24") for number in range(20_000)]
    assert len([each for each in written if each]) == PER_HOUR
    now.moment += timedelta(hours=1, seconds=1)
    assert refusals.count("bob", "") == (1, 20_000 - PER_HOUR)
