"""What a transaction promises, on both databases."""

from __future__ import annotations

import asyncio
import sys

import pytest
from sqlalchemy import Connection, select, text, update

from rubber_duck import fault, telemetry
from rubber_duck.errors import Conflict, DuckError, InvalidInput, NotFound, StaleVersion, StorageUnavailable
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import Database, open_database
from rubber_duck.storage.keys import new_key
from tests.contract.notes import add, amount, count_of, notes, set_count, titles


async def test_what_was_written_is_there_after_the_block(database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "a")
        await add(tx, "b")
    assert await titles(database) == ["a", "b"]


async def test_an_exception_midway_leaves_nothing(database: Database) -> None:
    async def write() -> None:
        async with database.begin() as tx:
            await add(tx, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write()
    assert await titles(database) == []


async def test_run_commits_what_its_work_did_and_returns_its_result(database: Database) -> None:
    def work(connection: Connection) -> int:
        connection.execute(notes.insert(), [{"title": "a"}, {"title": "b"}])
        return amount(connection)

    assert await database.run(work) == 2
    assert await database.run(amount, write=False) == 2


async def test_run_undoes_what_its_work_did_before_it_failed(database: Database) -> None:
    def work(connection: Connection) -> None:
        connection.execute(notes.insert(), [{"title": "a"}])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.run(work)
    assert await database.run(amount, write=False) == 0


async def test_of_writes_at_the_same_time_only_the_wrong_one_fails(database: Database) -> None:
    def writing(title: str) -> asyncio.Future[None]:
        def work(connection: Connection) -> None:
            connection.execute(notes.insert(), {"title": title})

        return asyncio.ensure_future(database.run(work))

    outcomes = await asyncio.gather(*map(writing, ["a", "b", "b", "c"]), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [Conflict]
    assert await titles(database) == ["a", "b", "c"]


async def test_callbacks_run_after_the_commit_in_order(database: Database) -> None:
    seen: list[object] = []

    async def look() -> None:
        seen.append(await titles(database))

    async def mark() -> None:
        seen.append("second")

    async with database.begin() as tx:
        tx.after_commit(look)
        tx.after_commit(mark)
        await add(tx, "a")
        assert seen == []
    assert seen == [["a"], "second"]


async def test_callbacks_never_run_after_a_rollback(database: Database) -> None:
    seen: list[str] = []

    async def mark() -> None:
        seen.append("called")

    async def write(*, fails: bool) -> None:
        async with database.begin() as tx:
            tx.after_commit(mark)
            await add(tx, "a")
            if fails:
                raise ZeroDivisionError

    def refuse() -> None:
        raise StorageUnavailable("as if the disk had failed")

    with pytest.raises(ZeroDivisionError):
        await write(fails=True)
    with fault.injected("storage.before_commit", refuse), pytest.raises(StorageUnavailable, match="as if"):
        await write(fails=False)
    assert (seen, await titles(database)) == ([], [])


async def test_a_cancel_during_the_commit_does_not_lose_the_callbacks(database: Database) -> None:
    seen: list[object] = []
    loop = asyncio.get_running_loop()

    async def look() -> None:
        seen.append(await titles(database))

    async def write() -> None:
        async with database.begin() as tx:
            tx.after_commit(look)
            await add(tx, "a")

    def cancel_once() -> None:
        if not task.cancelling():
            loop.call_soon_threadsafe(task.cancel)

    task = asyncio.create_task(write())
    with fault.injected("storage.before_commit", cancel_once):
        await asyncio.wait([task])
    assert task.cancelled()
    assert seen == [["a"]]


async def test_a_callback_that_raises_is_reported_and_the_next_one_runs(database: Database) -> None:
    seen: list[object] = []

    async def fail() -> None:
        raise ZeroDivisionError("no")

    async def mark() -> None:
        seen.append("called")

    with telemetry.listening(lambda name, fields: seen.append((name, dict(fields)))):
        async with database.begin() as tx:
            tx.after_commit(fail)
            tx.after_commit(mark)
            await add(tx, "a")
    assert seen == [("storage.callback_failed", {"error": "no"}), "called"]
    assert await titles(database) == ["a"]


async def test_a_callback_may_begin_a_transaction_of_its_own(database: Database) -> None:
    async def write() -> None:
        async with database.begin() as tx:
            await add(tx, "b")

    async with database.begin() as tx:
        tx.after_commit(write)
        await add(tx, "a")
    assert await titles(database) == ["a", "b"]


async def test_an_update_of_what_somebody_else_changed_meanwhile_is_refused(database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "a")
    both_have_read = asyncio.Barrier(2)

    async def change(count: int) -> None:
        async with database.begin(write=False) as tx:
            read = (await tx.execute(select(notes))).one()
        await both_have_read.wait()
        async with database.begin() as tx:
            await set_count(tx, "a", count, version=read.version)

    outcomes = await asyncio.gather(change(1), change(2), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [StaleVersion]
    assert await count_of(database, "a") in (1, 2)


async def test_eight_writers_at_once_lose_nothing(database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "a")

    async def increment() -> None:
        for _ in range(10):
            async with database.begin() as tx:
                await tx.execute(update(notes).values(count=notes.c.count + 1))

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(increment())
    assert await count_of(database, "a") == 80


async def test_writers_in_several_processes_lose_nothing(settings: DatabaseSettings, database: Database) -> None:
    program = (
        "import asyncio, sys\n"
        "from sqlalchemy import text\n"
        "from rubber_duck.settings import DatabaseSettings\n"
        "from rubber_duck.storage.database import open_database\n"
        "async def main():\n"
        "    async with open_database(DatabaseSettings(url=sys.argv[1], busy_timeout_s=60)) as database:\n"
        "        for _ in range(25):\n"
        "            async with database.begin() as tx:\n"
        "                await tx.execute(text('UPDATE notes SET count = count + 1'))\n"
        "asyncio.run(main())"
    )
    async with database.begin() as tx:
        await add(tx, "a")
    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, settings.url) for _ in range(3)]
    assert [await process.wait() for process in processes] == [0, 0, 0]
    assert await count_of(database, "a") == 75


async def test_readers_see_one_state_while_somebody_writes(database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "a")
    async with database.begin(write=False) as reading:
        assert len(await reading.execute(select(notes))) == 1
        async with database.begin() as tx:
            await add(tx, "b")
        assert len(await reading.execute(select(notes))) == 1
    assert await titles(database) == ["a", "b"]


async def test_many_readers_go_on_while_a_write_is_open(database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "a")
    async with database.begin() as tx:
        await add(tx, "b")
        seen = await asyncio.gather(*(titles(database) for _ in range(30)))
    assert seen == [["a"]] * 30


async def test_a_reading_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(DuckError):
        async with database.begin(write=False) as tx:
            await add(tx, "a")
    with pytest.raises(DuckError):
        await database.run(lambda connection: connection.execute(notes.insert(), {"title": "a"}), write=False)
    assert await titles(database) == []


async def test_a_taken_name_is_a_conflict_that_shows_no_value(database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "secret")
    with pytest.raises(Conflict, match="exists already") as caught:
        async with database.begin() as tx:
            await add(tx, "secret")
    assert "secret" not in caught.value.message


async def test_a_reference_to_nothing_is_a_conflict(database: Database) -> None:
    with pytest.raises(Conflict, match="does not exist"):
        async with database.begin() as tx:
            await add(tx, "a", parent_id=new_key())


async def test_a_missing_value_is_invalid(database: Database) -> None:
    with pytest.raises(InvalidInput):
        async with database.begin() as tx:
            await tx.execute(notes.insert().values(title=None))


async def test_after_a_failed_statement_a_transaction_can_only_be_rolled_back(database: Database) -> None:
    async def write() -> None:
        async with database.begin() as tx:
            await add(tx, "b")
            with pytest.raises(Conflict, match="exists already"):
                await add(tx, "a")
            with pytest.raises(Conflict, match="earlier statement"):
                await add(tx, "c")

    async with database.begin() as tx:
        await add(tx, "a")
    with pytest.raises(Conflict, match="earlier statement"):
        await write()
    assert await titles(database) == ["a"]


async def test_a_second_write_inside_the_first_is_refused_instead_of_waiting_forever(database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "a")
        with pytest.raises(Conflict, match="open already"):
            async with database.begin():
                pass
        with pytest.raises(Conflict, match="open already"):
            await database.run(amount)
    assert await titles(database) == ["a"]


async def test_a_cancel_inside_a_transaction_rolls_it_back(database: Database) -> None:
    written = asyncio.Event()

    async def write() -> None:
        async with database.begin() as tx:
            await add(tx, "a")
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await written.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await titles(database) == []
    async with database.begin() as tx:
        await add(tx, "b")
    assert await titles(database) == ["b"]


async def test_a_cancel_stops_a_statement_that_runs_long(database: Database) -> None:
    endless = "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n) m"

    async def read(*, write: bool) -> None:
        async with database.begin(write=write) as tx:
            await tx.execute(text(endless))

    for write in (False, True):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await read(write=write)
    async with database.begin() as tx:
        await add(tx, "a")
    assert await titles(database) == ["a"]


async def test_those_who_wait_for_their_turn_can_be_cancelled(database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "a")
        waiting = [asyncio.create_task(_add_alone(database, title)) for title in ("b", "c")]
        await asyncio.wait(waiting, timeout=0.01)
        waiting[0].cancel()
    await asyncio.wait(waiting)
    assert waiting[0].cancelled() or database.dialect == "postgresql"
    assert "c" in await titles(database)


async def test_a_closed_database_refuses_work_and_open_transactions_are_undone(
    settings: DatabaseSettings, database: Database
) -> None:
    async def write() -> None:
        async with database.begin() as tx:
            await add(tx, "a")
            await database.close()

    with pytest.raises(StorageUnavailable, match="closed"):
        await write()
    with pytest.raises(StorageUnavailable, match="closed"):
        async with database.begin():
            pass
    with pytest.raises(StorageUnavailable, match="closed"):
        await database.run(amount)
    async with open_database(settings) as again:
        assert await titles(again) == []


async def test_closing_amid_many_writes_leaves_each_whole_or_absent(
    settings: DatabaseSettings, database: Database
) -> None:
    def pair(number: int) -> asyncio.Task[None]:
        def work(connection: Connection) -> None:
            connection.execute(notes.insert(), [{"title": f"{number}a"}, {"title": f"{number}b"}])

        return asyncio.ensure_future(database.run(work))

    writing = [pair(number) for number in range(200)]
    await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
    await database.close()
    outcomes = await asyncio.gather(*writing, return_exceptions=True)
    acknowledged = {f"{n}{half}" for n, outcome in enumerate(outcomes) if outcome is None for half in "ab"}
    assert {type(outcome) for outcome in outcomes} <= {type(None), StorageUnavailable}
    async with open_database(settings) as again:
        kept = set(await titles(again))
    assert acknowledged
    assert acknowledged <= kept
    assert {title[:-1] for title in kept if title.endswith("a")} == {
        title[:-1] for title in kept if title.endswith("b")
    }


async def test_one_row_is_exactly_one(database: Database) -> None:
    async with database.begin() as tx:
        nothing = await tx.execute(select(notes))
        await add(tx, "a")
        await add(tx, "b")
        both = await tx.execute(select(notes.c.title).order_by(notes.c.title))
    with pytest.raises(NotFound):
        nothing.one()
    with pytest.raises(Conflict):
        both.one()
    assert (nothing.first(), nothing.scalar(), both.scalar(), both.rowcount, len(both)) == (None, None, "a", 2, 2)


async def _add_alone(database: Database, title: str) -> None:
    async with database.begin() as tx:
        await add(tx, title)
