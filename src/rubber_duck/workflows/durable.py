"""The front of durable work: starts workflows, says how they do, stops them and lets them go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
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
from rubber_duck.workflows.hindrances import with_hindrances
from rubber_duck.workflows.library import Library
from rubber_duck.workflows.moves import Chores, Followers, Move
from rubber_duck.workflows.options import Page, StartOptions
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
from rubber_duck.workflows.store import executors, runs, signals, stopping
from rubber_duck.workflows.store.holding import edition
from rubber_duck.workflows.store.runs import RunRow, Which
from rubber_duck.workflows.store.stopping import GoingOn
from rubber_duck.workflows.store.tables import FAILED, PAUSED
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
        self.refused_schedules: dict[str, str] = {}
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
            whose = (run_id, scope.actor.id, scope.project)
            row = RunRow(*whose, name, workflow.version, workflow.queue, self.now(), parent, key)
            tells = None if not (chosen.tell or chosen.tell_failures) else not chosen.tell
            run = Waiting(row, envelope, chosen.priority, most, more, tells)
            return partial(self._queuing.put, library=library, run=run)

        return enqueue

    async def runs(
        self, scope: Scope, *, workflow: str = "", queue: str = "", states: Collection[State] = (), limit: int = 50
    ) -> list[RunStatus]:
        """The scope's runs, newest first; of one workflow, in one queue, or in some states only."""
        which = Which(None, workflow, queue, statuses_of(states), paused_of(states), "", limit)
        return await self._hindered(await self._runs(scope, which))

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
        behind = found[page.limit - 1].id if len(found) > page.limit else ""
        return await self._hindered(found[: page.limit]), behind

    async def show(self, scope: Scope, run_id: str) -> RunStatus:
        """One run of the scope; NotFound for another's."""
        found = await self._runs(scope, Which([run_id]))
        if not found:
            raise NotFound(f"there is no run {run_id!r}; `duck workflow list` shows yours")
        return (await self._hindered(found))[0]

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
        now_ms = self._now_ms()
        rows = await self.database.run(partial(runs.counts, scope=scope, status=library.tables.status), write=False)
        since = now_ms - _THROUGHPUT_MS
        finished = await self.database.run(
            partial(runs.finished_since, scope=scope, status=library.tables.status, since_ms=since), write=False
        )
        return queue_counts(rows, finished, now_ms)

    async def cancel(self, scope: Scope, run_id: str, *, why: str = "cancelled") -> None:
        """Stop a run and what it started, the steps that work now too; Conflict when it has ended already."""
        found = await self.show(scope, run_id)
        if found.state in ENDED:
            raise Conflict(f"the run {run_id!r} has ended already: it is {found.state}")
        theirs = (await self.library()).tables
        stop = partial(stopping.stop, theirs=theirs, run_id=run_id, why=why, now_ms=self._now_ms())
        await self._acted(scope, await self.database.run(stop))

    async def pause(self, scope: Scope, run_id: str) -> None:
        """Stop a run and what it started so that `resume` lets them go on from the steps they were in."""
        await self.cancel(scope, run_id, why=PAUSED)

    async def resume(self, scope: Scope, run_id: str) -> None:
        """Let a paused, cancelled or given-up run go on, with what it started.

        Raises Conflict for one that works, waits or ended, whose key is taken, whose parent is cancelled, or that has
        done steps of a version which no process has any more.
        """
        found = await self.show(scope, run_id)
        if found.state not in ("paused", "cancelled", "dead"):
            raise Conflict(f"the run {run_id!r} cannot go on: it is {found.state}")
        rows = await self._family(scope, found)
        await self._go_on(scope, [GoingOn(each) for each in stopping.going_on(rows)])

    async def retry(self, scope: Scope, run_id: str) -> None:
        """Let a failed run try again from the first step that failed or was undone; what came before is remembered.

        What it started and failed, or was stopped, tries again too; what it will start anew is left to itself, and
        belongs to it no more. Raises Conflict as `resume` does.
        """
        found = await self.show(scope, run_id)
        if found.state not in ("failed", "dead"):
            raise Conflict(f"the run {run_id!r} has not failed: it is {found.state}")
        rows = await self._family(scope, found)
        failed = [row.id for row in rows if row.status == FAILED]
        going = [GoingOn(each, first_to_repeat(await self.steps(scope, each))) for each in failed]
        await self._go_on(scope, [*going, *(GoingOn(each) for each in stopping.going_on(rows))])

    async def send(self, scope: Scope, run_id: str, signal: str, value: object, *, ids: Sequence[str] = ()) -> None:
        """Send a signal to a run, which need not wait for its first one yet; nothing if one of `ids` was sent already.

        The first of the ids becomes the signal's own. Raises Conflict when the run is done, has not heard the last one
        of that name yet, or has heard one and does not wait for it now: a doubled answer is none to its next question.
        """
        found = await self.show(scope, run_id)
        if found.state == "done":  # any other may go on, or try again
            raise Conflict(f"the run {run_id!r} is done, and hears no signal any more")
        library, names = await self.library(), tuple(ids) or (str(new_key()),)

        def sent(connection: Connection) -> None:
            known = [f"{name}::{run_id}" for name in names]  # as DBOS makes them
            if signals.is_to_be_sent(connection, library.tables, run_id, signal, known):
                library.client.send_in_transaction(connection, run_id, value, signal, names[0])

        await self.database.run(sent)

    async def follow(self, scope: Scope, run_id: str, *, until_ended: bool = False) -> AsyncIterator[RunStatus]:
        """How the run does, whenever that has changed, until it has ended, or unless `until_ended` was paused."""
        last: RunStatus | None = None
        while True:
            found = await self.show(scope, run_id)
            if found != last:
                yield found
            if found.state in ENDED or (found.state == "paused" and not until_ended):
                return
            last = found
            await asyncio.sleep(_FOLLOW_S)

    async def answer(
        self, scope: Scope, run_id: str, *, until_ended: bool = False
    ) -> Any:  # Any: builtins of the workflow's own shape
        """What the run came to, when it has ended; raises what it failed with, or that it was paused."""
        async for status in self.follow(scope, run_id, until_ended=until_ended):
            found = status
        if found.state != "done":
            raise failure_of(found)
        return found.answer

    async def _family(self, scope: Scope, found: RunStatus) -> Sequence[Any]:  # Any: rows of `stopping.family`
        """The run, which is to go on, and what it started; Conflict when it cannot."""
        parents = await self._runs(scope, Which([found.parent])) if found.parent is not None else []
        over = next((each.state for each in parents if each.state in ("cancelled", "failed", "dead")), None)
        if over is not None:  # it would be stopped again at once
            raise Conflict(f"the run {found.id!r} belongs to {found.parent!r}, which is {over}: let that go on")
        library = await self.library()
        work = partial(stopping.family, theirs=library.tables, run_id=found.id)
        rows = await self.database.run(work, write=False)
        living = await self.database.run(executors.living, write=False)
        known = {edition(name, each.version) for name, each in workflows.discover().items()}
        if rows[0].edition not in known.union(*(each.editions for each in living)) and await self.steps(
            scope, found.id
        ):
            raise Conflict(
                f"the run {found.id!r} has done steps of version {found.version} of {found.workflow!r}, "
                "which no process has any more: start it anew"
            )
        return rows

    async def _go_on(self, scope: Scope, going: Sequence[GoingOn]) -> None:
        theirs = (await self.library()).tables
        work = partial(stopping.go_on, theirs=theirs, going=going, now_ms=self._now_ms())
        await self._acted(scope, await self.database.run(work))

    async def _acted(self, scope: Scope, run_ids: Sequence[str]) -> None:
        for found in await self._runs(scope, Which(run_ids, limit=len(run_ids))):
            self.wake(found.workflow)
            await self.moved(
                Move(found.id, found.workflow, scope.actor.id, scope.project, found.state, found.done, found.total)
            )

    def _now_ms(self) -> int:
        return round(self.now().timestamp() * 1000)

    async def _chore(self) -> None:
        await self.followers.chore()

    async def _runs(self, scope: Scope, which: Which) -> list[RunStatus]:
        library = await self.library()
        work = partial(runs.runs_of, scope=scope, theirs=library.tables, which=which)
        return [status_of(row) for row in await self.database.run(work, write=False)]

    async def _hindered(self, found: Sequence[RunStatus]) -> list[RunStatus]:
        return await with_hindrances(self.database, (await self.library()).tables, found)

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
