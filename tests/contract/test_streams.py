"""Streams that are cut and continued, on the same node and on another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec
import pytest

from rubber_duck.channels.stream import END, FAILED, Say, Stream, StreamLimits, Streams, open_streams
from rubber_duck.errors import InvalidInput, LimitExceeded, NotFound
from rubber_duck.scope import Actor, Scope
from tests.contract.nodes import Nodes

SCOPE = Scope.local()
STRANGER = Scope(Actor("other", "other"), None, SCOPE.rights, SCOPE.trace)


class Word(msgspec.Struct, frozen=True):
    """A piece or an answer."""

    text: str


@pytest.fixture
async def streams(nodes: Nodes) -> AsyncIterator[tuple[Streams, Streams]]:
    """The streams of two nodes."""
    async with open_streams(nodes.here, "a") as here, open_streams(nodes.there, "b") as there:
        yield here, there


def _words(number: int) -> list[str]:
    return [f"w{index} " for index in range(number)]


async def _tell(words: list[str], say: Say) -> Word:
    for index, word in enumerate(words):
        say("delta", Word(word))
        if index % 10 == 0:
            await asyncio.sleep(0)
    return Word("".join(words))


async def _read(stream: Stream, offset: int, most: int) -> list[tuple[int, str, str]]:
    read = []
    async with aclosing(stream.read(offset)) as pieces:
        async for at, piece in pieces:
            read.append((at, piece.event, msgspec.json.decode(piece.payload, type=Word).text))
            if len(read) == most:
                break
    return read


async def test_a_stream_that_is_cut_anywhere_goes_on_on_either_node(streams: tuple[Streams, Streams]) -> None:
    words = _words(2000)
    chance = random.Random(7)
    cuts = 0
    while cuts < 300:
        stream_id = streams[0].start(SCOPE, lambda say: _tell(words, say)).id
        read: list[tuple[int, str, str]] = []
        while not read or read[-1][1] != END:
            node = chance.choice(streams)
            stream = await node.find(SCOPE, stream_id, len(read))
            read += await _read(stream, len(read), chance.randint(1, 400))
            cuts += 1
        assert [at for at, _, _ in read] == list(range(2001))
        assert "".join(text for _, event, text in read if event == "delta") == "".join(words) == read[-1][2]


async def test_a_cancel_reaches_the_work_on_another_node_and_nobody_elses_does(
    streams: tuple[Streams, Streams],
) -> None:
    ended = asyncio.Event()

    async def endless(say: Say) -> Word:
        say("delta", Word("a"))
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError("it waits for ever")

    here, there = streams
    stream = here.start(SCOPE, endless, topic="code:a")
    copy = await there.find(SCOPE, stream.id, 0, topic="code:a")
    there.cancel(Stream(stream.id, STRANGER.actor.id, "code:a"))
    there.cancel(Stream(stream.id, SCOPE.actor.id, "code:b"))
    assert await _read(copy, 0, 1) == [(0, "delta", "a")]
    assert not ended.is_set()
    there.cancel(copy)
    async with asyncio.timeout(10):
        await ended.wait()


async def test_nobody_else_reads_a_stream(streams: tuple[Streams, Streams]) -> None:
    stream = streams[0].start(SCOPE, lambda say: _tell(_words(5), say))
    for node in streams:
        with pytest.raises(NotFound, match="cannot be continued"):
            await node.find(STRANGER, stream.id, 0)


async def test_a_node_that_is_gone_and_a_stream_there_is_not_are_told(nodes: Nodes) -> None:
    async with open_streams(nodes.here, "a", StreamLimits(answer_s=0.05)) as here, open_streams(nodes.there, "b"):
        for stream_id in ("gone.x", "a.x", "b.x", ""):
            with pytest.raises(NotFound, match="cannot be continued"):
                await here.find(SCOPE, stream_id, 0)


async def test_an_offset_that_was_never_there_is_told(streams: tuple[Streams, Streams]) -> None:
    stream = streams[0].start(SCOPE, lambda say: _tell([], say))
    assert await _read(stream, 0, 10) == [(0, END, "")]
    with pytest.raises(NotFound):
        await streams[0].find(SCOPE, stream.id, 2)
    copy = await streams[1].find(SCOPE, stream.id, 5)
    with pytest.raises(NotFound):
        await _read(copy, 5, 10)


async def test_what_the_work_raised_is_the_last_piece(streams: tuple[Streams, Streams]) -> None:
    async def fail(say: Say) -> Word:
        say("delta", Word("a"))
        raise InvalidInput("no")

    stream = streams[0].start(SCOPE, fail)
    copy = await streams[1].find(SCOPE, stream.id, 0)
    async with aclosing(copy.read(0)) as pieces:
        read = [piece async for _, piece in pieces]
    assert [piece.event for piece in read] == ["delta", FAILED]
    assert read[1].payload == b'{"code":"invalid_input","message":"no","retryable":false}'


async def test_a_stream_nobody_reads_is_forgotten_and_its_work_ended(nodes: Nodes) -> None:
    ended = asyncio.Event()

    async def work(say: Say) -> Word:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return Word("")

    async with open_streams(nodes.here, "a", StreamLimits(kept_s=0.02)) as here:
        stream = here.start(SCOPE, work)
        async with asyncio.timeout(20):
            await ended.wait()
        with pytest.raises(NotFound):
            await here.find(SCOPE, stream.id, 0)


async def test_a_stream_that_grows_too_large_ends_with_an_error(nodes: Nodes) -> None:
    async with open_streams(nodes.here, "a", StreamLimits(size_bytes=1000)) as here:
        stream = here.start(SCOPE, lambda say: _tell(["x" * 100] * 100, say))
        async with aclosing(stream.read(0)) as pieces:
            last = [piece async for _, piece in pieces][-1]
        assert b'"limit_exceeded"' in last.payload
        assert stream.size_bytes < 2000


async def test_one_member_does_not_hold_all_the_streams(nodes: Nodes) -> None:
    go = asyncio.Event()

    async def wait(say: Say) -> Word:
        await go.wait()
        return Word("")

    async with open_streams(nodes.here, "a", StreamLimits(streams=10, per_member=2)) as here:
        held = [here.start(SCOPE, wait) for _ in range(2)]
        with pytest.raises(LimitExceeded, match="2 answers are being streamed to you"):
            here.start(SCOPE, wait)
        others = here.start(STRANGER, wait)
        go.set()
        for stream in held:
            await _read(stream, 0, 1)
        third = here.start(SCOPE, wait)  # the oldest that has ended makes room
        with pytest.raises(NotFound):
            await here.find(SCOPE, held[0].id, 0)
        for stream in (held[1], third):
            assert await here.find(SCOPE, stream.id, 0) is stream
        assert await here.find(STRANGER, others.id, 0) is others


@pytest.mark.parametrize("message", [b"", b"\xff", b"[1]", b"\x83\xa6stream\xa1x\xa5owner\xa1x\xa8reply_to\xa6node:b"])
async def test_what_no_node_would_say_is_dropped(nodes: Nodes, message: bytes) -> None:
    async with open_streams(nodes.here, "a") as here, open_streams(nodes.there, "b") as there:
        await nodes.there.publish("node:a", message)
        stream = here.start(SCOPE, lambda say: _tell(_words(3), say))
        assert len(await _read(await there.find(SCOPE, stream.id, 0), 0, 10)) == 4


async def test_a_reader_on_another_node_is_told_when_the_streams_node_is_killed(nodes: Nodes) -> None:
    limits = StreamLimits(beat_s=0.05)

    async def never(say: Say) -> Word:
        say("delta", Word("first"))
        await asyncio.Event().wait()
        return Word("")

    async with open_streams(nodes.there, "b", limits) as there, open_streams(nodes.here, "a", limits) as here:
        copy = await there.find(SCOPE, here.start(SCOPE, never).id, 0)
        async with aclosing(copy.read(0)) as pieces:
            assert (await anext(pieces))[0] == 0
            await asyncio.sleep(0.5)  # it says nothing, but it lives
            assert not copy.is_lost
            await here.close()
            with pytest.raises(NotFound, match="cannot be continued"):
                await anext(pieces)
