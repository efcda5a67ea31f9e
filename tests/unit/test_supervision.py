"""A background part that crashes is reported and started again, within limits; closing ends every part."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from rubber_duck import telemetry
from rubber_duck.backoff import Backoff
from rubber_duck.errors import Conflict, Unavailable
from rubber_duck.supervision import PartHealth, Restarts, Supervisor, Work

DOUBLING = Backoff(first_s=1.0, factor=2.0, cap_s=5.0)


class Time:
    """A clock that only moves when somebody sleeps or works, and remembers the sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        self.slept_s.append(delay_s)
        self.now_s += delay_s


def _supervisor(time: Time, in_a_row: int = 3, steady_s: float = 60.0) -> Supervisor:
    restarts = Restarts(DOUBLING, in_a_row=in_a_row, steady_s=steady_s)
    return Supervisor(restarts, clock=time, sleep=time.sleep, random=lambda: 1.0)


def _crashing(times: int, time: Time | None = None, lasting_s: float = 0.0) -> Work:
    """A part that crashes so often, each time after `lasting_s`, and then returns."""
    left = times

    async def work() -> None:
        nonlocal left
        if time is not None:
            time.now_s += lasting_s
        if left:
            left -= 1
            raise OSError(f"crash {times - left}")

    return work


async def _forever() -> None:
    await asyncio.Event().wait()


@contextmanager
def _heard() -> Iterator[list[tuple[str, Mapping[str, object]]]]:
    """The events in the block; of a traceback only its last line, the rest names lines of code."""
    events: list[tuple[str, Mapping[str, object]]] = []

    def listener(name: str, fields: Mapping[str, object]) -> None:
        shown = {key: str(value).splitlines()[-1] if key == "traceback" else value for key, value in fields.items()}
        events.append((name, shown))

    with telemetry.listening(listener):
        yield events


async def _ended(supervisor: Supervisor, *names: str) -> None:
    """Until those parts run no more."""
    tasks = [task for task in asyncio.all_tasks() if task.get_name() in names]
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_part_that_runs_is_shown_as_running() -> None:
    supervisor = Supervisor()
    supervisor.start("part", _forever)
    shown = supervisor.health()
    await supervisor.close()

    assert shown == {"part": PartHealth(running=True, crashes=0, error=None)}


async def test_a_part_that_returns_is_finished() -> None:
    supervisor = Supervisor()
    supervisor.start("part", _crashing(0))
    await _ended(supervisor, "part")

    assert supervisor.health() == {"part": PartHealth(running=False, crashes=0, error=None)}


async def test_each_crash_is_reported_with_the_growing_delay_before_the_restart() -> None:
    time = Time()
    supervisor = _supervisor(time)
    with _heard() as events:
        supervisor.start("part", _crashing(3))
        await _ended(supervisor, "part")

    assert events == [
        (
            "part.crashed",
            {
                "part": "part",
                "error": f"the operating system refused: crash {crash}",
                "traceback": f"OSError: crash {crash}",
                "crashes": crash,
                "delay_s": delay_s,
            },
        )
        for crash, delay_s in [(1, 1.0), (2, 2.0), (3, 4.0)]
    ]


async def test_a_crash_is_told_with_where_it_was_raised_and_from_what() -> None:
    said: list[str] = []

    async def work() -> None:
        try:
            _ = os.environ["DUCK_GONE"]
        except KeyError as error:
            raise OSError("crash") from error

    supervisor = _supervisor(Time(), in_a_row=0)
    with telemetry.listening(lambda name, fields: said.append(str(fields["traceback"]))):
        supervisor.start("part", work)
        await _ended(supervisor, "part")

    assert [line for line in said[0].splitlines() if not line.startswith(" ") and line] == [
        "Traceback (most recent call last):",
        "KeyError: 'DUCK_GONE'",
        "The above exception was the direct cause of the following exception:",
        "Traceback (most recent call last):",
        "OSError: crash",
    ]


async def test_the_restart_waits_for_the_delay() -> None:
    time = Time()
    supervisor = _supervisor(time, in_a_row=4)
    supervisor.start("part", _crashing(4))
    await _ended(supervisor, "part")

    assert time.slept_s == [1.0, 2.0, 4.0, 5.0]


async def test_a_part_that_crashes_too_often_in_a_row_is_abandoned() -> None:
    supervisor = _supervisor(Time(), in_a_row=2)
    with _heard() as events:
        supervisor.start("part", _crashing(100))
        await _ended(supervisor, "part")

    assert (supervisor.health(), events[-1]) == (
        {"part": PartHealth(running=False, crashes=3, error="the operating system refused: crash 3")},
        (
            "part.abandoned",
            {
                "part": "part",
                "error": "the operating system refused: crash 3",
                "traceback": "OSError: crash 3",
                "crashes": 3,
            },
        ),
    )


async def test_a_part_that_ran_long_enough_is_forgiven_its_crashes() -> None:
    time = Time()
    supervisor = _supervisor(time, in_a_row=1, steady_s=60.0)
    supervisor.start("part", _crashing(5, time, lasting_s=60.0))
    await _ended(supervisor, "part")

    assert (supervisor.health(), time.slept_s) == (
        {"part": PartHealth(running=False, crashes=1, error=None)},
        [1.0] * 5,
    )


async def test_a_part_that_ran_just_too_short_is_not_forgiven() -> None:
    time = Time()
    supervisor = _supervisor(time, in_a_row=1, steady_s=60.0)
    supervisor.start("part", _crashing(5, time, lasting_s=59.9))
    await _ended(supervisor, "part")

    assert time.slept_s == [1.0]


async def test_a_part_between_a_crash_and_its_restart_is_shown_as_not_running() -> None:
    reached = asyncio.Event()

    async def long_sleep(delay_s: float) -> None:
        reached.set()
        await _forever()

    supervisor = Supervisor(sleep=long_sleep)
    supervisor.start("part", _crashing(1))
    await reached.wait()
    shown = supervisor.health()
    await supervisor.close()

    assert shown == {"part": PartHealth(running=False, crashes=1, error="the operating system refused: crash 1")}


async def test_a_part_that_runs_again_still_shows_its_last_crash() -> None:
    again = asyncio.Event()
    crash = _crashing(1)

    async def work() -> None:
        await crash()
        again.set()
        await _forever()

    supervisor = _supervisor(Time())
    supervisor.start("part", work)
    await again.wait()
    shown = supervisor.health()
    await supervisor.close()

    assert shown == {"part": PartHealth(running=True, crashes=1, error="the operating system refused: crash 1")}


async def test_a_part_whose_own_wait_was_cancelled_has_crashed() -> None:
    async def work() -> None:
        waited = asyncio.get_running_loop().create_future()
        waited.cancel()
        await waited

    supervisor = _supervisor(Time(), in_a_row=0)
    supervisor.start("part", work)
    await _ended(supervisor, "part")

    assert supervisor.health() == {"part": PartHealth(running=False, crashes=1, error="CancelledError")}


async def test_one_part_that_crashes_leaves_the_others_running() -> None:
    supervisor = _supervisor(Time(), in_a_row=0)
    supervisor.start("steady", _forever)
    supervisor.start("shaky", _crashing(1))
    await _ended(supervisor, "shaky")
    shown = supervisor.health()
    await supervisor.close()

    assert shown["steady"] == PartHealth(running=True, crashes=0, error=None)


async def test_a_part_that_runs_cannot_be_started_again() -> None:
    supervisor = Supervisor()
    supervisor.start("part", _forever)
    with pytest.raises(Conflict, match=r"^a background part called 'part' runs already$"):
        supervisor.start("part", _forever)
    await supervisor.close()


async def test_a_part_that_ended_can_be_started_again() -> None:
    supervisor = _supervisor(Time(), in_a_row=0)
    supervisor.start("part", _crashing(1))
    await _ended(supervisor, "part")
    supervisor.start("part", _forever)
    shown = supervisor.health()
    await supervisor.close()

    assert shown == {"part": PartHealth(running=True, crashes=0, error=None)}


async def test_closing_waits_until_every_part_has_cleaned_up() -> None:
    ended: list[str] = []

    def part(name: str, started: asyncio.Event) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            try:
                started.set()
                await _forever()
            finally:
                await asyncio.sleep(0)  # cleaning up takes a turn of the loop
                ended.append(name)

        return work

    supervisor = Supervisor()
    for name in ("a", "b"):
        started = asyncio.Event()
        supervisor.start(name, part(name, started))
        await started.wait()
    await supervisor.close()

    assert sorted(ended) == ["a", "b"]


async def test_closed_parts_are_shown_as_not_running() -> None:
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        await _forever()

    supervisor = Supervisor()
    supervisor.start("part", work)
    await started.wait()
    await supervisor.close()

    assert supervisor.health() == {"part": PartHealth(running=False, crashes=0, error=None)}


async def test_a_part_closed_before_its_first_turn_is_shown_as_not_running() -> None:
    supervisor = Supervisor()
    supervisor.start("part", _forever)
    await supervisor.close()

    assert supervisor.health() == {"part": PartHealth(running=False, crashes=0, error=None)}


async def test_a_part_that_fails_while_it_is_closed_is_not_started_again() -> None:
    started: list[str] = []
    first = asyncio.Event()

    async def stubborn() -> None:
        try:
            started.append("again" if first.is_set() else "first")
            first.set()
            await _forever()
        finally:
            raise Unavailable("it would not go")

    supervisor = _supervisor(Time())
    supervisor.start("stubborn", stubborn)
    await first.wait()
    await supervisor.close()

    assert (started, supervisor.health()) == (
        ["first"],
        {"stubborn": PartHealth(running=False, crashes=1, error="it would not go")},
    )
