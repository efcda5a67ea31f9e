"""Tell how the queues do: what waits, works, ended and failed, how old and how fast."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.workflow import RunView, view
from rubber_duck.scope import Right
from rubber_duck.workflows.states import State

if TYPE_CHECKING:
    from rubber_duck.workflows.status import QueueCount, RunStatus


class JobsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much to tell."""

    limit: Annotated[int, Meta(ge=0, le=1000, description="The newest runs, at most so many.")] = 10
    states: Annotated[tuple[State, ...], Meta(max_length=8, description="Only runs in these states.")] = ()
    queue: Annotated[
        Literal["", "indexing", "analysis", "generation", "notification"], Meta(description="Only runs in this queue.")
    ] = ""


class QueueView(msgspec.Struct, frozen=True):
    """A queue: runs by state, seconds that the oldest waiting one waits, runs that ended well in the last minute."""

    queue: str
    by_state: dict[str, int]
    oldest_waiting_s: float | None
    done_per_minute: int


class JobsAnswer(msgspec.Struct, frozen=True):
    """The queues in which there ever was a run, and the newest runs."""

    queues: tuple[QueueView, ...]
    runs: tuple[RunView, ...]


@engines.add
class Jobs(Engine[JobsRequest, JobsAnswer]):
    """Tell how the queues do: what waits, works, ended and failed, how old and how fast."""

    name = "jobs"
    request = JobsRequest
    answer = JobsAnswer
    right = Right.WORKFLOW_RUN
    needs = ("workflows",)
    timeout_s = 60.0

    async def run(self, request: JobsRequest, call: Call) -> JobsAnswer:
        """The queues and the newest runs of whoever asks."""
        durable = call.parts.workflows
        queues = queue_views(await durable.counts(call.scope))
        runs = await _newest(request, call) if request.limit else []
        return JobsAnswer(queues, tuple(view(each) for each in runs))


def queue_views(counted: Iterable[QueueCount]) -> tuple[QueueView, ...]:
    """Queues as they are answered."""
    return tuple(
        QueueView(
            each.queue,
            {str(state): count for state, count in each.by_state.items()},
            each.oldest_waiting_s,
            each.done_per_minute,
        )
        for each in counted
    )


async def _newest(request: JobsRequest, call: Call) -> list[RunStatus]:
    durable = call.parts.workflows
    return await durable.runs(call.scope, queue=request.queue, states=request.states, limit=request.limit)
