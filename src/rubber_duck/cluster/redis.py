"""The cluster of many processes, over one Redis: when it is lost this goes on alone, and it heals by itself.

Keys and channels begin with the configured prefix. What is not there is made; nothing in Redis is ever needed again.
Who can write to Redis can silence nodes and fill buckets, but what they say is not believed: messages and kept values
are sealed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import random as random_number
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from rubber_duck import telemetry
from rubber_duck.backoff import Backoff
from rubber_duck.cluster.port import Allowance, Cluster, ClusterHealth, Lease, Limit
from rubber_duck.cluster.seal import ORIGIN_BYTES, Seal
from rubber_duck.errors import InvalidSettings, Unavailable
from rubber_duck.settings import without_password

T = TypeVar("T")

_PING_S: Final = 5.0
"""A connection on which nothing was heard for so long is asked whether it still lives."""

_SUSPICIOUS_S: Final = 60.0
"""A message that was not believed makes the cluster ill for so long: a node's clock may be wrong."""

_BROKEN: Final = (RedisError, OSError, TimeoutError, AttributeError)
"""What a subscription that breaks raises. AttributeError: redis-py writes to a connection it has closed meanwhile."""

_RENEW: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
_TAKE: Final = """
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local held = redis.call('HMGET', KEYS[1], 'tokens', 'since')
local tokens, since = tonumber(held[1]) or burst, tonumber(held[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - since) * rate)
local allowed = 0
if tokens >= cost then
    tokens = tokens - cost
    allowed = 1
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'since', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) / rate * 1000) + 1000)
return {allowed, string.format('%.6f', tokens)}
"""
"""A token bucket by the clock of Redis, so that processes need not agree on the time."""


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """Which Redis, with which prefix before every key, and how long one answer may take."""

    url: str
    prefix: str
    timeout_s: float


class RedisCluster(Cluster):
    """Five verbs over Redis. `key` is what its nodes share and Redis does not know; `random` gives floats in [0, 1)."""

    def __init__(self, place: RedisPlace, key: bytes, *, random: Callable[[], float] = random_number) -> None:
        super().__init__()
        self._shown = without_password(place.url)
        self._prefix = place.prefix
        self._timeout_s = place.timeout_s
        self._random = random
        self._origin = secrets.token_bytes(ORIGIN_BYTES)
        self._seal = Seal(key, self._origin)
        self._backoff = Backoff(first_s=0.05, cap_s=2.0)
        try:
            self._redis: Redis[bytes] = Redis.from_url(  # type: ignore[type-arg]  # not generic when it runs
                place.url,
                socket_timeout=place.timeout_s,
                socket_connect_timeout=place.timeout_s,
                health_check_interval=_PING_S,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            raise InvalidSettings(f"cluster.url {self._shown!r} is not the URL of a Redis: {error}") from error
        self._disbelieved_at = -_SUSPICIOUS_S
        self._listener: PubSub | None = None
        self._is_deaf = False
        self._confirmed: dict[bytes, asyncio.Event] = {}
        self._connected = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen; a Redis that cannot be reached yet is tried again and again, and nothing raises."""
        first = asyncio.Event()
        self._listening = asyncio.create_task(self._keep_listening(first), name="cluster listener")
        await first.wait()

    async def lease(self, key: str, *, for_s: float) -> Lease | None:
        """As the port has it."""
        token = secrets.token_hex(16)
        name = self._key("lease", key)
        taken = await self._asked(self._redis.set(name, token, nx=True, px=_ms(for_s)))
        return _RedisLease(self, name, token) if taken else None

    async def allow(self, key: str, limit: Limit, *, cost: float = 1.0) -> Allowance:
        """As the port has it."""
        allowed, tokens = await self.evaluate(_TAKE, self._key("bucket", key), limit.rate, limit.burst, cost)
        remaining = float(tokens)
        return Allowance(bool(allowed), remaining, 0.0 if allowed else (cost - remaining) / limit.rate)

    async def health(self) -> ClusterHealth:
        """As the port has it."""
        try:
            await self._asked(self._redis.ping())
        except Unavailable as error:
            return ClusterHealth(ok=False, detail=error.message)
        if asyncio.get_running_loop().time() - self._disbelieved_at < _SUSPICIOUS_S:
            return ClusterHealth(ok=False, detail="what others say is not believed: do the clocks of all nodes agree?")
        listening = self._connected.is_set()
        return ClusterHealth(ok=listening, detail=self._shown if listening else f"not listening to {self._shown} yet")

    async def evaluate(self, script: str, key: str, *arguments: float | str) -> Any:  # Any: of the script's own shape
        """What a script says of one key. Raises Unavailable."""
        return await self._asked(self._redis.eval(script, 1, key, *map(str, arguments)))

    async def _asked(self, question: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await question
        except (RedisError, OSError, TimeoutError) as error:
            said = str(error) or type(error).__name__
            raise Unavailable(f"the Redis {self._shown} does not answer: {said}") from error

    def _key(self, kind: str, key: str) -> str:
        return f"{self._prefix}:{kind}:{key}"

    async def _tell_others(self, topic: str, message: bytes) -> None:
        await self._asked(self._redis.publish(self._key("topic", topic), self._seal.closed(topic, message)))

    async def _listen(self, topic: str) -> None:
        channel = self._key("topic", topic).encode()
        confirmed = self._confirmed.setdefault(channel, asyncio.Event())
        if self._listener is None or not self._connected.is_set():
            return  # it is subscribed to as soon as the connection is there
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._listener.subscribe(channel)
                await confirmed.wait()
        except _BROKEN as error:
            self._is_deaf = True
            self._lost(error)

    async def _listen_no_more(self, topic: str) -> None:
        channel = self._key("topic", topic).encode()
        self._confirmed.pop(channel, None)
        if self._listener is not None and self._connected.is_set():
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._listener.unsubscribe(channel)
            except _BROKEN as error:
                self._is_deaf = True
                self._lost(error)

    async def _keep_listening(self, first: asyncio.Event) -> None:
        """Read until closed; after each loss connect again, subscribe to all, and tell everybody of the gap."""
        attempt = 0
        was_lost = False
        while True:
            pubsub = self._redis.pubsub()
            self._is_deaf = False
            try:
                sent = tuple(self._confirmed)
                await pubsub.subscribe(self._key("topic", ""), *sent)
                self._listener = pubsub
                await self._read(pubsub, first, sent, told=was_lost)
            except (RedisError, OSError, TimeoutError) as error:
                attempt = 0 if self._connected.is_set() else attempt + 1
                self._lost(error)
            finally:
                self._listener = None
                await pubsub.aclose()  # type: ignore[no-untyped-call]  # the library says no types
            was_lost = True
            first.set()
            await asyncio.sleep(self._backoff.delay_s(attempt, self._random))

    async def _read(self, pubsub: PubSub, first: asyncio.Event, sent: Sequence[bytes], *, told: bool) -> None:
        """Hear what comes; `sent` is what was subscribed to already.

        Raises TimeoutError for a connection that stands and is dead: one over which a subscription was not confirmed in
        time, or nothing came, not even the answer to a ping.
        """
        mine = self._key("topic", "").encode()
        was_asked = False
        while not self._is_deaf:
            message = await pubsub.get_message(timeout=_PING_S)
            if message is None:
                if was_asked:
                    raise TimeoutError("nothing came, not even the answer to a ping")
                await pubsub.ping()
                was_asked = True
                continue
            was_asked = False
            channel: bytes = message["channel"]
            if message["type"] == "subscribe":
                if channel in self._confirmed:
                    self._confirmed[channel].set()
                if not self._connected.is_set() and channel == mine:
                    self._connected.set()
                    first.set()
                    if late := [each for each in self._confirmed if each not in sent]:
                        await pubsub.subscribe(*late)
                    if told:
                        self._found()
            elif message["type"] == "message" and not message["data"].startswith(self._origin):
                self._receive(channel, message["data"])

        raise TimeoutError("a subscription was not confirmed in time")

    def _receive(self, channel: bytes, sealed: bytes) -> None:
        topic = channel.decode("utf-8", "replace").removeprefix(self._key("topic", ""))
        message = self._seal.heard(topic, sealed)
        if message is None:
            telemetry.count("cluster.disbelieved", of="messages")
            self._disbelieved_at = asyncio.get_running_loop().time()
            return
        for subscriber in tuple(self._subscribers.get(topic, ())):
            try:
                subscriber.receive(message)
            except Exception as error:  # noqa: BLE001  # the border: one message must not end listening to all
                telemetry.emit("cluster.subscriber_failed", topic=topic, error=str(error) or type(error).__name__)

    def _lost(self, error: Exception) -> None:
        if self._connected.is_set() or not self._listening:
            self._connected.clear()
            for confirmed in self._confirmed.values():
                confirmed.clear()
        telemetry.emit("cluster.lost", redis=self._shown, error=str(error) or type(error).__name__)

    def _found(self) -> None:
        telemetry.emit("cluster.found", redis=self._shown)
        for listening in tuple(self._subscribers.values()):
            for subscriber in tuple(listening):
                subscriber.gap()

    async def _kept(self, key: str) -> bytes | None:
        try:
            kept = await self._asked(self._redis.get(self._key("cache", key)))
        except Unavailable:
            return None
        opened = self._seal.opened(f"cache:{key}", kept) if isinstance(kept, bytes) else None
        if kept is not None and opened is None:
            telemetry.count("cluster.disbelieved", of="values")
        return opened

    async def _keep(self, key: str, made: bytes, for_s: float) -> None:
        try:
            sealed = self._seal.closed(f"cache:{key}", made, for_s=for_s)
            await self._asked(self._redis.set(self._key("cache", key), sealed, px=_ms(for_s)))
        except Unavailable as error:
            telemetry.emit("cluster.lost", redis=self._shown, error=error.message)

    async def _disconnect(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._redis.aclose()


class _RedisLease(Lease):
    def __init__(self, cluster: RedisCluster, key: str, token: str) -> None:
        self._cluster = cluster
        self._key = key
        self._token = token

    async def renew(self, for_s: float) -> bool:
        return bool(await self._cluster.evaluate(_RENEW, self._key, self._token, _ms(for_s)))

    async def release(self) -> None:
        await self._cluster.evaluate(_RELEASE, self._key, self._token)


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
