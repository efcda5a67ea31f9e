"""That a run has moved, for whoever follows many; and what processes that work do beside, such as telling of ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rubber_duck import telemetry
from rubber_duck.errors import normalize
from rubber_duck.workflows.states import State


@dataclass(frozen=True, slots=True)
class Move:
    """How a run does now: queued, begun, a little further, stopped or ended. `error` is what it failed with."""

    run: str
    workflow: str
    actor: str
    project: UUID | None
    state: State
    done: int = 0
    total: int = 0
    note: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that ended and whose actor is to be told.

    `code` is that of the error it failed with, `times` how often its actor was told that it had ended, and it went on.
    """

    run: str
    workflow: str
    actor: str
    project: UUID | None
    state: State
    answer: Any  # Any: builtins of the workflow's own shape
    code: str
    error: str
    times: int


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """That a run waits for a signal that a person gives. Each time that it does has a `key` of its own."""

    run: str
    workflow: str
    actor: str
    project: UUID | None
    signal: str
    key: str


async def _ignore(_: object) -> None:
    """Nobody follows."""


async def _rest() -> None:
    """There are no chores."""


@dataclass(frozen=True, slots=True)
class Followers:
    """Who follows runs: `told` of each move, `asked` when a run waits for a person; `chore` is done beside working."""

    told: Callable[[Move], Awaitable[None]] = _ignore
    asked: Callable[[WaitsFor], Awaitable[None]] = _ignore
    chore: Callable[[], Awaitable[None]] = _rest


class Chores:
    """What a process that works does beside: every `every_s` seconds, and at once after `poke`."""

    def __init__(self, work: Callable[[], Awaitable[None]], every_s: float) -> None:
        self._work = work
        self._every_s = every_s
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """There may be something to do."""
        self._poked.set()

    async def keep(self) -> None:
        """Until cancelled; what fails is told and tried again."""
        while True:
            self._poked.clear()
            try:
                await self._work()
            except Exception as error:  # noqa: BLE001  # the border: what is not done now is tried again
                telemetry.emit("workflow.chore_failed", error=normalize(error).message)
            try:
                async with asyncio.timeout(self._every_s):
                    await self._poked.wait()
            except TimeoutError:
                continue
