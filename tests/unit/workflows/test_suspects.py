"""Of runs that may be what killed a process, one is worked on at a time."""

from __future__ import annotations

import pytest

from rubber_duck.workflows.suspects import Suspects


@pytest.mark.parametrize(("attempts", "since"), [(1, 1), (2, 1), (3, 2), (5, 2)])
def test_who_was_begun_in_vain_twice_is_suspect_and_sooner_where_that_is_too_late(attempts: int, since: int) -> None:
    assert Suspects(attempts).since == since


def test_one_is_looked_for_at_a_time_and_none_while_one_is_worked_on() -> None:
    suspects = Suspects(5)
    assert suspects.may_look(())
    assert not suspects.may_look(())  # another queue looks already
    suspects.found("a")
    assert not suspects.may_look(("a", "b"))
    assert suspects.may_look(("b",))  # it has ended
    suspects.found("")
    assert suspects.may_look(("b",))


def test_one_that_has_kept_a_step_makes_room_for_the_next() -> None:
    suspects = Suspects(5)
    assert suspects.may_look(())
    suspects.found("a")
    suspects.gets_on("b")
    assert not suspects.may_look(("a",))
    suspects.gets_on("a")
    assert suspects.may_look(("a",))
