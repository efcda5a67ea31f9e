"""PostgreSQL: psycopg's connection pool under SQLAlchemy's async engine."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar, cast

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.json import set_json_dumps
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from sqlalchemy import Connection, Executable, NullPool
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from rubber_duck import fault
from rubber_duck.errors import DuckError, InvalidSettings, StorageUnavailable
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.border import from_driver, translated, unavailable
from rubber_duck.storage.columns import to_json
from rubber_duck.storage.location import Location
from rubber_duck.storage.port import Database, Parameters, Rows, Transaction, uninterrupted

T = TypeVar("T")
Row = tuple[Any, ...]  # psycopg's rows; SQLAlchemy gives them their types

_IDLE_S: Final = 20
"""A process that is frozen within a transaction holds its rows so long: nothing of ours waits in the midst of one."""
_READ_ONLY: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""A reader sees one unchanging state, as on SQLite."""


async def open_postgres(settings: DatabaseSettings, location: Location) -> PostgresDatabase:
    """Connect to the server and fill the pool with its minimum of connections."""
    database = PostgresDatabase(settings, location)
    try:
        await database.open()
    except BaseException:
        await uninterrupted(database.close())
        raise
    return database


class PostgresDatabase(Database):
    """A server. `pool_min` connections are kept open, `pool_max` is never exceeded, dead ones are replaced."""

    dialect = "postgresql"

    def __init__(self, settings: DatabaseSettings, location: Location) -> None:
        super().__init__(location)
        if settings.pool_max < settings.pool_min:
            raise InvalidSettings(
                f"database.pool_min is {settings.pool_min}, more than database.pool_max, {settings.pool_max}"
            )
        self._place = location
        self._urgent: PostgresDatabase | None = None
        self._opening = asyncio.Lock()
        self._url = location.url
        self._options = _connection_options(settings, location)
        self._pool_max = settings.pool_max
        self._timeout_s = settings.connect_timeout_s
        self._pool: AsyncConnectionPool[PooledConnection] = AsyncConnectionPool(
            self._url,
            connection_class=PooledConnection,
            kwargs=self._options,
            min_size=settings.pool_min,
            max_size=settings.pool_max,
            timeout=settings.connect_timeout_s,
            check=AsyncConnectionPool.check_connection,
            configure=_bounded,
            reset=_forget_mode,
            close_returns=True,
            open=False,
            name="duck-postgres",
        )
        self._engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://",
            async_creator=self._pool.getconn,
            poolclass=NullPool,  # the pool is psycopg's, which keeps its minimum warm
            use_native_hstore=False,
            hide_parameters=True,
            execution_options={"preserve_rowcount": True},  # also after an INSERT with many parameters
        )

    async def open(self) -> None:
        """Raises StorageUnavailable with the server's own reason: the pool would only say that it waited."""
        try:
            await self._probe()
            await self._pool.open(wait=True, timeout=self._timeout_s)
        except Exception as error:
            raise self._translated(error) from error

    async def _probe(self) -> None:
        probe = await psycopg.AsyncConnection.connect(self._url, **self._options)
        encoding = probe.info.parameter_status("server_encoding")
        await probe.close()
        if encoding != "UTF8":
            raise unavailable(self.location, f"its encoding is {encoding}; create it with ENCODING 'UTF8'")

    async def run(self, work: Callable[[Connection], T], *, write: bool = True, urgent: bool = False) -> T:
        """Run `work` on the event loop's thread; each statement leaves the loop free while the server works.

        A full disk is the server's; what is urgent has a connection of its own, and waits for none of the pool.
        """
        if urgent:
            return await (await self._beside()).run(work, write=write)
        async with self.begin(write=write) as transaction:
            connection = cast(_PostgresTransaction, transaction).connection
            try:
                return await connection.run_sync(work)
            except (SQLAlchemyError, psycopg.Error, UnicodeEncodeError) as error:
                raise self._translated(error) from error

    async def close(self) -> None:
        """Idle connections are closed now, those in use when their transaction has been rolled back."""
        self._closed = True
        if self._urgent is not None:
            await self._urgent.close()
        await self._pool.close()
        await self._engine.dispose()

    async def _beside(self) -> PostgresDatabase:
        """The same server over one connection, made when it is first needed."""
        async with self._opening:
            if self._urgent is None:
                one = DatabaseSettings(url=self._url, pool_min=1, pool_max=1, connect_timeout_s=self._timeout_s)
                self._urgent = await open_postgres(one, self._place)
            return self._urgent

    @asynccontextmanager
    async def _lock(self, key: str) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        """A connection of its own: whoever waits or works long must not take one of the pool from the others."""
        try:
            connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, **self._options)
        except Exception as error:
            raise self._translated(error) from error
        number = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True)

        async def taken() -> bool:
            try:
                found = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [number])).fetchone()
            except psycopg.Error as error:
                raise self._translated(error) from error
            return found is not None and bool(found[0])

        try:
            yield taken
        finally:
            await uninterrupted(connection.close())

    @asynccontextmanager
    async def _transaction(self, write: bool) -> AsyncIterator[_PostgresTransaction]:
        connection = self._engine.connect()
        try:
            await connection.start()
        except Exception as error:
            raise self._translated(error) from error
        try:
            await self._start(connection, write)
            yield _PostgresTransaction(connection, self)
        finally:
            await uninterrupted(connection.close())

    async def _start(self, connection: AsyncConnection, write: bool) -> None:
        try:
            if not write:
                await connection.execution_options(**_READ_ONLY)
            await connection.begin()
        except Exception as error:
            raise self._translated(error) from error

    def _translated(self, error: BaseException) -> DuckError:
        if self._closed:
            return StorageUnavailable("the database is closed")
        if isinstance(error, DuckError):
            return error
        original = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(original, PoolTimeout):
            known = unavailable(
                self.location,
                f"no connection became free within {self._timeout_s:g} s; either all {self._pool_max} "
                "(database.pool_max) are in use, or the server does not answer",
            )
            known.__cause__ = error
            return known
        if isinstance(error, psycopg.Error):
            return from_driver(error, self.location)
        return translated(error, self.location)


class PooledConnection(psycopg.AsyncConnection[Row]):
    """A connection of the pool, which SQLAlchemy believes to be new each time it is lent."""

    async def close(self) -> None:
        """Give it back. What a cancelled caller left open is undone here: the pool would warn of each cancel."""
        if self.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            with suppress(psycopg.Error):  # it is dead, and the pool replaces it
                await self.rollback()
        await super().close()

    def add_notice_handler(self, callback: Callable[[psycopg.errors.Diagnostic], None]) -> None:
        """Do nothing: SQLAlchemy would add its own at each loan, and the list would grow without end."""


class _PostgresTransaction(Transaction):
    """A transaction on a connection that was lent for it."""

    def __init__(self, connection: AsyncConnection, database: PostgresDatabase) -> None:
        super().__init__()
        self.connection = connection
        self._database = database

    async def _send(self, statement: Executable, parameters: Parameters | None) -> Rows:
        self._refuse_after_close()
        try:
            return await self.connection.run_sync(lambda connection: Rows.of(connection.execute(statement, parameters)))
        except Exception as error:
            raise self._database._translated(error) from error

    async def _commit(self) -> None:
        self._refuse_after_close()
        fault.point("storage.before_commit")
        await self.connection.commit()
        fault.point("storage.after_commit")

    async def _rollback(self) -> None:
        await self.connection.rollback()

    def _refuse_after_close(self) -> None:
        if self._database._closed:
            raise StorageUnavailable("the database is closed")


async def _bounded(connection: PooledConnection) -> None:
    """A process that is frozen within a transaction must not hold rows that others need for ever."""
    await connection.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_S}s'")
    await connection.commit()


async def _forget_mode(connection: PooledConnection) -> None:
    """A cancelled reader's connection comes back without SQLAlchemy having made it writable again."""
    await connection.set_read_only(None)
    await connection.set_isolation_level(None)


def _connection_options(settings: DatabaseSettings, location: Location) -> dict[str, Any]:  # libpq's and psycopg's
    """What the URL leaves open: time-out and name; and how JSON is written."""
    try:
        named = conninfo_to_dict(location.url)
    except psycopg.Error as error:
        raise InvalidSettings(f"database.url {location.shown!r} is not understood: {error}") from error
    adapters = AdaptersMap(psycopg.adapters)
    set_json_dumps(to_json, adapters)
    defaults = {"connect_timeout": max(2, round(settings.connect_timeout_s)), "application_name": "rubber-duck"}
    return {"context": adapters, **{key: value for key, value in defaults.items() if key not in named}}
