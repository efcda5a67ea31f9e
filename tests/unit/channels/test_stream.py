"""Streams of one node, and readers that give up."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from rubber_duck.channels.stream import Say, StreamLimits, Streams, open_streams
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import NotFound
from rubber_duck.scope import Actor, Scope

SCOPE = Scope.local()
ONE = StreamLimits(per_member=1, answer_s=30.0)


class Word(msgspec.Struct, frozen=True):
    """A piece or an answer."""

    text: str


async def nothing(say: Say) -> Word:
    """An answer without pieces."""
    return Word("")


async def test_who_gives_up_looking_for_a_stream_leaves_nothing_behind() -> None:
    cluster = LocalCluster()
    streams = Streams(cluster, "a", ONE)
    looking = [asyncio.create_task(streams.find(SCOPE, "gone.x", 0)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(read_all(streams, looking[1]))
    await asyncio.sleep(0)
    looking[0].cancel()
    await asyncio.gather(looking[0], return_exceptions=True)
    with pytest.raises(NotFound):
        await waiting
    assert [piece.event for piece in await streams.start(SCOPE, nothing).after(0)] == ["end"]
    await streams.close()


async def read_all(streams: Streams, looking: asyncio.Task[object]) -> None:
    """Read what somebody else who looked for the same stream has found."""
    found = await streams.find(SCOPE, "gone.x", 0)
    await looking
    async for _ in found.read(0):
        continue


async def test_a_copy_that_nobody_reads_ends_nothing_on_the_node_of_its_stream() -> None:
    cluster, go = LocalCluster(), asyncio.Event()

    async def work(say: Say) -> Word:
        say("delta", Word("first"))
        await go.wait()
        return Word("last")

    soon = StreamLimits(kept_s=0.02)
    async with open_streams(cluster, "a") as here, open_streams(cluster, "b", soon) as there:
        stream = here.start(SCOPE, work)
        copy = await there.find(SCOPE, stream.id, 0)
        with pytest.raises(NotFound):
            await copy.after(1)  # unlike a reader, this keeps nothing alive
        await there.find(SCOPE, stream.id, 0)  # whatever was said to the other node before has been heard there
        go.set()
        assert [piece.event async for _, piece in stream.read(0)] == ["delta", "end"]


@pytest.mark.parametrize("offset", [-1, -(10**30), 1, 2**63, 10**30])
async def test_an_offset_that_is_none_is_told(offset: int) -> None:
    streams = Streams(LocalCluster(), "a")
    stream = streams.start(SCOPE, nothing)
    with pytest.raises(NotFound):
        await streams.find(SCOPE, stream.id, offset)
    await streams.close()


async def test_a_name_that_no_stream_has_reaches_no_other_node() -> None:
    cluster, heard = LocalCluster(), list[bytes]()
    streams = Streams(cluster, "a")
    name = "b" * 1000
    async with await cluster.subscribe(f"node:{name}", heard.append):
        with pytest.raises(NotFound) as told:
            await streams.find(SCOPE, name, 0)
    assert heard == []
    assert len(told.value.message) < 400


async def test_a_long_stream_reaches_another_node_in_few_messages() -> None:
    class Counting(LocalCluster):
        published = 0

        async def publish(self, topic: str, message: bytes) -> None:
            self.published += topic.startswith("stream:")
            await super().publish(topic, message)

    async def work(say: Say) -> Word:
        for number in range(2000):
            say("delta", Word(f"w{number} "))
        return Word("done")

    cluster = Counting()
    async with open_streams(cluster, "a") as here, open_streams(cluster, "b") as there:
        stream = here.start(SCOPE, work)
        assert [piece.event async for _, piece in stream.read(0)][-1] == "end"
        found = await there.find(SCOPE, stream.id, 0)
        assert [piece async for _, piece in found.read(0)] == stream.pieces
    assert cluster.published < 10


async def test_a_stream_is_its_owners_in_the_topic_where_it_began() -> None:
    stranger = Scope(Actor("other", "other"), None, SCOPE.rights, SCOPE.trace)
    cluster = LocalCluster()
    async with open_streams(cluster, "a") as here, open_streams(cluster, "b") as there:
        for node in (here, there):
            stream = here.start(SCOPE, nothing, topic="code:1")
            for scope, topic in ((SCOPE, "cli:me"), (SCOPE, "code:2"), (stranger, "code:1")):
                with pytest.raises(NotFound):
                    await node.find(scope, stream.id, 0, topic=topic)
            found = await node.find(SCOPE, stream.id, 0, topic="code:1")
            assert [piece.event async for _, piece in found.read(0)] == ["end"]
