"""The one way from a command to an engine: a stream of progress, pieces of text, and at the end the result.

Today the application runs in this process; a configured server will stand behind the same function.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import msgspec

from rubber_duck.app import App, open_app
from rubber_duck.call import Delta, Progress
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings, load

__all__ = ["Delta", "Progress", "Result", "run", "run_in"]


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a stream: the engine's answer as builtins (dict, list or tuple, str, int, float, bool, None)."""

    payload: Any  # Any: builtins of the engine's own shape


async def run(
    name: str, request: dict[str, Any], *, log_level: str | None = None
) -> AsyncGenerator[Progress | Delta | Result, None]:
    """Ask the engine that answers to `name`; the last piece is the Result.

    Close it with `aclosing`: that cancels the engine and closes the application. Raises a DuckError.
    """
    scope = Scope.local()
    async with (
        open_app(settings_for(log_level), for_engines=[name], trace=scope.trace) as app,
        aclosing(run_in(app, name, request, scope)) as pieces,
    ):
        async for piece in pieces:
            yield piece


async def run_in(
    app: App, name: str, request: dict[str, Any], scope: Scope
) -> AsyncGenerator[Progress | Delta | Result, None]:
    """As `run`, in an application that is open already, for whoever `scope` says."""
    queue: asyncio.Queue[Progress | Delta | None] = asyncio.Queue()
    task = asyncio.create_task(app.run(name, request, scope, queue.put_nowait), name=f"engine {name}")
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (piece := await queue.get()) is not None:
            yield piece
        yield Result(msgspec.to_builtins(task.result()))
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])


def settings_for(log_level: str | None) -> Settings:
    """The settings of this process, the level of the logs replaced where one is given."""
    if log_level is None:
        return load()
    return load({**os.environ, "DUCK_LOG_LEVEL": log_level})
