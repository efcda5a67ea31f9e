"""A server works through the queues as well, so that it is the whole product without another process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from rubber_duck.app import App
from rubber_duck.workflows.durable import Durable

Working = Callable[[Durable], AbstractAsyncContextManager[Callable[[], Any]]]  # Any: a coroutine that never returns


async def work(app: App) -> None:
    """Work until cancelled; raises when others took this process for dead, and is then started again."""
    working = await asyncio.to_thread(_loaded)
    async with working(app.parts.workflows) as failed:
        await failed()


def _loaded() -> Working:
    """DBOS takes half a second to import, which no request is to wait for."""
    from rubber_duck.workflows.working import working  # noqa: PLC0415  # see above

    return working
