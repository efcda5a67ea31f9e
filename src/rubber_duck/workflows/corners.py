"""What DBOS does otherwise here than it does by itself: how long it sleeps, how it reads the clock, where it logs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

import dbos._sys_db as their_database
from dbos import error as errors_of_dbos

from rubber_duck.errors import DuckError
from rubber_duck.storage.clock import NowMs

_RETRY_S: Final = 3.0
"""So long at the most DBOS sleeps until it asks a database again that was away; it would be a minute and more."""

_TOLD: Final = (
    DuckError,
    errors_of_dbos.DBOSAwaitedWorkflowCancelledError,
    errors_of_dbos.DBOSAwaitedWorkflowMaxRecoveryAttemptsExceeded,
)


class _Hasty:
    """The module `time`, for DBOS, which sleeps no longer than `_RETRY_S` with it."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep

    def sleep(self, seconds: float) -> None:
        """Sleep, for so long or less."""
        self._sleep(min(seconds, _RETRY_S))

    def __getattr__(self, name: str) -> Any:  # Any: whatever the module has
        return getattr(time, name)


def hasten(sleep: Callable[[float], None] = time.sleep) -> None:
    """Let DBOS ask again soon while the database is away, since what waits holds one of the loop's threads."""
    vars(their_database)["time"] = _Hasty(sleep)


def count_milliseconds() -> None:
    """Let DBOS read the clock of a file in milliseconds, so that a rate holds in each second too.

    By itself it reads whole seconds, or with Python 3.12 asks for what SQLite has only from 3.42 on.
    """
    their_database.SystemDatabase._now_ms_sql = _now_ms  # type: ignore[assignment,method-assign]  # this is what is meant


def _now_ms(_: Any) -> NowMs:  # Any: DBOS's database
    return NowMs()


def quiet() -> None:
    """What DBOS logs goes the way of every library's logs: from warnings on, and to nobody's terminal."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.addFilter(_is_worth_it)
    logger.setLevel(logging.WARNING)
    logger.propagate = True


def _is_worth_it(record: logging.LogRecord) -> bool:
    """Not that a run failed or was stopped, nor that a task was cancelled or a run is another process's now.

    We did it and have events for it, and DBOS writes out tracebacks, and whatever the step holds, requests too.
    """
    error = record.exc_info[1] if record.exc_info else None
    said = record.getMessage()
    is_told = isinstance(error, _TOLD) or said.startswith("Asyncio task cancelled") or said.endswith("recorded outcome")
    return not is_told
