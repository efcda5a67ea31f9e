"""Lets an engine answer over a socket: counted, streamed, and continued after a cut."""

from __future__ import annotations

from typing import Any

import msgspec

from rubber_duck.call import Delta, Progress
from rubber_duck.channels.channel import Push, Seat
from rubber_duck.channels.stream import Say, follow
from rubber_duck.scope import Scope
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.limits import Asked, RouteClass


class RunRequest(msgspec.Struct, frozen=True):
    """Which engine is asked what. The request says nothing of folders: the project is that of the topic."""

    engine: str
    request: dict[str, Any] = {}  # Any: JSON of the engine's own shape


class ResumeRequest(msgspec.Struct, frozen=True):
    """Which stream goes on, and the first offset that is missing."""

    stream: str
    offset: int


class Started(msgspec.Struct, frozen=True):
    """The stream that begins: with its name a client can continue even before the first piece."""

    stream: str


class DeltaView(msgspec.Struct, frozen=True):
    """A piece of text."""

    text: str


class ProgressView(msgspec.Struct, frozen=True):
    """How far the work is; `total` 0 when it is not known."""

    done: int
    total: int
    note: str


async def afford(desk: Desk, member: Member, project: str = "") -> None:
    """Raises RateLimited, and Unavailable while nobody can say how often they ran something."""
    await desk.limits.take(Asked(RouteClass.RUN, member.address, member.standing, project))


async def answer(desk: Desk, seat: Seat, asked: RunRequest, scope: Scope, push: Push) -> msgspec.Raw:
    """Run an engine as `scope`; its deltas and progress are pushed, its answer is returned."""

    async def work(say: Say) -> msgspec.Struct:
        def emit(piece: Delta | Progress) -> None:
            if isinstance(piece, Delta):
                say("delta", DeltaView(piece.text))
            else:
                say("progress", ProgressView(piece.done, piece.total, piece.note))

        answered: msgspec.Struct = await desk.app.run(asked.engine, asked.request, scope, emit)
        return answered

    stream = desk.streams.start(seat.scope, work)
    await push("started", Started(stream.id))
    return await follow(desk.streams, stream, 0, push)


async def resume(desk: Desk, seat: Seat, asked: ResumeRequest, push: Push) -> msgspec.Raw:
    """Go on with a stream after a cut; NotFound when it cannot be continued."""
    stream = await desk.streams.find(seat.scope, asked.stream, asked.offset)
    return await follow(desk.streams, stream, asked.offset, push)
