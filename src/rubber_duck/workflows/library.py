"""DBOS itself: opened on our database with our JSON, launched at most once in a process, its private corners named.

What is private in DBOS and used here is tried by `tests/contract/test_dbos.py` on the installed version.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import dbos._core as their_core
from dbos import DBOS, DBOSClient, EnqueueOptions
from dbos import error as errors_of_dbos
from dbos._utils import INTERNAL_QUEUE_NAME

from rubber_duck.errors import Conflict, NotFound, StorageUnavailable, normalize
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import QueueSettings, WorkflowSettings
from rubber_duck.storage.database import Connection
from rubber_duck.storage.lending import Engine, lent_engine
from rubber_duck.workflows.codec import JsonSerializer, refuse_pickles
from rubber_duck.workflows.store import Theirs
from rubber_duck.workflows.workflow import QUEUES

T = TypeVar("T")

APPLICATION: Final = "rubber-duck"
ENTRY: Final = "duck"
"""The one function that DBOS knows; which workflow it carries out stands in its input."""

_THREADS: Final = 8
_CANCEL_POLL_S: Final = 0.25

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
        _quiet()
        self._settings = settings
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="duck-durable")
        self._is_working = False
        self._engine = lent_engine(settings)
        self._worker_engine: Engine | None = None
        self.client = DBOSClient(
            system_database_engine=self._engine, serializer=JsonSerializer(), application_name=APPLICATION, lazy=True
        )
        theirs = self.client._sys_db
        self.tables: Final = Theirs.of(theirs.tables.workflow_status, theirs.tables.workflow_output, theirs.schema)

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
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except errors_of_dbos.DBOSNonExistentWorkflowError as error:
            raise NotFound("there is no such run") from error
        except Exception as error:
            raise translated(error) from error

    def enqueue(
        self, connection: Connection, options: EnqueueOptions, envelope: dict[str, Any]
    ) -> None:  # Any: builtins
        """Queue a run within the transaction of `connection`; Conflict when its key is taken."""
        try:
            self.client.enqueue_in_transaction(connection, options, envelope)
        except errors_of_dbos.DBOSQueueDeduplicatedError as error:
            raise Conflict("a run with this key waits or works already") from error

    async def launch(self, settings: WorkflowSettings, version: str, executor_id: str, entry: Entry) -> None:
        """Begin to work: queues are read, runs are carried out on this event loop by `entry`.

        Raises Conflict when something in this process works already: DBOS would silently give it out a second time.
        """
        if _entry:
            raise Conflict("this process works through its queues already")
        _entry.append(entry)
        their_core._PREEMPTIBLE_POLL_INTERVAL_SEC = _CANCEL_POLL_S
        self._is_working = True
        _register(settings.attempts)
        self._worker_engine = lent_engine(self._settings)
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_engine": self._worker_engine,
                "serializer": JsonSerializer(),
                "application_version": version,
                "executor_id": executor_id,
                "max_executor_threads": _THREADS,
                "notification_listener_polling_interval_sec": 0.2,
                "enable_otlp": False,
            }
        )
        DBOS.launch()  # here, so that runs are carried out on this very loop
        for name in QUEUES:
            limits = settings.queues.get(name, QueueSettings())
            await self.call(lambda name=name, limits=limits: _register_queue(name, limits, settings.poll_s))  # type: ignore[misc]  # a loop's value, bound at once

    async def stop(self) -> None:
        """Stop working; what runs is interrupted and goes on elsewhere, or at the next start."""
        if not self._is_working:
            return
        self._is_working = False
        try:
            await self.call(DBOS.destroy)
        finally:
            _entry.clear()
            if self._worker_engine is not None:
                self._worker_engine.dispose()
            # DBOS made its own threads, which have ended, those of the loop.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))

    async def close(self) -> None:
        """Let go of the connections."""
        await self.stop()
        await self.call(self.client.destroy)
        self._engine.dispose()
        self._threads.shutdown(wait=False)

    async def recover(self, executor_ids: Iterable[str]) -> int:
        """Put what dead processes were working on back into its queue; how many runs.

        Not `resume_workflows`: that forgets how often a run was tried, its queue and its deadline.
        """
        ids = list(executor_ids)
        return len(await self.call(lambda: _instance()._recover_pending_workflows(ids)))

    def active(self) -> frozenset[str]:
        """The runs that this process works on."""
        return frozenset(_instance()._active_workflows_set.activeList())

    async def put_back(self, run_id: str, executor_id: str) -> bool:
        """Put one run that a process holds, but does not work on, back; False when it holds it no more."""
        database = self.client._sys_db
        return bool(
            await self.call(lambda: database.reenqueue_for_recovery(run_id, [executor_id], INTERNAL_QUEUE_NAME))
        )


def version_of(workflows: Mapping[str, int]) -> str:
    """The application version: which workflows there are, in which versions. Only runs of the same are carried out."""
    listed = " ".join(f"{name}@{version}" for name, version in sorted(workflows.items()))
    return hashlib.blake2b(listed.encode(), digest_size=8).hexdigest()


def translated(error: BaseException) -> BaseException:
    """The DuckError for what DBOS or its database raised."""
    known = normalize(error)
    if known.code != "internal":
        return known
    if isinstance(error, errors_of_dbos.DBOSQueueDeduplicatedError):
        return Conflict("a run with this key waits or works already")
    if isinstance(error, errors_of_dbos.DBOSException):
        return known
    return StorageUnavailable(f"the workflow tables cannot be used: {str(error).splitlines()[0] if str(error) else ''}")


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


def _register_queue(name: str, limits: QueueSettings, poll_s: float) -> None:
    DBOS.register_queue(
        name,
        worker_concurrency=limits.per_process,
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


def _quiet() -> None:
    """What DBOS logs goes the way of every library's logs: from warnings on, and to nobody's terminal."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.WARNING)
    logger.propagate = True
