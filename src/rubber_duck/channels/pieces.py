"""A stream's pieces so far, and those who wait for the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import msgspec

from rubber_duck.channels.message import ErrorView, to_payload
from rubber_duck.errors import DuckError, NotFound

END: Final = "end"
FAILED: Final = "failed"


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """One piece: its event and the JSON of its payload. The last one is `end`, or `failed` with an error."""

    event: str
    payload: bytes


class Stream:
    """The pieces so far. Offsets count pieces from 0. It is its owner's alone, in the topic in which it began."""

    def __init__(self, stream_id: str, owner: str, topic: str) -> None:
        self.id = stream_id
        self.owner = owner
        self.topic = topic
        self.pieces: list[Piece] = []
        self.size_bytes = 0
        self.is_lost = False
        self.readers = 0
        self._grown = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self.is_lost or bool(self.pieces and self.pieces[-1].event in (END, FAILED))

    def add(self, *pieces: Piece) -> None:
        """Add pieces at the end."""
        self.pieces.extend(pieces)
        self.size_bytes += sum(len(piece.payload) for piece in pieces)
        self._wake()

    def check(self) -> None:
        """Raises NotFound when it was lost."""
        if self.is_lost:
            raise gone(self.id)

    def lose(self) -> None:
        """What follows will never be known here."""
        self.is_lost = True
        self._wake()

    async def read(self, offset: int) -> AsyncGenerator[tuple[int, Piece], None]:
        """Each piece from `offset` on, as it comes, to the last. NotFound when what follows was lost."""
        self.readers += 1
        try:
            while pieces := await self.after(offset):
                for piece in pieces:
                    yield offset, piece
                    offset += 1
        finally:
            self.readers -= 1

    async def after(self, offset: int) -> list[Piece]:
        """All pieces that are there from `offset` on, as soon as there is one; none at the end. NotFound as `read`."""
        while offset >= len(self.pieces):
            if self.is_lost or (self.ended and offset > len(self.pieces)):
                raise gone(self.id)
            if self.ended:
                return []
            await self._grown.wait()
        return self.pieces[offset:]

    def _wake(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()


def failure(error: DuckError) -> Piece:
    """The last piece of what failed."""
    return Piece(FAILED, to_payload(ErrorView.of(error)))


def gone(stream_id: str) -> NotFound:
    """That a stream cannot be continued."""
    return NotFound(f"the stream {stream_id!r} cannot be continued: it is over, or its server is gone; ask again")
