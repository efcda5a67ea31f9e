"""A thread that owns one SQLite connection and works through a queue, so that the event loop never waits."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final, TypeVar, cast

from sqlalchemy import Connection

from rubber_duck.errors import StorageUnavailable

T = TypeVar("T")


class Lane:
    """One thread, one connection. Work is done in the order it was submitted.

    `connect` is called in the thread. Belongs to the event loop that opened it.
    """

    def __init__(self, name: str, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._jobs: Final[SimpleQueue[Callable[[], None] | None]] = SimpleQueue()
        # A daemon: a program that dies without closing must not hang on its database threads.
        self._thread: Final = Thread(target=self._serve, name=name, daemon=True)
        self._connection: Connection | None = None
        self._driver: sqlite3.Connection | None = None
        self.closed = True

    async def open(self) -> None:
        """Start the thread and connect; raises what `connect` raises, and then the thread has ended."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        self.closed = False
        try:
            await self._enqueue(self._open_connection)
        except BaseException:
            self._stop()
            raise

    def submit(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Do `work` in the thread. Cancelling the future does not stop work that has begun."""
        if self.closed:
            raise StorageUnavailable("the database is closed")
        return self._enqueue(lambda: work(cast(Connection, self._connection)))

    async def call(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in the thread; cancelling the caller interrupts the statement that is running.

        Only for whoever has this lane to themselves.
        """
        future = self.submit(work)
        try:
            return await future
        except asyncio.CancelledError:
            self.interrupt()
            raise

    def interrupt(self) -> None:
        """Stop the running statement, if there is one; its transaction can only be rolled back."""
        if self._driver is not None and not self.closed:
            self._driver.interrupt()

    async def close(self) -> None:
        """Finish what was submitted, roll back what is open, close the connection, end the thread."""
        if self.closed:
            return
        self.closed = True
        future = self._enqueue(self._close_connection)
        self._stop()
        await future

    def _stop(self) -> None:
        self.closed = True
        self._jobs.put(None)

    def _open_connection(self) -> None:
        self._connection = self._connect()
        self._driver = cast(sqlite3.Connection, self._connection.connection.driver_connection)

    def _close_connection(self) -> None:
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            connection.close()

    def _enqueue(self, work: Callable[[], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()

        def job() -> None:
            if future.cancelled():
                return
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001  # crosses to the task that waits for it
                self._settle(future, error=error)
            else:
                self._settle(future, result=result)

        self._jobs.put(job)
        return future

    def _settle(self, future: asyncio.Future[T], **outcome: object) -> None:
        # A loop that is gone has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_set, future, outcome)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job
        self._close_connection()  # here, because no other thread may; it is open still if opening was cancelled


def _set(future: asyncio.Future[T], outcome: dict[str, object]) -> None:
    if future.done():
        return
    if isinstance(error := outcome.get("error"), BaseException):
        # A future refuses StopIteration, and whoever waits would wait forever.
        future.set_exception(RuntimeError("StopIteration") if isinstance(error, StopIteration) else error)
    else:
        future.set_result(cast(T, outcome["result"]))
