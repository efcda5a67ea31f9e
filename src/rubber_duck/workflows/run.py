"""What a running workflow holds: its scope, and the ways to do something once, side by side, later, or undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Generic, TypeVar

import msgspec
from dbos import DBOS
from dbos import error as errors_of_dbos

from rubber_duck import fault, telemetry
from rubber_duck.errors import (
    DuckError,
    InvalidDeclaration,
    InvalidInput,
    StorageUnavailable,
    TimedOut,
    normalize,
)
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.border import translated
from rubber_duck.storage.database import Connection
from rubber_duck.workflows.codec import own
from rubber_duck.workflows.keeper import Child, Keeper
from rubber_duck.workflows.patience import patiently
from rubber_duck.workflows.retries import ONCE, Retries
from rubber_duck.workflows.status import START, UNDO
from rubber_duck.workflows.store.effects import EffectPlace
from rubber_duck.workflows.store.signals import WAIT
from rubber_duck.workflows.store.steps import key_of
from rubber_duck.workflows.waits import only_wait, reserved_wait, tell_of_wait

T = TypeVar("T")

Tell = Callable[[int, int, str], None]
"""Called with what is done, of how much (0: not known), and what is being done."""

Doing = Callable[[], Awaitable[Any]]  # Any: builtins
"""What DBOS does once, as a step."""

_PROGRESS_S: Final = 1.0
_RESTS_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Step(Generic[T]):
    """Something to be done once. `returns` is the type of its result, which is kept as JSON.

    `undo` gets the result when a later step fails for good; a retry of the run then begins with the first step that was
    undone. With a `cache` key, which is to name the content it reads, the result of an earlier step of that key, name
    and project is taken instead of doing it again; so a step that can be undone has none, or InvalidDeclaration.
    """

    name: str
    work: Callable[[], Awaitable[T]]
    returns: Any  # Any: a type, or a union of types
    retries: Retries = ONCE
    timeout_s: float | None = None
    undo: Callable[[T], Awaitable[None]] | None = None
    cache: str = ""

    def __post_init__(self) -> None:
        _refuse_own("step", self.name, {UNDO: "undoing", START: "starting another run"})
        if self.undo is not None and self.cache:
            raise InvalidDeclaration(f"the step {self.name!r} cannot be both undone and cached")


@dataclass(frozen=True, slots=True)
class Effect(Generic[T]):
    """Something to be done once in the database: what `work` writes, and that it was done, are one transaction.

    So it happens once, at whatever moment a process is killed, or taken for dead and woken. `work` uses synchronous
    SQLAlchemy Core and may touch nothing beside the connection: it is called again when the commit failed. `undo` gets
    the result when a later step fails for good.
    """

    name: str
    work: Callable[[Connection], T]
    returns: Any  # Any: a type, or a union of types
    undo: Callable[[Connection, T], None] | None = None

    def __post_init__(self) -> None:
        _refuse_own("effect", self.name, {UNDO: "undoing", START: "starting another run", WAIT: "waiting"})


class _Start(Step[str]):
    def __post_init__(self) -> None:
        """The name is ours."""


@dataclass(slots=True)
class Run:
    """One run of a workflow. `hands` is what the application lent to workflows: whatever their steps touch.

    `asked_with` are the rights that whoever started it had then; `scope` has those of them that are left now.
    """

    id: str
    workflow: str
    version: int
    right: Right
    scope: Scope
    hands: object
    keeper: Keeper
    asked_with: frozenset[Right]
    _undos: list[tuple[str, Callable[[Any], Awaitable[None]], Any]] = field(default_factory=list)
    _told_at: float = 0.0
    _children: int = 0
    _found_away: bool = False
    _waits: set[str] = field(default_factory=set)

    async def step(self, step: Step[T]) -> T:
        """The result of `step`, done now or remembered; at least once, and never again once it has returned."""
        return self._returned(step, await self._kept(step, partial(DBOS.run_step_async, _options(step))))

    async def commit(self, effect: Effect[T]) -> T:
        """The result of `effect`, written now or before; exactly once."""

        async def undo(kept: tuple[int, Any]) -> None:  # Any: builtins
            number, result = kept[0], msgspec.convert(kept[1], effect.returns)
            if (take_back := effect.undo) is not None:
                await self.keeper.undo_once(self._place(number, effect), lambda held: take_back(held, result))

        async def work() -> tuple[int, Any]:  # Any: as above
            number = DBOS.step_id or 0
            place = self._place(number, effect)
            return number, await self._patiently(lambda: self.keeper.do_once(place, effect.work))

        step = Step(effect.name, work, tuple[int, Any], undo=None if effect.undo is None else undo)
        _, result = await self.step(step)
        found: T = msgspec.convert(result, effect.returns)
        return found

    async def parallel(self, steps: Sequence[Step[T]], *, at_once: int = 4, note: str = "") -> list[T | DuckError]:
        """The results of `steps` in their order, `at_once` of them worked on; what failed is there as its error.

        With a `note`, each that has ended is told as progress.
        """
        reserved = [DBOS.reserve_step() for _ in steps]
        gate = asyncio.Semaphore(at_once)
        ended = 0

        async def one(index: int) -> object:
            nonlocal ended
            step = steps[index]
            async with gate:
                try:
                    return await self._kept(step, partial(reserved[index].run_async, _options(step)))
                except Exception as error:  # noqa: BLE001  # a verdict: whoever asked decides what it means
                    return own(error)
                finally:
                    ended += 1
                    if note:
                        await self.progress(ended, len(steps), note)

        tasks = [asyncio.create_task(one(index), name=step.name) for index, step in enumerate(steps)]
        try:
            found = await asyncio.gather(*tasks)
        finally:
            await _ended(tasks)
        # In the order of the steps, so that undoing has the same order when the run goes on elsewhere.
        return [
            kept if isinstance(kept, DuckError) else self._returned(step, kept)
            for step, kept in zip(steps, found, strict=True)
        ]

    async def progress(self, done: int, total: int, note: str) -> None:
        """Say how far the work is: `done` of `total`, 0 when that is not known. Kept at most once a second."""
        telemetry.emit("workflow.progress", run=self.id, done=done, total=total, note=note)
        now = self.keeper.now()
        if now - self._told_at >= _PROGRESS_S or (total and done == total):
            self._told_at = now
            await self._patiently(lambda: self.keeper.keep_progress(self, done, total, note))

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[Tell]:
        """A function that parts tell how far they are; the last of what they say is kept once a second."""
        last: list[tuple[int, int, str]] = []

        def tell(done: int, total: int, note: str) -> None:
            last[:] = [(done, total, note)]

        async def keep() -> None:
            while True:
                await asyncio.sleep(_PROGRESS_S)
                if last:
                    await self.progress(*last.pop())

        keeping = asyncio.create_task(keep(), name="progress")
        try:
            yield tell
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def signal(self, name: str, *, timeout_s: float) -> Any:  # Any: builtins that somebody sent
        """What somebody sends as the signal `name`; None when nobody does within `timeout_s`, also over restarts.

        Whose run it is is told that it waits for them, once for each time that it does. The first time, what was sent
        before counts as well; from then on only what is sent while it waits: a doubled answer is none to the next
        question. Raises InvalidDeclaration while it waits for that name already: nobody could tell whose the answer is.
        """
        with only_wait(self._waits, self.id, name):
            wait = reserved_wait(self.id, name)
            key = await self._patiently(lambda: self.keeper.begin_wait(wait.place))
            telling = asyncio.create_task(tell_of_wait(self.keeper, self, name, key), name=f"tell of {name}")
            try:
                async with self._at_rest():
                    return await self._abandoned(wait.heard(timeout_s))
            finally:
                await _ended([telling])

    async def sleep(self, seconds: float) -> None:
        """Wait; after a restart, only for what is left."""
        async with self._at_rest():
            await self._abandoned(DBOS.sleep_async(seconds))

    async def start(self, name: str, request: msgspec.Struct) -> str:
        """Start another workflow, once, and go on; its run's id.

        Raises InvalidDeclaration unless this one declares the other's queue in `starts_in`.
        """
        self.keeper.check_child(self.workflow, name)
        self._children += 1
        child = Child(self.id, self._children, name, request)
        work = lambda: self._patiently(lambda: self.keeper.start_child(self.scope, child))  # noqa: E731
        return await self.step(_Start(f"{START}{name}", work, returns=str))

    async def ended(self, run_id: str, returns: type[T]) -> T:
        """The answer of a run that `start` began; raises what it failed with."""

        async def work() -> object:
            async with self._at_rest():
                return await self._patiently(lambda: self.keeper.ended(self.scope, run_id))

        answer = await self.step(Step(f"await {run_id}", work, returns=Any))
        return msgspec.convert(answer, returns)

    def effect_key(self, step: str) -> str:
        """A key that is the same whenever this step of this run is tried: for effects outside the database."""
        return f"{self.id}:{step}"

    async def undo_all(self) -> None:
        """Undo the finished steps, the last first; what cannot be undone is told, and the others are."""
        while self._undos:
            name, undo, result = self._undos.pop()

            async def work(undo: Callable[[Any], Awaitable[None]] = undo, result: Any = result) -> None:  # Any: as kept
                fault.point("workflow.before_undo")
                await self._normalized(lambda: undo(result), patient=True)

            try:
                await self._abandoned(DBOS.run_step_async({"name": f"{UNDO}{name}"}, work))
            except DuckError as error:  # the others must be undone too
                telemetry.emit("workflow.undo_failed", run=self.id, step=name, error=error.message)

    @asynccontextmanager
    async def _at_rest(self) -> AsyncIterator[None]:
        """While it waits it kills nobody, and what it waits for may be suspected itself, so it is no suspect then."""

        async def rest() -> None:
            await asyncio.sleep(_RESTS_S)  # what is only read again comes sooner
            self.keeper.gets_on(self.id)

        resting = asyncio.create_task(rest(), name="rest")
        try:
            yield
        finally:
            await _ended([resting])

    async def _normalized(self, work: Callable[[], Awaitable[T]], *, patient: bool) -> T:
        """What `work` comes to, while the database is away again and again if it is `patient`; raises DuckErrors."""
        try:
            return await (self._patiently(work) if patient else work())
        except Exception as error:
            raise normalize(error) from error

    async def _worked(self, step: Step[T]) -> Any:  # Any: builtins
        """Whoever may not do it any more is told so before it begins. Patience is for our own parts of it alone.

        After one that found the database away or full it waits until that is over: not all that follow are to fail too.
        """
        if self._found_away:
            await self._patiently(lambda: self.keeper.check_writable(self.id))
            self._found_away = False
        now = await self._patiently(lambda: self.keeper.scope_of(self.scope))
        scope = replace(now, rights=now.rights & self.asked_with)  # a run may do no more than whoever asked for it
        scope.require(self.right)
        self.scope = scope
        fault.point("workflow.before_step")
        key = self._cache_key(step)
        if key and (held := await self._patiently(lambda: self.keeper.step_result(key))) is not None:
            return held[0]
        with telemetry.span("workflow.step", workflow=self.workflow, step=step.name):
            kept = msgspec.to_builtins(await self._done(step))
        fault.point("workflow.after_step")
        if key:
            await self._patiently(lambda: self.keeper.keep_step_result(key, [kept]))
        return kept

    async def _done(self, step: Step[T]) -> T:
        try:
            return await step.work()
        except StorageUnavailable:
            self._found_away = True
            raise
        except SystemExit as error:  # to let it pass would end the process, and the next one that tries
            raise DuckError(f"the step {step.name!r} asked the program to end") from error

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        return await patiently(work, clock=self.keeper.now)

    async def _kept(self, step: Step[T], doing: Callable[[Doing], Awaitable[Any]]) -> Any:  # Any: builtins
        """What the step came to, now or before; only a step that was done now shows that the run gets on."""
        is_done_now = False

        async def work() -> Any:  # Any: builtins
            nonlocal is_done_now
            is_done_now = True
            return await self._normalized(lambda: self._worked(step), patient=step.retries.patient)

        try:
            kept = await self._abandoned(doing(work))
        except errors_of_dbos.DBOSStepTimeoutError as error:
            raise TimedOut(f"the step {step.name!r} took longer than {step.timeout_s:g} s") from error
        except errors_of_dbos.DBOSMaxStepRetriesExceeded as error:
            raise normalize(error.errors[-1]) from error
        if is_done_now:
            self.keeper.gets_on(self.id)
        return kept

    async def _abandoned(self, doing: Awaitable[Any]) -> Any:  # Any: builtins
        """What a step returned. When that could not be kept, this execution ends, and the reaper puts the run back.

        Whatever a step raises is a DuckError or DBOS's own, so all else is the failure of a checkpoint: to let the run
        fail of it would lose it because of a full disk.
        """
        try:
            return await doing
        except (DuckError, errors_of_dbos.DBOSException):
            raise
        except Exception as error:
            telemetry.emit("workflow.abandoned", run=self.id, error=normalize(error).message)
            if isinstance(translated(error, ""), StorageUnavailable):
                self.keeper.excuse(self.id)
            raise errors_of_dbos.DBOSWorkflowConflictIDError(self.id) from error

    def _returned(self, step: Step[T], kept: object) -> T:
        try:
            result: T = msgspec.convert(kept, step.returns)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"the step {step.name!r} returned something else than it declares: {error}") from error
        if step.undo is not None:
            self._undos.append((step.name, step.undo, result))
        return result

    def _place(self, number: int, effect: Effect[T]) -> EffectPlace:
        return EffectPlace(self.id, number, effect.name)

    def _cache_key(self, step: Step[T]) -> str:
        if not step.cache:
            return ""
        tenant = f"{self.scope.actor.id}\0{self.scope.project}"
        return key_of(tenant, self.workflow, str(self.version), step.name, step.cache)


async def _ended(tasks: Sequence[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _refuse_own(what: str, name: str, taken: Mapping[str, str]) -> None:
    for beginning, meaning in taken.items():
        if name.startswith(beginning):
            raise InvalidDeclaration(
                f"the {what} name {name!r} may not begin with {beginning!r}: {meaning} is named so"
            )


def _options(step: Step[T]) -> Any:  # Any: DBOS's TypedDict
    return {
        "name": step.name,
        "retries_allowed": step.retries.tries > 1,
        "max_attempts": max(1, step.retries.tries),
        "interval_seconds": step.retries.first_s,
        "backoff_rate": step.retries.factor,
        "should_retry": _is_worth_it,
        "timeout_seconds": step.timeout_s,
    }


def _is_worth_it(error: BaseException) -> bool:
    return error.retryable if isinstance(error, DuckError) else True
