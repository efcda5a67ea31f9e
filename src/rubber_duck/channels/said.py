"""What a server says to a client: pieces of a stream and answers, read from frames and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from rubber_duck.channels.message import REPLY, ErrorView, Message, decode
from rubber_duck.errors import DuckError, InvalidInput, NotFound, Unavailable

STARTED: Final = "started"


@dataclass(frozen=True, slots=True)
class Said:
    """One piece of an answer: its event and the JSON of its payload. The last one's event is `phx_reply`."""

    event: str
    payload: bytes

    @property
    def is_last(self) -> bool:
        """Whether this is the answer itself."""
        return self.event == REPLY


class _Reply(msgspec.Struct, frozen=True):
    status: str
    response: msgspec.Raw


class _Piece(msgspec.Struct, frozen=True):
    stream: str
    offset: int
    piece: msgspec.Raw


class _Started(msgspec.Struct, frozen=True):
    stream: str


@dataclass(slots=True)
class Progress:
    """How much of a stream was seen: its name, "" before it is known, and the offset of the next piece."""

    stream: str = ""
    offset: int = 0

    def take(self, message: Message) -> Said | None:
        """The piece in a push; None for its name alone, and for a piece that was seen. Raises NotFound for a gap."""
        if message.event == STARTED:
            self.stream = msgspec.json.decode(message.payload, type=_Started).stream
            return None
        piece = msgspec.json.decode(message.payload, type=_Piece)
        self.stream = piece.stream
        if piece.offset > self.offset:
            raise NotFound("a piece of the stream is missing; ask again")
        if piece.offset < self.offset:
            return None
        self.offset += 1
        return Said(message.event, bytes(piece.piece))


def decoded(frame: str | bytes) -> Message:
    """The message in a frame. Raises Unavailable for what no server of ours says."""
    try:
        return decode(frame)
    except InvalidInput as error:
        raise Unavailable(f"what answers is no server of RubberDuck: {error.message}") from error


def is_unavailable(reply: Message) -> bool:
    """Whether it says that what is asked for cannot be reached for now."""
    try:
        response_of(reply)
    except Unavailable:
        return True
    except DuckError:
        return False
    return False


def response_of(message: Message) -> bytes:
    """What a reply says. Raises the error that it is."""
    try:
        reply = msgspec.json.decode(message.payload, type=_Reply)
        if reply.status == "ok":
            return bytes(reply.response)
        view = msgspec.json.decode(reply.response, type=ErrorView)
    except msgspec.MsgspecError as error:
        raise Unavailable(f"what answers is no server of RubberDuck: {error}") from error
    raise view.error()
