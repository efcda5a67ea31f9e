"""Runs that are stopped and go on: their keys and delays, what they started, and how often they may be begun."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest

from rubber_duck.errors import Conflict
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import QueueSettings
from rubber_duck.storage.database import Connection
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.options import StartOptions
from rubber_duck.workflows.recovery import Recovery
from rubber_duck.workflows.states import State
from rubber_duck.workflows.store.executors import Executor
from tests.durable import QUICK, Bench, Sample, durable_over, until, working

ME = Scope.local()
MANY = msgspec.structs.replace(QUICK, queues={"notification": QueueSettings(per_process=4)})


@pytest.mark.parametrize("stop", ["pause", "cancel"])
async def test_a_stopped_run_takes_its_key_again_when_it_goes_on(settings: DatabaseSettings, stop: str) -> None:
    options = StartOptions(key="k")
    async with durable_over(settings, Bench()) as durable:
        first = await durable.start(ME, "sample", {"words": ["a"]}, options)
        await getattr(durable, stop)(ME, first)
        second = await durable.start(ME, "sample", {}, options)
        with pytest.raises(Conflict, match="with this key"):
            await durable.resume(ME, first)
        assert (await durable.show(ME, first)).state == {"pause": "paused", "cancel": "cancelled"}[stop]
        await durable.cancel(ME, second)
        await durable.resume(ME, first)
        with pytest.raises(Conflict, match="with this key"):
            await durable.start(ME, "sample", {}, options)


async def test_a_failed_run_takes_its_key_again_when_it_is_retried(settings: DatabaseSettings) -> None:
    options = StartOptions(key="k")
    async with durable_over(settings, Bench(failures=1)) as durable:
        async with working(durable):
            failed = await durable.start(ME, "sample", {"words": ["a", "fail:b"]}, options)
            await until(is_state(durable, failed, "failed"))
        second = await durable.start(ME, "sample", {}, options)
        with pytest.raises(Conflict, match="with this key"):
            await durable.retry(ME, failed)
        assert (await durable.show(ME, failed)).state == "failed"
        assert len(await durable.steps(ME, failed)) == 2  # what it has done is there still
        await durable.cancel(ME, second)
        await durable.retry(ME, failed)
        with pytest.raises(Conflict, match="with this key"):
            await durable.start(ME, "sample", {}, options)
        async with working(durable):
            assert await durable.answer(ME, failed) == {"words": ["a", "b"]}


async def test_a_delayed_run_that_was_paused_does_not_begin_earlier(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable:
        held = await durable.start(ME, "sample", {}, StartOptions(delay_s=3600))
        await durable.pause(ME, held)
        await durable.resume(ME, held)
        assert (await durable.show(ME, held)).state == "delayed"


async def test_what_a_run_started_is_stopped_and_goes_on_with_it(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench, settings=MANY) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["waiting-child:a", "b"]})
        await bench.reached.wait()
        for stop, state in ((durable.pause, "paused"), (durable.cancel, "cancelled")):
            bench.reached.clear()
            await stop(ME, run_id)
            assert [each.state for each in await durable.runs(ME)] == [state, state]
            if state == "cancelled":
                with pytest.raises(Conflict, match="let that go on"):
                    await durable.resume(ME, f"{run_id}.1")
            await durable.resume(ME, run_id)
            await bench.reached.wait()
        bench.gate.set()
        assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}


async def test_what_a_run_started_is_stopped_when_it_takes_too_long(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        timeout_s = 1.5
        while not bench.reached.is_set():  # on a slow machine the time may be over before the other run works
            short = StartOptions(timeout_s=timeout_s)
            run_id = await durable.start(ME, "sample", {"words": ["waiting-child:a"]}, short)
            await until(is_state(durable, run_id, "cancelled"))
            assert "longer than it was given" in (await durable.show(ME, run_id)).error
            timeout_s *= 4
        await until(is_state(durable, f"{run_id}.1", "cancelled"))
        await until(is_noted(bench, "a cancelled"))


async def test_a_run_waits_for_one_that_it_started_while_that_is_paused(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["waiting-child:a", "b"]})
        await bench.reached.wait()
        await durable.pause(ME, f"{run_id}.1")
        await until(is_noted(bench, "a cancelled"))
        assert (await durable.show(ME, run_id)).state == "working"
        bench.gate.set()
        await durable.resume(ME, f"{run_id}.1")
        assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}


async def test_what_a_run_started_is_retried_with_it(settings: DatabaseSettings) -> None:
    bench = Bench(failures=1)
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["c", "failing-child:a", "b"]})
        with pytest.raises(Conflict, match="a is bad"):
            await durable.answer(ME, run_id)
        await durable.retry(ME, run_id)
        assert await durable.answer(ME, run_id) == {"words": ["c", "a", "b"]}
    assert bench.diary == ["c", "a", "a", "b"]


async def test_what_a_run_starts_anew_when_it_is_retried_is_asked_anew(settings: DatabaseSettings) -> None:
    bench = Bench(failures=1)
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["counted:a", "fail:b"]})
        with pytest.raises(Conflict, match="b is bad"):
            await durable.answer(ME, run_id)
        await durable.retry(ME, run_id)
        assert await durable.answer(ME, run_id) == {"words": ["a4", "b"]}
        children = [(each.id, each.parent, each.answer) for each in await durable.runs(ME, workflow="follower")]
    assert bench.diary == ["a0", "a0", "b", "undo a0", "a4", "a4", "b"]
    old, anew = {"words": ["a0"]}, {"words": ["a4"]}
    assert children == [(f"{run_id}.1-2", run_id, anew), (f"{run_id}.1", None, old)]


async def test_what_a_run_starts_anew_does_not_go_on_from_before(settings: DatabaseSettings) -> None:
    bench = Bench(failures=1)
    async with durable_over(settings, bench, settings=MANY) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["undo:a", "leave:c", "fail:b"]})
        with pytest.raises(Conflict, match="b is bad"):
            await durable.answer(ME, run_id)
        await durable.retry(ME, run_id)
        assert (await durable.show(ME, f"{run_id}.1")).state == "cancelled"
        bench.gate.set()
        await durable.answer(ME, run_id)
        assert await durable.answer(ME, f"{run_id}.1-2") == {"words": ["c"]}


async def test_what_a_run_started_is_stopped_when_it_fails(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench(failures=1)) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["leave:a", "fail:b"]})
        with pytest.raises(Conflict, match="b is bad"):
            await durable.answer(ME, run_id)
        with pytest.raises(Conflict, match="is cancelled"):
            await durable.answer(ME, f"{run_id}.1")


async def test_a_signal_that_was_not_heard_yet_is_there_when_a_run_is_retried(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench(failures=1)) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["fail:a", "signal:go"]})
        with pytest.raises(Conflict, match="a is bad"):
            await durable.answer(ME, run_id)
        await durable.send(ME, run_id, "go", "on")
        await durable.retry(ME, run_id)
        assert await durable.answer(ME, run_id) == {"words": ["a", "on"]}


async def test_steps_of_a_version_that_nobody_has_are_not_gone_on_with(
    settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with durable_over(settings, Bench(failures=1)) as durable:
        async with working(durable):
            run_id = await durable.start(ME, "sample", {"words": ["a", "fail:b"]})
            await until(is_state(durable, run_id, "failed"))
        monkeypatch.setattr(Sample, "version", 2)
        with pytest.raises(Conflict, match="steps of version 1 of 'sample', which no process has any more"):
            await durable.retry(ME, run_id)


async def test_orderly_ends_of_its_process_do_not_count_against_a_run(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["signal:go"]})
        for _ in range(QUICK.attempts + 2):
            async with working(durable):
                await until(is_state(durable, run_id, "working"))
            assert (await durable.show(ME, run_id)).state == "waiting"  # put back at once
        async with working(durable):
            await durable.send(ME, run_id, "go", "on")
            assert await durable.answer(ME, run_id) == {"words": ["on"]}
        assert (await durable.show(ME, run_id)).attempts == 1


async def test_only_being_begun_in_vain_counts_against_a_run(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["a"]})
        library = await durable.library()
        reaper = Recovery(
            durable.database,
            NothingActive(library),  # type: ignore[arg-type]  # DBOS is not launched here
            durable.settings.workflows,
            Executor("reaper", frozenset(), 0),
            clock=durable.clock,
            now=lambda: datetime.now(UTC),
        )

        async def begun_in_a_process_that_dies(steps: int) -> int:
            await durable.database.run(partial(claim, run_id=run_id, steps=steps))
            await reaper.reap()
            return (await durable.show(ME, run_id)).attempts

        theirs = library.tables

        def claim(connection: Connection, run_id: str, steps: int) -> None:
            status, ops = theirs.status, theirs.steps
            values = {"status": "PENDING", "executor_id": "dead", "recovery_attempts": status.c.recovery_attempts + 1}
            connection.execute(status.update().values(values))
            for number in range(steps):
                kept = {"workflow_uuid": run_id, "function_id": number, "function_name": "s"}
                known = connection.execute(ops.select().where(ops.c.function_id == number)).first()
                if known is None:
                    connection.execute(ops.insert().values(kept))

        assert [await begun_in_a_process_that_dies(steps) for steps in (0, 0, 1, 1, 1, 3, 3)] == [1, 2, 0, 1, 2, 0, 1]


class NothingActive:
    """The library of a process that carries nothing out."""

    def __init__(self, library: object) -> None:
        self.tables = library.tables  # type: ignore[attr-defined]  # Library's

    def active(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()


def is_state(durable: Durable, run_id: str, state: State) -> Callable[[], Awaitable[bool]]:
    """Whether the run is so now."""

    async def holds() -> bool:
        return [each.state for each in await durable.runs(ME, limit=100) if each.id == run_id] == [state]

    return holds


def is_noted(bench: Bench, line: str) -> Callable[[], Awaitable[bool]]:
    """Whether a line stands in the diary."""

    async def holds() -> bool:
        await asyncio.sleep(0)
        return line in bench.diary

    return holds
