"""What a cluster promises, on one process and on a real Redis with two nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from rubber_duck.cluster.cluster import Limit, open_cluster
from rubber_duck.errors import InvalidInput
from rubber_duck.settings import ClusterSettings
from tests.contract.nodes import Nodes, shared
from tests.servers import RedisServer


class Inbox:
    """What was received, in order."""

    def __init__(self) -> None:
        self._received: asyncio.Queue[bytes] = asyncio.Queue()

    def receive(self, message: bytes) -> None:
        """Keep it."""
        self._received.put_nowait(message)

    async def take(self, number: int) -> list[bytes]:
        """The next so many."""
        async with asyncio.timeout(20):
            return [await self._received.get() for _ in range(number)]

    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return self._received.empty()


async def test_a_message_reaches_every_listener_of_its_topic_in_order_and_once(nodes: Nodes) -> None:
    here, there, elsewhere = Inbox(), Inbox(), Inbox()
    await nodes.here.subscribe("a", here.receive)
    await nodes.there.subscribe("a", there.receive)
    await nodes.there.subscribe("b", elsewhere.receive)
    sent = [b"%d" % number for number in range(100)]
    for message in sent:
        await nodes.here.publish("a", message)
    await nodes.here.publish("b", b"end")
    assert await elsewhere.take(1) == [b"end"]
    assert await here.take(100) == sent
    assert await there.take(100) == sent
    assert here.is_empty()
    assert there.is_empty()


async def test_who_ended_a_subscription_receives_no_more_and_others_do(nodes: Nodes) -> None:
    gone, staying = Inbox(), Inbox()
    subscription = await nodes.there.subscribe("a", gone.receive)
    await nodes.there.subscribe("a", staying.receive)
    await subscription.end()
    await subscription.end()
    await nodes.here.publish("a", b"x")
    assert await staying.take(1) == [b"x"]
    assert gone.is_empty()


async def test_a_topic_can_be_listened_to_again(nodes: Nodes) -> None:
    async with await nodes.there.subscribe("a", Inbox().receive):
        pass
    inbox = Inbox()
    await nodes.there.subscribe("a", inbox.receive)
    await nodes.here.publish("a", b"\x00\xff")
    assert await inbox.take(1) == [b"\x00\xff"]


async def test_one_of_many_gets_a_lease_and_after_its_release_another(nodes: Nodes) -> None:
    taken = await asyncio.gather(
        *(node.lease("job", for_s=60) for node in (nodes.here, nodes.there) for _ in range(10))
    )
    held = [lease for lease in taken if lease is not None]
    assert len(held) == 1
    assert await held[0].renew(60) is True
    await held[0].release()
    assert await held[0].renew(60) is False
    assert await nodes.there.lease("job", for_s=60) is not None


async def test_an_expired_lease_is_neither_renewed_nor_in_anybodys_way(nodes: Nodes) -> None:
    lease = await nodes.here.lease("job", for_s=0.001)
    assert lease is not None
    while (other := await nodes.there.lease("job", for_s=60)) is None:
        continue
    assert await lease.renew(60) is False
    await lease.release()
    assert await nodes.here.lease("job", for_s=60) is None
    await other.release()


async def test_nodes_take_from_one_bucket(nodes: Nodes) -> None:
    limit = Limit(rate=0.001, burst=5)
    said = [await node.allow("ask", limit) for _ in range(3) for node in (nodes.here, nodes.there)]
    assert [each.allowed for each in said] == [True] * 5 + [False]
    assert [round(each.remaining) for each in said] == [4, 3, 2, 1, 0, 0]
    assert 900 < said[-1].retry_after_s <= 1000
    assert (await nodes.here.allow("other", limit)).allowed


async def test_what_was_taken_too_much_is_given_back_to_all_and_fills_no_bucket_over_its_brim(nodes: Nodes) -> None:
    limit = Limit(rate=0.001, burst=5)
    assert (await nodes.here.allow("ask", limit, cost=5)).allowed
    assert (await nodes.there.allow("ask", limit, cost=-3)).allowed
    assert [(await nodes.here.allow("ask", limit, cost=3)).allowed for _ in range(2)] == [True, False]
    assert (await nodes.there.allow("ask", limit, cost=-100)).allowed
    assert [(await nodes.here.allow("ask", limit, cost=5)).allowed for _ in range(2)] == [True, False]


async def test_a_bucket_fills_with_time(nodes: Nodes) -> None:
    limit = Limit(rate=1000, burst=1)
    assert (await nodes.here.allow("ask", limit)).allowed
    asked = 1
    while not (await nodes.there.allow("ask", limit)).allowed:
        asked += 1
    assert asked < 100_000


async def test_a_value_is_made_once_and_kept_for_all(nodes: Nodes) -> None:
    made: list[int] = []

    async def make() -> bytes:
        made.append(1)
        await asyncio.sleep(0)
        return b"value"

    assert await asyncio.gather(*(nodes.here.cached("k", make, for_s=60) for _ in range(10))) == [b"value"] * 10
    assert await nodes.there.cached("k", make, for_s=60) == b"value"
    assert len(made) == 1


async def test_a_value_that_could_not_be_made_is_not_kept(nodes: Nodes) -> None:
    async def fail() -> bytes:
        raise InvalidInput("no")

    async def make() -> bytes:
        return b"yes"

    with pytest.raises(InvalidInput):
        await nodes.here.cached("k", fail, for_s=60)
    assert await nodes.there.cached("k", make, for_s=60) == b"yes"


async def test_a_cluster_that_answers_is_healthy(nodes: Nodes) -> None:
    assert (await nodes.here.health()).ok


async def test_a_subscriber_that_raises_does_not_end_listening(nodes: Nodes) -> None:
    if nodes.here is nodes.there:
        return  # in one process the publisher is told
    heard = asyncio.Event()

    def fail(message: bytes) -> None:
        raise ValueError(message)

    await nodes.here.subscribe("a", fail)
    await nodes.here.subscribe("b", lambda _: heard.set())
    await nodes.there.publish("a", b"oh")
    await nodes.there.publish("b", b"")
    async with asyncio.timeout(20):
        await heard.wait()


async def test_who_can_write_to_redis_alone_is_not_believed(redis_server: RedisServer) -> None:
    settings = ClusterSettings(url=redis_server.url, prefix="forged", timeout_s=10.0)
    inbox = Inbox()

    async def make() -> bytes:
        return b"ours"

    async with (
        open_cluster(settings, shared) as here,
        open_cluster(settings, shared) as there,
        Redis.from_url(redis_server.url) as attacker,
        attacker.pubsub() as listening,
    ):
        await here.subscribe("accounts:changed", inbox.receive)
        await listening.subscribe("forged:topic:accounts:changed")
        await there.publish("accounts:changed", b"genuine")
        assert await inbox.take(1) == [b"genuine"]
        heard = [each["data"] async for each in _first(listening, 2)][1]
        for forgery in (b"", b"x" * 7, b"x" * 100, heard, heard[:-1] + b"!"):
            await attacker.publish("forged:topic:accounts:changed", forgery)
        await there.publish("accounts:changed", b"end")
        assert await inbox.take(1) == [b"end"]
        assert "do the clocks of all nodes agree" in (await here.health()).detail
        assert (await there.health()).ok
        await attacker.set("forged:cache:k", b"theirs", px=60_000)
        assert await here.cached("k", make, for_s=60) == b"ours"
        assert await there.cached("k", make, for_s=60) == b"ours"


async def _first(listening: PubSub, count: int) -> AsyncIterator[dict[str, Any]]:
    async for message in listening.listen():
        yield message
        count -= 1
        if not count:
            return
