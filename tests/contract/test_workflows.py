"""Durable work, on SQLite and on PostgreSQL: what is promised to whoever declares or starts a workflow."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from rubber_duck.errors import Conflict, Denied, InvalidInput, LimitExceeded, NotFound, UnknownName
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import QueueSettings
from rubber_duck.storage.keys import new_key
from rubber_duck.workflows.moves import Followers, Move
from rubber_duck.workflows.naming import named
from rubber_duck.workflows.options import Page, StartOptions
from rubber_duck.workflows.states import ENDED
from rubber_duck.workflows.workflow import QUEUES
from tests.durable import QUICK, Bench, durable_over, until, working

ME = Scope.local()


async def test_a_run_is_queued_carried_out_and_shown(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["a", "b"]})
        assert (await durable.show(ME, run_id)).state == "waiting"
        async with working(durable):
            assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}
        shown = await durable.show(ME, run_id)
        assert (shown.state, shown.done, shown.total, shown.attempts) == ("done", 2, 2, 1)
        assert [step.name for step in await durable.steps(ME, run_id)] == ["a", "b"]
    assert bench.diary == ["a", "b"]


async def test_a_run_that_is_started_again_under_its_id_is_the_same_run(settings: DatabaseSettings) -> None:
    bench, options = Bench(), StartOptions(run_id=str(new_key()))
    async with durable_over(settings, bench) as durable:
        ids = [await durable.start(ME, "sample", {"words": ["a"]}, options) for _ in range(2)]
        async with working(durable):
            await durable.answer(ME, ids[0])
            ids.append(await durable.start(ME, "sample", {"words": ["a"]}, options))
            assert await durable.answer(ME, ids[-1]) == {"words": ["a"]}
        assert ids == [options.run_id] * 3
        assert [run.id for run in await durable.runs(ME)] == [options.run_id]
    assert bench.diary == ["a"]


async def test_steps_side_by_side_keep_their_order_and_one_failure_leaves_the_others(
    settings: DatabaseSettings,
) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["side:x,bad,y"]})
        assert await durable.answer(ME, run_id) == {"words": ["x bad y"]}


async def test_a_failure_undoes_finished_steps_in_reverse(settings: DatabaseSettings) -> None:
    bench = Bench(failures=1)
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["undo:a", "undo:b", "fail:c"]})
        with pytest.raises(Conflict, match="c is bad"):
            await durable.answer(ME, run_id)
    assert bench.diary == ["a", "b", "c", "undo b", "undo a"]


async def test_a_failed_run_is_retried_from_the_step_that_failed(settings: DatabaseSettings) -> None:
    bench = Bench(failures=1)
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["a", "fail:b"]})
        with pytest.raises(Conflict):
            await durable.answer(ME, run_id)
        await durable.retry(ME, run_id)
        assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}
    assert bench.diary == ["a", "b", "b"]


async def test_a_retried_run_does_again_what_was_undone(settings: DatabaseSettings) -> None:
    bench = Bench(failures=1)
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["a", "undo:b", "c", "undo:d", "fail:e"]})
        with pytest.raises(Conflict):
            await durable.answer(ME, run_id)
        await durable.retry(ME, run_id)
        assert await durable.answer(ME, run_id) == {"words": ["a", "b", "c", "d", "e"]}
    assert bench.diary == ["a", "b", "c", "d", "e", "undo d", "undo b", "b", "c", "d", "e"]


async def test_what_was_done_again_is_undone_again_when_the_retry_fails_too(settings: DatabaseSettings) -> None:
    bench = Bench(failures=2)
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["undo:a", "fail:b"]})
        for retried in (False, True, True):
            if retried:
                await durable.retry(ME, run_id)
            if bench.failures:
                with pytest.raises(Conflict):
                    await durable.answer(ME, run_id)
        assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}
    assert bench.diary == ["a", "b", "undo a", "a", "b", "undo a", "a", "b"]


async def test_a_step_is_tried_again_as_its_policy_says(settings: DatabaseSettings) -> None:
    bench = Bench(failures=2)
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["retry:a"]})
        assert await durable.answer(ME, run_id) == {"words": ["a"]}
    assert bench.diary == ["a", "a", "a"]


async def test_a_step_that_fails_at_every_try_fails_with_what_the_last_one_said(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench(failures=9)) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["retry:a"]})
        with pytest.raises(Conflict, match="is failed: not now"):
            await durable.answer(ME, run_id)
        assert [step.error for step in await durable.steps(ME, run_id)] == ["not now"]


async def test_a_step_that_takes_too_long_is_cancelled_and_fails(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["slow:a"]})
        with pytest.raises(Conflict, match=r"longer than 0\.2 s"):
            await durable.answer(ME, run_id)
    assert bench.diary in (["a", "a cancelled"], [])  # a slow machine does not even begin in that time


async def test_a_step_that_asks_the_program_to_end_fails_and_ends_nothing(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["exit:a"]})
        with pytest.raises(Conflict, match="the step 'a' asked the program to end"):
            await durable.answer(ME, run_id)


async def test_a_cancel_reaches_a_running_step(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["wait:a", "b"]})
        await bench.reached.wait()
        await durable.cancel(ME, run_id)
        await until(lambda: _wrote(bench, "a cancelled"))  # within which time `benchmarks.cancelling` measures
        assert (await durable.show(ME, run_id)).state == "cancelled"


async def test_a_paused_run_goes_on_from_the_step_it_was_in(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["a", "wait:b", "c"]})
        await bench.reached.wait()
        await durable.pause(ME, run_id)
        await until(lambda: _wrote(bench, "b cancelled"))
        assert (await durable.show(ME, run_id)).state == "paused"
        bench.gate.set()
        await durable.resume(ME, run_id)
        assert await durable.answer(ME, run_id) == {"words": ["a", "b", "c"]}
    assert bench.diary == ["a", "b", "b cancelled", "b", "c"]


async def test_a_run_waits_for_a_signal(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["signal:go"]})
        await durable.send(ME, run_id, "go", "now")
        assert await durable.answer(ME, run_id) == {"words": ["now"]}


async def test_a_workflow_starts_another_and_uses_its_answer(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["child:a", "b"]})
        assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}
        assert (await durable.show(ME, f"{run_id}.1")).parent == run_id
    assert bench.diary == ["a", "b"]


async def test_parents_that_fill_their_queue_get_the_answers_of_their_children(settings: DatabaseSettings) -> None:
    narrow = msgspec.structs.replace(QUICK, queues={name: QueueSettings(per_process=1) for name in QUEUES})
    async with durable_over(settings, Bench(), settings=narrow) as durable:
        parents = [await durable.start(ME, "sample", {"words": ["child:a"]}) for _ in range(3)]
        async with working(durable):
            for run_id in parents:
                assert await durable.answer(ME, run_id) == {"words": ["a"]}


async def test_a_child_in_the_queue_of_its_parent_is_refused(settings: DatabaseSettings) -> None:
    narrow = msgspec.structs.replace(QUICK, queues={"analysis": QueueSettings(per_process=1)})
    async with durable_over(settings, Bench(), settings=narrow) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["own:a"]})
        async with asyncio.timeout(10):
            with pytest.raises(Conflict, match="does not declare that it starts others in the queue 'analysis'"):
                await durable.answer(ME, run_id)
        assert [each.id for each in await durable.runs(ME)] == [run_id]


async def test_a_step_of_the_same_content_is_not_done_again(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        for content in ("1", "1", "2"):
            run_id = await durable.start(ME, "sample", {"words": ["a"], "cache": content})
            assert await durable.answer(ME, run_id) == {"words": ["a"]}
    assert bench.diary == ["a", "a"]


async def test_the_work_of_a_revoked_actor_stops_at_the_next_step(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        run_id = await durable.start(ME, "sample", {"words": ["wait:a", "b"]})
        await bench.reached.wait()
        bench.revoked = True
        bench.gate.set()
        with pytest.raises(Conflict, match="may not do anything"):
            await durable.answer(ME, run_id)
    assert bench.diary == ["a"]


async def test_somebody_elses_run_is_not_found(settings: DatabaseSettings) -> None:
    other = Scope(Actor("other", "other"), None, frozenset(Right), "0" * 32)
    async with durable_over(settings, Bench()) as durable:
        run_id = await durable.start(ME, "sample", {})
        for work in (durable.show, durable.steps, durable.cancel, durable.pause, durable.resume, durable.retry):
            with pytest.raises(NotFound):
                await work(other, run_id)
        assert await durable.runs(other) == []
        assert await durable.counts(other) == []


async def test_a_run_is_found_by_the_beginning_or_end_of_its_id_among_ones_own(settings: DatabaseSettings) -> None:
    other = Scope(Actor("other", "other"), None, frozenset(Right), "0" * 32)
    async with durable_over(settings, Bench()) as durable:
        first, second = [await durable.start(ME, "sample", {}) for _ in range(2)]
        assert await named(durable, ME, first) == first
        assert await named(durable, ME, first[-12:]) == first
        assert await named(durable, ME, second[:-1]) == second
        with pytest.raises(Conflict, match="write more"):
            await named(durable, ME, first[:4])
        for scope, text in ((other, first), (ME, first[-3:]), (ME, "%%%%"), (ME, "")):
            with pytest.raises(NotFound):
                await named(durable, scope, text)


async def test_runs_are_listed_by_state_and_queue(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench(failures=1)) as durable, working(durable):
        failed = await durable.start(ME, "sample", {"words": ["fail:a"]})
        done = await durable.start(ME, "follower", {})
        for run_id in (failed, done):
            async for _ in durable.follow(ME, run_id):
                continue
        assert [run.id for run in await durable.runs(ME, states=["failed", "dead"])] == [failed]
        assert [run.id for run in await durable.runs(ME, queue="notification")] == [done]
        assert await durable.runs(ME, states=["waiting"]) == []


async def test_pages_of_runs_follow_each_other_without_gap_or_repetition(settings: DatabaseSettings) -> None:
    other = Scope(Actor("other", "other"), None, frozenset(Right), "0" * 32)
    async with durable_over(settings, Bench()) as durable:
        ids = [await durable.start(ME, "sample", {}) for _ in range(5)]
        foreign = await durable.start(other, "sample", {})
        seen: list[str] = []
        behind = ""
        while True:
            found, behind = await durable.page(ME, Page(behind, 2))
            seen += [each.id for each in found]
            if not behind:
                break
        assert seen == ids[::-1]
        assert await durable.page(ME, Page(foreign)) == ([], "")
        assert await durable.page(ME, Page(workflow="follower")) == ([], "")


async def test_a_paused_run_is_no_cancelled_one(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable:
        paused, cancelled = [await durable.start(ME, "sample", {}) for _ in range(2)]
        await durable.pause(ME, paused)
        await durable.cancel(ME, cancelled)
        assert [run.id for run in await durable.runs(ME, states=["paused"])] == [paused]
        assert [run.id for run in await durable.runs(ME, states=["cancelled"])] == [cancelled]
        assert len(await durable.runs(ME, states=["cancelled", "paused"])) == 2
        (counted,) = await durable.counts(ME)
        assert dict(counted.by_state) == {"paused": 1, "cancelled": 1}


async def test_a_huge_request_is_refused_with_a_sentence(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable:
        with pytest.raises(LimitExceeded, match="is given at most 5,000,000: ask for less at once"):
            await durable.start(ME, "sample", {"words": ["x" * 5_000_000]})
        assert await durable.runs(ME) == []


async def test_what_cannot_be_started_is_refused_with_a_sentence(settings: DatabaseSettings) -> None:
    powerless = Scope(ME.actor, None, frozenset(), ME.trace)
    async with durable_over(settings, Bench()) as durable:
        with pytest.raises(UnknownName):
            await durable.start(ME, "simple", {})
        with pytest.raises(InvalidInput):
            await durable.start(ME, "sample", {"words": 1})
        with pytest.raises(Denied):
            await durable.start(powerless, "sample", {})
        assert await durable.runs(ME) == []


async def test_of_two_runs_with_one_key_the_second_is_refused_until_the_first_ended(
    settings: DatabaseSettings,
) -> None:
    async with durable_over(settings, Bench()) as durable:
        options = StartOptions(key="k")
        first = await durable.start(ME, "sample", {}, options)
        with pytest.raises(Conflict):
            await durable.start(ME, "sample", {}, options)
        async with working(durable):
            await durable.answer(ME, first)
            second = await durable.start(ME, "sample", {}, options)
            await durable.answer(ME, second)
        assert [run.id for run in await durable.runs(ME)] == [second, first]


async def test_a_full_queue_refuses_another_run(settings: DatabaseSettings) -> None:
    full = msgspec.structs.replace(QUICK, queues={"analysis": QueueSettings(most_waiting=2)})
    async with durable_over(settings, Bench(), settings=full) as durable:
        await durable.start(ME, "sample", {})
        await durable.start(ME, "sample", {})
        with pytest.raises(LimitExceeded):
            await durable.start(ME, "sample", {})


async def test_runs_begin_by_priority(settings: DatabaseSettings) -> None:
    single = msgspec.structs.replace(QUICK, queues={"analysis": QueueSettings(per_process=1)})
    bench = Bench()
    async with durable_over(settings, bench, settings=single) as durable:
        late = await durable.start(ME, "sample", {"words": ["late"]}, StartOptions(priority=9))
        await durable.start(ME, "sample", {"words": ["soon"]}, StartOptions(priority=1))
        await durable.start(ME, "sample", {"words": ["sooner"]}, StartOptions(priority=1))
        async with working(durable):
            await durable.answer(ME, late)
    assert bench.diary == ["soon", "sooner", "late"]


async def test_a_run_begins_after_its_delay(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable:
        held = await durable.start(ME, "sample", {"words": ["held"]}, StartOptions(delay_s=1.5))
        assert (await durable.show(ME, held)).state == "delayed"
        async with working(durable):
            await durable.answer(ME, held)
        found = await durable.show(ME, held)
        assert found.started_ms is not None
        assert found.started_ms - found.created_ms >= 1490


async def test_only_one_part_of_a_process_works(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        with pytest.raises(Conflict):
            async with working(durable):
                pass
        run_id = await durable.start(ME, "sample", {"words": ["a"]})
        assert await durable.answer(ME, run_id) == {"words": ["a"]}  # the first works on


async def test_queues_are_counted_by_state(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable:
        await durable.start(ME, "sample", {})
        async with working(durable):
            done = await durable.start(ME, "sample", {})
            await durable.answer(ME, done)
        (counted,) = await durable.counts(ME)
    assert (counted.queue, dict(counted.by_state), counted.done_per_minute) == ("analysis", {"done": 2}, 2)


async def _wrote(bench: Bench, line: str) -> bool:
    await asyncio.sleep(0)
    return line in bench.diary


async def test_that_a_run_has_ended_is_told_when_its_answer_is_there(settings: DatabaseSettings) -> None:
    bench = Bench(failures=1)
    seen: list[tuple[str, str, object, str]] = []
    ended = asyncio.Event()
    async with durable_over(settings, bench) as durable:

        async def told(move: Move) -> None:
            if move.state in ENDED:
                found = await durable.show(ME, move.run)
                seen.append((move.state, found.state, found.answer, move.error))
                ended.set()

        durable.lend(bench, Followers(told))
        async with working(durable):
            for words in (["a"], ["fail:b"], ["wait:c"]):
                ended.clear()
                options = StartOptions(timeout_s=0.2) if words == ["wait:c"] else None
                await durable.start(ME, "sample", {"words": words}, options)
                await ended.wait()
    assert seen == [
        ("done", "done", {"words": ["a"]}, ""),
        ("failed", "failed", None, "b is bad"),
        ("cancelled", "cancelled", None, "it took longer than it was given"),
    ]
