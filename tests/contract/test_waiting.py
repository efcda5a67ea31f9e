"""Runs that wait, for a signal or a moment: stopped, killed, timed out, and while the database is away or full."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from dbos._dbos import _get_dbos_instance
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from rubber_duck.errors import Conflict, LimitExceeded
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import QueueSettings
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.moves import Followers, WaitsFor
from rubber_duck.workflows.options import StartOptions
from rubber_duck.workflows.store.effects import EffectPlace
from rubber_duck.workflows.store.signals import WAIT, begin_wait
from tests.contract.test_recovery import line_of, started
from tests.durable import QUICK, Bench, durable_over, until, working

ME = Scope.local()
PLACES = 2
NARROW = msgspec.structs.replace(QUICK, queues={"analysis": QueueSettings(per_process=PLACES)})


async def waiting(durable: Durable, words: list[str], options: StartOptions | None = None) -> str:
    """A run that has begun to wait, behind a step."""
    run_id = await durable.start(ME, "sample", {"words": ["a", *words]}, options)
    await until(lambda: _has_kept(durable, run_id, 2))
    return run_id


@pytest.mark.parametrize("word", ["signal:go", "sleep:86400"])
@pytest.mark.parametrize("stop", ["cancel", "pause"])
async def test_a_run_that_is_stopped_while_it_waits_leaves_its_place(
    settings: DatabaseSettings, word: str, stop: str
) -> None:
    bench = Bench()
    async with durable_over(settings, bench, settings=NARROW) as durable, working(durable):
        held = [await waiting(durable, [word]) for _ in range(PLACES)]
        for run_id in held:
            await getattr(durable, stop)(ME, run_id)
        assert await durable.answer(ME, await durable.start(ME, "sample", {"words": ["b"]})) == {"words": ["b"]}


async def test_a_run_that_takes_too_long_is_cancelled_while_it_waits(settings: DatabaseSettings) -> None:
    alone = msgspec.structs.replace(QUICK, queues={"analysis": QueueSettings(per_process=1)})
    async with durable_over(settings, Bench(), settings=alone) as durable, working(durable):
        late = await durable.start(ME, "sample", {"words": ["signal:go"]}, StartOptions(timeout_s=0.5))
        after = await durable.start(ME, "sample", {"words": ["b"]})
        assert await durable.answer(ME, after) == {"words": ["b"]}
        assert (await durable.show(ME, late)).state == "cancelled"


async def test_a_run_that_goes_on_at_once_takes_one_place(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench(), settings=NARROW) as durable, working(durable):
        run_id = await waiting(durable, ["signal:go"])
        for _ in range(3):
            await durable.pause(ME, run_id)
            await durable.resume(ME, run_id)
        await until(lambda: _holds(1))
        await durable.send(ME, run_id, "go", "on")
        assert await durable.answer(ME, run_id) == {"words": ["a", "on"]}
        with pytest.raises(Conflict, match="is done, and hears no signal"):
            await durable.send(ME, run_id, "go", "on")


async def test_a_run_whose_process_is_killed_while_it_waits_hears_the_signal_elsewhere(
    settings: DatabaseSettings,
) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["a", "signal:go", "b"]})
        process = await started(settings)
        assert await line_of(process) == "a"
        await until(lambda: _has_kept(durable, run_id, 2))
        process.send_signal(signal.SIGKILL)
        await process.wait()
        async with working(durable):
            await durable.send(ME, run_id, "go", "on")
            assert await durable.answer(ME, run_id) == {"words": ["a", "on", "b"]}
    assert bench.diary == ["b"]


async def test_a_step_may_wait_for_no_signal(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["inner:go"]})
        with pytest.raises(Conflict, match="waits for 'go' in a step; it may only between steps"):
            await durable.answer(ME, run_id)


async def test_a_run_may_not_wait_for_one_signal_twice_at_once(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["twice:go"]})
        with pytest.raises(Conflict, match="waits for 'go' already"):
            await durable.answer(ME, run_id)


async def test_what_nobody_sends_in_time_is_nothing(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["brief:go", "sleep:0.01"]})
        assert await durable.answer(ME, run_id) == {"words": ["None", "0.01"]}


@pytest.mark.parametrize(
    ("method", "word"), [("record_sleep", "sleep:0.01"), ("recv_consume", "brief:go"), ("recv_setup", "brief:go")]
)
async def test_a_wait_that_cannot_be_kept_once_fails_no_run(
    settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch, method: str, word: str
) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        database = _get_dbos_instance()._sys_db
        done, failures = getattr(database, method), [OperationalError("INSERT", {}, Exception("full"))]

        def fails_once(*args: Any, **named: Any) -> Any:  # Any: DBOS's
            if failures:
                raise failures.pop()
            return done(*args, **named)

        monkeypatch.setattr(database, method, fails_once)
        run_id = await durable.start(ME, "sample", {"words": [word]})
        last = [status async for status in durable.follow(ME, run_id)][-1]
        assert (last.state, last.error, failures) == ("done", "", [])


async def test_somebody_who_cannot_be_asked_fails_no_run_and_is_asked_again(settings: DatabaseSettings) -> None:
    asked: list[WaitsFor] = []
    failures = [LimitExceeded("the queue 'notification' is full")]

    async def ask(waits: WaitsFor) -> None:
        if failures:
            raise failures.pop()
        asked.append(waits)

    bench = Bench()
    async with durable_over(settings, bench) as durable:
        durable.lend(bench, Followers(asked=ask))
        async with working(durable):
            run_id = await durable.start(ME, "sample", {"words": ["signal:go", "signal:go"]})
            for number in (1, 2):
                await until(_all(asked, number))
                await durable.send(ME, run_id, "go", number)
            assert await durable.answer(ME, run_id) == {"words": ["1", "2"]}
    assert [(each.run, each.signal) for each in asked] == [(run_id, "go"), (run_id, "go")]
    assert asked[0].key != asked[1].key


async def test_a_doubled_signal_is_no_answer_to_the_next_question(settings: DatabaseSettings) -> None:
    asked: list[WaitsFor] = []

    async def ask(waits: WaitsFor) -> None:
        asked.append(waits)

    bench = Bench()
    async with durable_over(settings, bench) as durable:
        durable.lend(bench, Followers(asked=ask))
        run_id = await durable.start(ME, "sample", {"words": ["signal:go", "wait:a", "signal:go"]})
        for _ in range(2):  # before it begins, and the same request twice
            await durable.send(ME, run_id, "go", 1, ids=("first", "the day before"))
        with pytest.raises(Conflict, match="has not heard the 'go' yet"):
            await durable.send(ME, run_id, "go", 2)
        async with working(durable):
            await bench.reached.wait()
            await durable.send(ME, run_id, "go", 1, ids=("today", "first"))
            with pytest.raises(Conflict, match="does not wait for it now"):
                await durable.send(ME, run_id, "go", 2)
            bench.gate.set()
            await until(_all(asked, 2))
            await durable.send(ME, run_id, "go", 3)
            assert await durable.answer(ME, run_id) == {"words": ["1", "a", "3"]}


async def test_what_was_sent_beside_an_answer_is_gone_when_the_next_question_is_asked(
    settings: DatabaseSettings,
) -> None:
    async with durable_over(settings, Bench()) as durable:
        run_id = await durable.start(ME, "sample", {"words": []})
        library = await durable.library()

        async def wait(step: int, key: str) -> str:
            place = EffectPlace(run_id, step, f"{WAIT}go")
            work = partial(begin_wait, theirs=library.tables, place=place, key=key, now=durable.now())
            return await durable.database.run(work)

        async def sent() -> list[object]:
            await library.call(lambda: library.client.send(run_id, 1, "go"))
            return await _unheard(durable)

        assert (len(await sent()), await wait(1, "first"), len(await _unheard(durable))) == (1, "first", 1)
        assert (await wait(3, "next"), await _unheard(durable)) == ("next", [])
        assert (len(await sent()), await wait(3, "again"), len(await _unheard(durable))) == (1, "next", 1)


async def test_whoever_was_asked_is_asked_again_when_the_run_is_retried(settings: DatabaseSettings) -> None:
    asked: list[WaitsFor] = []

    async def ask(waits: WaitsFor) -> None:
        asked.append(waits)

    bench = Bench(failures=1)
    async with durable_over(settings, bench) as durable:
        durable.lend(bench, Followers(asked=ask))
        async with working(durable):
            run_id = await durable.start(ME, "sample", {"words": ["undo:a", "signal:go", "fail:b"]})
            await until(_all(asked, 1))
            assert (
                f"it waits for 'go': `duck workflow signal {run_id} go VALUE`" in (await durable.show(ME, run_id)).waits
            )
            await durable.send(ME, run_id, "go", 1)
            with pytest.raises(Conflict, match="b is bad"):
                await durable.answer(ME, run_id)
            await durable.retry(ME, run_id)
            await until(_all(asked, 2))
            await durable.send(ME, run_id, "go", 2)
            assert await durable.answer(ME, run_id) == {"words": ["a", "2", "b"]}
            assert (await durable.show(ME, run_id)).waits == ""
    assert len({each.key for each in asked}) == len(asked) == 2


async def _unheard(durable: Durable) -> list[object]:
    signals = (await durable.library()).tables.signals
    chosen = select(signals.c.message_uuid).where(signals.c.consumed.is_(False))
    return await durable.database.run(lambda held: list(held.execute(chosen).scalars()), write=False)


def _all(found: list[WaitsFor], number: int) -> Callable[[], Awaitable[bool]]:
    async def are_there() -> bool:
        return len(found) >= number

    return are_there


async def _has_kept(durable: Durable, run_id: str, steps: int) -> bool:
    return len(await durable.steps(ME, run_id)) >= steps


async def _holds(how_many: int) -> bool:
    active = await asyncio.to_thread(partial(_get_dbos_instance()._active_workflows_set.count_for_queue, "analysis"))
    return bool(active == how_many)
