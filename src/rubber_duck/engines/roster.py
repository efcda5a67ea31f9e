"""Which engines there are and which are open: picks one for a request, opens it once, contains its failures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from rubber_duck import telemetry
from rubber_duck.backoff import Backoff
from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, EngineHealth, engine_settings, parse_request
from rubber_duck.engines.readiness import lacking
from rubber_duck.errors import (
    DuckError,
    EngineFailed,
    InvalidInput,
    InvalidSettings,
    TimedOut,
    Unavailable,
    UnknownName,
    normalize,
)
from rubber_duck.registry import Registry
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings

T = TypeVar("T")
AnyEngine = Engine[Any, Any]  # Any: the roster holds engines of every request and answer


class Roster:
    """The engines of one application."""

    def __init__(
        self,
        registry: Registry[AnyEngine],
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
        health_timeout_s: float = 5.0,
    ) -> None:
        self._registry = registry
        self._settings = settings
        self._clock = clock
        self._backoff = backoff or Backoff(first_s=1.0)
        self._health_timeout_s = health_timeout_s
        self._open: dict[str, AnyEngine] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._failures: dict[str, tuple[int, float, str]] = {}
        there = {*registry, *registry.left_out}
        unknown = next((name for name in settings.engines if name not in there), None)
        if unknown is not None:
            raise UnknownName.among(
                "engine", unknown, registry, where=" (in [engines] of duck.toml)", hint=registry.hint
            )

    def answering(self, name: str) -> list[type[AnyEngine]]:
        """The engines that answer to `name`, best first; raises UnknownName when there is none."""
        return answering(self._registry, name)

    async def pick(
        self, scope: Scope, name: str, raw: object
    ) -> tuple[type[AnyEngine], Any]:  # Any: the request of whichever engine
        """The engine that shall answer, which is open then, and the request in its own type.

        Only engines whose right the scope holds are asked; nothing is parsed for the others. One that cannot be
        opened, or fails at saying whether it accepts the request, is passed over. Raises UnknownName, Denied, or what
        the best of the engines says of the request.
        """
        answering = self.answering(name)
        allowed = [engine for engine in answering if engine.right in scope.rights]
        if not allowed:
            scope.require(answering[0].right)
        refused: list[tuple[str, DuckError]] = []
        for engine in allowed:
            try:
                request = parse_request(engine, raw)
                if not _accepts(engine, request):
                    continue
                await self._opened(engine)
            except InvalidSettings:
                raise  # a mistake in duck.toml is to be mended, not to be worked around
            except DuckError as error:
                refused.append((engine.name, error))
                continue
            for other, said in refused:
                if isinstance(said, (Unavailable, EngineFailed)):
                    telemetry.emit("engine.passed_over", engine=other, by=engine.name, error=said.message)
            return engine, request
        if refused:
            raise refused[0][1]
        raise InvalidInput(f"no engine that answers to {name!r} accepts this request")

    async def run(self, engine: type[AnyEngine], request: Any, call: Call) -> Any:  # Any: as in pick
        """Open the engine if need be and let it answer; every failure leaves as a DuckError."""
        call.scope.require(engine.right)
        instance = await self._opened(engine)
        started = self._clock()
        telemetry.emit("engine.started", engine=engine.name)
        telemetry.count("engine.runs", 1, engine=engine.name)
        try:
            with telemetry.span("engine.run", engine=engine.name):
                answer = await self._answer(instance, request, call)
        except DuckError as error:
            duration_ms = round((self._clock() - started) * 1000)
            telemetry.emit(
                "engine.failed", engine=engine.name, code=error.code, error=error.message, duration_ms=duration_ms
            )
            raise
        telemetry.emit("engine.finished", engine=engine.name, duration_ms=round((self._clock() - started) * 1000))
        return answer

    async def open_all(self, *, timeout_s: float) -> dict[str, EngineHealth]:
        """Open every engine that is not open, all at once, and ask each for its health; nothing raises.

        An engine that takes longer than `timeout_s` to open is not well; its next request tries again.
        """

        async def opened(engine: type[AnyEngine]) -> str:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._opened(engine)
            except TimeoutError:
                return f"opening it took longer than {timeout_s:g} s"
            except DuckError as error:
                return error.message
            return ""

        names = list(self._registry)
        failures = dict(
            zip(names, await asyncio.gather(*(opened(self._registry[name]) for name in names)), strict=True)
        )
        health = await self.health()
        return {
            name: replace(health[name], ok=False, detail=failures[name])
            if failures[name] and health[name].ok
            else health[name]
            for name in names
        }

    async def health(self) -> dict[str, EngineHealth]:
        """The health of each engine by name, and what it lacks; one that was never used is healthy."""
        result: dict[str, EngineHealth] = {}
        for name in self._registry:
            failure = self._failures.get(name)
            if failure is not None:
                result[name] = EngineHealth(ok=False, detail=failure[2])
            elif name in self._open:
                result[name] = await _health_of(self._open[name], self._health_timeout_s)
            else:
                result[name] = EngineHealth(ok=True, detail="not used yet")
        lacks = await lacking(self._registry.values(), self._settings)
        return {name: replace(each, lacks=lacks[name]) for name, each in result.items()}

    async def close(self) -> None:
        """Close every open engine; the first failure is raised after all were tried."""
        failures: list[DuckError] = []
        while self._open:
            _, instance = self._open.popitem()
            try:
                await instance.close()
            except Exception as error:  # noqa: BLE001  # the others must be closed too
                failures.append(normalize(error))
        if failures:
            raise failures[0]

    async def _answer(self, instance: AnyEngine, request: Any, call: Call) -> Any:  # Any: as in pick
        deadline = asyncio.timeout(instance.timeout_s)
        try:
            async with deadline:
                answer = await _contained(instance, instance.run(request, call))
        except DuckError:
            raise
        except Exception as error:
            if deadline.expired():
                raise TimedOut(
                    f"the engine {instance.name!r} did not answer within {instance.timeout_s:g} s"
                ) from error
            raise _failed(instance, error) from error
        if not isinstance(answer, instance.answer):
            raise EngineFailed(
                f"the engine {instance.name!r} answered a {type(answer).__name__}, "
                f"it declares {instance.answer.__name__}"
            )
        return answer

    async def _opened(self, engine: type[AnyEngine]) -> AnyEngine:
        async with self._locks.setdefault(engine.name, asyncio.Lock()):
            held = self._open.get(engine.name)
            if held is not None:
                return held
            failures, retry_at, message = self._failures.get(engine.name, (0, 0.0, ""))
            if self._clock() < retry_at:
                raise Unavailable(f"the engine {engine.name!r} could not be opened: {message}; try again in a moment")
            options = engine_settings(engine, self._settings.engines.get(engine.name, {}))
            try:
                instance = engine(options)
                async with asyncio.timeout(engine.timeout_s):
                    await _contained(instance, instance.open())
            except Exception as error:
                known = normalize(error)
                wait_s = self._backoff.delay_s(failures, lambda: 1.0)
                self._failures[engine.name] = (failures + 1, self._clock() + wait_s, known.message)
                raise Unavailable(f"the engine {engine.name!r} could not be opened: {known.message}") from error
            self._failures.pop(engine.name, None)
            self._open[engine.name] = instance
            return instance


def answering(registry: Registry[AnyEngine], name: str) -> list[type[AnyEngine]]:
    """The engines of a registry that answer to `name`, best first; raises UnknownName when there is none."""
    found = [engine for engine in registry.values() if name in engine.capabilities]
    if not found:
        answered = {each for engine in registry.values() for each in engine.capabilities}
        raise registry.unknown(name, answered)
    return sorted(found, key=lambda engine: (-engine.priority, engine.name))


def _accepts(engine: type[AnyEngine], request: Any) -> bool:  # Any: as in pick
    try:
        return engine.accepts(request)
    except DuckError:
        raise
    except Exception as error:
        raise _failed(engine, error) from error


def _failed(engine: AnyEngine | type[AnyEngine], error: Exception) -> EngineFailed:
    return EngineFailed(f"the engine {engine.name!r} failed: {type(error).__name__}: {error}".removesuffix(": "))


async def _contained(instance: AnyEngine, work: Awaitable[T]) -> T:
    """What `work` returns. Only who was asked to end is cancelled, not who waits for something that was."""
    try:
        return await work
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise EngineFailed(f"the engine {instance.name!r} failed: something it waited for was cancelled") from error


async def _health_of(instance: AnyEngine, timeout_s: float) -> EngineHealth:
    deadline = asyncio.timeout(timeout_s)
    try:
        async with deadline:
            said: object = await _contained(instance, instance.health())
    except Exception as error:  # noqa: BLE001  # a broken check is an unhealthy engine, not an error of the asker
        late = f"the health check took longer than {timeout_s:g} s"
        return EngineHealth(ok=False, detail=late if deadline.expired() else normalize(error).message)
    if not isinstance(said, EngineHealth):
        return EngineHealth(ok=False, detail=f"the health check answered a {type(said).__name__}, not an EngineHealth")
    return said
