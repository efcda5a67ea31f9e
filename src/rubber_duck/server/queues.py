"""A server works through the queues as well, so that it is the whole product without another process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from rubber_duck.app import App
from rubber_duck.jobs.standing import standing
from rubber_duck.settings.tree import ScheduleSettings
from rubber_duck.workflows.durable import Durable


class Working(Protocol):
    """How `working` is called here; what it gives is a coroutine that never returns."""

    def __call__(
        self, durable: Durable, *, standing: dict[str, ScheduleSettings]
    ) -> AbstractAsyncContextManager[Callable[[], Any]]: ...  # Any: as said


async def work(app: App) -> None:
    """Work until cancelled; raises when others took this process for dead, and is then started again."""
    working = await asyncio.to_thread(_loaded)
    async with working(app.parts.workflows, standing=standing(app.settings)) as failed:
        await failed()


def _loaded() -> Working:
    """DBOS takes half a second to import, which no request is to wait for."""
    from rubber_duck.workflows.working import working  # noqa: PLC0415  # see above

    return working
