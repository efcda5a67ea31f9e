"""The front of durable work: starts workflows, says how they do, stops them and lets them go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from rubber_duck import fault, telemetry
from rubber_duck.errors import Conflict, InvalidInput, LimitExceeded, NotFound, UnknownName
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import Settings
from rubber_duck.settings.tree import QueueSettings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.keys import new_key
from rubber_duck.workflows.library import Library
from rubber_duck.workflows.moves import Chores, Followers, Move
from rubber_duck.workflows.queuing import LEVELS, Queuing, Waiting
from rubber_duck.workflows.states import ENDED, State
from rubber_duck.workflows.status import (
    QueueCount,
    RunStatus,
    StepStatus,
    failure_of,
    first_to_repeat,
    paused_of,
    queue_counts,
    status_of,
    statuses_of,
    step_statuses,
)
from rubber_duck.workflows.store import runs
from rubber_duck.workflows.store.runs import RunRow, Which
from rubber_duck.workflows.taking import Taking
from rubber_duck.workflows.workflow import QUEUES, parsed, workflows


class Resolve(Protocol):
    """From ids and a trace to what an actor may do now; Denied for somebody unknown or revoked, or whose key was."""

    async def __call__(self, actor: str, project: UUID | None, trace: str, key: str = "") -> Scope: ...


Enqueue = Callable[[Connection], None]
"""Queues one run within the transaction of the connection."""

_INPUT_BYTES: Final = 5_000_000
_FOLLOW_S: Final = 0.2
_THROUGHPUT_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class StartOptions:
    """How a run is queued. Of two with one `key`, the second is a Conflict until the first has ended.

    `priority` is from 1 (first) to 100; `delay_s` seconds pass before it may begin; it is cancelled after
    `timeout_s`. With `tell` the actor is told when it has ended, with `tell_failures` only when it failed. `run_id` is
    the id that it is to have, "" for a new one: a run that has it already is that run, and is not queued again.
    """

    key: str = ""
    priority: int = 10
    delay_s: float | None = None
    timeout_s: float | None = None
    tell: bool = False
    tell_failures: bool = False
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of runs: so many behind the run `behind`; of one workflow, in some states, if they are named."""

    behind: str = ""
    limit: int = 50
    workflow: str = ""
    states: Collection[State] = ()


class Durable:
    """Durable work over one database. DBOS is imported and connected when something is asked for the first time."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        resolve: Resolve,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        unknown = next((name for name in settings.workflows.queues if name not in QUEUES), None)
        if unknown is not None:
            raise UnknownName.among("queue", unknown, QUEUES, where=" (in [workflows.queues] of duck.toml)")
        self.database = database
        self.settings = settings
        self.resolve = resolve
        self.now = now
        self.clock = clock
        self.hands: object = None
        self.taking: Taking | None = None
        self._queuing = Queuing()
        self.followers = Followers()
        self.chores = Chores(self._chore, settings.workflows.heartbeat_s)
        self._library: Library | None = None
        self._opening = asyncio.Lock()

    def lend(self, hands: object, followers: Followers | None = None) -> None:
        """Give what the steps of workflows touch, and who follows runs; before anything is worked on."""
        self.hands = hands
        self.followers = followers or self.followers

    async def moved(self, move: Move) -> None:
        """Tell who follows, and look at once for whom an end is to be told."""
        await self.followers.told(move)
        if move.state in ENDED:
            self.chores.poke()

    async def library(self) -> Library:
        """DBOS, imported and connected now."""
        async with self._opening:
            if self._library is None:
                self._library = await Library.open(self.settings.database)
            return self._library

    async def start(self, scope: Scope, name: str, request: object, options: StartOptions | None = None) -> str:
        """Queue a run of the workflow `name`; its id, once both our row and DBOS's are durable.

        Raises UnknownName, InvalidInput, Denied, Conflict for a key that is taken, LimitExceeded for a full queue.
        """
        run_id = (options and options.run_id) or str(new_key())
        enqueue = await self.enqueuing(scope, name, request, run_id=run_id, options=options)
        await (await self.library()).commit(self.database, enqueue)
        fault.point("workflow.after_enqueue")
        self.wake(name)
        telemetry.emit("workflow.queued", workflow=name, run=run_id)
        await self.moved(Move(run_id, name, scope.actor.id, scope.project, "waiting"))
        return run_id

    def wake(self, name: str) -> None:
        """If this process works, let it look for the run of the workflow `name` that was queued just now."""
        if self.taking is not None:
            self.taking.wake(workflows.discover()[name].queue)

    async def enqueuing(
        self,
        scope: Scope,
        name: str,
        request: object,
        *,
        run_id: str,
        options: StartOptions | None = None,
        parent: str | None = None,
    ) -> Enqueue:
        """What queues a run within somebody's transaction, so that their row and the run come to be together."""
        return (await self.prepared(scope, name, request, options=options, parent=parent))(run_id)

    async def prepared(
        self,
        scope: Scope,
        name: str,
        request: object,
        *,
        options: StartOptions | None = None,
        parent: str | None = None,
    ) -> Callable[[str], Enqueue]:
        """As `enqueuing`, from the id of the run, which is known later. Everything is checked now."""
        library = await self.library()
        workflow = workflows.discover()[name]
        scope.require(workflow.right)
        envelope = {
            "workflow": name,
            "actor": scope.actor.id,
            "project": None if scope.project is None else str(scope.project),
            "rights": sorted(scope.rights),
            "trace": scope.trace,
            "key": scope.key,
            "request": msgspec.to_builtins(parsed(workflow, request)),
        }
        if (size_bytes := len(msgspec.json.encode(envelope))) > _INPUT_BYTES:
            raise LimitExceeded(
                f"the request for the workflow {name!r} has {size_bytes:,} bytes as JSON, and a run is given at most "
                f"{_INPUT_BYTES:,}: ask for less at once"
            )
        chosen = options or StartOptions()
        if not 1 <= chosen.priority <= LEVELS:
            raise InvalidInput(f"the priority is {chosen.priority}; it goes from 1 (first) to {LEVELS}")
        key = f"{scope.actor.id}/{scope.project or ''}/{name}/{chosen.key}" if chosen.key else None
        more = {"delay_seconds": chosen.delay_s, "workflow_timeout": chosen.timeout_s, "deduplication_id": key}
        most = self.settings.workflows.queues.get(workflow.queue, QueueSettings()).most_waiting

        def enqueue(run_id: str) -> Enqueue:
            row = RunRow(
                run_id, scope.actor.id, scope.project, name, workflow.version, workflow.queue, self.now(), parent
            )
            tells = None if not (chosen.tell or chosen.tell_failures) else not chosen.tell
            run = Waiting(row, envelope, chosen.priority, most, more, tells)
            return partial(self._queuing.put, library=library, run=run)

        return enqueue

    async def runs(
        self, scope: Scope, *, workflow: str = "", queue: str = "", states: Collection[State] = (), limit: int = 50
    ) -> list[RunStatus]:
        """The scope's runs, newest first; of one workflow, in one queue, or in some states only."""
        return await self._runs(scope, Which(None, workflow, queue, statuses_of(states), paused_of(states), "", limit))

    async def page(self, scope: Scope, page: Page) -> tuple[list[RunStatus], str]:
        """A page of the scope's runs, newest first, and the `behind` of the next one, "" at the end."""
        which = Which(
            workflow=page.workflow,
            statuses=statuses_of(page.states),
            paused=paused_of(page.states),
            behind=page.behind,
            limit=page.limit + 1,
        )
        found = await self._runs(scope, which)
        return found[: page.limit], found[page.limit - 1].id if len(found) > page.limit else ""

    async def show(self, scope: Scope, run_id: str) -> RunStatus:
        """One run of the scope; NotFound for another's."""
        found = await self._runs(scope, Which([run_id]))
        if not found:
            raise NotFound(f"there is no run {run_id!r}; `duck workflow list` shows yours")
        return found[0]

    async def steps(self, scope: Scope, run_id: str) -> list[StepStatus]:
        """What the run has done, in order, with the time each step took."""
        await self.show(scope, run_id)
        library = await self.library()
        return step_statuses(await library.call(lambda: library.client.list_workflow_steps(run_id)))

    async def counts(self, scope: Scope) -> list[QueueCount]:
        """How many of the scope's runs wait, work, ended and failed, by queue."""
        return await self._counts(scope)

    async def counts_of_all(self, scope: Scope) -> list[QueueCount]:
        """As `counts` over the runs of everybody; Denied for who does not operate the server."""
        scope.require(Right.ADMINISTER)
        return await self._counts(None)

    async def _counts(self, scope: Scope | None) -> list[QueueCount]:
        library = await self.library()
        now_ms = round(self.now().timestamp() * 1000)
        rows = await self.database.run(partial(runs.counts, scope=scope, status=library.tables.status), write=False)
        since = now_ms - _THROUGHPUT_MS
        finished = await self.database.run(
            partial(runs.finished_since, scope=scope, status=library.tables.status, since_ms=since), write=False
        )
        return queue_counts(rows, finished, now_ms)

    async def cancel(self, scope: Scope, run_id: str, *, why: str = "cancelled") -> None:
        """Stop a run, the step that works now too; Conflict when it has ended already."""
        found = await self.show(scope, run_id)
        if found.state in ENDED:
            raise Conflict(f"the run {run_id!r} has ended already: it is {found.state}")
        library = await self.library()
        await self.database.run(partial(runs.set_stopped, run_id=run_id, why=why))
        await library.call(lambda: library.client.cancel_workflow(run_id))
        await self._acted(scope, run_id)

    async def pause(self, scope: Scope, run_id: str) -> None:
        """Stop a run so that `resume` lets it go on from the step it was in."""
        await self.cancel(scope, run_id, why="paused")

    async def resume(self, scope: Scope, run_id: str) -> None:
        """Let a paused, cancelled or given-up run go on; Conflict for one that works, waits or ended."""
        found = await self.show(scope, run_id)
        if found.state not in ("paused", "cancelled", "dead"):
            raise Conflict(f"the run {run_id!r} cannot go on: it is {found.state}")
        library = await self.library()
        await self.database.run(partial(runs.set_stopped, run_id=run_id, why=""))
        await library.call(lambda: library.client.resume_workflow(run_id, queue_name=found.queue))
        await self.database.run(partial(runs.watch_again, run_id=run_id))  # not before: its old end would count
        await self._acted(scope, run_id)

    async def retry(self, scope: Scope, run_id: str) -> None:
        """Let a failed run try again from the first step that failed or was undone; what came before is remembered."""
        found = await self.show(scope, run_id)
        if found.state == "dead":
            await self.resume(scope, run_id)
            return
        if found.state != "failed":
            raise Conflict(f"the run {run_id!r} has not failed: it is {found.state}")
        library = await self.library()
        steps = step_statuses(await library.call(lambda: library.client.list_workflow_steps(run_id)))
        first = first_to_repeat(steps)
        await library.call(lambda: library.client.rewind_workflow(run_id, start_step=first, queue_name=found.queue))
        await self.database.run(partial(runs.watch_again, run_id=run_id))  # as in `resume`
        await self._acted(scope, run_id)

    async def send(self, scope: Scope, run_id: str, signal: str, value: object) -> None:
        """Send a signal to a run, which need not wait for it yet."""
        await self.show(scope, run_id)
        library = await self.library()
        await library.call(lambda: library.client.send(run_id, value, signal))

    async def follow(self, scope: Scope, run_id: str) -> AsyncIterator[RunStatus]:
        """How the run does, whenever that has changed, until it has ended or was stopped."""
        last: RunStatus | None = None
        while True:
            found = await self.show(scope, run_id)
            if found != last:
                yield found
            if found.state in ENDED or found.state == "paused":
                return
            last = found
            await asyncio.sleep(_FOLLOW_S)

    async def answer(self, scope: Scope, run_id: str) -> Any:  # Any: builtins of the workflow's own shape
        """What the run came to, when it has ended; raises what it failed with."""
        found = [status async for status in self.follow(scope, run_id)][-1]
        if found.state != "done":
            raise failure_of(found)
        return found.answer

    async def _acted(self, scope: Scope, run_id: str) -> None:
        found = await self.show(scope, run_id)
        await self.moved(
            Move(run_id, found.workflow, scope.actor.id, scope.project, found.state, found.done, found.total)
        )

    async def _chore(self) -> None:
        await self.followers.chore()

    async def _runs(self, scope: Scope, which: Which) -> list[RunStatus]:
        library = await self.library()
        work = partial(runs.runs_of, scope=scope, theirs=library.tables, which=which)
        return [status_of(row) for row in await self.database.run(work, write=False)]

    async def close(self) -> None:
        """Let go of DBOS."""
        if self._library is not None:
            library, self._library = self._library, None
            await library.close()


@asynccontextmanager
async def open_durable(
    database: Database, settings: Settings, *, resolve: Resolve, now: Callable[[], datetime]
) -> AsyncIterator[Durable]:
    """Durable work, closed at the end of the block."""
    durable = Durable(database, settings, resolve=resolve, now=now)
    try:
        yield durable
    finally:
        await durable.close()
