"""Runs that may be what killed a process, in one that works: which steps clear them, and what they may wait for."""

from __future__ import annotations

import msgspec
from sqlalchemy import update

from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import QueueSettings
from rubber_duck.workflows.durable import Durable
from tests.durable import QUICK, Bench, durable_over, until, working

ME = Scope.local()
FAR_MS = 4_000_000_000_000


async def altered(durable: Durable, run_id: str, **values: object) -> None:
    """Let a row at DBOS be so, such as begun in vain twice."""
    status = (await durable.library()).tables.status
    statement = update(status).where(status.c.workflow_uuid == run_id).values(values)
    await durable.database.run(lambda connection: connection.execute(statement) and None)


async def test_a_step_that_is_only_read_again_clears_no_suspect(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable:
        first = await durable.start(ME, "sample", {"words": ["a", "wait:b"]})
        async with working(durable):
            await bench.reached.wait()
        bench.reached.clear()
        second = await durable.start(ME, "sample", {"words": ["c"]})
        await altered(durable, first, recovery_attempts=2)
        await altered(durable, second, recovery_attempts=2, status="DELAYED", delay_until_epoch_ms=FAR_MS)
        async with working(durable):
            await bench.reached.wait()
            await altered(durable, second, status="ENQUEUED")
            await durable.answer(ME, await durable.start(ME, "sample", {"words": ["d"]}))
            assert "c" not in bench.diary
            bench.gate.set()
            assert await durable.answer(ME, second) == {"words": ["c"]}


async def test_a_suspect_that_waits_for_another_lets_that_be_worked_on(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable:
        parent = await durable.start(ME, "sample", {"words": ["waiting-child:a"]})
        child = f"{parent}.1"
        async with working(durable):
            await bench.reached.wait()
        bench.gate.set()
        await altered(durable, parent, recovery_attempts=2)
        await altered(durable, child, recovery_attempts=2, status="DELAYED", delay_until_epoch_ms=FAR_MS)
        async with working(durable):

            async def is_working() -> bool:
                return (await durable.show(ME, parent)).state == "working"

            await until(is_working)
            await altered(durable, child, status="ENQUEUED")
            assert await durable.answer(ME, parent) == {"words": ["a"]}


async def test_a_suspect_is_taken_where_all_processes_together_work_on_fewer_than_one_may(
    settings: DatabaseSettings,
) -> None:
    queues = {"analysis": QueueSettings(per_process=4, at_once=1)}
    chosen = msgspec.structs.replace(QUICK, queues=queues)
    async with durable_over(settings, Bench(), settings=chosen) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["a"]})
        await altered(durable, run_id, recovery_attempts=2)
        async with working(durable):
            assert await durable.answer(ME, run_id) == {"words": ["a"]}


async def test_a_run_whose_process_has_ended_says_so_while_no_other_works(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["wait:a"]})
        async with working(durable):
            await bench.reached.wait()
            assert (await durable.show(ME, run_id)).waits == ""
        await altered(durable, run_id, status="PENDING", executor_id="gone")
        assert "`duck work` goes on with it" in (await durable.show(ME, run_id)).waits
