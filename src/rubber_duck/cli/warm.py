"""One open way to engines that many commands share: what is opened stays open between them.

Each command runs an event loop of its own, as it does alone; what is shared lives in a loop of a thread beside it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from typing import Any

from rubber_duck.call import Delta, Progress
from rubber_duck.cli import connection, profiles
from rubber_duck.cli.invocation import Invocation
from rubber_duck.cli.pieces import Result
from rubber_duck.cli.program import current_folder
from rubber_duck.scope import Scope

Piece = Progress | Delta | Result
Ask = Callable[[str, dict[str, Any]], AsyncGenerator[Piece, None]]


class Warm:
    """Asks the server that is meant, or the application in this process, opened at the first question."""

    def __init__(self, invocation: Invocation, loop: asyncio.AbstractEventLoop, tell: Callable[[str], None]) -> None:
        self._invocation = invocation
        self._loop = loop
        self._tell = tell
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._ask: Ask | None = None
        self._is_over: Callable[[], bool] = lambda: False

    async def run(self, name: str, request: dict[str, Any]) -> AsyncGenerator[Piece, None]:
        """As `connection.run`, from any loop."""
        mine = asyncio.get_running_loop()
        heard: asyncio.Queue[Piece | BaseException | None] = asyncio.Queue()

        def say(piece: Piece | BaseException | None) -> None:
            mine.call_soon_threadsafe(heard.put_nowait, piece)

        asking = asyncio.run_coroutine_threadsafe(self._carry(name, request, say), self._loop)
        try:
            while (piece := await heard.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            asking.cancel()

    async def _carry(
        self, name: str, request: dict[str, Any], say: Callable[[Piece | BaseException | None], None]
    ) -> None:
        try:
            async with self._opening:
                if self._is_over():  # the machine slept, or the server was away for long: it is tried anew
                    await self._closed()
                if self._ask is None:
                    self._ask = await self._opened()
            async with aclosing(self._ask(name, request)) as pieces:
                async for piece in pieces:
                    say(piece)
        except Exception as error:  # noqa: BLE001  # the border between two loops: it is raised again on the other side
            say(error)
        else:
            say(None)

    async def _opened(self) -> Ask:
        profile = profiles.chosen(self._invocation.server, os.environ)
        if profile is not None:
            from rubber_duck.cli.remote import open_server  # noqa: PLC0415  # only one of the two ways is loaded

            server = await self._stack.enter_async_context(open_server(profile, current_folder(), self._tell))
            self._is_over = lambda: server.is_over
            return server.run
        from rubber_duck.app import open_app  # noqa: PLC0415  # as above

        settings = connection.settings_for(self._invocation.log_level)
        app = await self._stack.enter_async_context(open_app(settings))
        return lambda name, request: connection.run_in(app, name, request, Scope.local())

    async def close(self) -> None:
        """Close what was opened; the next question opens it again."""
        async with self._opening:
            await self._closed()

    async def _closed(self) -> None:
        self._ask, self._is_over = None, lambda: False
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()


@contextmanager
def kept_warm(invocation: Invocation, tell: Callable[[str], None]) -> Iterator[tuple[Warm, Callable[[], None]]]:
    """A way that stays open until the end of the block, and what closes it meanwhile."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="warm", daemon=True)
    thread.start()
    warm = Warm(invocation, loop, tell)

    def close() -> None:
        asyncio.run_coroutine_threadsafe(warm.close(), loop).result()

    try:
        yield warm, close
    finally:
        close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
