"""Runs of one priority are taken in turns by tenant; a queue with many of one keeps no other waiting."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import QueueSettings
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.options import StartOptions
from tests.durable import QUICK, Bench, durable_over, working

ONE_BY_ONE = msgspec.structs.replace(QUICK, queues={"analysis": QueueSettings(per_process=1)})


def scope_of(tenant: str, project: UUID | None = None) -> Scope:
    """All that somebody may do."""
    return Scope(Actor(tenant, tenant), project, frozenset(Right), "0" * 32)


async def started(durable: Durable, tenant: str, words: list[str], priority: int = 10) -> list[tuple[Scope, str]]:
    """A run for each word."""
    scope, options = scope_of(tenant), StartOptions(priority=priority)
    return [(scope, await durable.start(scope, "sample", {"words": [word]}, options)) for word in words]


async def carried_out(durable: Durable, runs: list[tuple[Scope, str]]) -> None:
    """Work until all have ended."""
    async with working(durable):
        for scope, run_id in runs:
            await durable.answer(scope, run_id)


async def test_whoever_comes_late_does_not_wait_for_all_of_anothers(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench, settings=ONE_BY_ONE) as durable:
        many = await started(durable, "many", ["a1", "a2", "a3", "a4", "a5"])
        few = await started(durable, "few", ["b1", "b2"])
        await carried_out(durable, [*many, *few])
    assert bench.diary == ["a1", "b1", "a2", "b2", "a3", "a4", "a5"]


async def test_whoever_comes_again_and_again_gets_no_more_than_a_turn(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench, settings=ONE_BY_ONE) as durable:
        many = await started(durable, "many", ["a1", "a2", "a3"])
        first = await started(durable, "few", ["b1"])
        await carried_out(durable, [*many[:1], *first])
        again = await started(durable, "few", ["b2", "b3"])
        await carried_out(durable, [*many, *again])
    assert bench.diary.index("a2") < bench.diary.index("b3")


async def test_projects_of_one_person_take_turns_too(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench, settings=ONE_BY_ONE) as durable:
        runs = []
        for number, words in ((1, ["a1", "a2", "a3"]), (2, ["b1", "b2"])):
            scope = scope_of("one", UUID(int=number))
            runs += [(scope, await durable.start(scope, "sample", {"words": [word]})) for word in words]
        await carried_out(durable, runs)
    assert bench.diary == ["a1", "b1", "a2", "b2", "a3"]


async def test_a_higher_priority_goes_before_every_turn(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench, settings=ONE_BY_ONE) as durable:
        runs = await started(durable, "a", ["late1", "late2"], 100)
        runs += await started(durable, "b", ["soon1", "soon2"], 1)
        await carried_out(durable, runs)
    assert bench.diary == ["soon1", "soon2", "late1", "late2"]


@pytest.mark.parametrize("priority", [0, 101, -1])
async def test_a_priority_that_is_none_is_refused(settings: DatabaseSettings, priority: int) -> None:
    async with durable_over(settings, Bench()) as durable:
        with pytest.raises(InvalidInput, match="from 1"):
            await durable.start(scope_of("a"), "sample", {}, StartOptions(priority=priority))
