"""What only a file has: permissions, damage, a full disk, other processes' locks, and commits that are shared."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from rubber_duck import fault
from rubber_duck.errors import InvalidSettings, SchemaMismatch, StorageUnavailable
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import Database, open_database
from tests.contract.notes import add, amount, create_notes, notes, titles
from tests.unit.workspace.privileges import ordinary_user


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "of" / "duck.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    """An open database with the table `notes`, which waits for locks no longer than 0.2 s."""
    async with open_database(DatabaseSettings(url=f"sqlite:///{path}", busy_timeout_s=0.2)) as opened:
        await opened.run(create_notes)
        yield opened


def insert(title: str, size: int = 0) -> Callable[[Connection], None]:
    """Work that adds one note."""

    def work(connection: Connection) -> None:
        connection.execute(notes.insert(), {"title": title, "content": bytes(size)})

    return work


async def test_only_this_user_may_read_the_file_and_its_folder(path: Path, database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "a")
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    names = ("duck.db", "duck.db-wal", "duck.db-shm", "duck.db.reserve")
    assert modes == dict.fromkeys(names, 0o600)
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]


async def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "duck.db"
    path.touch(mode=0o644)
    async with open_database(DatabaseSettings(url=f"sqlite:///{path}")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_promises_of_durability_are_set(database: Database) -> None:
    async with database.begin() as tx:
        found = [
            (await tx.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


async def test_writes_that_wait_at_the_same_time_share_a_commit(database: Database) -> None:
    commits: list[int] = []
    with fault.injected("storage.after_commit", lambda: commits.append(1)):
        await asyncio.gather(*(database.run(insert(f"{n:02}")) for n in range(50)))
    assert len(commits) == 1
    assert len(await titles(database)) == 50


async def test_a_shared_commit_that_fails_fails_for_everybody_and_leaves_nothing(database: Database) -> None:
    def refuse() -> None:
        raise StorageUnavailable("as if the disk had failed")

    with fault.injected("storage.before_commit", refuse):
        outcomes = await asyncio.gather(*(database.run(insert(t)) for t in "abc"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 3
    assert await titles(database) == []


async def test_a_cancelled_write_that_has_not_begun_is_never_done(database: Database) -> None:
    async with database.begin() as tx:
        await add(tx, "a")
        waiting = [asyncio.ensure_future(database.run(insert(title))) for title in "bc"]
        await asyncio.wait(waiting, timeout=0.01)
        waiting[0].cancel()
    await asyncio.wait(waiting)
    assert await titles(database) == ["a", "c"]


async def test_the_event_loop_goes_on_while_another_process_holds_the_lock(path: Path, database: Database) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.ensure_future(database.run(insert("a")))
        for _ in range(20):
            assert await database.run(amount, write=False) == 0
        assert not writing.done()
        with pytest.raises(StorageUnavailable, match="lock"):
            await writing
        other.execute("ROLLBACK")
    await database.run(insert("a"))
    assert await titles(database) == ["a"]


@contextmanager
def disk_full_at(size_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond that size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_said_loses_nothing_and_is_recovered_from(path: Path, database: Database) -> None:
    async def write() -> None:
        async with database.begin() as tx:
            await add(tx, "b")
            await add(tx, "c", content=bytes(5_000_000))

    await database.run(insert("a"))
    with disk_full_at(path.with_name("duck.db-wal").stat().st_size + 1_000_000):
        with pytest.raises(StorageUnavailable, match=r"disk|space"):
            await write()
        outcomes = await asyncio.gather(
            *(database.run(insert(title, size)) for title, size in (("d", 0), ("e", 5_000_000), ("f", 0))),
            return_exceptions=True,
        )
        assert {type(outcome) for outcome in outcomes} <= {StorageUnavailable, type(None)}
        acknowledged = [title for title, outcome in zip("def", outcomes, strict=True) if outcome is None]
        assert await titles(database) == ["a", *acknowledged]
    await write()
    assert await titles(database) == sorted(["a", "b", "c", *acknowledged])


@pytest.mark.parametrize("content", [b"not a database" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "duck.db"
    path.write_bytes(content)
    with pytest.raises(StorageUnavailable, match=r"duck.db.*(damaged|not a database)"):
        async with open_database(DatabaseSettings(url=f"sqlite:///{path}")):
            pass
    assert path.read_bytes() == content


async def test_a_value_that_cannot_be_read_is_said_to_be_in_the_file(path: Path, database: Database) -> None:
    await database.run(insert("a"))
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE notes SET title = CAST(X'FF41' AS TEXT)")
        other.commit()
    said = "it holds a value that cannot be read; restore a backup, or move it away to begin anew"
    with pytest.raises(StorageUnavailable, match=f"duck.db cannot be used: {said}$"):
        await titles(database)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/proc/no-such-folder/duck.db", "No such file"),
        ("/dev/null/duck.db", "Not a directory"),
        ("/dev", "Is a directory"),
        ("/dev/full", "not a regular file"),
        ("/" + "x" * 300, "too long"),
    ],
)
async def test_a_path_that_cannot_be_a_file_is_named(place: str, said: str) -> None:
    with pytest.raises(StorageUnavailable, match=f"sqlite:///{place} .*{said}"):
        async with open_database(DatabaseSettings(url=f"sqlite:///{place}")):
            pass


@pytest.mark.parametrize("closed", ["folder", "file"])
def test_without_the_permission_to_write_the_file_is_named(tmp_path: Path, closed: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500 if closed == "folder" else 0o700)
    if closed == "file":
        (folder / "duck.db").touch(mode=0o400)

    async def opening() -> None:
        async with open_database(DatabaseSettings(url=f"sqlite:///{folder}/duck.db")):
            pass

    with ordinary_user(), pytest.raises(StorageUnavailable, match=r"duck.db .*Permission denied"):
        asyncio.run(opening())


async def test_a_database_in_memory_is_refused_with_a_sentence() -> None:
    with pytest.raises(InvalidSettings, match="name a file"):
        async with open_database(DatabaseSettings(url="sqlite:///:memory:")):
            pass


async def test_a_missing_table_is_a_mismatch_that_names_the_way_out(database: Database) -> None:
    with pytest.raises(SchemaMismatch, match="run `duck migrate`"):
        await database.run(lambda connection: connection.execute(text("SELECT 1 FROM no_such_table")))


async def test_readers_take_turns_so_that_none_waits_for_ever(database: Database) -> None:
    order: list[str] = []

    async def read(name: str, times: int) -> None:
        for _ in range(times):
            await database.run(lambda connection: None, write=False)
            order.append(name)

    busy = [asyncio.create_task(read("busy", 100)) for _ in range(6)]
    await asyncio.gather(*busy, read("late", 1))
    assert order.index("late") < 50
