"""The connection hands over progress, text and the result, and takes the engine down with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, ClassVar

import pytest
from msgspec import Struct

from rubber_duck.app import App
from rubber_duck.call import Call, Parts
from rubber_duck.cli.connection import Delta, Progress, Result, run_in
from rubber_duck.engines.engine import Engine
from rubber_duck.engines.roster import Roster
from rubber_duck.errors import EngineFailed, InvalidInput, UnknownName
from rubber_duck.registry import Registry
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import Settings
from rubber_duck.supervision import Supervisor


class CountRequest(Struct, forbid_unknown_fields=True):
    """How far."""

    to: int
    fail: bool = False
    wait: bool = False


class CountAnswer(Struct):
    """How far it came."""

    at: tuple[int, ...]


events: list[str] = []


class Count(Engine[CountRequest, CountAnswer]):
    """Count, saying each number."""

    name: ClassVar[str] = "count"
    request = CountRequest
    answer = CountAnswer
    right = Right.CATALOG_READ

    async def run(self, request: CountRequest, call: Call) -> CountAnswer:
        """Count up to the number; fail or wait for ever then, if asked to."""
        for number in range(request.to):
            call.emit(Progress(number, request.to, "counting"))
            call.emit(Delta(str(number)))
        if request.fail:
            raise ValueError("lost count")
        if request.wait:
            try:
                await asyncio.Event().wait()
            finally:
                events.append("cancelled")
        return CountAnswer(tuple(range(request.to)))


@asynccontextmanager
async def _app() -> AsyncIterator[App]:
    registry: Registry[Engine[Any, Any]] = Registry("engine")
    registry.add(Count)
    settings = Settings()
    roster = Roster(registry, settings)
    yield App(settings, Parts(settings, {}), roster, Supervisor())
    await roster.close()


async def _all(request: dict[str, Any], name: str = "count") -> list[Any]:
    async with _app() as app, aclosing(run_in(app, name, request, Scope.local())) as pieces:
        return [piece async for piece in pieces]


async def test_pieces_come_in_order_and_the_result_is_builtins() -> None:
    assert await _all({"to": 2}) == [
        Progress(0, 2, "counting"),
        Delta("0"),
        Progress(1, 2, "counting"),
        Delta("1"),
        Result({"at": (0, 1)}),
    ]


async def test_what_came_before_a_failure_is_handed_over() -> None:
    seen: list[object] = []
    async with _app() as app, aclosing(run_in(app, "count", {"to": 1, "fail": True}, Scope.local())) as pieces:
        seen += [await anext(pieces), await anext(pieces)]
        with pytest.raises(EngineFailed, match="lost count"):
            await anext(pieces)
    assert seen == [Progress(0, 1, "counting"), Delta("0")]


async def test_closing_the_stream_cancels_the_engine() -> None:
    events.clear()
    async with _app() as app, aclosing(run_in(app, "count", {"to": 1, "wait": True}, Scope.local())) as pieces:
        assert await anext(pieces) == Progress(0, 1, "counting")
    assert events == ["cancelled"]


async def test_bad_requests_are_errors_of_ours() -> None:
    with pytest.raises(InvalidInput):
        await _all({"too": 1})
    with pytest.raises(UnknownName, match="did you mean 'count'"):
        await _all({}, name="cuont")
