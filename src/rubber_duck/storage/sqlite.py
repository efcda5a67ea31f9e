"""SQLite: one thread writes, a few read, each with a connection of its own; the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import sqlite3
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection, Engine, Executable, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from rubber_duck import fault, telemetry
from rubber_duck.errors import StorageUnavailable
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.home import make_private_folder
from rubber_duck.storage.border import translated
from rubber_duck.storage.columns import to_json
from rubber_duck.storage.lane import Lane
from rubber_duck.storage.location import Location
from rubber_duck.storage.port import Database, Parameters, Rows, Transaction, uninterrupted
from rubber_duck.storage.reserve import Reserve

T = TypeVar("T")

_BATCH: Final = 64
"""How many small writes share a commit at the most."""

_SCRUB_TRIES: Final = 40
_SCRUB_PAUSE_S: Final = 0.05
"""Who reads from the journal is waited for so often and so long before it is emptied another time."""

_BEGIN: Final = "duck_begin"
"""The execution option that holds a connection's BEGIN; a writer's is IMMEDIATE, so that two never deadlock."""


async def open_sqlite(settings: DatabaseSettings, location: Location) -> SqliteDatabase:
    """Open the file, making it (mode 0600) and its folder (0700) where they are missing."""
    database = SqliteDatabase(settings, location)
    try:
        await database.open()
    except BaseException as error:
        await uninterrupted(database.close())
        if isinstance(error, Exception):
            raise translated(error, location.shown) from error
        raise
    return database


class SqliteDatabase(Database):
    """A file. Writers take turns, in order; readers see the state at their beginning and never wait for them."""

    dialect = "sqlite"

    def __init__(self, settings: DatabaseSettings, location: Location) -> None:
        super().__init__(location)
        path = cast(Path, location.path)
        self._engine = _engine(path, settings.busy_timeout_s)
        self._path = path
        self._reserve = Reserve(path, location.shown)
        self._writer = Lane("duck-sqlite-writer", partial(_connect_writer, self._engine, settings.busy_timeout_s))
        self._readers = [
            Lane(f"duck-sqlite-reader-{n}", partial(_connect_reader, self._engine)) for n in range(settings.readers)
        ]
        self._turn = asyncio.Lock()
        self._idle: list[Lane] = []
        self._reading = asyncio.Semaphore(settings.readers)  # fair, which a queue is not: who reads again waits again
        self._pending: list[_Write] = []
        self._draining: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Create the file and start the threads; the writer first, which sets the journal's mode."""
        await asyncio.to_thread(_create_file, self._path)
        await asyncio.to_thread(self._reserve.make)
        await self._writer.open()
        for lane in self._readers:
            await lane.open()
            self._idle.append(lane)

    async def run(self, work: Callable[[Connection], T], *, write: bool = True, urgent: bool = False) -> T:
        """Run `work` in a thread; writes that wait at the same time are committed together."""
        with telemetry.span("storage.transaction", write=write), self._claimed(write):
            if write and not urgent:
                self._reserve.require_room()
            try:
                return await (self._write(work) if write else self._read(work))
            except (SQLAlchemyError, sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
                raise translated(error, self.location) from error

    async def _scrub(self) -> None:
        for _ in range(_SCRUB_TRIES):
            async with self._turn:
                is_busy = await self._writer.submit(_empty_journal)
            if not is_busy:
                return
            await asyncio.sleep(_SCRUB_PAUSE_S)

    async def close(self) -> None:
        """Writes that have not begun are refused; what runs is finished; open transactions are rolled back."""
        self._closed = True
        if self._draining is not None:
            self._draining.cancel()
        for write in self._pending:
            write.settle(_Outcome(error=StorageUnavailable("the database was closed before this write began")))
        self._pending.clear()
        for lane in (*self._readers, self._writer):
            await lane.close()
        if self._draining is not None:
            await asyncio.wait([self._draining])
        self._engine.dispose()

    @asynccontextmanager
    async def _lock(self, key: str) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        try:
            descriptor = os.open(f"{self._path}.{key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise translated(error, self.location) from error

        async def taken() -> bool:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        try:
            yield taken
        finally:
            os.close(descriptor)

    @asynccontextmanager
    async def _transaction(self, write: bool) -> AsyncIterator[_SqliteTransaction]:
        if write:
            self._reserve.require_room()
            async with self._turn:
                yield await self._begun(self._writer)
            return
        async with self._reader() as lane:
            yield await self._begun(lane)

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[Lane]:
        """A lane to read on, in turn; the one that was used last is the warmest."""
        async with self._reading:
            lane = self._idle.pop()
            try:
                yield lane
            finally:
                self._idle.append(lane)

    async def _begun(self, lane: Lane) -> _SqliteTransaction:
        transaction = _SqliteTransaction(lane, self.location, self._reserve)
        try:
            await transaction.call(_begin)
        except BaseException:
            await uninterrupted(transaction._rollback())
            raise
        return transaction

    async def _read(self, work: Callable[[Connection], T]) -> T:
        async with self._reader() as lane:
            return await lane.call(partial(_whole, work))

    async def _write(self, work: Callable[[Connection], T]) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._pending.append(_Write(work, future))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        """Commit what is pending, batch after batch; what arrives meanwhile makes the next batch."""
        while self._pending:
            async with self._turn:
                batch, self._pending = self._pending[:_BATCH], self._pending[_BATCH:]
                alive = [write for write in batch if not write.future.done()]
                if alive:
                    await uninterrupted(self._commit_together(alive))

    async def _commit_together(self, writes: Sequence[_Write]) -> None:
        outcomes = await self._outcomes(writes)
        let_go = [each.error is not None and self._reserve.let_go_after(each.error) for each in outcomes]
        if any(let_go) and all(each.error is not None for each in outcomes):
            outcomes = await self._outcomes(writes)  # nothing of it was committed, and there is some room now
        for write, outcome in zip(writes, outcomes, strict=True):
            write.settle(outcome)

    async def _outcomes(self, writes: Sequence[_Write]) -> list[_Outcome]:
        try:
            return await self._writer.submit(partial(_together, [write.work for write in writes]))
        except Exception as error:  # noqa: BLE001  # goes to everyone whose work was in the batch
            return [_Outcome(error=error)] * len(writes)


class _SqliteTransaction(Transaction):
    """A transaction on a lane that nobody else uses until it ends."""

    def __init__(self, lane: Lane, shown: str, reserve: Reserve) -> None:
        super().__init__()
        self._lane = lane
        self._shown = shown
        self._reserve = reserve

    async def call(self, work: Callable[[Connection], T]) -> T:
        """Do `work` on the lane; its errors are translated."""
        try:
            return await self._lane.call(work)
        except Exception as error:
            self._reserve.let_go_after(error)
            raise translated(error, self._shown) from error

    async def _send(self, statement: Executable, parameters: Parameters | None) -> Rows:
        return await self.call(lambda connection: Rows.of(connection.execute(statement, parameters)))

    async def _commit(self) -> None:
        try:
            await self._lane.submit(_commit)
        except Exception as error:
            self._reserve.let_go_after(error)
            raise

    async def _rollback(self) -> None:
        if not self._lane.closed:  # a lane that closes rolls back by itself
            await self._lane.submit(_rollback)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How one piece of work of a batch ended: with a result, or an error."""

    result: Any = None  # whatever the work returns
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Write:
    """A piece of work that waits for its turn, and the future of whoever waits for it."""

    work: Callable[[Connection], Any]  # whatever the work returns
    future: asyncio.Future[Any]  # the same

    def settle(self, outcome: _Outcome) -> None:
        """Tell the one who waits; nothing if they are gone."""
        if self.future.done():
            return
        if outcome.error is not None:
            self.future.set_exception(outcome.error)
        else:
            self.future.set_result(outcome.result)


def _begin(connection: Connection) -> None:
    if _driver(connection).in_transaction:  # an earlier rollback failed
        _rollback(connection)
    connection.begin()


def _commit(connection: Connection) -> None:
    fault.point("storage.before_commit")
    connection.commit()
    fault.point("storage.after_commit")


def _rollback(connection: Connection) -> None:
    connection.rollback()
    driver = _driver(connection)
    if driver.in_transaction:  # a failed COMMIT leaves it open, and SQLAlchemy believes it closed
        driver.rollback()


def _empty_journal(connection: Connection) -> bool:
    """Write the journal into the file and empty it; True when somebody reads from it still."""
    (busy, _, _) = _driver(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return bool(busy)


def _whole(work: Callable[[Connection], T], connection: Connection) -> T:
    with connection.begin():
        return work(connection)


def _together(works: Sequence[Callable[[Connection], object]], connection: Connection) -> list[_Outcome]:
    """Run `works` in one transaction, each in a savepoint so that it fails alone."""
    _begin(connection)
    try:
        outcomes = [_attempt(work, connection, savepoint=len(works) > 1) for work in works]
        if any(outcome.error is None for outcome in outcomes):
            _commit(connection)
        else:
            _rollback(connection)
    except BaseException:
        _rollback(connection)
        raise
    return outcomes


def _attempt(work: Callable[[Connection], object], connection: Connection, *, savepoint: bool) -> _Outcome:
    mark = connection.begin_nested() if savepoint else None
    try:
        result = work(connection)
    except Exception as error:  # goes to whoever asked for this work
        if not _driver(connection).in_transaction:
            raise  # SQLite undid the whole transaction (full disk, failed read): nobody's work stands
        if mark is not None:
            mark.rollback()
        return _Outcome(error=error)
    if mark is not None:
        mark.commit()
    return _Outcome(result=result)


def _engine(path: Path, busy_timeout_s: float) -> Engine:
    def connect() -> sqlite3.Connection:
        # Without an isolation level the driver begins nothing by itself: BEGIN is ours.
        return sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)

    engine = create_engine(
        "sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True, json_serializer=to_json
    )
    event.listen(engine, "begin", _send_begin)
    return engine


def _send_begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))


def _connect_writer(engine: Engine, busy_timeout_s: float) -> Connection:
    def prepare(driver: sqlite3.Connection) -> None:
        driver.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts only for a file that is still empty
        _use_wal(driver, busy_timeout_s)
        driver.execute("PRAGMA synchronous = FULL")
        driver.execute("PRAGMA foreign_keys = ON")
        driver.execute("PRAGMA secure_delete = ON")  # what was forgotten must not be in free pages

    return _prepared(engine.connect(), prepare)


def _connect_reader(engine: Engine) -> Connection:
    connection = engine.connect().execution_options(**{_BEGIN: "BEGIN"})
    return _prepared(connection, lambda driver: driver.execute("PRAGMA query_only = ON"))


def _prepared(connection: Connection, prepare: Callable[[sqlite3.Connection], object]) -> Connection:
    try:
        prepare(_driver(connection))
    except BaseException:
        connection.close()  # here, because no other thread may close it
        raise
    return connection


def _use_wal(
    driver: sqlite3.Connection,
    busy_timeout_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Switch to write-ahead logging, which SQLite does not wait for: when processes start at once, one tries again."""
    deadline = clock() + busy_timeout_s
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or clock() > deadline:
                raise
            sleep(0.01)
        else:
            return


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _create_file(path: Path) -> None:
    """Make the file and its missing folders, for this user only; OSError when that cannot be."""
    make_private_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if state.st_mode & 0o077 and state.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
