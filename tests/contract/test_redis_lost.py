"""What happens to a cluster while its Redis is gone, and when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, suppress

import msgspec
import pytest

from rubber_duck.channels.stream import Say, StreamLimits, Streams, open_streams
from rubber_duck.cluster.cluster import Limit, open_cluster
from rubber_duck.errors import InvalidSettings, Unavailable
from rubber_duck.scope import Scope
from rubber_duck.settings import ClusterSettings
from tests.contract.nodes import shared
from tests.servers import RedisServer, running_redis


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that only this test uses, and may kill."""
    with running_redis() as server:
        yield server


async def _make() -> bytes:
    return b"made"


async def test_what_is_expensive_fails_closed_and_the_rest_goes_on_until_redis_is_back(own_redis: RedisServer) -> None:
    settings = ClusterSettings(url=own_redis.url, timeout_s=5.0)
    received: list[bytes] = []
    gap, heard = asyncio.Event(), asyncio.Event()

    def receive(message: bytes) -> None:
        received.append(message)
        heard.set()

    async with open_cluster(settings, shared) as here, open_cluster(settings, shared) as there:
        await here.subscribe("a", receive, gap=gap.set)
        own_redis.kill()
        with pytest.raises(Unavailable, match="does not answer"):
            await here.allow("ask", Limit(rate=1, burst=1))
        with pytest.raises(Unavailable):
            await here.lease("job", for_s=1)
        with pytest.raises(Unavailable):
            await here.publish("a", b"alone")
        assert received == [b"alone"]
        assert await here.cached("k", _make, for_s=60) == b"made"
        assert not (await here.health()).ok
        heard.clear()
        own_redis.start()
        async with asyncio.timeout(30):
            await gap.wait()
            await there.publish("a", b"together")
            await heard.wait()
        assert received == [b"alone", b"together"]
        assert (await here.health()).ok
        assert (await here.allow("ask", Limit(rate=1, burst=1))).allowed


async def test_who_came_to_listen_while_redis_stood_still_hears_when_it_goes_on(own_redis: RedisServer) -> None:
    heard, gap = asyncio.Event(), asyncio.Event()
    settings = ClusterSettings(url=own_redis.url, timeout_s=0.5)
    async with open_cluster(settings, shared) as here, open_cluster(settings, shared) as there:
        own_redis.freeze()
        await here.subscribe("late", lambda _: heard.set(), gap=gap.set)
        assert not (await here.health()).ok
        own_redis.thaw()
        async with asyncio.timeout(30):
            await gap.wait()
            while not heard.is_set():
                with suppress(Unavailable):  # the other one may still be finding it again
                    await there.publish("late", b"told")
                await asyncio.sleep(0.1)
        assert (await here.health()).ok


async def test_a_process_starts_while_redis_is_gone_and_finds_it_later(own_redis: RedisServer) -> None:
    own_redis.kill()
    gap = asyncio.Event()
    async with open_cluster(ClusterSettings(url=own_redis.url, timeout_s=5.0), shared) as cluster:
        await cluster.subscribe("a", lambda _: None, gap=gap.set)
        assert not (await cluster.health()).ok
        own_redis.start()
        async with asyncio.timeout(30):
            await gap.wait()
        assert (await cluster.health()).ok


async def test_what_is_no_url_of_a_redis_is_refused_without_its_password() -> None:
    with pytest.raises(InvalidSettings, match=r"cluster\.url") as refused:
        async with open_cluster(ClusterSettings(url="reddis://user:secret@host/0"), shared):
            pass
    assert "secret" not in refused.value.message


class Word(msgspec.Struct, frozen=True):
    """A piece or an answer."""

    text: str


@pytest.mark.parametrize("is_killed", [True, False])
async def test_streams_go_on_over_a_redis_that_was_gone(own_redis: RedisServer, is_killed: bool) -> None:
    settings = ClusterSettings(url=own_redis.url, timeout_s=0.3)
    go, limits = asyncio.Event(), StreamLimits(beat_s=0.1, heal_s=30.0)
    words = [f"w{number} " for number in range(50)]

    async def work(say: Say) -> Word:
        say("delta", Word(words[0]))
        await go.wait()
        for word in words[1:]:
            say("delta", Word(word))
            await asyncio.sleep(0)
        return Word("".join(words))

    async with (
        open_cluster(settings, shared) as one,
        open_cluster(settings, shared) as two,
        open_streams(one, "a", limits) as here,
        open_streams(two, "b", limits) as there,
    ):
        stream = here.start(Scope.local(), work)
        copy = await there.find(Scope.local(), stream.id, 0)
        async with asyncio.timeout(60), aclosing(copy.read(0)) as pieces:
            assert (await anext(pieces))[0] == 0
            own_redis.kill() if is_killed else own_redis.freeze()
            with pytest.raises(Unavailable):
                await there.find(Scope.local(), here.start(Scope.local(), work).id, 0)
            go.set()
            while not stream.ended:  # noqa: ASYNC110  # nobody tells it here
                await asyncio.sleep(0.01)
            own_redis.start() if is_killed else own_redis.thaw()
            rest = [(at, msgspec.json.decode(piece.payload, type=Word).text) async for at, piece in pieces]
    assert rest == [*enumerate(words[1:], 1), (len(words), "".join(words))]


async def test_a_node_whose_follower_has_died_holds_no_stream_for_it(own_redis: RedisServer) -> None:
    settings, limits = ClusterSettings(url=own_redis.url), StreamLimits(beat_s=0.05)

    async def endless(say: Say) -> Word:
        say("delta", Word("first"))
        await asyncio.Event().wait()
        return Word("")

    async with open_cluster(settings, shared) as one, open_streams(one, "a", limits) as here:
        stream = here.start(Scope.local(), endless)
        async with open_cluster(settings, shared) as two:
            following = Streams(two, "b", limits)
            copy = await following.find(Scope.local(), stream.id, 0)
            async with aclosing(copy.read(0)) as pieces:
                await anext(pieces)
                async with asyncio.timeout(30):
                    while stream.readers != 1:  # noqa: ASYNC110  # as above
                        await asyncio.sleep(0.01)
                await following.close()  # it says nothing of it, as one that was killed
        async with asyncio.timeout(30):
            while stream.readers:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.01)
