"""What a dead process was working on goes on elsewhere; a poison run is given up; a fenced process stops."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import update

from rubber_duck.errors import StruckOff
from rubber_duck.fault import ENVIRONMENT
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import ScheduleSettings
from rubber_duck.storage.database import Database, open_database
from rubber_duck.workflows.options import StartOptions
from rubber_duck.workflows.recovery import Recovery
from rubber_duck.workflows.schedules import Clockwork
from rubber_duck.workflows.store import executors
from rubber_duck.workflows.store.executors import Executor
from rubber_duck.workflows.store.schedules import Due, put_due
from rubber_duck.workflows.store.tables import runs
from rubber_duck.workflows.working import working_while
from tests.durable import QUICK, Bench, durable_over, until, working
from tests.servers import PostgresServer

ME = Scope.local()
ROOT = Path(__file__).parents[2]

# Works until it is killed; says each line of the diary as it is written.
PROGRAM = """
import asyncio, sys
from rubber_duck import fault
from rubber_duck.settings import DatabaseSettings
from tests.durable import Bench, durable_over, working

class Loud(list):
    def append(self, line):
        print(line, flush=True)

async def main(url):
    async with durable_over(DatabaseSettings(url=url), Bench(diary=Loud())) as durable, working(durable):
        fault.arm_from_environment()
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


async def started(settings: DatabaseSettings, fault: str = "") -> asyncio.subprocess.Process:
    """A process that works."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, settings.url),
        cwd=ROOT,
        env={ENVIRONMENT: fault} if fault else {},
        stdout=asyncio.subprocess.PIPE,
    )


async def line_of(process: asyncio.subprocess.Process) -> str:
    """The next line that a process says."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def test_another_process_goes_on_with_what_a_killed_one_was_doing(settings: DatabaseSettings) -> None:
    bench = Bench()
    bench.gate.set()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["a", "wait:b", "c"]})
        process = await started(settings)
        assert [await line_of(process), await line_of(process)] == ["a", "b"]
        process.send_signal(signal.SIGKILL)
        await process.wait()
        async with working(durable):
            assert await durable.answer(ME, run_id) == {"words": ["a", "b", "c"]}
        assert (await durable.show(ME, run_id)).attempts == 1  # since it kept a step
    assert bench.diary == ["b", "c"]  # the finished step is not done again, the one in flight is


async def test_a_run_that_kills_its_process_is_given_up_alone_and_can_be_retried(settings: DatabaseSettings) -> None:
    bench = Bench()
    bench.gate.set()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["kill:a"]})
        beside = [await durable.start(ME, "sample", {"words": [f"wait:{word}"]}) for word in "bc"]
        for _ in range(QUICK.attempts):
            process = await started(settings)
            assert await process.wait() == -signal.SIGKILL
        async with working(durable):
            assert [await durable.answer(ME, each) for each in beside] == [{"words": ["b"]}, {"words": ["c"]}]
            last = [status async for status in durable.follow(ME, run_id)][-1]
            assert (last.state, sorted(bench.diary)) == ("dead", ["b", "c"])
            await durable.retry(ME, run_id)
            assert await durable.answer(ME, run_id) == {"words": ["a"]}


async def test_a_database_that_is_away_fails_no_run(settings: DatabaseSettings) -> None:
    bench = Bench(away=2)
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["a", "b"]})
        assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}
    assert (bench.diary, bench.away) == (["a", "b"], 0)


@pytest.mark.parametrize(("kind", "failures", "noted"), [("away", 1, ["a"]), ("patient", 2, ["a", "a", "a"])])
async def test_a_step_that_finds_the_database_away_is_done_again_only_if_it_says_so(
    settings: DatabaseSettings, kind: str, failures: int, noted: list[str]
) -> None:
    bench = Bench(failures=failures)
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": [f"{kind}:a"]})
        last = [status async for status in durable.follow(ME, run_id)][-1]
    told = ("failed", "the disk is full") if kind == "away" else ("done", "")
    assert ((last.state, last.error), bench.diary) == (told, noted)


async def test_a_process_of_this_machine_that_is_gone_is_not_waited_for(settings: DatabaseSettings) -> None:
    patient = msgspec.structs.replace(QUICK, dead_after_s=600.0)
    bench = Bench()
    bench.gate.set()
    async with durable_over(settings, bench, settings=patient) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["wait:a"]})
        process = await started(settings)
        assert await line_of(process) == "a"
        process.kill()
        await process.wait()
        async with asyncio.timeout(30), working(durable):
            assert await durable.answer(ME, run_id) == {"words": ["a"]}


async def test_a_process_that_was_struck_off_stops(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable, executor_id="me") as failed:
        await durable.database.run(partial(executors.remove_executor, executor_id="me"))
        with pytest.raises(StruckOff, match="begins anew"):
            await failed()


async def test_neither_does_it_take_or_start_anything_more(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable, executor_id="me") as failed:
        working_on = {"heartbeat", "reaper", "schedules", "taking", "holding", "chores", "clearing"}
        await durable.database.run(partial(executors.remove_executor, executor_id="me"))
        with pytest.raises(StruckOff):
            await failed()
        assert not working_on & {task.get_name() for task in asyncio.all_tasks()}


async def test_who_follows_a_run_in_a_process_that_was_struck_off_gets_its_answer(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable:

        async def following() -> object:
            run_id = await durable.start(ME, "sample", {"words": ["a", "wait:b"]})
            await bench.reached.wait()
            (mine,) = await durable.database.run(executors.living, write=False)
            await durable.database.run(partial(executors.remove_executor, executor_id=mine.id))
            await until(lambda: _is_gone(durable.database, 1))
            bench.gate.set()
            return await durable.answer(ME, run_id)

        assert await working_while(durable, following) == {"words": ["a", "b"]}
    assert bench.diary == ["a", "b", "b cancelled", "b"]


async def test_a_frozen_process_that_wakes_does_no_harm(settings: DatabaseSettings) -> None:
    bench = Bench()
    bench.gate.set()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["wait:a", "b"]})
        process = await started(settings)
        assert await line_of(process) == "a"
        process.send_signal(signal.SIGSTOP)
        try:
            async with working(durable):
                assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}
                process.send_signal(signal.SIGCONT)
                await until(lambda: _is_gone(durable.database, 1))
            assert (await durable.show(ME, run_id)).state == "done"
            assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}
        finally:
            process.kill()
            await process.wait()
    assert bench.diary == ["a", "b"]


async def test_a_process_lives_while_its_reaper_waits_for_rows_that_a_frozen_process_holds(
    postgres_server: PostgresServer,
) -> None:
    with postgres_server.database() as name:
        settings = DatabaseSettings(url=postgres_server.url(name), pool_min=1, pool_max=2)
        async with durable_over(settings, Bench()) as durable, open_database(settings) as frozen:
            status = (await durable.library()).tables.status
            run_id = await durable.start(ME, "sample", {"words": ["a"]})
            lost = update(status).values(status="PENDING", executor_id="gone")
            await durable.database.run(lambda connection: connection.execute(lost) and None)
            async with frozen.begin() as held:
                await held.execute(update(runs).values(note="held"))
                async with working(durable, executor_id="me"):
                    await until(lambda: _beat_since(durable.database, "me", 15))
            async with working(durable):
                assert await durable.answer(ME, run_id) == {"words": ["a"]}


async def test_a_schedule_fires_once_for_all_processes_and_once_for_what_was_missed(
    settings: DatabaseSettings,
) -> None:
    moment = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
    schedules = {"often": ScheduleSettings(workflow="sample", cron="* * * * *")}
    async with durable_over(settings, Bench()) as durable:
        prepared = {"often": await durable.prepared(ME, "sample", {})}
        clocks = [Clockwork(durable.database, schedules, prepared, now=lambda: moment) for _ in range(3)]
        assert [await clock.tick() for clock in clocks] == [0, 0, 0]
        moment += timedelta(minutes=1)
        assert sum(await asyncio.gather(*(clock.tick() for clock in clocks))) == 1
        moment += timedelta(hours=5)
        assert sum(await asyncio.gather(*(clock.tick() for clock in clocks))) == 1
        assert len(await durable.runs(ME)) == 2


async def test_a_schedule_that_cannot_be_started_is_told_and_stops_nothing_else(settings: DatabaseSettings) -> None:
    schedules = {
        "misspelt": ScheduleSettings(workflow="sample", cron="* * * * *", request={"wrods": "a"}),
        "never": ScheduleSettings(workflow="sample", cron="0 0 30 2 *"),
        "once": ScheduleSettings(workflow="sample", cron="0 0 1 1 * 0 2100"),
        "untimely": ScheduleSettings(workflow="sample", cron="at noon"),
        "unknown": ScheduleSettings(workflow="simple", cron="* * * * *"),
        "yearly": ScheduleSettings(workflow="sample", cron="0 0 1 1 *"),
    }
    chosen = msgspec.structs.replace(QUICK, schedules=schedules)
    async with durable_over(settings, Bench(), settings=chosen) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["a"]})
        assert await durable.answer(ME, run_id) == {"words": ["a"]}
        refused = durable.refused_schedules
    assert sorted(refused) == ["misspelt", "never", "once", "unknown", "untimely"]
    assert "wrods" in refused["misspelt"]
    assert "never comes" in refused["never"]


async def test_a_line_that_never_comes_and_was_kept_by_another_process_stops_nothing(
    settings: DatabaseSettings,
) -> None:
    moment = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
    async with durable_over(settings, Bench()) as durable:
        prepared = {"often": await durable.prepared(ME, "sample", {})}
        schedules = {"often": ScheduleSettings(workflow="sample", cron="* * * * *")}
        clock = Clockwork(durable.database, schedules, prepared, now=lambda: moment)
        assert await clock.tick() == 0
        kept = Due("0 0 30 2 *", moment)
        await durable.database.run(lambda connection: put_due(connection, "often", kept))
        moment += timedelta(minutes=2)
        assert await clock.tick() == 1


async def test_two_processes_with_other_lines_for_one_schedule_do_not_keep_it_from_firing(
    settings: DatabaseSettings,
) -> None:
    moment = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
    lines = {"old": "*/5 * * * *", "new": "*/2 * * * *"}
    async with durable_over(settings, Bench()) as durable:
        prepared = {"often": await durable.prepared(ME, "sample", {})}
        old, new = (
            Clockwork(durable.database, {"often": each}, prepared, now=lambda: moment)
            for each in (ScheduleSettings(workflow="sample", cron=line) for line in lines.values())
        )
        fired = []
        for second in range(0, 600, 10):
            moment = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC) + timedelta(seconds=second)
            fired.append(await old.tick() + await new.tick())
        assert sum(fired) == 5  # at 12:02, 04, 06, 08, 10: by the line of whoever began last
        missed = moment + timedelta(minutes=30)
        moment = missed
        later = ScheduleSettings(workflow="sample", cron="0 0 1 1 *")
        assert await Clockwork(durable.database, {"often": later}, prepared, now=lambda: missed).tick() == 1


async def test_a_schedule_is_left_out_while_its_last_run_has_not_ended(settings: DatabaseSettings) -> None:
    moment = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
    schedules = {"often": ScheduleSettings(workflow="sample", cron="* * * * *")}
    async with durable_over(settings, Bench()) as durable:
        prepared = {"often": await durable.prepared(ME, "sample", {}, options=StartOptions(key="schedule/often"))}
        clock = Clockwork(durable.database, schedules, prepared, now=lambda: moment)
        fired = []
        for _ in range(4):
            fired.append(await clock.tick())
            moment += timedelta(minutes=1)
        assert fired == [0, 1, 0, 0]
        async with working(durable):
            (run,) = await durable.runs(ME)
            await durable.answer(ME, run.id)
        assert await clock.tick() == 1


async def test_a_clock_that_jumps_fires_no_schedule_twice_and_stops_none(settings: DatabaseSettings) -> None:
    moment = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
    schedules = {"often": ScheduleSettings(workflow="sample", cron="* * * * *")}
    async with durable_over(settings, Bench()) as durable:
        prepared = {"often": await durable.prepared(ME, "sample", {})}
        clock = Clockwork(durable.database, schedules, prepared, now=lambda: moment)
        fired = []
        for jump in (0, 60, -30, 30, -600, 600, 60, 365 * 86_400, -365 * 86_400, 60):
            moment += timedelta(seconds=jump)
            fired.append(await clock.tick())
        assert fired == [0, 1, 0, 0, 0, 0, 1, 1, 0, 1]


async def test_a_process_whose_clock_is_wrong_is_not_taken_for_dead(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable, executor_id="me"):
        watching = Recovery(
            durable.database,
            await durable.library(),
            durable.settings.workflows,
            Executor("watcher", frozenset(), 0),
            clock=durable.clock,
            now=lambda: datetime(2050, 1, 1, tzinfo=UTC),
        )
        await watching.reap()
        seen = {each.id: each.beats for each in await durable.database.run(executors.living, write=False)}
        await until(lambda: _beat_since(durable.database, "me", seen["me"] + 15))  # longer than it may be silent
        await watching.reap()
        assert [each.id for each in await durable.database.run(executors.living, write=False)] == ["me"]


async def _beat_since(database: Database, executor: str, beats: int) -> bool:
    return any(
        each.id == executor and each.beats >= beats for each in await database.run(executors.living, write=False)
    )


async def _is_gone(database: Database, living: int) -> bool:
    return len(await database.run(executors.living, write=False)) == living
