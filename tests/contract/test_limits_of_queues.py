"""The limits of queues hold over all processes, and schedules fire once for all of them: with real processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
from sqlalchemy import insert

from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import QueueSettings, ScheduleSettings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.store import executors
from rubber_duck.workflows.store.tables import schedules
from tests.durable import QUICK, Bench, durable_over, until, working

ME = Scope.local()
ROOT = Path(__file__).parents[2]
CRON = "0 0 1 1 *"

# Works with the settings that it is given until its input ends.
PROGRAM = """
import asyncio, sys
import msgspec
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import WorkflowSettings
from tests.durable import Bench, durable_over, working

async def main(url, settings):
    chosen = msgspec.json.decode(settings, type=WorkflowSettings)
    async with durable_over(DatabaseSettings(url=url), Bench(), settings=chosen) as durable, working(durable):
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def processes(count: int, settings: DatabaseSettings, workflows: object) -> AsyncIterator[None]:
    """So many processes that work, until the end of the block."""
    encoded = msgspec.json.encode(workflows).decode()
    argv = (sys.executable, "-c", PROGRAM, settings.url, encoded)
    async with AsyncExitStack() as stack:
        for _ in range(count):
            process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, stdin=asyncio.subprocess.PIPE)
            stack.push_async_callback(process.wait)
            assert process.stdin is not None
            stack.callback(process.stdin.close)
        yield


async def test_no_more_runs_of_a_queue_are_worked_on_at_once_than_is_set_for_all_processes(
    settings: DatabaseSettings,
) -> None:
    narrow = msgspec.structs.replace(
        QUICK, dead_after_s=60.0, queues={"analysis": QueueSettings(per_process=8, at_once=2)}
    )
    async with durable_over(settings, Bench(), settings=narrow) as durable:
        left = [await durable.start(ME, "sample", {"words": ["wait:a"]}) for _ in range(5)]
        async with processes(1, settings, narrow), working(durable):
            await until(lambda: _living(durable.database, 2))
            most = 0
            while left:
                counted = (await durable.counts(ME))[0].by_state
                most = max(most, counted.get("working", 0))
                if counted.get("working", 0) == min(2, len(left)):
                    (run_id, *_) = [each.id for each in await durable.runs(ME, states=["working"])]
                    await durable.cancel(ME, run_id)
                    left.remove(run_id)
            assert most == 2


async def test_no_more_runs_of_a_queue_begin_in_a_time_than_its_rate_says(settings: DatabaseSettings) -> None:
    slow = msgspec.structs.replace(QUICK, queues={"analysis": QueueSettings(per_process=8, rate=2, rate_period_s=1.0)})
    async with durable_over(settings, Bench(), settings=slow) as durable:
        runs = [await durable.start(ME, "sample", {"words": ["a"]}) for _ in range(5)]
        async with working(durable):
            for run_id in runs:
                await durable.answer(ME, run_id)
        began_ms = sorted(each.started_ms or 0 for each in await durable.runs(ME))
    assert all(later - first >= 1000 for first, later in zip(began_ms, began_ms[2:], strict=False))


async def test_two_processes_fire_a_schedule_once_and_catch_up_once_for_what_was_missed(
    settings: DatabaseSettings,
) -> None:
    yearly = {name: ScheduleSettings(workflow="sample", cron=CRON) for name in ("missed", "soon")}
    scheduled = msgspec.structs.replace(QUICK, dead_after_s=60.0, schedules=yearly)
    async with durable_over(settings, Bench(), settings=scheduled) as durable:
        await durable.library()
        await durable.database.run(partial(_plant, now=datetime.now(UTC)))
        async with processes(2, settings, scheduled):
            await until(partial(_living, durable.database, 2))
            await until(partial(_has_runs, durable, 2))
            beats = await _beats(durable.database)
            await until(partial(_beat_more, durable.database, beats, 25))  # several looks at the clock
        assert sorted(each.id.partition("-")[0] for each in await durable.runs(ME)) == ["missed", "soon"]


def _plant(connection: Connection, now: datetime) -> None:
    """One schedule was missed twice, the other is due when both processes are there."""
    for name, due in (("missed", timedelta(days=-800)), ("soon", timedelta(seconds=4))):
        connection.execute(insert(schedules).values(name=name, cron=CRON, next_at=now + due))


async def _living(database: Database, count: int) -> bool:
    return len(await database.run(executors.living, write=False)) == count


async def _has_runs(durable: Durable, count: int) -> bool:
    return len(await durable.runs(ME)) >= count


async def _beats(database: Database) -> Mapping[str, int]:
    return {each.id: each.beats for each in await database.run(executors.living, write=False)}


async def _beat_more(database: Database, before: Mapping[str, int], more: int) -> bool:
    now = await _beats(database)
    return all(now.get(each, beats + more) >= beats + more for each, beats in before.items())
