"""What ended long ago is deleted with all that belongs to it, and nothing else is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import Table, func, select

from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import Connection
from rubber_duck.workflows.clearing import Clearing
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.options import StartOptions
from rubber_duck.workflows.store.tables import effects, runs, step_results, watches
from tests.durable import Bench, create_written, durable_over, until, working

ME = Scope.local()
DAYS = 30


async def clearing_at(durable: Durable, *, days_later: float) -> Clearing:
    """One whose clock is so much later."""
    moment = datetime.now(UTC) + timedelta(days=days_later)
    return Clearing(durable.database, await durable.library(), DAYS, now=lambda: moment)


async def rows_left(durable: Durable) -> dict[str, int]:
    """How many rows each table of runs has, ours and DBOS's, without those that have none."""
    library = await durable.library()
    ours = [runs, effects, watches, step_results]
    found = vars(library.client._sys_db.tables).values()
    theirs = [each for each in found if isinstance(each, Table) and "workflow_uuid" in each.columns]
    assert len(theirs) >= 4

    def counted(connection: Connection) -> dict[str, int]:
        counts = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in ours
        }
        return {name: count for name, count in counts.items() if count}

    left = await durable.database.run(counted, write=False)
    engine = library.client._sys_db.engine
    with engine.connect() as connection:
        for table in theirs:
            if count := connection.execute(select(func.count()).select_from(table)).scalar_one():
                left[table.name] = count
    return left


async def test_what_ended_long_ago_goes_with_all_that_belongs_to_it(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        await durable.database.run(create_written)
        request = {"words": ["a", "write:b", "child:c", "signal:go"], "cache": "content"}
        run_id = await durable.start(ME, "sample", request, StartOptions(key="one", tell=True))
        await durable.send(ME, run_id, "go", "on")
        await durable.answer(ME, run_id)
        failed = await durable.start(ME, "sample", {"words": ["write:d", "unwritable:e"]})
        await until(lambda: _is(durable, failed, "failed"))
        assert await (await clearing_at(durable, days_later=DAYS - 1)).sweep() == 0
        assert (await rows_left(durable))["runs"] == 3
        assert await (await clearing_at(durable, days_later=DAYS + 1)).sweep() == 3
        assert await rows_left(durable) == {}


async def test_what_waits_works_or_is_paused_stays_however_old(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        kept = [await durable.start(ME, "sample", {"words": ["wait:a"]}) for _ in range(2)]
        kept.append(await durable.start(ME, "sample", {"words": ["b"]}, StartOptions(delay_s=3600)))
        gone = await durable.start(ME, "sample", {"words": ["b"]}, StartOptions(delay_s=3600))
        await until(lambda: _is(durable, kept[0], "working"))
        await durable.pause(ME, kept[0])
        await durable.cancel(ME, gone)
        assert await (await clearing_at(durable, days_later=DAYS + 1)).sweep() == 1
        assert {each.id for each in await durable.runs(ME)} == set(kept)
        bench.gate.set()
        await durable.resume(ME, kept[0])
        assert await durable.answer(ME, kept[0]) == {"words": ["a"]}


async def test_a_child_is_there_as_long_as_its_parent(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["child:a", "wait:b"]})
        await bench.reached.wait()
        later = await clearing_at(durable, days_later=DAYS + 1)
        assert await later.sweep() == 0
        bench.gate.set()
        await durable.answer(ME, run_id)
        assert await later.sweep() == 2


async def test_two_sweeps_at_once_delete_once_and_all(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        for run_id in [await durable.start(ME, "sample", {"words": ["a"]}) for _ in range(8)]:
            await durable.answer(ME, run_id)
        later = [await clearing_at(durable, days_later=DAYS + 1) for _ in range(2)]
        assert sum(await asyncio.gather(*(each.sweep() for each in later))) == 8
        assert await rows_left(durable) == {}


async def test_with_no_days_nothing_is_ever_deleted(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        await durable.answer(ME, await durable.start(ME, "sample", {"words": ["a"]}))
        moment = datetime.now(UTC) + timedelta(days=10_000)
        never = Clearing(durable.database, await durable.library(), 0, now=lambda: moment)
        await never.keep()  # which ends, as there is nothing to do
        assert len(await durable.runs(ME)) == 1


async def _is(durable: Durable, run_id: str, state: str) -> bool:
    return (await durable.show(ME, run_id)).state == state
