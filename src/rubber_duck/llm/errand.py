"""One question on its way to a provider: until when it may be answered, and what the attempt under way took so far."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from rubber_duck.errors import DuckError, TimedOut
from rubber_duck.llm.messages import Finished, Piece, Usage

Renew = Callable[[DuckError], Awaitable[None]]
"""Accounts for an attempt that failed with this error, and lets the next one in. Raises BudgetExceeded."""


@dataclass(slots=True)
class Errand:
    """What goes with a question through every wrapper to the provider and its wire.

    - `deadline`: a moment of the event loop's clock. No attempt begins after it, and no request outlives it.
    - `heard`: the pieces that whoever asks has got. `withheld`: text that came and is part of no piece yet.
    - `told`: what the provider said so far that the attempt took; providers that are told it say so by `count`.
    - `is_sent`: an attempt is under way; a wire says when its first byte goes out. `has_begun`: its answer has begun.
    """

    deadline: float = math.inf
    renew: Renew | None = None
    heard: list[Piece] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    told: Usage | None = None
    is_sent: bool = False
    has_begun: bool = False
    _told_at: int = 0

    def count(self, usage: Usage) -> None:
        """What the provider says that the attempt took so far; a later word replaces an earlier one."""
        self.told = usage
        self._told_at = len(self.heard) + len(self.withheld)

    @property
    def has_ended(self) -> bool:
        """Whether the answer came whole."""
        return bool(self.heard) and isinstance(self.heard[-1], Finished)

    @property
    def is_told_whole(self) -> bool:
        """Whether nothing came after the provider last said what the attempt took."""
        return self.told is not None and self._told_at == len(self.heard) + len(self.withheld)

    def taken(self, outcome: str) -> tuple[Usage, bool]:
        """What the attempt took, and whether the provider said so; else the rest has to be counted from the texts.

        `outcome`: how it ended, as an error's code. A provider that has not begun to answer takes nothing, unless
        nobody waited for it: it may be at work still.
        """
        end = self.heard[-1] if self.heard else None
        if isinstance(end, Finished) and end.is_counted:
            return end.usage, True
        if self.told is not None:
            return self.told, self.is_told_whole
        may_work = self.is_sent and outcome in {"timed_out", "cancelled"}
        return Usage(0, 0), not (self.heard or self.has_begun or may_work)

    async def again(self, error: DuckError) -> None:
        """Before another attempt, the last of which failed with `error`; nothing was heard of it.

        Raises TimedOut when the deadline is over, and BudgetExceeded when nothing is left for another.
        """
        if asyncio.get_running_loop().time() >= self.deadline:
            raise TimedOut(f"no whole answer came in time; the last that went wrong: {error.message}") from error
        if self.renew is not None:
            await self.renew(error)
        self.forget()

    def forget(self) -> None:
        """What the attempt took is accounted for, or is nothing; the next one begins anew."""
        self.withheld.clear()
        self.told, self.is_sent, self.has_begun, self._told_at = None, False, False, 0
