"""A process that works through the queues: carries runs out, beats, reaps, and starts what is due."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from rubber_duck import telemetry
from rubber_duck.errors import DuckError, InvalidDeclaration, StruckOff, UnknownName, normalize
from rubber_duck.scope import Actor, Right, Scope, new_trace
from rubber_duck.settings.tree import ScheduleSettings
from rubber_duck.storage.database import Connection
from rubber_duck.storage.keys import new_key
from rubber_duck.workflows.clearing import Clearing
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.endings import Endings
from rubber_duck.workflows.holding import Holdings
from rubber_duck.workflows.keeper import Child, Running
from rubber_duck.workflows.library import Taker, owner_of
from rubber_duck.workflows.moves import Move, WaitsFor
from rubber_duck.workflows.options import StartOptions
from rubber_duck.workflows.recovery import Recovery
from rubber_duck.workflows.run import Run
from rubber_duck.workflows.schedules import Clockwork, Prepared, check_cron
from rubber_duck.workflows.states import State
from rubber_duck.workflows.store import effects, runs, signals, steps
from rubber_duck.workflows.store.effects import EffectPlace
from rubber_duck.workflows.store.executors import Executor
from rubber_duck.workflows.store.holding import edition, is_waiting, require_owner
from rubber_duck.workflows.suspects import Suspects
from rubber_duck.workflows.taking import Taking
from rubber_duck.workflows.whereabouts import own_place
from rubber_duck.workflows.workflow import Workflow, parsed, workflows

T = TypeVar("T")

_OWNER: Final = "local"


class Worker:
    """Carries runs out on this event loop. One in a process."""

    def __init__(
        self,
        durable: Durable,
        holdings: Holdings,
        endings: Endings,
        *,
        excuse: Callable[[str], None],
        gets_on: Callable[[str], None],
    ) -> None:
        self._durable = durable
        self._holdings = holdings
        self._endings = endings
        self.excuse = excuse
        self.gets_on = gets_on

    async def carry_out(self, envelope: dict[str, Any]) -> Any:  # Any: builtins of the workflow's own shape
        """One run from its beginning, or from where it was; raises what it fails with, after undoing what it did."""
        from dbos import DBOS  # noqa: PLC0415  # loaded long since when this is called

        workflow = workflows.discover()[envelope["workflow"]]
        project = None if envelope["project"] is None else UUID(envelope["project"])
        run_id = DBOS.workflow_id or ""
        with telemetry.correlated(envelope["trace"]):
            asked_with = frozenset(map(Right, envelope["rights"]))
            actor, key = Actor(envelope["actor"], envelope["actor"]), envelope.get("key", "")
            scope = Scope(actor, project, frozenset(), envelope["trace"], key)
            hands = self._durable.hands
            run = Run(run_id, workflow.name, workflow.version, workflow.right, scope, hands, self, asked_with)
            try:
                work = self._run(workflow, envelope["request"], run)
                return await self._holdings.held(run_id, owner_of(run_id), work)
            finally:
                self._endings.expect([run_id])

    async def _run(self, workflow: type[Workflow[Any, Any]], raw: object, run: Run) -> Any:  # Any: as above
        telemetry.emit("workflow.started", workflow=workflow.name, run=run.id)
        telemetry.count("workflow.runs", 1, workflow=workflow.name)
        await self._moved(run, "working")
        try:
            answer = await workflow().run(parsed(workflow, raw), run)
        except Exception as error:  # noqa: BLE001  # the border: whatever a workflow raises is kept as ours
            known = normalize(error)
            telemetry.emit("workflow.failed", workflow=workflow.name, run=run.id, code=known.code, error=known.message)
            await run.undo_all()
            raise known  # noqa: B904  # normalize set the cause
        telemetry.emit("workflow.finished", workflow=workflow.name, run=run.id)
        return msgspec.to_builtins(answer)

    async def _moved(self, run: Running, state: State, **how: Any) -> None:  # Any: as Move has them
        scope = run.scope
        await self._durable.moved(Move(run.id, run.workflow, scope.actor.id, scope.project, state, **how))

    # What a run needs: `run.Keeper`.

    async def scope_of(self, scope: Scope) -> Scope:
        """What the actor may do now; Denied once that is nothing."""
        return await self._durable.resolve(scope.actor.id, scope.project, scope.trace, scope.key)

    async def keep_progress(self, run: Running, done: int, total: int, note: str) -> None:
        """Keep how far a run is."""
        await self._durable.database.run(partial(runs.set_progress, run_id=run.id, done=done, total=total, note=note))
        await self._moved(run, "working", done=done, total=total, note=note)

    async def check_writable(self, run_id: str) -> None:
        """StorageUnavailable unless the database can be written."""
        await self._durable.database.run(partial(runs.touch, run_id=run_id))

    async def begin_wait(self, place: EffectPlace) -> str:
        """Keep that a run waits there for a signal; a key of this wait, the same one when it is begun again."""
        theirs, now = (await self._durable.library()).tables, self._durable.now()
        begin = partial(signals.begin_wait, theirs=theirs, place=place, key=str(new_key()), now=now)
        return await self._written(place, begin)

    async def waits_for(self, run: Running, signal: str, key: str) -> None:
        """Tell whose run it is that it waits for them."""
        actor, project = run.scope.actor.id, run.scope.project
        await self._durable.followers.asked(WaitsFor(run.id, run.workflow, actor, project, signal, key))

    async def step_result(self, key: str) -> list[Any] | None:  # Any: builtins of the step's own shape
        """What a step of that content returned before."""
        found = await self._durable.database.run(partial(steps.step_result, key=key), write=False)
        return found if isinstance(found, list) else None

    async def keep_step_result(self, key: str, result: list[Any]) -> None:  # Any: as above
        """Keep what a step of that content returned."""
        work = partial(steps.keep_step_result, key=key, result=result, now=self._durable.now())
        await self._durable.database.run(work)

    async def do_once(self, place: EffectPlace, work: Callable[[Connection], Any]) -> Any:  # Any: as above
        """Do `work` in a transaction with the note that it was done, or tell what it came to before."""
        noting = partial(effects.done_once, place=place, work=work, now=self._durable.now())
        return await self._written(place, noting)

    async def undo_once(self, place: EffectPlace, work: Callable[[Connection], Any]) -> None:  # Any: ignored
        """Undo what was done there, in a transaction with forgetting that it was; nothing when it was not."""
        await self._written(place, partial(effects.undone_once, place=place, work=work))

    async def _written(self, place: EffectPlace, work: Callable[[Connection], T]) -> T:
        """Write for a run as long as this execution owns it; raises CancelledError when it does no longer."""
        status, owner = (await self._durable.library()).tables.status, owner_of(place.run)

        def fenced(connection: Connection) -> T:
            require_owner(connection, status, place.run, owner)
            return work(connection)

        try:
            return await self._durable.database.run(fenced)
        except StruckOff as error:
            telemetry.emit("workflow.abandoned", run=place.run, error=error.message)
            raise asyncio.CancelledError from error

    def check_child(self, parent: str, child: str) -> None:
        """InvalidDeclaration unless the workflow `parent` declares that it starts others in the queue of `child`."""
        known = workflows.discover()
        queue = known[child].queue
        if queue not in known[parent].starts_in:
            raise InvalidDeclaration(
                f"the workflow {parent!r} does not declare that it starts others in the queue {queue!r}, "
                f"where {child!r} waits; write it into `starts_in`, or give one of them another queue"
            )

    async def start_child(self, scope: Scope, child: Child) -> str:
        """Queue another run, once; its id."""
        enqueuing = await self._durable.prepared(scope, child.name, child.request, parent=child.parent)

        def begin(connection: Connection) -> str:
            run_id = runs.child_id(connection, child.parent, child.number)
            enqueuing(run_id)(connection)
            return run_id

        run_id = await self._durable.database.run(begin)
        self._durable.wake(child.name)
        return run_id

    async def ended(self, scope: Scope, run_id: str) -> object:
        """Wait for a run's answer, also while it is paused."""
        return await self._durable.answer(scope, run_id, until_ended=True)

    def now(self) -> float:
        """Seconds from any point."""
        return self._durable.clock()


@asynccontextmanager
async def working(
    durable: Durable, *, executor_id: str | None = None, standing: Mapping[str, ScheduleSettings] | None = None
) -> AsyncIterator[Callable[[], Any]]:
    """Work through the queues until the block ends; yields what waits until working fails: with StruckOff when fenced.

    Runs that work when it ends go on in another process, or at the next start. `standing` are schedules beside those
    of the settings, which take the place of one of the same name.
    """
    library = await durable.library()
    editions = frozenset(edition(name, each.version) for name, each in workflows.discover().items())
    executor = Executor(executor_id or str(new_key()), editions, 0, own_place())
    settings = durable.settings.workflows
    endings = Endings(durable.database, library.tables, durable.moved)
    recovery = Recovery(durable.database, library, settings, executor, clock=durable.clock, now=durable.now)
    recovery.orphaned = partial(endings.expect, stopped=True)
    clockwork = await _clockwork(durable, {**(standing or {}), **settings.schedules})
    clearing = Clearing(durable.database, library, settings.keep_days, now=durable.now, hands=durable.hands)
    holdings = Holdings(durable.database, library.tables, executor)
    suspects = Suspects(settings.attempts)
    await recovery.register()
    try:
        worker = Worker(durable, holdings, endings, excuse=recovery.excuse, gets_on=suspects.gets_on)
        await library.launch(settings, executor.id, worker.carry_out)
        try:
            taker = Taker(executor, suspects, endings.expect, partial(_is_waiting, durable))
            queues = await library.queues(settings, taker)
            durable.taking = Taking(queues, poll_s=settings.poll_s, chance=random.random)
            beside = {
                "heartbeat": recovery.keep_beating,
                "reaper": recovery.keep_reaping,
                "schedules": clockwork.keep,
                "taking": durable.taking.keep,
                "holding": holdings.keep,
                "endings": endings.keep,
                "chores": durable.chores.keep,
                "clearing": clearing.keep,
            }
            async with _kept(beside) as failed:
                yield failed
        finally:
            durable.taking = None
            await holdings.let_go()
            await library.stop()
            await endings.look()
    finally:
        await recovery.leave()


async def _is_waiting(durable: Durable, queue: str) -> bool:
    status = (await durable.library()).tables.status
    return await durable.database.run(partial(is_waiting, status=status, queue=queue), write=False)


async def working_while(durable: Durable, doing: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `doing` comes to, while this process works; when others took it for dead meanwhile, it begins anew."""
    task: asyncio.Task[T] | None = None
    try:
        while task is None or not task.done():
            try:
                async with working(durable) as failed:
                    task = task or asyncio.create_task(doing(), name="doing")
                    await _either(task, failed())
            except StruckOff:
                continue  # which is told already
        return task.result()
    finally:
        if task is not None:
            await _ended([task])


@asynccontextmanager
async def _kept(beside: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]) -> AsyncIterator[Callable[[], Any]]:
    """Each in a task of its own, all ended when one fails; yields what waits for that, and raises what it failed with.

    A process that was taken for dead must do nothing more, least of all take runs.
    """
    tasks = [asyncio.create_task(keep(), name=name) for name, keep in beside.items()]
    keeping = asyncio.create_task(_until_one_fails(tasks), name="keeping")

    async def failed() -> None:
        await asyncio.shield(keeping)

    try:
        yield failed
    finally:
        await _ended([keeping])


async def _until_one_fails(tasks: Sequence[asyncio.Task[None]]) -> None:
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await _ended(tasks)
    for task in done:
        task.result()


async def _either(task: asyncio.Task[Any], failing: Coroutine[Any, Any, None]) -> None:  # Any: ignored
    """Until the task has ended, however, or working fails, which is raised."""
    other = asyncio.create_task(failing, name="failing")
    try:
        await asyncio.wait((task, other), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            other.result()
    finally:
        await _ended([other])


async def _ended(tasks: Sequence[asyncio.Task[Any]]) -> None:  # Any: ignored
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _clockwork(durable: Durable, schedules: Mapping[str, ScheduleSettings]) -> Clockwork:
    """The clock of those that can be started; one that cannot is told, and stops nothing else."""
    prepared: dict[str, Prepared] = {}
    durable.refused_schedules = {}
    for name, each in schedules.items():
        try:
            prepared[name] = await _prepared(durable, name, each)
        except DuckError as error:
            if error.retryable:  # that passes: whoever starts this process tries again
                raise
            telemetry.emit("workflow.schedule_refused", schedule=name, error=error.message)
            durable.refused_schedules[name] = error.message
    fires = {name: schedules[name] for name in prepared}
    return Clockwork(durable.database, fires, prepared, now=durable.now)


async def _prepared(durable: Durable, name: str, schedule: ScheduleSettings) -> Prepared:
    check_cron(name, schedule.cron)
    known = workflows.discover()
    if schedule.workflow not in known:
        raise UnknownName.among("workflow", schedule.workflow, known, where=f" (in [workflows.schedules.{name}])")
    scope = await durable.resolve(_OWNER, None, new_trace())
    options = StartOptions(key=f"schedule/{name}", tell_failures=True)
    return await durable.prepared(scope, schedule.workflow, dict(schedule.request), options=options)
