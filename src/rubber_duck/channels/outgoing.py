"""What waits to be sent over one socket: bounded in bytes, so that a slow reader never costs memory."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from rubber_duck.channels.message import Frame

_FRAME_BYTES = 64  # what a frame costs beside its content


class Outlet(Protocol):
    """What carries frames to the client at once, as long as the client reads."""

    def send(self, frame: Frame) -> bool:
        """Send a frame; False when it was not, because too much is on its way already."""

    def ended(self) -> None:
        """Nothing follows."""


class Outgoing:
    """Frames in order. Who can wait for room puts; what cannot wait is offered, and where there is no room it ends.

    With an outlet a frame waits here only while the outlet takes none. Without one, `take` gives them.
    """

    __slots__ = ("_arrived", "_frames", "_limit_bytes", "_outlet", "_room", "_size_bytes", "ended")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._frames: deque[Frame] = deque()
        self._size_bytes = 0
        self._outlet: Outlet | None = None
        self._arrived: asyncio.Event | None = None  # both are made when somebody waits: most sockets never need them
        self._room: asyncio.Event | None = None
        self.ended = False

    @property
    def size_bytes(self) -> int:
        """How much waits."""
        return self._size_bytes

    def __len__(self) -> int:
        """How many frames wait."""
        return len(self._frames)

    def lead_to(self, outlet: Outlet) -> None:
        """From now on frames go to the outlet, those that wait first."""
        self._outlet = outlet
        if self.ended:
            outlet.ended()
        self.flow()

    def flow(self) -> None:
        """Send what waits, as far as the outlet takes it: called when it takes frames again."""
        while self._frames and self._outlet is not None and self._outlet.send(self._frames[0]):
            self._forget_first()

    async def put(self, frame: Frame) -> None:
        """Add a frame as soon as there is room; after the end it is forgotten."""
        while not self.ended and self._is_full_for(frame):
            self._room = self._room or asyncio.Event()
            self._room.clear()
            await self._room.wait()
        if self.ended:
            await asyncio.sleep(0)  # who goes on and on is cancelled here, and does not keep others from running
        self._add(frame)

    def offer(self, frame: Frame) -> bool:
        """Add a frame now; False when there is no room: the reader is too slow and the socket has to end."""
        if self._is_full_for(frame):
            return False
        self._add(frame)
        return True

    async def take(self) -> Frame | None:
        """The next frame; None when it has ended."""
        while not self._frames:
            if self.ended:
                return None
            self._arrived = self._arrived or asyncio.Event()
            self._arrived.clear()
            await self._arrived.wait()
        return self._forget_first()

    def end(self) -> None:
        """Nothing is added any more, and what waits is not sent."""
        was_ended, self.ended = self.ended, True
        self._frames.clear()
        self._size_bytes = 0
        for waited_for in (self._arrived, self._room):
            if waited_for is not None:
                waited_for.set()
        if self._outlet is not None and not was_ended:
            self._outlet.ended()

    def _is_full_for(self, frame: Frame) -> bool:
        return bool(self._frames) and self._size_bytes + _cost(frame) > self._limit_bytes

    def _add(self, frame: Frame) -> None:
        if self.ended or (not self._frames and self._outlet is not None and self._outlet.send(frame)):
            return
        self._frames.append(frame)
        self._size_bytes += _cost(frame)
        if self._arrived is not None:
            self._arrived.set()

    def _forget_first(self) -> Frame:
        frame = self._frames.popleft()
        self._size_bytes -= _cost(frame)
        if self._room is not None:
            self._room.set()
        return frame


def _cost(frame: Frame) -> int:
    return len(frame) + _FRAME_BYTES
