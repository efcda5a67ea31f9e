"""DBOS itself: opened on our database with our JSON, launched at most once in a process, its private corners named.

What is private in DBOS and used here is tried by `tests/contract/test_dbos.py` on the installed version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import dbos._core as their_core
from dbos import DBOS, DBOSClient, EnqueueOptions
from dbos import error as errors_of_dbos

from rubber_duck import fault
from rubber_duck.errors import Conflict, NotFound, normalize
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import QueueSettings, WorkflowSettings
from rubber_duck.storage.border import translated as of_database
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.keys import new_key
from rubber_duck.storage.lending import Engine, lent_engine
from rubber_duck.storage.location import Location
from rubber_duck.workflows.codec import JsonSerializer, refuse_pickles
from rubber_duck.workflows.corners import count_milliseconds, hasten, quiet
from rubber_duck.workflows.store.executors import Executor
from rubber_duck.workflows.store.holding import among
from rubber_duck.workflows.store.tables import Theirs
from rubber_duck.workflows.suspects import Suspects
from rubber_duck.workflows.workflow import QUEUES

T = TypeVar("T")

APPLICATION: Final = "rubber-duck"
ENTRY: Final = "duck"
"""The one function that DBOS knows; which workflow it carries out stands in its input."""

_THREADS: Final = 48
"""More than runs and their steps keep waiting while the database is away: these are also the threads of the loop."""
_CALLS: Final = 4
_GIVEN_BACK_LOOKS: Final = 500

Envelope = dict[str, Any]  # Any: JSON values
"""What DBOS keeps of a run: its workflow, actor, project, trace and request."""

Entry = Callable[[Envelope], Awaitable[Any]]  # Any: builtins of the workflow's own shape

_entry: list[Entry] = []


class Library:
    """DBOS on one database. `client` asks and enqueues; `launch` also works, until `stop`.

    Its calls wait for the database, so they are made in threads of its own.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        refuse_pickles()
        hasten()
        count_milliseconds()
        quiet()
        self._settings = settings
        self._threads = ThreadPoolExecutor(_CALLS, thread_name_prefix="duck-durable")
        self._is_working = False
        self._under_way: set[Future[Any]] = set()  # Any: of whatever is called
        self._shown = Location.parse(settings.url).shown
        self._engine = lent_engine(settings)
        self._worker_engine: Engine | None = None
        self.client = DBOSClient(
            system_database_engine=self._engine, serializer=JsonSerializer(), application_name=APPLICATION, lazy=True
        )
        theirs, names = self.client._sys_db, self.client._sys_db.tables
        of_runs = (names.workflow_status, names.workflow_input, names.workflow_output)
        self.tables: Final = Theirs.of((*of_runs, names.operation_outputs, names.notifications), theirs.schema)

    @classmethod
    async def open(cls, settings: DatabaseSettings) -> Library:
        """Connect, and bring DBOS's own tables to its version."""
        library = await asyncio.to_thread(cls, settings)
        try:
            await library.call(library.client._sys_db.run_migrations)
        except BaseException:
            await library.close()
            raise
        return library

    async def call(self, work: Callable[[], T]) -> T:
        """Do `work`, which uses the library's synchronous interface, in a thread; its errors leave as DuckErrors."""
        under_way = self._threads.submit(work)
        self._under_way.add(under_way)
        under_way.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.wrap_future(under_way)
        except errors_of_dbos.DBOSNonExistentWorkflowError as error:
            raise NotFound("there is no such run") from error
        except Exception as error:
            raise translated(error, self._shown) from error

    async def commit(self, database: Database, work: Callable[[Connection], T]) -> T:
        """Do `work`, which queues a run, in a transaction of its own.

        On SQLite all writers take turns, so it joins those of `database`. On a server it goes over DBOS's connections:
        for those alone it keeps its statements compiled, which are most of what queuing costs.
        """
        if self.tables.status.schema is None:
            return await database.run(work)
        return await self.call(partial(_committed, self._engine, work))

    def enqueue(
        self, connection: Connection, options: EnqueueOptions, envelope: dict[str, Any]
    ) -> None:  # Any: builtins
        """Queue a run within the transaction of `connection`; Conflict when its key is taken."""
        try:
            self.client.enqueue_in_transaction(connection, options, envelope)
        except errors_of_dbos.DBOSQueueDeduplicatedError as error:
            raise Conflict("a run with this key waits or works already") from error

    async def launch(self, settings: WorkflowSettings, executor_id: str, entry: Entry) -> None:
        """Begin to work: queues are read, runs are carried out on this event loop by `entry`.

        Raises Conflict when something in this process works already: DBOS would silently give it out a second time.
        """
        if _entry:
            raise Conflict("this process works through its queues already")
        _entry.append(entry)
        self._is_working = True
        try:
            self._launch(settings.attempts, executor_id)
        except BaseException:
            await self.stop()
            raise

    def _launch(self, attempts: int, executor_id: str) -> None:
        _register(attempts)
        self._worker_engine = lent_engine(self._settings)
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_engine": self._worker_engine,
                "serializer": JsonSerializer(),
                "application_version": ENTRY,  # the same for ever: runs have editions of their own
                "executor_id": executor_id,
                "max_executor_threads": _THREADS,
                "use_listen_notify": False,  # `client` made the tables, without the trigger that this waits for
                "notification_listener_polling_interval_sec": 0.5,
                "enable_otlp": False,
                "log_level": "WARNING",  # it would set its logger back to more, see `quiet`
            }
        )
        DBOS.listen_queues([])  # what is ours to take, `taking` takes
        DBOS.launch()  # here, so that runs are carried out on this very loop

    async def queues(self, settings: WorkflowSettings, taker: Taker) -> list[LibraryQueue]:
        """What `launch` made ready to take from; each limit holds from now on for all processes."""
        found = []
        for name in QUEUES:
            limits = settings.queues.get(name, QueueSettings())
            theirs = await self.call(lambda name=name, limits=limits: _register_queue(name, limits, settings.poll_s))  # type: ignore[misc]  # a loop's value, bound at once
            found.append(LibraryQueue(self, theirs, _most(limits), taker))
        return found

    async def stop(self) -> None:
        """Stop working; what runs is interrupted and goes on elsewhere, or at the next start."""
        if not self._is_working:
            return
        self._is_working = False
        await self._rested()
        try:
            await self.call(DBOS.destroy)
        finally:
            _entry.clear()
            if self._worker_engine is not None:
                await _disposed(self._worker_engine)
            # DBOS made its own threads, which have ended, those of the loop.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))

    async def close(self) -> None:
        """Let go of the connections."""
        await self.stop()
        await self._rested()
        await self.call(self.client.destroy)
        await _disposed(self._engine)
        self._threads.shutdown(wait=False)

    async def _rested(self) -> None:
        """Until no call is under way: whoever waited for one may be gone, and its connection is still in use."""
        while under_way := [asyncio.wrap_future(each) for each in tuple(self._under_way)]:
            await asyncio.wait(under_way)

    def active(self) -> frozenset[str]:
        """The runs that this process works on."""
        return frozenset(_instance()._active_workflows_set.activeList())


@dataclass(frozen=True, slots=True)
class Taker:
    """The process that takes. `given_up` hears of runs that it took and does not work on: they may be dead letters."""

    executor: Executor
    suspects: Suspects
    given_up: Callable[[list[str]], None]
    waits: Callable[[str], Awaitable[bool]]
    """Whether runs wait in the queue of that name, as the database says."""


class LibraryQueue:
    """A queue of DBOS, taken from by us: with its own statements, which admit one taker for each run."""

    def __init__(self, library: Library, theirs: Any, most: int, taker: Taker) -> None:  # theirs: Any: DBOS's Queue
        self.name: str = theirs.name
        self.most = most
        self._library = library
        self._theirs = theirs
        self._taker = taker

    def room(self) -> int:
        """How many more of its runs this process may work on."""
        return self.most - int(_instance()._active_workflows_set.count_for_queue(self.name))

    async def waits(self) -> bool:
        """Whether any of its runs waits."""
        return await self._taker.waits(self.name)

    async def take(self) -> int:
        """Take as many as there is room for and as wait, and begin to work on them; how many."""
        taken = await self._library.call(self._take)
        active = self._library.active() if taken else ()
        self._taker.given_up([run_id for run_id in taken if run_id not in active])
        return len(taken)

    def _take(self) -> list[str]:
        suspect = self._taken_suspect()
        return suspect + self._taken(self.most - self.room(), of_suspects=False)

    def _taken_suspect(self) -> list[str]:
        """One run that may be what killed a process, unless this process works on such a one."""
        if self.room() <= 0 or not self._taker.suspects.may_look(self._library.active()):
            return []
        taken: list[str] = []
        try:
            taken = self._taken(self.most - 1, of_suspects=True)
        finally:
            self._taker.suspects.found(taken[0] if taken else "")
        return taken

    def _taken(self, running: int, *, of_suspects: bool) -> list[str]:
        """Take, as if this process worked on so many of the queue, and begin to work on them; their ids."""
        instance, owner = _instance(), str(new_key())
        database = instance._sys_db
        chosen = among(
            database.tables.workflow_status,
            self._taker.executor.editions,
            self._taker.suspects.since,
            of_suspects=of_suspects,
        )
        try:
            taken, _ = database.start_queued_workflows(
                *(self._theirs, self._taker.executor.id, chosen, None, running),
                owner_xid=owner,
                is_latest_version=False,  # nothing waits without an edition
            )
        except Exception as error:
            if _is_race(database, error):
                return []
            raise
        found = {each["workflow_uuid"]: each for each in database.get_workflow_statuses(taken)} if taken else {}
        for run_id in taken:
            with suppress(Exception):  # it is a dead letter now, its row says why, or it is put back as abandoned
                their_core.execute_dequeued_workflow(instance, found[run_id], owner)
        return list(taken)


async def _disposed(engine: Engine) -> None:
    """Close its connections, when DBOS's threads, which end at their next look, have given them back."""
    pool: Any = engine.pool  # Any: only pools of this kind count
    for _ in range(_GIVEN_BACK_LOOKS):
        if not pool.checkedout():
            break
        await asyncio.sleep(0.01)
    engine.dispose()


def _committed(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.connect() as connection, connection.begin() as transaction:
        result = work(connection)
        fault.point("storage.before_commit")
        transaction.commit()
        fault.point("storage.after_commit")
    return result


def _is_race(database: Any, error: Exception) -> bool:  # Any: DBOS's database
    """Whether another process took from the same queue at the same moment, where a limit holds for all."""
    known = hasattr(error, "orig")
    return known and bool(database.is_lock_conflict(error) or database.is_serialization_conflict(error))


def translated(error: BaseException, shown: str) -> BaseException:
    """The DuckError for what DBOS or the database `shown` raised."""
    if isinstance(error, errors_of_dbos.DBOSQueueDeduplicatedError):
        return Conflict("a run with this key waits or works already")
    return normalize(error) if isinstance(error, errors_of_dbos.DBOSException) else of_database(error, shown)


def owner_of(run_id: str) -> str:
    """Who owns the run that is carried out here: a text that DBOS makes whenever it begins one."""
    from dbos._context import current_owner_xid  # noqa: PLC0415  # private, see the module's docstring

    return current_owner_xid(run_id) or ""


def enqueue_options(*, queue: str, run_id: str, **more: Any) -> EnqueueOptions:  # Any: DBOS's own options
    """What DBOS is told of a new run; what is None is left out."""
    options: Any = {
        "workflow_name": ENTRY,
        "queue_name": queue,
        "workflow_id": run_id,
    }  # Any: a TypedDict in the making
    options.update({key: value for key, value in more.items() if value is not None})
    return options  # type: ignore[no-any-return]


def _instance() -> Any:  # Any: a private function of DBOS
    from dbos._dbos import _get_dbos_instance  # noqa: PLC0415  # private, see the module's docstring

    return _get_dbos_instance()


def _most(limits: QueueSettings) -> int:
    """So many of a queue's runs one process works on."""
    return min(limits.per_process, limits.at_once or limits.per_process)


def _register_queue(name: str, limits: QueueSettings, poll_s: float) -> Any:  # Any: DBOS's Queue
    return DBOS.register_queue(
        name,
        worker_concurrency=_most(limits),
        global_concurrency=limits.at_once or None,
        limiter={"limit": limits.rate, "period": limits.rate_period_s} if limits.rate else None,
        polling_interval_sec=poll_s,
        on_conflict="always_update",
    )


_registered: dict[str, Any] = {}


def _register(attempts: int) -> None:
    """Make the entry known to DBOS, once in a process; DBOS counts a first try and `attempts - 1` recoveries."""
    if ENTRY in _registered:
        _registered[ENTRY].max_recovery_attempts = attempts - 1
        return

    @DBOS.workflow(name=ENTRY, max_recovery_attempts=attempts - 1)
    async def duck(envelope: dict[str, Any]) -> Any:  # Any: builtins of the workflow's own shape
        return await _entry[0](envelope)

    from dbos._registrations import get_func_info  # noqa: PLC0415  # private, see the module's docstring

    _registered[ENTRY] = get_func_info(duck)
