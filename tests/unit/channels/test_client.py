"""A client that comes back by itself, over wires that are cut."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from rubber_duck.backoff import Backoff
from rubber_duck.channels.channel import Channel, NoPayload, Push, Seat, on
from rubber_duck.channels.client import Client, ClientLimits, open_client
from rubber_duck.channels.said import Said
from rubber_duck.channels.socket import Socket, SocketLimits
from rubber_duck.channels.stream import Say, Streams, follow
from rubber_duck.channels.testing import MemoryWire
from rubber_duck.channels.wire import Address, Wire
from rubber_duck.cluster.cluster import Limit
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import Conflict, Denied, InvalidInput, NotFound, Unauthenticated, Unavailable
from rubber_duck.scope import Right, Scope
from tests.unit.channels.rooms import Parts, Resume, Room, Text

WORDS = [f"w{index} " for index in range(2000)]
SOON = ClientLimits(patience_s=5.0, heartbeat_s=60.0, backoff=Backoff(first_s=0.0))


class Scribe(Channel):
    """Writes 2,000 words."""

    name = "scribe"
    right = Right.PROJECT_READ

    def __init__(self, seat: Seat, subject: str, streams: Streams, troubles: list[Exception]) -> None:
        super().__init__(seat, subject)
        self.streams = streams
        self.troubles = troubles

    @on("write", right=Right.PROJECT_READ)
    async def write(self, payload: NoPayload, push: Push) -> msgspec.Raw:
        """Word by word."""

        async def work(say: Say) -> Text:
            for index, word in enumerate(WORDS):
                say("delta", Text(word))
                if index % 7 == 0:
                    await asyncio.sleep(0)
            return Text("".join(WORDS))

        return await follow(self.streams, self.streams.start(self.seat.scope, work), 0, push)

    @on("resume", right=Right.PROJECT_READ, payload=Resume)
    async def resume(self, payload: Resume, push: Push) -> msgspec.Raw:
        """Go on."""
        if self.troubles:
            raise self.troubles.pop(0)
        stream = await self.streams.find(self.seat.scope, payload.stream, payload.offset)
        return await follow(self.streams, stream, payload.offset, push)


class Lingering(Room):
    """A room where one may wait, which is told to `begun`."""

    begun: asyncio.Event

    @on("linger", right=Right.PROJECT_READ)
    async def linger(self, payload: NoPayload, push: Push) -> None:
        """Wait for the end of the world."""
        self.begun.set()
        await self.wait(payload, push)


@dataclass
class House:
    """A server in memory, whose wires a test may cut.

    `refusals` are raised by the next ones who dial, `troubles` where a stream is asked for again.
    """

    streams: Streams = field(default_factory=lambda: Streams(LocalCluster(), "a"))
    wires: list[MemoryWire] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    is_gone: bool = False
    diary: list[str] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    dialled: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def dial(self) -> Wire:
        """A new wire."""
        if self.is_gone:
            raise Unavailable("nobody is there")
        if self.refusals:
            raise self.refusals.pop(0)
        scope = replace(Scope.local(), rights=frozenset({Right.PROJECT_READ}))
        limits = SocketLimits(messages=Limit(1e6, 1e6), channel_messages=Limit(1e6, 1e6))
        doors = {"room": self._room, "scribe": lambda seat, subject: Scribe(seat, subject, self.streams, self.troubles)}
        self.wires.append(MemoryWire(Socket(scope, doors, LocalCluster(), limits=limits)))
        self.dialled.release()
        return self.wires[-1]

    def _room(self, seat: Seat, subject: str) -> Room:
        if subject in self.closed:
            raise Denied("the room is closed")
        if subject in self.busy:
            self.busy.remove(subject)
            raise Unavailable("the room is being cleaned")
        room = Lingering(seat, subject, self.diary, Parts(self.streams, asyncio.Event()))
        room.begun = self.begun
        return room


@asynccontextmanager
async def visiting(house: House, limits: ClientLimits = SOON) -> AsyncIterator[Client]:
    """A client of the house."""
    async with open_client(Client(house.dial, limits)) as client:
        yield client
    await house.streams.close()


async def test_it_joins_asks_and_learns_why_not() -> None:
    async with visiting(House()) as client:
        assert await client.join("room:a") == b'{"text":"a"}'
        assert await client.ask("room:a", "echo", Text("hi")) == b'{"text":"hi"}'
        for event, wrong, payload in (
            ("write", Denied, {"text": "x"}),
            ("fail", Exception, {}),
            ("echo", InvalidInput, {"text": 1}),
        ):
            with pytest.raises(wrong):
                await client.ask("room:a", event, payload)
        with pytest.raises(Denied, match="the room is closed"):
            await client.join("room:closed")
        with pytest.raises(NotFound, match="not joined"):
            await client.ask("room:b", "echo")


async def test_a_stream_that_is_cut_anywhere_arrives_whole_and_once() -> None:
    chance = random.Random(5)
    house, cuts = House(), 0
    async with visiting(house) as client:
        await client.join("scribe:a")
        while cuts < 200:
            read: list[str] = []
            async with aclosing(client.follow("scribe:a", "write")) as pieces:
                async for said in pieces:
                    read.append(msgspec.json.decode(said.payload, type=Text).text)
                    if chance.random() < 0.005 and not said.is_last and not house.wires[-1].is_cut:
                        cuts += 1
                        await house.wires[-1].cut()
            assert read == [*WORDS, "".join(WORDS)]
    assert len(house.wires) == cuts + 1


async def _last(pieces: AsyncGenerator[Said, None]) -> Said:
    async for said in pieces:
        if said.is_last:
            return said
    raise AssertionError("it never ended")


async def test_a_stream_whose_node_cannot_be_reached_for_now_is_asked_for_again() -> None:
    house = House(troubles=[Unavailable("the Redis does not answer") for _ in range(3)])
    async with visiting(house) as client:
        await client.join("scribe:a")
        read: list[str] = []
        async with aclosing(client.follow("scribe:a", "write")) as pieces:
            async for said in pieces:
                read.append(msgspec.json.decode(said.payload, type=Text).text)
                if len(read) == 7:
                    await house.wires[-1].cut()
        assert (read, house.troubles) == ([*WORDS, "".join(WORDS)], [])
        house.troubles.append(NotFound("the stream cannot be continued"))
        async with aclosing(client.follow("scribe:a", "write")) as pieces:
            await anext(pieces)
            await house.wires[-1].cut()
            with pytest.raises(NotFound, match="cannot be continued"):
                await _last(pieces)


async def test_what_was_asked_and_not_answered_before_a_cut_is_an_error_and_never_asked_twice() -> None:
    house = House()
    async with visiting(house) as client:
        await client.join("room:a")
        asking = asyncio.create_task(client.ask("room:a", "linger"))
        await house.begun.wait()
        await house.wires[0].cut()
        with pytest.raises(Unavailable, match="ask again"):
            await asking
        assert await client.ask("room:a", "echo", Text("back")) == b'{"text":"back"}'
    assert house.diary.count("woken") == 1


async def test_a_topic_that_may_not_be_joined_again_is_told() -> None:
    house = House()
    async with visiting(house) as client:
        await client.join("room:a")
        await client.join("room:b")
        house.closed.add("a")
        await house.wires[0].cut()
        assert await client.ask("room:b", "echo", Text("x")) == b'{"text":"x"}'
        with pytest.raises(NotFound, match="not joined"):
            await client.ask("room:a", "echo", Text("x"))
        assert [client.has_joined(topic) for topic in ("room:a", "room:b")] == [False, True]
        assert not client.is_over


async def test_a_topic_that_is_refused_for_a_moment_is_joined_again() -> None:
    house = House()
    async with visiting(house) as client:
        await client.join("room:a")
        house.busy.add("a")
        await house.wires[0].cut()
        assert await client.ask("room:a", "echo", Text("x")) == b'{"text":"x"}'
        assert len(house.wires) == 3


async def test_it_tries_again_until_its_patience_ends_and_then_says_so() -> None:
    house = House(refusals=[])
    async with visiting(house, replace(SOON, patience_s=0.0)) as client:
        await client.join("room:a")
        house.is_gone = True
        await house.wires[0].cut()
        with pytest.raises(Unavailable, match="nobody is there; given up after 0 s"):
            await client.ask("room:a", "echo", Text("x"))
        assert client.is_over


async def test_a_key_that_was_revoked_meanwhile_is_not_tried_again() -> None:
    house = House()
    async with visiting(house) as client:
        await client.join("room:a")
        house.refusals = [Unavailable("not yet"), Unauthenticated("revoked")]
        await house.wires[0].cut()
        with pytest.raises(Unauthenticated):
            await client.ask("room:a", "echo", Text("x"))


async def test_where_no_server_is_it_fails_at_once() -> None:
    with pytest.raises(Unavailable, match="nobody is there"):
        async with visiting(House(is_gone=True)):
            raise AssertionError


async def test_who_has_heard_enough_ends_the_work() -> None:
    house = House()
    async with visiting(house) as client:
        await client.join("scribe:a")
        async with aclosing(client.follow("scribe:a", "write")) as pieces:
            async for _ in pieces:
                break
        stream = next(iter(house.streams._streams.values()))
        with pytest.raises(Conflict, match="cancelled"):
            await client.ask("scribe:a", "resume", {"stream": stream.id, "offset": 0})


async def test_a_server_that_hears_no_heartbeat_any_more_is_left() -> None:
    house = House()
    async with visiting(house, replace(SOON, heartbeat_s=0.01)) as client:
        await client.join("room:a")
        house.wires[0].is_deaf = True
        for _ in range(2):
            await house.dialled.acquire()
        assert await client.ask("room:a", "echo", Text("x")) == b'{"text":"x"}'


def test_an_address_is_of_http_and_shows_no_key() -> None:
    assert Address("http://127.0.0.1:4010/", "k").socket == "ws://127.0.0.1:4010/socket/websocket?vsn=2.0.0"
    assert Address("https://duck.example", "k").socket.startswith("wss://duck.example/socket")
    assert "secret" not in repr(Address("http://a", "secret"))
    for wrong in ("", "duck.example", "ftp://x", "http://"):
        with pytest.raises(InvalidInput, match="not the address"):
            _ = Address(wrong, "k").socket
