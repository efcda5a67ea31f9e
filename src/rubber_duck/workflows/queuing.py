"""Puts a run into its queue: our row and DBOS's in one transaction, while there is room, and when it is its turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rubber_duck.errors import LimitExceeded
from rubber_duck.storage.database import Connection
from rubber_duck.workflows.library import Envelope, Library, enqueue_options
from rubber_duck.workflows.store import runs, turns
from rubber_duck.workflows.store.holding import edition
from rubber_duck.workflows.store.runs import RunRow

LEVELS: Final = 100
"""Priorities are from 1, which goes first, to this."""

_TURNS: Final = 20_000_000  # of a level; all levels together fit into the 31 bits that DBOS has
_RECOUNT: Final = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that is to wait. `level` is its priority, `more` what else DBOS is told; `most` may wait in its queue.

    `tells` says whether its actor is to be told only when it failed; None: they are not told.
    """

    row: RunRow
    envelope: Envelope
    level: int
    most: int
    more: dict[str, Any]  # Any: DBOS's own options
    tells: bool | None = None


class Queuing:
    """Queues runs for one process.

    Runs of one priority are taken in turns by tenant, an actor in a project: as long as two tenants have runs waiting,
    as many of the one begin as of the other, however many they have.
    """

    def __init__(self) -> None:
        self._uncounted: dict[str, int] = {}

    def put(self, connection: Connection, library: Library, run: Waiting) -> None:
        """Queue it, once. Raises LimitExceeded for a full queue, Conflict for a key that is taken."""
        row, status = run.row, library.tables.status
        if row.parent is None:
            self._require_room(connection, library, row.queue, run.most)
        if not runs.add_run(connection, row):
            return  # a step that starts a run is tried again
        if run.tells is not None:
            runs.watch(connection, row.id, failures_only=run.tells)
        first = (run.level - 1) * _TURNS + 1
        tenant = f"{row.actor_id} {row.project_id or ''}"
        turn = turns.next_turn(connection, status, row.queue, tenant, first, _TURNS - 1)
        own = edition(row.workflow, row.version)
        told = enqueue_options(queue=row.queue, run_id=row.id, app_version=own, priority=first + turn, **run.more)
        library.enqueue(connection, told, run.envelope)

    def _require_room(self, connection: Connection, library: Library, queue: str, most: int) -> None:
        """Counting all that wait for each new run takes longer than queuing it: a tenth of the room goes unseen."""
        left = self._uncounted.get(queue, 0)
        if left <= 0:
            room = most - runs.waiting(connection, library.tables.status, queue, most)
            if room <= 0:
                raise LimitExceeded(f"the queue {queue!r} is full: {most:,} runs wait; try again when some have ended")
            left = max(1, room // _RECOUNT)
        self._uncounted[queue] = left - 1
