"""A channel for tests of sockets: it echoes, streams, fails, waits and broadcasts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import msgspec

from rubber_duck.channels.channel import Channel, NoPayload, Push, Seat, on
from rubber_duck.channels.socket import Opener
from rubber_duck.channels.stream import Say, Streams, follow
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import Denied, NotFound
from rubber_duck.scope import Right, Scope


class Text(msgspec.Struct, frozen=True):
    """A payload with one text."""

    text: str


class Resume(msgspec.Struct, frozen=True):
    """Which stream, and the first offset that is missing."""

    stream: str
    offset: int


@dataclass(frozen=True, slots=True)
class Parts:
    """What rooms share: streams, and the sign for them to go on."""

    streams: Streams
    go: asyncio.Event


class Room(Channel):
    """A room that refuses whoever names it `closed`; in the one named `quiet` nobody may write.

    After the join, the quiet one takes until `go` is set to say what one may do.
    """

    name = "room"
    right = Right.PROJECT_READ

    def __init__(self, seat: Seat, subject: str, diary: list[str], parts: Parts) -> None:
        super().__init__(seat, subject)
        self.diary = diary
        self.parts = parts
        if subject == "nowhere":
            raise NotFound("there is no such room")

    async def authorize(self, member: Scope) -> Scope:
        """Whatever they may do elsewhere, and in the quiet one only listen."""
        member.require(self.right)
        if self.subject != "quiet":
            return member
        if self.diary:
            await self.parts.go.wait()
        return replace(member, rights=frozenset({Right.PROJECT_READ}))

    async def join(self, params: bytes) -> msgspec.Struct | None:
        """Refuse, or say the room's name."""
        if self.subject == "closed":
            raise Denied("the room is closed")
        self.diary.append("join")
        return Text(self.subject)

    async def joined(self) -> None:
        """Write it down."""
        self.diary.append("joined")

    async def leave(self) -> None:
        """Write it down; nobody leaves the one named `stuck` without trouble."""
        self.diary.append("leave")
        if self.subject == "stuck":
            raise ValueError("the door is stuck")

    @on("echo", right=Right.PROJECT_READ, payload=Text)
    async def echo(self, payload: Text, push: Push) -> Text:
        """Say it back."""
        return payload

    @on("bytes", right=Right.PROJECT_READ, payload=None)
    async def reverse(self, payload: bytes, push: Push) -> bytes:
        """Say them back reversed."""
        return payload[::-1]

    @on("write", right=Right.PROJECT_WRITE, payload=Text)
    async def write(self, payload: Text, push: Push) -> None:
        """Only for who may write."""

    @on("say", right=Right.PROJECT_READ, payload=Text)
    async def say(self, payload: Text, push: Push) -> None:
        """Tell the others."""
        await self.seat.broadcast("said", payload, besides_me=True)

    @on("shout", right=Right.PROJECT_READ, payload=Text)
    async def shout(self, payload: Text, push: Push) -> None:
        """Tell all."""
        await self.seat.broadcast("said", payload)

    @on("pour", right=Right.PROJECT_READ)
    async def pour(self, payload: NoPayload, push: Push) -> None:
        """Push without end."""
        self.diary.append("pouring")
        while True:
            await push("drop", Text("x" * 1000))
            self.diary.append("drop")

    @on("wait", right=Right.PROJECT_READ)
    async def wait(self, payload: NoPayload, push: Push) -> None:
        """Wait for the end of the world."""
        try:
            await asyncio.Event().wait()
        finally:
            self.diary.append("woken")

    @on("stay", right=Right.PROJECT_READ)
    async def stay(self, payload: NoPayload, push: Push) -> None:
        """Wait for the end of the world, and after it for `go`."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.parts.go.wait()

    @on("count", right=Right.PROJECT_READ)
    async def count(self, payload: NoPayload, push: Push) -> msgspec.Raw:
        """Stream numbers: the first at once, the others when `go` is set."""

        async def work(say: Say) -> Text:
            say("delta", Text("1"))
            await self.parts.go.wait()
            say("delta", Text("2"))
            return Text("12")

        try:
            stream = self.parts.streams.start(self.seat.scope, work)
            return await follow(self.parts.streams, stream, 0, push)
        finally:
            self.diary.append("count ended")

    @on("resume", right=Right.PROJECT_READ, payload=Resume)
    async def resume(self, payload: Resume, push: Push) -> msgspec.Raw:
        """Go on with a stream."""
        stream = await self.parts.streams.find(self.seat.scope, payload.stream, payload.offset)
        return await follow(self.parts.streams, stream, payload.offset, push)

    @on("fail", right=Right.PROJECT_READ)
    async def fail(self, payload: NoPayload, push: Push) -> None:
        """Raise something of its own."""
        raise ValueError("oh")


def doors(diary: list[str] | None = None, parts: Parts | None = None) -> dict[str, Opener]:
    """The one door."""
    kept = [] if diary is None else diary
    parts = parts or Parts(Streams(LocalCluster(), "a"), asyncio.Event())
    return {"room": lambda seat, subject: Room(seat, subject, kept, parts)}
