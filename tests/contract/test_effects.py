"""An effect in the database and the note that it was done are one transaction: it happens once, whatever dies when."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import text

from rubber_duck.errors import Conflict
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import Connection, open_database
from rubber_duck.workflows.store import effects
from rubber_duck.workflows.store.effects import EffectPlace
from tests.contract.test_recovery import ROOT, line_of, started
from tests.durable import Bench, create_written, durable_over, working, written

ME = Scope.local()

# Works until it is about to write, is frozen then, and says after it was woken when it has ended all that it did.
FROZEN = """
import asyncio, os, signal, sys
from rubber_duck import fault
from rubber_duck.settings import DatabaseSettings
from tests.durable import Bench, durable_over, until, working

def freeze():
    print("frozen", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)

async def main(url):
    async with durable_over(DatabaseSettings(url=url), Bench()) as durable, working(durable):
        library = await durable.library()
        with fault.injected("workflow.before_step", freeze):
            await until(has_begun(library))
            await until(has_ended(library))
    print("woken", flush=True)

def has_begun(library):
    async def has():
        return bool(library.active())
    return has

def has_ended(library):
    async def has():
        return not library.active()
    return has

asyncio.run(main(sys.argv[1]))
"""
PLACE = EffectPlace("run", 1, "write")
_INSERT, _DELETE = text("INSERT INTO written VALUES (:word)"), text("DELETE FROM written")


@pytest.mark.parametrize("point", ["workflow.before_step", "workflow.after_step"])
async def test_a_kill_before_or_after_the_commit_leaves_one_effect(settings: DatabaseSettings, point: str) -> None:
    async with durable_over(settings, Bench()) as durable:
        await durable.database.run(create_written)
        run_id = await durable.start(ME, "sample", {"words": ["write:a"]})
        process = await started(settings, point)
        assert await process.wait() == -signal.SIGKILL
        before = ["a"] if point == "workflow.after_step" else []
        assert await durable.database.run(written, write=False) == before
        async with working(durable):
            assert await durable.answer(ME, run_id) == {"words": ["a"]}
        assert await durable.database.run(written, write=False) == ["a"]


async def test_a_process_that_was_frozen_before_it_wrote_writes_nothing_for_a_run_that_was_undone_meanwhile(
    settings: DatabaseSettings,
) -> None:
    async with durable_over(settings, Bench(failures=1)) as durable:
        await durable.database.run(create_written)
        run_id = await durable.start(ME, "sample", {"words": ["write:a", "fail:b"]})
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", FROZEN, settings.url), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert await line_of(process) == "frozen"
            async with working(durable):
                with pytest.raises(Conflict, match="b is bad"):
                    await durable.answer(ME, run_id)
                assert await durable.database.run(written, write=False) == ["not a 1"]
                process.send_signal(signal.SIGCONT)
                assert await line_of(process) == "woken"
                assert await durable.database.run(written, write=False) == ["not a 1"]
                assert (await durable.show(ME, run_id)).state == "failed"
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_what_failed_wrote_nothing_and_is_done_by_a_retry(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench()) as durable, working(durable):
        await durable.database.run(create_written)
        run_id = await durable.start(ME, "sample", {"words": ["a", "unwritable:b"]})
        with pytest.raises(Conflict, match="b is bad"):
            await durable.answer(ME, run_id)
        assert await durable.database.run(written, write=False) == []


async def test_it_is_undone_once_and_a_retry_does_it_anew(settings: DatabaseSettings) -> None:
    async with durable_over(settings, Bench(failures=1)) as durable, working(durable):
        await durable.database.run(create_written)
        run_id = await durable.start(ME, "sample", {"words": ["write:a", "fail:b"]})
        with pytest.raises(Conflict, match="b is bad"):
            await durable.answer(ME, run_id)
        assert await durable.database.run(written, write=False) == ["not a 1"]
        await durable.retry(ME, run_id)
        assert await durable.answer(ME, run_id) == {"words": ["a", "b"]}
        assert await durable.database.run(written, write=False) == ["a", "not a 1"]


async def test_two_processes_in_one_step_write_once_and_get_the_same(settings: DatabaseSettings) -> None:
    def write(connection: Connection, who: str) -> str:
        connection.execute(_INSERT, {"word": "a"})
        return who

    async with open_database(settings) as here, open_database(settings) as there:
        await here.run(create_written)
        now = datetime.now(UTC)
        found = await asyncio.gather(
            *(
                database.run(partial(effects.done_once, place=PLACE, work=partial(write, who=who), now=now))
                for who, database in (("here", here), ("there", there))
            )
        )
        assert len(set(found)) == 1
        assert await here.run(written, write=False) == ["a"]
        undo = partial(effects.undone_once, place=PLACE, work=lambda connection: connection.execute(_DELETE))
        await asyncio.gather(here.run(undo), there.run(undo))
        assert await here.run(written, write=False) == []
