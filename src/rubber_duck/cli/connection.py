"""The one way from a command to an engine: a stream of progress, pieces of text, and at the end the result.

Behind it is the server that the person signed in to, or, without one, the same application in this process. Commands
cannot tell.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from rubber_duck.call import Delta, Progress
from rubber_duck.cli import profiles
from rubber_duck.cli.pieces import Result
from rubber_duck.cli.program import current_folder
from rubber_duck.scope import Scope

if TYPE_CHECKING:
    from rubber_duck.app import App
    from rubber_duck.cli.invocation import Invocation
    from rubber_duck.cli.remote import Server
    from rubber_duck.settings import Settings

__all__ = ["Delta", "Progress", "Result", "run", "run_in", "server", "settings_for"]


async def run(
    name: str, request: dict[str, Any], invocation: Invocation, tell: Callable[[str], None]
) -> AsyncGenerator[Progress | Delta | Result, None]:
    """Ask the engine that answers to `name`; the last piece is the Result.

    Close it with `aclosing`: that cancels the engine and closes what was opened. `tell` gets a sentence when a
    connection is cut or back. Raises a DuckError.
    """
    profile = profiles.chosen(invocation.server, os.environ)
    if profile is not None:
        from rubber_duck.cli.remote import open_server  # noqa: PLC0415  # only one of the two ways is loaded

        if invocation.verbose:
            tell(f"{name} is answered by {profile.url}")
        async with (
            open_server(profile, current_folder(), tell) as there,
            aclosing(there.run(name, request)) as pieces,
        ):
            async for piece in pieces:
                yield piece
        return
    from rubber_duck.app import open_app  # noqa: PLC0415  # as above

    scope = Scope.local()
    if invocation.verbose:
        tell(f"{name} is answered by this process")
    async with (
        open_app(settings_for(invocation.log_level), for_engines=[name], trace=scope.trace) as app,
        aclosing(run_in(app, name, request, scope)) as pieces,
    ):
        async for piece in pieces:
            yield piece


async def run_in(
    app: App, name: str, request: dict[str, Any], scope: Scope
) -> AsyncGenerator[Progress | Delta | Result, None]:
    """As `run`, in an application that is open already, for whoever `scope` says."""
    import msgspec  # noqa: PLC0415  # only where an application is open

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


@asynccontextmanager
async def server(invocation: Invocation, tell: Callable[[str], None]) -> AsyncIterator[Server | None]:
    """The server that is meant, connected; None when this process answers."""
    profile = profiles.chosen(invocation.server, os.environ)
    if profile is None:
        yield None
        return
    from rubber_duck.cli.remote import open_server  # noqa: PLC0415  # as in run

    async with open_server(profile, current_folder(), tell) as there:
        yield there


def settings_for(log_level: str | None) -> Settings:
    """The settings of this process, the level of the logs replaced where one is given."""
    from rubber_duck.settings import load  # noqa: PLC0415  # whom a server answers needs none

    if log_level is None:
        return load()
    return load({**os.environ, "DUCK_LOG_LEVEL": log_level})
