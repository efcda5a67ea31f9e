"""Lets an engine answer over a socket: counted, streamed, and continued after a cut."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from rubber_duck.call import Delta, Progress
from rubber_duck.channels.channel import Push, Seat
from rubber_duck.channels.stream import Say, Stream, follow
from rubber_duck.engines.placing import acting, placed_for_all, takes
from rubber_duck.scope import Scope
from rubber_duck.server.desk import Desk, Member, installation
from rubber_duck.server.limits import Asked, RouteClass
from rubber_duck.workspace.paths import confined
from rubber_duck.workspace.project import Project

Answered = TypeVar("Answered", bound=msgspec.Struct)


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


async def afford(desk: Desk, member: Member, project: str = "", *, cost: RouteClass = RouteClass.RUN) -> None:
    """Take what it costs, as a request over HTTP that does the same.

    Raises RateLimited, and Unavailable while nobody can say how often they did so.
    """
    await desk.limits.take(Asked(cost, member.address, member.standing, project))


@dataclass(frozen=True, slots=True)
class Placed:
    """What is asked in a project, and as whom. It reads no file outside of `within`, whatever the request says."""

    asked: RunRequest
    scope: Scope
    within: Project | None

    @contextmanager
    def confined(self) -> Iterator[None]:
        """For the time of its work."""
        with nullcontext() if self.within is None else confined(self.within.root):
            yield

    def veiled(self, answered: Answered) -> Answered:
        """The answer without the folder in which the server keeps the project: to everybody else that is `.`."""
        if self.within is not None and isinstance(getattr(answered, "root", None), str):
            return msgspec.structs.replace(answered, root=".")
        return answered


async def placed_in(desk: Desk, project: Project, asked: RunRequest, own: Scope, tenant: Scope) -> Placed:
    """A request with the project's folder in it, for somebody who may ask that; its index is brought up to date.

    `own` is whoever asks, `tenant` the installation, with their rights. Raises Denied, InvalidInput, InvalidPath,
    NotFound for what may not be asked.
    """
    among = desk.app.roster.answering(asked.engine)
    scope = acting(among, own, tenant)
    scope.require(among[0].right)
    request = await asyncio.to_thread(placed_for_all, among, asked.request, project.root, desk.app.settings)
    if takes(among[0], "refresh") and asked.request.get("refresh") is not False:
        await desk.freshness.bring(project, installation(scope.trace))
    return Placed(RunRequest(asked.engine, request), scope, project if scope is tenant else None)


async def answer(desk: Desk, seat: Seat, placed: Placed, push: Push) -> msgspec.Raw:
    """Run an engine; its deltas and progress are pushed, its answer is returned."""
    stream = begin(desk, seat, placed)
    await push("started", Started(stream.id))
    return await follow(desk.streams, stream, 0, push)


async def nothing() -> None:
    """Nothing is to be done when an engine has answered."""


def begin(desk: Desk, seat: Seat, placed: Placed, *, then: Callable[[], Awaitable[None]] = nothing) -> Stream:
    """Begin to run an engine; the stream of what it says is the member's.

    `then` is done when it has answered, also where nobody follows any more.
    """

    async def work(say: Say) -> msgspec.Struct:
        def emit(piece: Delta | Progress) -> None:
            if isinstance(piece, Delta):
                say("delta", DeltaView(piece.text))
            else:
                say("progress", ProgressView(piece.done, piece.total, piece.note))

        with placed.confined():
            asked = placed.asked
            answered: msgspec.Struct = await desk.app.run(asked.engine, asked.request, placed.scope, emit)
        await then()
        return placed.veiled(answered)

    return desk.streams.start(seat.scope, work, topic=seat.topic)


async def resume(desk: Desk, seat: Seat, asked: ResumeRequest, push: Push) -> msgspec.Raw:
    """Go on with a stream after a cut; NotFound when it cannot be continued."""
    stream = await desk.streams.find(seat.scope, asked.stream, asked.offset, topic=seat.topic)
    return await follow(desk.streams, stream, asked.offset, push)
