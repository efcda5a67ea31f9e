"""What both twins of storage are: a database, its transactions, and the rows they give."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final, TypeVar, overload

from sqlalchemy import Connection, CursorResult, Executable, Row

from rubber_duck import telemetry
from rubber_duck.errors import Conflict, NotFound, StorageUnavailable
from rubber_duck.storage import migrate as schema
from rubber_duck.storage.border import translated
from rubber_duck.storage.location import Location

LOCK_PAUSE_S: Final = 0.05
"""How long somebody who waits in `Database.alone` does so before trying again."""

T = TypeVar("T")
Record = Row[Any]  # the columns' types are known to the statement, not to the checker
Parameters = Mapping[str, object] | Sequence[Mapping[str, object]]


class Rows(Sequence[Record]):
    """Every row a statement gave, already fetched. `rowcount` is the number of rows changed, or given."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Record], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    @classmethod
    def of(cls, result: CursorResult[Any]) -> Rows:  # the same: rows of any shape
        """Fetch everything from `result`."""
        if not result.returns_rows:
            return cls((), result.rowcount)
        rows = result.fetchall()
        return cls(rows, len(rows))

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def first(self) -> Record | None:
        """The first row, or None."""
        return self._rows[0] if self._rows else None

    def one(self) -> Record:
        """The only row; NotFound when there is none, Conflict when there are several."""
        if not self._rows:
            raise NotFound("there is no such row")
        if len(self._rows) > 1:
            raise Conflict(f"one row was expected, there are {len(self._rows)}")
        return self._rows[0]

    def scalar(self) -> Any:  # a value of any column type
        """The first column of the first row, or None."""
        return self._rows[0][0] if self._rows else None


class Transaction(ABC):
    """One unit of work, alive inside `Database.begin`. After a failed statement it can only be rolled back."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], Awaitable[None]]] = []
        self._failure: BaseException | None = None
        self._committed = False

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> Rows:
        """Run one statement; a sequence of parameters runs it once for each.

        Raises Conflict for a violated uniqueness or reference, InvalidInput for a value that cannot be stored,
        StaleVersion when two transactions got in each other's way, StorageUnavailable otherwise.
        """
        self._refuse_after_failure()
        try:
            return await self._send(statement, parameters)
        except BaseException as error:
            self._failure = error
            raise

    def after_commit(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call `callback` once the commit is durable, in the order given; never after a rollback.

        A callback that raises is reported (`storage.callback_failed`); the commit stands and the others run.
        """
        self._callbacks.append(callback)

    def _refuse_after_failure(self) -> None:
        if self._failure is not None:
            raise Conflict("an earlier statement of this transaction failed; begin a new one") from self._failure

    async def _finish(self) -> None:
        await self._commit()
        self._committed = True

    @abstractmethod
    async def _send(self, statement: Executable, parameters: Parameters | None) -> Rows: ...

    @abstractmethod
    async def _commit(self) -> None: ...

    @abstractmethod
    async def _rollback(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """That the database answers. `schema` is its revision, None before the first migration."""

    dialect: str
    version: str
    latency_s: float
    schema: str | None
    missing_extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Migration:
    """What `Database.migrate` did: the revision before (None: an empty database) and after."""

    before: str | None
    after: str
    missing_extensions: tuple[str, ...]


class Database(ABC):
    """A database: transactions that commit at the end of their block, or not at all.

    Belongs to the event loop that opened it. `location` may be shown: it holds no password.
    """

    dialect: ClassVar[str]

    def __init__(self, location: Location, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self.location = location.shown
        self._clock = clock
        self._closed = False
        self._writing: set[asyncio.Task[object]] = set()

    @asynccontextmanager
    async def begin(self, *, write: bool = True) -> AsyncIterator[Transaction]:
        """A transaction: committed at the end of the block, rolled back on any exception or cancel.

        With `write=False` it only reads, and sees one unchanging state. Opening a second writing transaction
        inside the first, in the same task, is a Conflict: on SQLite it would wait for itself.
        """
        cancels = _cancels()
        with telemetry.span("storage.transaction", write=write), self._claimed(write):
            async with self._transaction(write) as transaction:
                try:
                    yield transaction
                    transaction._refuse_after_failure()
                except BaseException as error:
                    await self._roll_back(transaction, error)
                    raise
                cancelled = await self._commit(transaction)
        await _call_back(transaction._callbacks)
        if cancelled is not None:
            raise cancelled
        if _cancels() > cancels:
            raise asyncio.CancelledError  # swallowed by Python 3.11's wait_for, when it came together with an answer

    @abstractmethod
    async def run(self, work: Callable[[Connection], T], *, write: bool = True, urgent: bool = False) -> T:
        """Run `work`, which uses synchronous SQLAlchemy Core, as one whole transaction, and return its result.

        Cheaper than `begin` for several statements. `work` neither commits nor rolls back nor waits; on SQLite
        it runs in a thread, and small independent writes share one commit, though each fails alone. Cancelling
        the caller while `work` writes leaves open whether it was committed. What is `urgent`, a few bytes without which
        what runs is lost, may write in the room that is kept for when the disk is full, and waits for no connection.
        """

    async def erase(self, work: Callable[[Connection], T]) -> T:
        """As `run`, and what `work` deleted is then in none of the files that the database writes itself.

        On SQLite pages are overwritten and the journal is emptied, as soon as nobody reads from it. On PostgreSQL the
        server's own vacuum does it, which runs by itself.
        """
        result = await self.run(work)
        await self._scrub()
        return result

    async def _scrub(self) -> None:  # noqa: B027  # not every database has something to do
        """Overwrite what the database keeps of rows that were deleted."""

    @asynccontextmanager
    async def alone(self, key: str, *, on_wait: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
        """During the block nobody else, in whatever process, is in such a block of the same `key`.

        Others wait for their turn, after `on_wait` was called once. When the process dies its block has ended. `key`
        is part of a file's name. Raises StorageUnavailable.
        """
        if self._closed:
            raise StorageUnavailable("the database is closed")
        async with self._lock(key) as taken:
            has_waited = False
            while not await taken():
                if not has_waited:
                    on_wait()
                has_waited = True
                await asyncio.sleep(LOCK_PAUSE_S)
            yield

    async def health(self) -> DatabaseHealth:
        """Ask the database for its version and schema; raises StorageUnavailable when it does not answer."""
        started = self._clock()
        version, revision, missing = await self.run(_examine, write=False)
        return DatabaseHealth(self.dialect, version, self._clock() - started, revision, missing)

    async def migrate(self) -> Migration:
        """Bring the schema to this program's revision; several processes may do so at once.

        Also tries again to create the extensions that were missing. Raises SchemaMismatch when the database
        is newer than the program.
        """
        await asyncio.to_thread(schema.prepare)
        before, missing = await self.run(partial(schema.upgrade, shown=self.location))
        migration = Migration(before, schema.head(), missing)
        if before != migration.after:
            telemetry.emit("storage.migrated", revision=migration.after, previous=before or "")
        return migration

    @abstractmethod
    async def close(self) -> None:
        """Finish the work that has begun, roll back open transactions, let go of every connection."""

    @abstractmethod
    def _lock(self, key: str) -> AbstractAsyncContextManager[Callable[[], Awaitable[bool]]]:
        """A function that tries to take the lock called `key` and says whether it could; let go after the block."""

    @abstractmethod
    def _transaction(self, write: bool) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that has begun; whatever it holds is let go at the end of the block."""

    def _claimed(self, write: bool) -> _Claim:
        if self._closed:
            raise StorageUnavailable("the database is closed")
        return _Claim(self._writing if write else None)

    async def _commit(self, transaction: Transaction) -> asyncio.CancelledError | None:
        """Commit, even while being cancelled; the cancel is returned, to be raised after the callbacks."""
        try:
            await uninterrupted(transaction._finish())
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and transaction._committed:
                return error
            await self._roll_back(transaction, error)
            if isinstance(error, Exception):
                raise translated(error, self.location) from error
            raise
        return None

    async def _roll_back(self, transaction: Transaction, reason: BaseException) -> None:
        """Undo it because of `reason`, which the caller raises; a rollback that fails must not hide it."""
        said = type(reason).__name__
        try:
            await uninterrupted(transaction._rollback())
        except Exception as error:  # noqa: BLE001  # the connection is dead, and so is its transaction
            said = f"{said}; the rollback failed: {translated(error, self.location).message}"
        telemetry.emit("storage.rolled_back", error=said)


class _Claim:
    """Marks the current task as writing, so that it cannot wait for itself."""

    __slots__ = ("_task", "_writing")

    def __init__(self, writing: set[asyncio.Task[object]] | None) -> None:
        self._writing = writing
        self._task = asyncio.current_task()

    def __enter__(self) -> None:
        if self._writing is None or self._task is None:
            return
        if self._task in self._writing:
            raise Conflict("this task has a writing transaction open already; use that one")
        self._writing.add(self._task)

    def __exit__(self, *_: object) -> None:
        if self._writing is not None and self._task is not None:
            self._writing.discard(self._task)


async def uninterrupted(work: Coroutine[object, object, T]) -> T:
    """Await `work` to its end, even when the caller is cancelled meanwhile; the cancel is raised after it."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except BaseException:  # noqa: BLE001  # raised by `result()` below
            break
    result = task.result()
    if cancelled is not None:
        raise cancelled
    return result


def _cancels() -> int:
    """How often the current task was asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def _call_back(callbacks: Sequence[Callable[[], Awaitable[None]]]) -> None:
    for callback in callbacks:
        try:
            await callback()
        except Exception as error:  # noqa: BLE001  # the commit stands, so its caller must not see a failure
            telemetry.emit("storage.callback_failed", error=str(error))


def _examine(connection: Connection) -> tuple[str, str | None, tuple[str, ...]]:
    version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    return version, schema.current(connection), schema.missing_extensions(connection)
