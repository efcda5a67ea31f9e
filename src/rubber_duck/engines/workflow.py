"""Start workflows, and show, cancel, pause, resume or retry their runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.placing import located_run, placed_run
from rubber_duck.scope import Right
from rubber_duck.workflows.states import ENDED

if TYPE_CHECKING:
    from rubber_duck.workflows.status import RunStatus, StepStatus

RunId = Annotated[
    str,
    Meta(max_length=300, description="The run's id, or its beginning or end.", extra={"argument": True}),
]


class StartRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="start"):
    """Start a run, and work on it here until it has ended unless `wait` is off."""

    workflow: Annotated[str, Meta(max_length=200, description="The workflow's name.", extra={"argument": True})]
    request: Annotated[dict[str, Any], Meta(description="What it is asked.")]  # Any: each has its own
    directory: Annotated[str, Meta(description="What relative paths in the request are relative to.")] = ""
    wait: Annotated[bool, Meta(description="Work until it has ended; otherwise it is only queued.")] = True
    tell: Annotated[bool, Meta(description="Tell me when it has ended, if it is only queued.")] = True
    key: Annotated[str, Meta(max_length=200, description="Of two runs with one key, the second is refused.")] = ""
    priority: Annotated[int, Meta(ge=1, le=100, description="1 goes first.")] = 10
    delay_s: Annotated[
        Annotated[float, Meta(ge=0, le=31_536_000)] | None, Meta(description="Seconds before it may begin.")
    ] = None
    timeout_s: Annotated[
        Annotated[float, Meta(gt=0, le=31_536_000)] | None, Meta(description="Seconds until it is cancelled.")
    ] = None


class FollowRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="follow"):
    """Work on a run here until it has ended; one that was stopped, or failed, goes on with `resume`."""

    run: RunId
    resume: Annotated[bool, Meta(description="Let it go on, or try again, if it was stopped or failed.")] = False


class ListRuns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="list"):
    """List runs, the newest first."""

    workflow: Annotated[str, Meta(max_length=200, description="Only of this workflow.")] = ""
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most so many.")] = 20


class ShowRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="show"):
    """Show a run with its steps."""

    run: RunId


class CancelRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="cancel"):
    """Stop a run, with the step it is in."""

    run: RunId


class PauseRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pause"):
    """Stop a run so that it can go on later."""

    run: RunId


class ResumeRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="resume"):
    """Let a stopped run go on; it is queued."""

    run: RunId


class RetryRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="retry"):
    """Let a failed run try again from the step that failed; it is queued."""

    run: RunId


class SignalRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="signal"):
    """Send a run what it waits for; a second one is refused until it waits again."""

    run: RunId
    signal: Annotated[str, Meta(max_length=200, description="The signal's name.", extra={"argument": True})]
    value: Annotated[Any, Meta(description="JSON that comes with it.")] = None  # Any: whatever the run expects


WorkflowRequest = StartRun | FollowRun | ListRuns | ShowRun | CancelRun | PauseRun | ResumeRun | RetryRun | SignalRun


class StepView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step that was done."""

    number: int
    name: str
    duration_ms: int | None = None
    error: str = ""


class RunView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a run does. Moments are milliseconds since 1970; `steps` are there only when one run is shown.

    `attempts` counts how often it was begun since it kept a step, orderly ends of its process left out. `waits` says
    what keeps it from getting on, if somebody has to do something.

    `state` is waiting, delayed, working, paused, cancelled, failed, dead (begun too often) or done.
    """

    id: str
    workflow: str
    version: int
    queue: str
    state: str
    created_ms: int
    attempts: int
    done: int = 0
    total: int = 0
    note: str = ""
    parent: str | None = None
    error: str = ""
    answer: Any = None  # Any: each workflow has its own
    started_ms: int | None = None
    ended_ms: int | None = None
    waits: str = ""
    steps: tuple[StepView, ...] = ()


class WorkflowAnswer(msgspec.Struct, frozen=True):
    """The runs that were meant, as they are now."""

    runs: tuple[RunView, ...]


@engines.add
class WorkflowEngine(Engine[WorkflowRequest, WorkflowAnswer]):
    """Start workflows, and list, show, cancel, pause, resume or retry runs.

    A run survives a kill of any process: started again, it goes on from the step it was in.
    """

    name: ClassVar[str] = "workflow"
    request: ClassVar[Any] = WorkflowRequest  # Any: a union is no type
    answer = WorkflowAnswer
    right = Right.WORKFLOW_RUN
    needs = ("workflows", "notices")
    timeout_s = 30 * 24 * 3600.0

    async def run(self, request: WorkflowRequest, call: Call) -> WorkflowAnswer:
        """The runs after the request; raises NotFound for a run that is not the asker's."""
        durable = call.parts.workflows
        match request:
            case StartRun():
                return await _start(request, call)
            case FollowRun():
                return await _resumed(request, call)
            case ListRuns():
                found = await durable.runs(call.scope, workflow=request.workflow, limit=request.limit)
                return WorkflowAnswer(tuple(view(each) for each in found))
            case _:
                return await _acted(request, call)


async def _acted(
    request: ShowRun | CancelRun | PauseRun | ResumeRun | RetryRun | SignalRun, call: Call
) -> WorkflowAnswer:
    from rubber_duck.workflows.naming import named  # noqa: PLC0415  # brings SQLAlchemy

    durable, scope = call.parts.workflows, call.scope
    run_id = await named(durable, scope, request.run)
    match request:
        case ShowRun():
            return await _shown(call, run_id)
        case CancelRun():
            await durable.cancel(scope, run_id)
        case PauseRun():
            await durable.pause(scope, run_id)
        case ResumeRun():
            await durable.resume(scope, run_id)
        case RetryRun():
            await durable.retry(scope, run_id)
        case SignalRun():
            await durable.send(scope, run_id, request.signal, request.value)
    return WorkflowAnswer((view(await durable.show(scope, run_id)),))


async def _start(request: StartRun, call: Call) -> WorkflowAnswer:
    from rubber_duck.workflows.options import StartOptions  # noqa: PLC0415  # brings SQLAlchemy

    tell = request.tell and not request.wait
    options = StartOptions(request.key, request.priority, request.delay_s, request.timeout_s, tell=tell)
    asked = await asyncio.to_thread(_located, request, call)

    async def started(then: Callable[[Call, str], Awaitable[WorkflowAnswer]]) -> WorkflowAnswer:
        return await then(call, await call.parts.workflows.start(call.scope, request.workflow, asked, options))

    return await (_worked_on(call, partial(started, _followed)) if request.wait else started(_shown))


async def _resumed(request: FollowRun, call: Call) -> WorkflowAnswer:
    from rubber_duck.workflows.naming import named  # noqa: PLC0415  # brings SQLAlchemy

    durable, scope = call.parts.workflows, call.scope
    run_id = await named(durable, scope, request.run)
    state = (await durable.show(scope, run_id)).state
    if request.resume and state in ("paused", "cancelled", "dead"):
        await durable.resume(scope, run_id)
    elif request.resume and state == "failed":
        await durable.retry(scope, run_id)
    elif state in ENDED or state == "paused":
        return await _shown(call, run_id)
    return await _worked_on(call, partial(_followed, call, run_id))


def _located(request: StartRun, call: Call) -> dict[str, Any]:  # Any: as asked
    """What the workflow is asked, with the paths that it is to have; in a project of a server, those in that."""
    if call.scope.project is None:
        return located_run(request.workflow, request.request, request.directory)
    return placed_run(request.workflow, request.request, request.directory, call.settings)


async def _worked_on(call: Call, doing: Callable[[], Coroutine[Any, Any, WorkflowAnswer]]) -> WorkflowAnswer:
    """What `doing` comes to, while this process works, unless it does so already, as a server does."""
    if call.scope.project is not None or call.parts.workflows.taking is not None:
        return await doing()
    from rubber_duck.workflows.working import working_while  # noqa: PLC0415  # brings DBOS

    return await working_while(call.parts.workflows, doing)


async def _followed(call: Call, run_id: str) -> WorkflowAnswer:
    async for found in call.parts.workflows.follow(call.scope, run_id):
        call.emit(Progress(found.done, found.total, found.note or found.state))
    return await _shown(call, run_id)


async def _shown(call: Call, run_id: str) -> WorkflowAnswer:
    durable = call.parts.workflows
    steps = await durable.steps(call.scope, run_id)
    return WorkflowAnswer((view(await durable.show(call.scope, run_id), steps),))


def view(run: RunStatus, steps: list[StepStatus] | None = None) -> RunView:
    """A run as it is answered."""
    return RunView(
        id=run.id,
        workflow=run.workflow,
        version=run.version,
        queue=run.queue,
        state=run.state,
        created_ms=run.created_ms,
        attempts=run.attempts,
        done=run.done,
        total=run.total,
        note=run.note,
        parent=run.parent,
        error=run.error,
        answer=run.answer,
        started_ms=run.started_ms,
        ended_ms=run.ended_ms,
        waits=run.waits,
        steps=tuple(StepView(each.number, each.name, each.duration_ms, each.error) for each in steps or ()),
    )
