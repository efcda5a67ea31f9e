"""Who asks much waits behind their own; limits by the minute; nobody waits past a deadline."""

from __future__ import annotations

import asyncio

import pytest

from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import LimitExceeded, RateLimited, TimedOut, UnknownName
from rubber_duck.llm.limits import Limits
from rubber_duck.llm.queue import FairQueue
from rubber_duck.settings.models import LimitSettings

FAR = 1e12


class Time:
    """A clock that goes on when somebody sleeps by it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


async def passing(queue: FairQueue, person: str, passed: list[str]) -> None:
    async with queue.turn(person, FAR):
        passed.append(person)
        await asyncio.sleep(0)


async def test_five_hundred_requests_of_one_do_not_starve_another() -> None:
    queue, passed = FairQueue(4, 1000), list[str]()
    flood = [asyncio.create_task(passing(queue, "ann", passed)) for _ in range(500)]
    await asyncio.sleep(0)
    others = [asyncio.create_task(passing(queue, name, passed)) for name in ("ben", "cleo", "ben", "cleo")]
    await asyncio.gather(*flood, *others)
    assert passed.index("ben") <= 12
    assert [at for at, name in enumerate(passed) if name != "ann"][-1] <= 24
    assert passed.count("ann") == 500
    assert queue.is_idle


async def test_no_more_than_allowed_are_inside_at_once() -> None:
    queue, inside, most = FairQueue(3, 1000), 0, 0

    async def one(person: str) -> None:
        nonlocal inside, most
        async with queue.turn(person, FAR):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one(f"u{number % 7}") for number in range(100)))
    assert (most, inside) == (3, 0)


async def test_one_whose_turn_does_not_come_in_time_is_told_and_leaves_no_trace() -> None:
    queue = FairQueue(1, 10)
    async with queue.turn("ann", FAR):
        with pytest.raises(TimedOut, match="no turn"):
            await queue.enter("ben", asyncio.get_running_loop().time())
    assert queue.is_idle
    async with queue.turn("ben", asyncio.get_running_loop().time()):
        assert not queue.is_idle


async def test_one_who_gives_up_passes_the_turn_on() -> None:
    queue, passed = FairQueue(1, 10), list[str]()
    await queue.enter("ann", FAR)
    leaving = asyncio.create_task(passing(queue, "ben", passed))
    staying = asyncio.create_task(passing(queue, "cleo", passed))
    await asyncio.sleep(0)
    queue.leave()  # it is Ben's turn now, and he does not know yet
    leaving.cancel()
    await asyncio.gather(leaving, staying, return_exceptions=True)
    assert passed == ["cleo"]
    assert queue.is_idle


async def test_too_many_of_one_person_are_refused_and_others_are_not() -> None:
    queue = FairQueue(1, 2)
    await queue.enter("ann", FAR)
    waiting = [asyncio.create_task(queue.enter("ann", FAR)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited, match="2 of your requests"):
        await queue.enter("ann", FAR)
    other = asyncio.create_task(queue.enter("ben", FAR))
    for _ in range(4):
        await asyncio.sleep(0)
        queue.leave()
    await asyncio.gather(*waiting, other)
    assert queue.is_idle


def limits(time: Time, **settings: LimitSettings) -> Limits:
    return Limits(LocalCluster(clock=time), settings, 1000, time, time.sleep)


async def test_a_full_bucket_is_spent_at_once_and_then_fills_evenly() -> None:
    time = Time()
    limited = limits(time, user=LimitSettings(requests=60))
    for _ in range(60):
        await limited.take("user", "ann", "ann", 1, FAR)
    assert time.now_s == 0.0
    for _ in range(10):
        await limited.take("user", "ann", "ann", 1, FAR)
    assert time.now_s == pytest.approx(10.0)
    await limited.take("user", "ben", "ben", 1, FAR)
    assert time.now_s == pytest.approx(10.0)


async def test_what_would_be_too_late_is_refused_with_the_time_to_ask_again() -> None:
    time = Time()
    limited = limits(time, project=LimitSettings(requests=1))
    await limited.take("project", "x", "ann", 1, FAR)
    with pytest.raises(RateLimited, match="the project's limit of 1 a minute") as refused:
        await limited.take("project", "x", "ann", 1, 30.0)
    assert refused.value.retry_after_s == pytest.approx(60.0)


async def test_tokens_are_limited_too_and_what_never_fits_is_said() -> None:
    time = Time()
    limited = limits(time, user=LimitSettings(tokens=1000))
    await limited.take("user", "ann", "ann", 900, FAR)
    await limited.take("user", "ann", "ann", 700, FAR)
    assert time.now_s == pytest.approx(36.0, abs=0.01)
    with pytest.raises(LimitExceeded, match="1,001 tokens"):
        await limited.take("user", "ann", "ann", 1001, FAR)


async def test_what_was_not_used_is_given_back_and_whoever_waits_goes_on() -> None:
    time = Time()
    limited = limits(time, user=LimitSettings(tokens=600))
    await limited.take("user", "ann", "ann", 600, FAR)
    waiting = asyncio.create_task(limited.take("user", "ann", "ann", 500, FAR))
    for _ in range(40):
        await asyncio.sleep(0)
    given_s = time.now_s
    assert 0.0 < given_s < 45.0
    limited.give_back("user", "ann", 550)
    limited.give_back("project", "x", 550)
    await waiting
    await limited.close()
    assert time.now_s <= given_s + 3.0


async def test_more_than_a_full_bucket_is_not_given_back() -> None:
    time = Time()
    limited = limits(time, user=LimitSettings(tokens=600))
    limited.give_back("user", "ann", 10_000)
    await limited.close()
    for _ in range(2):
        await limited.take("user", "ann", "ann", 600, FAR)
    assert time.now_s == pytest.approx(60.0)


async def test_a_providers_bucket_is_shared_in_turns() -> None:
    time, order = Time(), list[str]()
    limited = limits(time, provider=LimitSettings(requests=1))

    async def one(person: str) -> None:
        await limited.take("provider", "p", person, 1, FAR)
        order.append(person)

    await one("ann")
    flood = [asyncio.create_task(one("ann")) for _ in range(50)]
    await asyncio.sleep(0)
    await asyncio.gather(*flood, asyncio.create_task(one("ben")))
    assert order.index("ben") <= 5


def test_a_limit_of_nobody_is_a_mistake() -> None:
    with pytest.raises(UnknownName, match="did you mean 'user'"):
        limits(Time(), users=LimitSettings())
