"""The judgement of a campaign of kills finds each kind of fault when one is planted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.durable import lacking
from tests.killing.judgement import Judgement, judged
from tests.killing.working import STEPS, UNDONE

Entry = dict[str, Any]


def sound() -> list[Entry]:
    """One run, whose second step was interrupted by a kill and done again by another process."""
    entries: list[Entry] = [{"did": "acknowledged", "pid": 1, "run": "r"}]
    for step in range(STEPS):
        entries.append(_entry("begin", 2 if step < 2 else 3, step))
        if step == 1:
            entries.append({"did": "killed", "victim": 2, "way": "random"})
            entries.append(_entry("begin", 3, step))
        entries.append({**_entry("effect", 2 if step < 1 else 3, step), "applied": True})
    return _timed(entries)


def _entry(did: str, pid: int, step: int) -> Entry:
    return {"did": did, "pid": pid, "run": "r", "step": step, "key": f"r:s{step}"}


def _timed(entries: list[Entry]) -> list[Entry]:
    return [{**each, "at": 100.0 + number} for number, each in enumerate(entries)]


def faults(
    entries: list[Entry], states: Mapping[str, str] | None = None, kept_at: float = 1e9, rows: int = 1
) -> list[str]:
    """The faults that are found."""
    kept = {("r", f"s{step}"): kept_at for step in range(STEPS)}
    return judged(entries, {"r": "done"} if states is None else states, kept, {"r": rows}).faults


def test_a_sound_campaign_has_no_faults() -> None:
    found = judged(sound(), {"r": "done"}, {}, {"r": 1})
    assert (found.faults, found.kills, found.in_step, found.again) == ([], 1, 1, 1)
    assert found.recoveries_s == [1.0]


def test_kills_and_recoveries_elsewhere_are_counted_by_themselves() -> None:
    entries = [{**each, "away": True} if each["did"] == "killed" else each for each in sound()]
    found = judged(entries, {"r": "done"}, {}, {"r": 1})
    assert (found.elsewhere, found.recoveries_s, found.recoveries_elsewhere_s) == (1, [1.0], [1.0])
    assert "1 kills elsewhere" in found.said()


@pytest.mark.parametrize(("elsewhere", "recovered", "lacks"), [(20, [1.0], 0), (3, [1.0], 1), (20, [], 1)])
def test_a_campaign_with_another_machine_that_killed_nothing_there_lacks_something(
    elsewhere: int, recovered: list[float], lacks: int
) -> None:
    found = Judgement(kills=100, in_step=100, elsewhere=elsewhere, recoveries_elsewhere_s=recovered)
    assert len(lacking(found, 0.3)) == lacks


@pytest.mark.parametrize("states", [{}, {"r": "ERROR"}, {"r": "PENDING"}])
def test_a_lost_run_is_a_fault(states: Mapping[str, str]) -> None:
    assert any(said.startswith("the run r is ") for said in faults(sound(), states))


def test_an_effect_that_never_happened_is_a_fault() -> None:
    entries = [each for each in sound() if each["did"] != "effect" or each["step"] != 2]
    assert faults(entries) == ["the effect of step 2 of r was applied 0 times"]


@pytest.mark.parametrize("rows", [0, 2])
def test_a_row_that_was_not_written_or_twice_is_a_fault(rows: int) -> None:
    assert faults(sound(), rows=rows) == [f"the run r wrote its row {rows} times, and took it back 0 times"]


def test_an_effect_under_two_keys_is_a_fault() -> None:
    entries = sound()
    entries.append({**entries[-1], "key": "r:other", "at": 200.0})
    assert faults(entries) == ["the effect of step 2 of r was applied 2 times"]


def test_a_finished_step_that_is_begun_again_is_a_fault() -> None:
    assert len(faults(sound(), kept_at=0.0)) == STEPS + 1
    entries = [*sound(), {**_entry("begin", 3, 0), "at": 200.0}]
    assert "the step r:s0 was begun after one that follows it" in faults(entries)


def test_two_processes_in_one_step_are_a_fault() -> None:
    entries = [each for each in sound() if each["did"] != "killed"]
    assert faults(entries) == ["the step r:s1 was begun again while the process 2 worked on it"]


def test_a_step_that_was_done_and_not_kept_may_be_done_again_elsewhere_only_where_the_database_was_away() -> None:
    entries = [each for each in sound() if each["did"] != "killed"]
    at = next(number for number, each in enumerate(entries) if (each["did"], each["pid"]) == ("begin", 3))
    done = {**_entry("effect", 2, 1), "applied": True}
    second = [{**each, "applied": False} if each["did"] == "effect" and each["step"] == 1 else each for each in entries]
    spoilt = _timed([*second[:at], done, *second[at:]])
    there = judged(spoilt, {"r": "done"}, {}, {"r": 1}, away=True)
    assert (there.faults, there.unkept) == ([], 1)
    assert [said for said in judged(spoilt, {"r": "done"}, {}, {"r": 1}).faults if "begun again while" in said]
    running = _timed(entries)
    assert [said for said in judged(running, {"r": "done"}, {}, {"r": 1}, away=True).faults if "begun again" in said]


def failing(undone: tuple[int, ...]) -> list[Entry]:
    """As `sound`, and the run fails in the end; the steps that are undone, in this order."""
    entries = [{**each, "fails": True} if each["did"] == "begin" else each for each in sound()]
    return [*entries, *({"did": "undone", "pid": 3, "run": "r", "step": step, "at": 300.0} for step in undone)]


LAST_FIRST = tuple(range(STEPS - 1, -1, -1))


def test_a_run_that_failed_and_was_undone_is_sound_also_when_a_step_was_undone_again() -> None:
    for undone in (LAST_FIRST, (STEPS - 1, *LAST_FIRST)):
        found = judged(failing(undone), {"r": "ERROR"}, {}, {f"{UNDONE}r": 1})
        assert (found.faults, found.undone) == ([], 1)


@pytest.mark.parametrize("undone", [(), LAST_FIRST[1:], LAST_FIRST[::-1]])
def test_a_step_that_was_not_undone_or_before_a_later_one_is_a_fault(undone: tuple[int, ...]) -> None:
    (said,) = judged(failing(undone), {"r": "ERROR"}, {}, {f"{UNDONE}r": 1}).faults
    assert said.startswith("of the run r, which failed, the steps ")


@pytest.mark.parametrize("rows", [{"r": 1}, {}, {f"{UNDONE}r": 2}])
def test_a_row_that_was_not_taken_back_or_twice_is_a_fault(rows: Mapping[str, int]) -> None:
    (said,) = judged(failing(LAST_FIRST), {"r": "ERROR"}, {}, rows).faults
    assert said.startswith("the run r wrote its row ")


def test_a_run_that_was_undone_and_did_not_fail_is_a_fault() -> None:
    entries = [*sound(), {"did": "undone", "pid": 3, "run": "r", "step": 0, "at": 300.0}]
    assert faults(entries) == ["the run r was undone, which did not fail"]
