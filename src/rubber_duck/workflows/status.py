"""How runs do, in our own words: states, steps, counts; read from DBOS's rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from rubber_duck.errors import Conflict, DuckError, normalize
from rubber_duck.workflows.codec import JsonSerializer
from rubber_duck.workflows.moves import Ended
from rubber_duck.workflows.states import State

UNDO: Final = "undo "
"""What the name of a step begins with that undoes another; the other's name follows."""

START: Final = "start "
"""What the name of a step begins with that starts another run; its workflow's name follows."""

_STATES: Final[dict[str, State]] = {
    "ENQUEUED": "waiting",
    "DELAYED": "delayed",
    "PENDING": "working",
    "SUCCESS": "done",
    "ERROR": "failed",
    "CANCELLED": "cancelled",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "dead",
}

_serializer: Final = JsonSerializer()


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How a run does. Moments are milliseconds since 1970, None while they have not come.

    `done`, `total` and `note` are its last progress, `attempts` how often it was begun since it kept a step, and
    `error` is what it failed with. `waits` says what keeps it from getting on, if somebody has to do something.
    """

    id: str
    workflow: str
    version: int
    queue: str
    state: State
    done: int
    total: int
    note: str
    attempts: int
    parent: str | None
    error: str
    answer: Any  # Any: builtins of the workflow's own shape
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    waits: str = ""


_LATE: Final = "it took longer than it was given"
"""Of a run that nobody stopped: DBOS did, at its time-out."""


@dataclass(frozen=True, slots=True)
class StepStatus:
    """A step that was done: its number from 1 in the order of the run, its name, how long it took, how it failed."""

    number: int
    name: str
    duration_ms: int | None
    error: str


@dataclass(frozen=True, slots=True)
class QueueCount:
    """The runs of a queue by state, the age of the oldest that waits, and how many ended well in the last minute."""

    queue: str
    by_state: Mapping[State, int]
    oldest_waiting_s: float | None
    done_per_minute: int


def paused_of(states: Collection[State]) -> bool | None:
    """Whether only paused ones are meant of those that were stopped, or only others; None: all the same."""
    wanted = {"paused", "cancelled"} & set(states)
    return "paused" in wanted if len(wanted) == 1 else None


def statuses_of(states: Collection[State]) -> list[str]:
    """DBOS's words for our states; a paused run is a cancelled one to it."""
    wanted = {"cancelled" if state == "paused" else state for state in states}
    return [theirs for theirs, ours in _STATES.items() if ours in wanted]


def status_of(row: Any) -> RunStatus:  # Any: a row of `store.runs_of`
    """A run from its two rows."""
    state = _STATES[row.status]
    if state == "cancelled" and row.stopped == "paused":
        state = "paused"
    answer, unread = _answer(row.output) if row.output is not None and state == "done" else (None, "")
    return RunStatus(
        id=row.id,
        workflow=row.workflow,
        version=row.version,
        queue=row.queue,
        state=state,
        done=row.done,
        total=row.total,
        note=row.note,
        attempts=row.attempts,
        parent=row.parent,
        error=unread or (_LATE if state == "cancelled" and not row.stopped else _said(row.error)),
        answer=answer,
        created_ms=round(row.created_at.timestamp() * 1000),
        started_ms=row.started_at_epoch_ms,
        ended_ms=row.completed_at,
    )


def ended_of(row: Any) -> tuple[Ended, bool]:  # Any: a row of `store.ended_untold`
    """A run that ended, from its rows, and whether only a failure is to be told."""
    run, failure = status_of(row), _failure(row.error)
    ended = Ended(
        run=run.id,
        workflow=run.workflow,
        actor=row.actor_id,
        project=row.project_id,
        state=run.state,
        answer=run.answer,
        code="" if failure is None else failure.code,
        error=run.error,
        times=row.times,
    )
    return ended, bool(row.failures_only)


def step_statuses(steps: Iterable[Mapping[str, Any]]) -> list[StepStatus]:  # Any: DBOS's TypedDict
    """The steps DBOS lists."""
    found = []
    for step in steps:
        began, ended = step.get("started_at_epoch_ms"), step.get("completed_at_epoch_ms")
        error = step["error"]
        found.append(
            StepStatus(
                step["function_id"],
                step["function_name"],
                ended - began if began is not None and ended is not None else None,
                "" if error is None else normalize(error).message,
            )
        )
    return found


def first_to_repeat(steps: Sequence[StepStatus]) -> int:
    """The number of the first step that failed or was undone; of steps with one name, all count as undone.

    Undoing that failed counts too: nobody knows how much of it was done.
    """
    undone = {step.name.removeprefix(UNDO) for step in steps if step.name.startswith(UNDO)}
    after = max((step.number for step in steps), default=0) + 1
    return min((step.number for step in steps if step.error or step.name in undone), default=after)


def queue_counts(
    rows: Sequence[Any], finished: Mapping[str, int], now_ms: int
) -> list[QueueCount]:  # Any: rows of `store.counts`
    """One entry for each queue in which there ever was a run."""
    found: dict[str, tuple[dict[State, int], float | None]] = {}
    for queue, status, is_paused, count, since_ms in rows:
        by_state, oldest = found.get(queue, ({}, None))
        state: State = "paused" if is_paused else _STATES[status]
        by_state[state] = by_state.get(state, 0) + count
        found[queue] = (by_state, (now_ms - since_ms) / 1000 if state == "waiting" else oldest)
    return [QueueCount(queue, *found[queue], finished.get(queue, 0)) for queue in sorted(found)]


def failure_of(found: RunStatus) -> DuckError:
    """The error for a run that has no answer."""
    if found.state == "dead":
        return Conflict(f"the run {found.id!r} was begun {found.attempts} times and never ended; it is given up")
    said = f": {found.error}" if found.error else ""
    return Conflict(f"the run {found.id!r} is {found.state}{said}")


def _said(error: str | None) -> str:
    failure = _failure(error)
    return "" if failure is None else failure.message


def _answer(output: str) -> tuple[Any, str]:  # Any: builtins of the workflow's own shape
    """What a run came to; or why that cannot be told: somebody else may have written into the row."""
    try:
        return _serializer.deserialize(output), ""
    except (TypeError, ValueError, AttributeError, msgspec.MsgspecError):
        return None, "what it came to cannot be read"


def _failure(error: str | None) -> DuckError | None:
    if error is None:
        return None
    try:
        return normalize(_serializer.deserialize(error))
    except (TypeError, ValueError, AttributeError, msgspec.MsgspecError):
        return DuckError("what it failed with cannot be read")
