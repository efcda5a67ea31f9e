"""A client in memory, for tests of channels: it speaks to a Socket in frames, as one behind a network does."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import Any

import msgspec

from rubber_duck.channels.message import JOIN, REPLY, Frame
from rubber_duck.channels.socket import Socket
from rubber_duck.errors import Unavailable

WAIT_S = 20.0
"""How long a client waits for a frame before the test fails."""


@dataclass(frozen=True, slots=True)
class Received:
    """One frame of the server, decoded. `payload` is builtins."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: Any  # Any: JSON of any shape


class MemoryClient:
    """Sends and receives frames of one Socket. It reads only when asked, as a slow client does."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self._refs = map(str, itertools.count(1))
        self._joins: dict[str, str] = {}
        self._kept: list[Received] = []

    def send(self, topic: str, event: str, payload: object = None) -> str:
        """Send a request; its ref."""
        ref = next(self._refs)
        join_ref = self._joins.get(topic)
        if event == JOIN:
            self._joins[topic] = join_ref = ref
        self.socket.receive(msgspec.json.encode([join_ref, ref, topic, event, payload or {}]).decode())
        return ref

    async def ask(self, topic: str, event: str, payload: object = None) -> dict[str, Any]:  # Any: JSON
        """Send a request and wait for its reply: `{"status": …, "response": …}`."""
        return await self.reply(self.send(topic, event, payload))

    async def join(self, topic: str, params: object = None) -> dict[str, Any]:  # Any: JSON
        """Join a topic; the reply. One that is refused changes nothing of the join before it."""
        before = self._joins.get(topic)
        reply = await self.ask(topic, JOIN, params)
        if reply["status"] != "ok" and before is not None:
            self._joins[topic] = before
        return reply

    async def reply(self, ref: str) -> dict[str, Any]:  # Any: JSON
        """The reply to the request `ref`; other frames are kept for `next`."""
        passed: list[Received] = []
        while (received := await self.next()).event != REPLY or received.ref != ref:
            passed.append(received)
        self._kept = passed + self._kept
        reply: dict[str, Any] = received.payload  # Any: JSON
        return reply

    async def next(self) -> Received:
        """The next frame of the server. Raises TimeoutError, or ConnectionResetError when it ended."""
        if self._kept:
            return self._kept.pop(0)
        async with asyncio.timeout(WAIT_S):
            frame = await self.socket.outgoing.take()
        if frame is None:
            raise ConnectionResetError("the socket was closed")
        self.frames.append(frame)
        return Received(*msgspec.json.decode(frame))

    async def event(self, name: str) -> Received:
        """The next frame of that event; what comes before is forgotten."""
        while (received := await self.next()).event != name:
            pass
        return received


class MemoryWire:
    """A wire to a Socket in this process, for tests of clients; `cut` ends it as a network does."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.is_cut = False
        self.is_deaf = False

    async def send(self, frame: Frame) -> None:
        """Send a frame; a deaf wire loses it."""
        if self.is_cut:
            raise Unavailable("the wire was cut")
        if not self.is_deaf:
            self.socket.receive(frame)

    async def receive(self) -> Frame:
        """The next frame of the server."""
        frame = await self.socket.outgoing.take()
        if frame is None or self.is_cut:
            raise Unavailable("the wire was cut")
        return frame

    async def cut(self) -> None:
        """End it, with whatever was on its way."""
        self.is_cut = True
        await self.socket.close()

    async def close(self) -> None:
        """End it."""
        await self.cut()
