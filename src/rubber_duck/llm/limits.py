"""Limits by the minute of each user, project and provider: buckets that all processes share, asked one at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, get_args

from rubber_duck.cluster.cluster import Cluster, Limit
from rubber_duck.errors import LimitExceeded, RateLimited, Unavailable, UnknownName
from rubber_duck.llm.queue import FairQueue
from rubber_duck.settings.models import LimitSettings

Kind = Literal["user", "project", "provider"]

_MINUTE_S: Final = 60.0
_LEAST_S: Final = 0.001
_LOOK_EVERY_S: Final = 1.0
"""So often one who waits looks whether others gave back what they did not use."""


class Limits:
    """Waits until a bucket holds what a request takes. Those who wait for one bucket take turns by person."""

    def __init__(
        self,
        cluster: Cluster,
        settings: Mapping[str, LimitSettings],
        most_waiting: int,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`clock` is the one that deadlines are told by, in seconds. Raises UnknownName for a limit of nobody."""
        wrong = next((each for each in settings if each not in get_args(Kind)), None)
        if wrong is not None:
            raise UnknownName.among("limit", wrong, get_args(Kind), where=" (in [llm.limits] of duck.toml)")
        self._cluster = cluster
        self._settings = settings
        self._most_waiting = most_waiting
        self._clock = clock
        self._sleep = sleep
        self._queues: dict[str, FairQueue] = {}
        self._giving: set[asyncio.Task[None]] = set()

    @property
    def counts_tokens(self) -> bool:
        """Whether anybody's tokens are limited."""
        return any(each.tokens for each in self._settings.values())

    async def take(self, kind: Kind, name: str, person: str, tokens: int, deadline: float) -> None:
        """Take one request of `tokens` tokens from the buckets of `kind` called `name`, as soon as they hold it.

        Raises RateLimited when that would be after the deadline, LimitExceeded when no full bucket holds so many
        tokens, and Unavailable when the other processes cannot be asked.
        """
        limit = self._settings.get(kind)
        if limit is None or not (limit.requests or limit.tokens):
            return
        key = f"llm:{kind}:{name}"
        queue = self._queues.setdefault(key, FairQueue(1, self._most_waiting))
        try:
            async with queue.turn(person, deadline):
                if limit.requests:
                    await self._drain(kind, f"{key}:requests", limit.requests, 1, deadline)
                if limit.tokens:
                    await self._drain(kind, f"{key}:tokens", limit.tokens, tokens, deadline)
        finally:
            if queue.is_idle and self._queues.get(key) is queue:
                del self._queues[key]

    def give_back(self, kind: Kind, name: str, tokens: int) -> None:
        """Give back tokens that were taken and not used; it happens soon, and nobody waits for it."""
        limit = self._settings.get(kind)
        if limit is not None and limit.tokens and tokens > 0:
            giving = asyncio.create_task(self._fill(f"llm:{kind}:{name}:tokens", limit.tokens, tokens))
            self._giving.add(giving)
            giving.add_done_callback(self._giving.discard)

    async def close(self) -> None:
        """Wait until all is given back."""
        await asyncio.gather(*self._giving)

    async def _fill(self, key: str, per_minute: int, tokens: int) -> None:
        with contextlib.suppress(Unavailable):  # the bucket fills by itself too
            await self._cluster.allow(key, _bucket(per_minute), cost=-float(tokens))

    async def _drain(self, kind: Kind, key: str, per_minute: int, cost: int, deadline: float) -> None:
        if cost > per_minute:
            raise LimitExceeded(
                f"this takes about {cost:,} tokens, and {_of(kind)} limit is {per_minute:,} a minute; ask for less"
            )
        while True:
            said = await self._cluster.allow(key, _bucket(per_minute), cost=float(cost))
            if said.allowed:
                return
            if self._clock() + said.retry_after_s > deadline:
                raise RateLimited(
                    f"{_of(kind)} limit of {per_minute:,} a minute is used up; ask again in {said.retry_after_s:.0f} s",
                    said.retry_after_s,
                )
            most_s = _LOOK_EVERY_S if cost > 1 else _MINUTE_S  # nobody gives back a request
            await self._sleep(min(max(said.retry_after_s, _LEAST_S), most_s))


def _bucket(per_minute: int) -> Limit:
    return Limit(per_minute / _MINUTE_S, float(per_minute))


def _of(kind: Kind) -> str:
    return {"user": "your", "project": "the project's", "provider": "the provider's"}[kind]
