"""A workflow that changes, is taken back, or is there in some processes only, strands no run and stops no queue."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest

from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import Connection
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.states import State
from rubber_duck.workflows.store import executors
from rubber_duck.workflows.store.executors import Executor
from rubber_duck.workflows.workflow import workflows
from tests.durable import QUICK, Bench, Follower, Sample, durable_over, until, working

ME = Scope.local()
PATIENT = msgspec.structs.replace(QUICK, dead_after_s=600.0)


class Extra(Follower):
    """A workflow of a package that is not installed everywhere."""

    name = "extra"


def with_version(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """The workflow of the tests, as a release has it."""
    monkeypatch.setattr(Sample, "version", version)


async def test_an_upgrade_and_a_rollback_strand_no_run(
    settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable:
        begun = await durable.start(ME, "sample", {"words": ["a", "wait:b"]})
        other = await durable.start(ME, "follower", {"words": ["o", "wait:p"]})
        async with working(durable):
            await bench.reached.wait()
            await until(lambda: _has_kept(durable, other, 1))
        queued = await durable.start(ME, "sample", {"words": ["q"]})
        bench.gate.set()
        with_version(monkeypatch, 2)
        async with working(durable):  # upgraded
            assert await durable.answer(ME, await durable.start(ME, "sample", {"words": ["n"]})) == {"words": ["n"]}
            assert await durable.answer(ME, other) == {"words": ["o", "p"]}  # its own workflow is the same
            assert await durable.answer(ME, queued) == {"words": ["q"]}  # it had done nothing yet
            assert (await durable.show(ME, queued)).version == 2
            await until(lambda: _is(durable, begun, "waiting"))
            assert "steps of version 1 of 'sample'" in (await durable.show(ME, begun)).waits
        assert "no process works" in (await durable.runs(ME, states=["waiting"]))[0].waits
        with_version(monkeypatch, 1)
        async with working(durable):  # rolled back
            assert await durable.answer(ME, begun) == {"words": ["a", "b"]}
            assert await durable.answer(ME, await durable.start(ME, "sample", {"words": ["r"]})) == {"words": ["r"]}


async def test_runs_of_an_old_version_are_left_to_processes_that_have_it_while_they_live(
    settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with durable_over(settings, Bench(), settings=PATIENT) as durable:
        old = await durable.start(ME, "sample", {"words": ["old"]})
        elsewhere = Executor("old", frozenset({"sample@1"}), 0)
        await durable.database.run(partial(executors.add_executor, executor=elsewhere, now=datetime.now(UTC)))
        with_version(monkeypatch, 2)
        async with working(durable):
            for number in range(3):
                run_id = await durable.start(ME, "sample", {"words": [str(number)]})
                assert await durable.answer(ME, run_id) == {"words": [str(number)]}
            assert (await durable.show(ME, old)).state == "waiting"


async def test_a_process_that_lacks_a_workflow_leaves_its_runs_and_takes_the_others(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable:
        workflows.add(Extra)
        try:
            async with working(durable):  # once, in a process that has it
                await durable.answer(ME, await durable.start(ME, "extra", {"words": ["a"]}))
            left = await durable.start(ME, "extra", {"words": ["b"]})
        finally:
            workflows._classes.pop("extra")
        async with working(durable):
            assert await durable.answer(ME, await durable.start(ME, "sample", {"words": ["c"]})) == {"words": ["c"]}
            assert (await durable.show(ME, left)).state == "waiting"


async def test_runs_of_a_release_without_editions_go_on(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable:
        queued, claimed = [await durable.start(ME, "sample", {"words": ["a"]}) for _ in range(2)]
        status = (await durable.library()).tables.status

        def as_before(connection: Connection) -> None:
            connection.execute(status.update().values(application_version=None))
            late = status.c.workflow_uuid == claimed
            held = {"application_version": "f55912598fc86f76", "status": "PENDING", "executor_id": "gone"}
            connection.execute(status.update().where(late).values(held))

        await durable.database.run(as_before)
        async with working(durable):
            for run_id in (queued, claimed):
                assert await durable.answer(ME, run_id) == {"words": ["a"]}


async def _has_kept(durable: Durable, run_id: str, steps: int) -> bool:
    return len(await durable.steps(ME, run_id)) >= steps


async def _is(durable: Durable, run_id: str, state: State) -> bool:
    return (await durable.show(ME, run_id)).state == state
