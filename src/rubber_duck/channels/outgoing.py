"""What waits to be sent over one socket: bounded in bytes, so that a slow reader never costs memory."""

from __future__ import annotations

import asyncio
from collections import deque

from rubber_duck.channels.message import Frame

_FRAME_BYTES = 64  # what a frame costs beside its content


class Outgoing:
    """Frames in order. Who can wait for room puts; what cannot wait is offered, and where there is no room it ends."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._frames: deque[Frame] = deque()
        self._size_bytes = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.ended = False

    @property
    def size_bytes(self) -> int:
        """How much waits."""
        return self._size_bytes

    def __len__(self) -> int:
        """How many frames wait."""
        return len(self._frames)

    async def put(self, frame: Frame) -> None:
        """Add a frame as soon as there is room; after the end it is forgotten."""
        while not self.ended and self._frames and self._size_bytes + _cost(frame) > self._limit_bytes:
            self._room.clear()
            await self._room.wait()
        self._add(frame)

    def offer(self, frame: Frame) -> bool:
        """Add a frame now; False when there is no room: the reader is too slow and the socket has to end."""
        if self._frames and self._size_bytes + _cost(frame) > self._limit_bytes:
            return False
        self._add(frame)
        return True

    async def take(self) -> Frame | None:
        """The next frame; None when it has ended and nothing is left."""
        while not self._frames:
            if self.ended:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        frame = self._frames.popleft()
        self._size_bytes -= _cost(frame)
        self._room.set()
        return frame

    def end(self, *, forget: bool) -> None:
        """Nothing is added any more; with `forget` what waits is not sent either."""
        self.ended = True
        if forget:
            self._frames.clear()
            self._size_bytes = 0
        self._arrived.set()
        self._room.set()

    def _add(self, frame: Frame) -> None:
        if not self.ended:
            self._frames.append(frame)
            self._size_bytes += _cost(frame)
            self._arrived.set()


def _cost(frame: Frame) -> int:
    return len(frame) + _FRAME_BYTES
