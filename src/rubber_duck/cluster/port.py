"""What both twins of the cluster are: publish, subscribe, lease, allow, cached."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

Receive = Callable[[bytes], None]
"""Called on the event loop with each message; it must not block, and not raise."""


def ignore_gap() -> None:
    """For subscribers who can do without a message."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: `burst` tokens when full, `rate` more each second."""

    rate: float
    burst: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a bucket said: whether the tokens were taken, how many are left, seconds until it would say yes."""

    allowed: bool
    remaining: float
    retry_after_s: float


@dataclass(frozen=True, slots=True)
class ClusterHealth:
    """Whether the other processes can be reached, and why not."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Subscriber:
    """One who listens; `gap` is called when messages of other processes may have been missed."""

    receive: Receive
    gap: Callable[[], None]


class Subscription:
    """That somebody listens to a topic, until `end`."""

    def __init__(self, end: Callable[[], Awaitable[None]]) -> None:
        self._end = end

    async def end(self) -> None:
        """Nothing is received any more; ending twice changes nothing."""
        await self._end()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()


class Lease(ABC):
    """That this process is, for now, the one who does something.

    It is never a fence: a process that was frozen may still act when its time is over. What must happen once is
    decided in the database.
    """

    @abstractmethod
    async def renew(self, for_s: float) -> bool:
        """Hold it for `for_s` seconds from now; False when it was lost. Raises Unavailable."""

    @abstractmethod
    async def release(self) -> None:
        """Let go of it if it is still ours. Raises Unavailable: then it ends by itself."""


class Cluster(ABC):
    """What the processes of one installation share while they run. Nothing in it is durable."""

    def __init__(self) -> None:
        self._subscribers: dict[str, list[Subscriber]] = {}
        self._making: dict[str, asyncio.Task[bytes]] = {}

    async def publish(self, topic: str, message: bytes) -> None:
        """Give `message` to all who listen to `topic`: those in this process at once, others at most once.

        Messages of one publisher arrive in order. Raises Unavailable when other processes cannot be told.
        """
        for subscriber in tuple(self._subscribers.get(topic, ())):
            subscriber.receive(message)
        await self._tell_others(topic, message)

    async def subscribe(self, topic: str, receive: Receive, *, gap: Callable[[], None] = ignore_gap) -> Subscription:
        """Listen to `topic`: what is published after this returns is received.

        While the other processes cannot be reached only this one's messages are, and `gap` is called when they can be
        again. Nothing raises.
        """
        subscriber = Subscriber(receive, gap)
        listening = self._subscribers.setdefault(topic, [])
        listening.append(subscriber)
        if len(listening) == 1:
            await self._listen(topic)
        return Subscription(partial(self._leave, topic, subscriber))

    async def _leave(self, topic: str, subscriber: Subscriber) -> None:
        listening = self._subscribers.get(topic, [])
        if subscriber in listening:
            listening.remove(subscriber)
            if not listening:
                self._subscribers.pop(topic, None)
                await self._listen_no_more(topic)

    @abstractmethod
    async def lease(self, key: str, *, for_s: float) -> Lease | None:
        """The lease called `key` for `for_s` seconds; None when somebody holds it. Raises Unavailable."""

    @abstractmethod
    async def allow(self, key: str, limit: Limit, *, cost: float = 1.0) -> Allowance:
        """Take `cost` tokens from the bucket called `key`, which all processes share; less than nothing gives back.

        Raises Unavailable: who asks before something expensive then does not do it.
        """

    async def cached(self, key: str, make: Callable[[], Awaitable[bytes]], *, for_s: float) -> bytes:
        """What was kept as `key` less than `for_s` seconds ago, or else what `make` returns, which is kept.

        In one process `make` runs once for all who ask meanwhile. What it raises is raised to each, and not kept.
        Where nothing can be kept it is made each time; nothing raises for that.
        """
        making = self._making.get(key)
        if making is None:
            making = asyncio.ensure_future(self._kept_or_made(key, make, for_s))
            self._making[key] = making
            making.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(making)

    async def _kept_or_made(self, key: str, make: Callable[[], Awaitable[bytes]], for_s: float) -> bytes:
        kept = await self._kept(key)
        if kept is not None:
            return kept
        made = await make()
        await self._keep(key, made, for_s)
        return made

    @abstractmethod
    async def health(self) -> ClusterHealth:
        """Whether the other processes can be reached now; nothing raises."""

    async def close(self) -> None:
        """Nothing is received any more, what is being made for `cached` is cancelled, connections are closed."""
        self._subscribers.clear()
        making = tuple(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)
        await self._disconnect()

    @abstractmethod
    async def _tell_others(self, topic: str, message: bytes) -> None: ...

    @abstractmethod
    async def _listen(self, topic: str) -> None: ...

    @abstractmethod
    async def _listen_no_more(self, topic: str) -> None: ...

    @abstractmethod
    async def _kept(self, key: str) -> bytes | None: ...

    @abstractmethod
    async def _keep(self, key: str, made: bytes, for_s: float) -> None: ...

    @abstractmethod
    async def _disconnect(self) -> None: ...
