"""Runs of workflows on a project: what members start, look at and stop, each their own; and how the queues do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, get_args

import msgspec
from msgspec import Meta

from rubber_duck.engines.jobs import QueueView, queue_views
from rubber_duck.engines.placing import placed_run, runs_here
from rubber_duck.engines.workflow import RunView, view
from rubber_duck.errors import NotFound, UnknownName
from rubber_duck.scope import Right, Scope
from rubber_duck.server.api.projects import project_of
from rubber_duck.server.api.route import Call, Method, Nothing, Route, written
from rubber_duck.server.asking import unplaced
from rubber_duck.server.copies import check_here
from rubber_duck.server.idempotency import KEPT
from rubber_duck.server.limits import RouteClass
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.naming import named
from rubber_duck.workflows.options import Page, StartOptions
from rubber_duck.workflows.states import State
from rubber_duck.workflows.workflow import workflows

_STATES: Final[tuple[State, ...]] = get_args(State)
_YEAR_S: Final = 31_536_000


class WorkflowsHere(msgspec.Struct, frozen=True):
    """The names of the workflows that run on a project."""

    workflows: tuple[str, ...]


class RunsPage(msgspec.Struct, frozen=True):
    """Runs, the newest first; `next` is the cursor of the next page, "" at the end."""

    runs: tuple[RunView, ...]
    next: str


class RunWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which workflow is to run on the project; its request names no folder.

    Of two runs with one `key`, the second is refused until the first has ended. Priority 1 goes first.
    """

    workflow: Annotated[str, Meta(max_length=200)]
    request: dict[str, Any] = {}  # Any: JSON of the workflow's own shape
    key: Annotated[str, Meta(max_length=200)] = ""
    priority: Annotated[int, Meta(ge=1, le=100)] = 10
    delay_s: Annotated[float, Meta(ge=0, le=_YEAR_S)] | None = None
    timeout_s: Annotated[float, Meta(gt=0, le=_YEAR_S)] | None = None


class SignalWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run waits for."""

    value: Any = None  # Any: JSON, whatever the run expects


class QueuesPage(msgspec.Struct, frozen=True):
    """The queues in which there ever was a run."""

    queues: tuple[QueueView, ...]


async def list_workflows(call: Call) -> WorkflowsHere:
    """The names of the workflows that run on a project here."""
    return WorkflowsHere(tuple(name for name, each in workflows.discover().items() if runs_here(each)))


async def list_runs(call: Call) -> RunsPage:
    """One's own runs on the project; `?workflow=` and `?state=` choose some."""
    behind, limit = call.page()
    state = call.query.get("state", "")
    if state and state not in _STATES:
        raise UnknownName.among("state", state, _STATES)
    states = tuple(each for each in _STATES if each == state)
    page = Page(behind, limit, call.query.get("workflow", ""), states)
    found, more = await _durable(call).page(call.scope, page)
    return RunsPage(tuple(map(view, found)), written(more))


async def start(call: Call) -> RunView:
    """Queue a run on the project; the workflow's own right is checked. Who starts it is told when it has ended."""
    wish: RunWish = call.body
    root = (await project_of(call)).root
    await check_here(root)
    with unplaced(root):
        request = await asyncio.to_thread(placed_run, wish.workflow, wish.request, root, call.desk.app.settings)
    durable, run_id = _durable(call), ""
    if call.token is not None:
        now = call.desk.accounts.now()
        run_id, before = call.token.made(now)
        if (known := await _begun(call, before)) is not None and known.created_ms > (now - KEPT).timestamp() * 1000:
            return known
    options = StartOptions(wish.key, wish.priority, wish.delay_s, wish.timeout_s, tell=True, run_id=run_id)
    run_id = await durable.start(call.scope, wish.workflow, request, options)
    return view(await durable.show(call.scope, run_id))


async def _begun(call: Call, run_id: str) -> RunView | None:
    try:
        return view(await _durable(call).show(call.scope, run_id))
    except NotFound:
        return None


async def show_run(call: Call) -> RunView:
    """A run of one's own with its steps; the beginning or the end of its id is enough."""
    durable, run_id = _durable(call), await _named(call)
    return view(await durable.show(call.scope, run_id), await durable.steps(call.scope, run_id))


async def cancel(call: Call) -> RunView:
    """Stop a run of one's own, with the step that it is in."""
    return await _acted(call, _durable(call).cancel)


async def pause(call: Call) -> RunView:
    """Stop a run of one's own so that it can go on later."""
    return await _acted(call, _durable(call).pause)


async def resume(call: Call) -> RunView:
    """Let a stopped run of one's own go on."""
    return await _acted(call, _durable(call).resume)


async def retry(call: Call) -> RunView:
    """Let a failed run of one's own try again, from the step that failed."""
    return await _acted(call, _durable(call).retry)


async def send(call: Call) -> RunView:
    """Send a run of one's own the signal that it waits for."""
    run_id = await _named(call)
    ids = () if call.token is None else call.token.made(call.desk.accounts.now())
    await _durable(call).send(call.scope, run_id, call.path["signal"], call.body.value, ids=ids)
    return view(await _durable(call).show(call.scope, run_id))


async def count_own(call: Call) -> QueuesPage:
    """How the queues do, over one's own runs on the project."""
    return QueuesPage(queue_views(await _durable(call).counts(call.scope)))


async def count_all(call: Call) -> QueuesPage:
    """How the queues do, over everybody's runs."""
    return QueuesPage(queue_views(await _durable(call).counts_of_all(call.scope)))


async def _acted(call: Call, act: Callable[[Scope, str], Awaitable[None]]) -> RunView:
    run_id = await _named(call)
    await act(call.scope, run_id)
    return view(await _durable(call).show(call.scope, run_id))


async def _named(call: Call) -> str:
    return await named(_durable(call), call.scope, call.path["run"])


def _durable(call: Call) -> Durable:
    return call.desk.app.parts.workflows


_RUNS, _RUN = "/projects/{project}/runs", "/projects/{project}/runs/{run}"
_RIGHT, _WRITE = Right.WORKFLOW_RUN, RouteClass.WRITE


def _acting(name: str, handle: Callable[[Call], Awaitable[RunView]], about: str) -> Route:
    return Route(Method.POST, f"{_RUN}/{name}", _RIGHT, handle, about, Nothing, RunView, _WRITE)


ROUTES: tuple[Route, ...] = (
    Route(
        Method.GET,
        "/projects/{project}/workflows",
        Right.PROJECT_READ,
        list_workflows,
        "The workflows that run on a project",
        answer=WorkflowsHere,
    ),
    Route(
        Method.GET,
        _RUNS,
        _RIGHT,
        list_runs,
        "One's own runs on a project",
        answer=RunsPage,
        queries=("cursor", "limit", "workflow", "state"),
    ),
    Route(
        Method.POST,
        _RUNS,
        _RIGHT,
        start,
        "Start a workflow on a project",
        RunWish,
        RunView,
        RouteClass.RUN,
        201,
        once=True,
    ),
    Route(Method.GET, _RUN, _RIGHT, show_run, "A run with its steps", answer=RunView),
    _acting("cancel", cancel, "Stop a run"),
    _acting("pause", pause, "Stop a run for now"),
    _acting("resume", resume, "Let a stopped run go on"),
    _acting("retry", retry, "Let a failed run try again"),
    Route(
        Method.POST,
        f"{_RUN}/signals/{{signal}}",
        _RIGHT,
        send,
        "Send a run a signal",
        SignalWish,
        RunView,
        _WRITE,
        once=True,
    ),
    Route(
        Method.GET, "/projects/{project}/jobs", _RIGHT, count_own, "How one's own runs do, by queue", answer=QueuesPage
    ),
    Route(Method.GET, "/jobs", Right.ADMINISTER, count_all, "How the queues do", answer=QueuesPage),
)
"""The routes about durable work."""
