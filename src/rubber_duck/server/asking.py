"""Lets an engine answer over a socket: counted, streamed, and continued after a cut."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import msgspec

from rubber_duck.call import Delta, Emit, Progress
from rubber_duck.channels.channel import Push, Seat
from rubber_duck.channels.stream import Say, Stream, follow
from rubber_duck.engines.placing import acting, placed_for_all, takes
from rubber_duck.errors import Denied, normalize
from rubber_duck.scope import Right, Scope
from rubber_duck.server.copies import check_here
from rubber_duck.server.desk import Desk, Member, installation
from rubber_duck.server.permits import Permit
from rubber_duck.workspace.paths import confined
from rubber_duck.workspace.project import Project

Answered = TypeVar("Answered")


REQUEST_BYTES: Final = 6_000_000
"""What an engine or a workflow is asked may hold the content of files."""


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


@dataclass(frozen=True, slots=True)
class Placed:
    """What is asked, and as whom. It reads no file outside of `within`, whatever the request says.

    `folder` is that of the project in which it is asked, "" outside of every one.
    """

    asked: RunRequest
    scope: Scope
    within: Project | None
    right: Right
    folder: str = ""

    @contextmanager
    def confined(self) -> Iterator[None]:
        """For the time of its work; what is raised tells nothing of the folder either."""
        with unplaced(self.folder), nullcontext() if self.within is None else confined(self.within.root):
            yield

    def veiled(self, answered: Answered) -> Answered:
        """The answer without the folder in which the server keeps the project: to everybody else that is `.`."""
        return veiled(answered, self.folder) if self.folder else answered


@contextmanager
def unplaced(folder: str) -> Iterator[None]:
    """What is raised within names no path of the server: those below a project's `folder` begin there."""
    try:
        yield
    except Exception as error:
        known = normalize(error)
        if folder and folder in known.message:
            known.message = known.message.replace(folder + os.sep, "").replace(folder, ".")
        if known is error:
            raise
        raise known from error


def veiled(value: Answered, root: str) -> Answered:
    """A value in which each text that is the path of `root`, or of what lies below it, is one from there."""
    found: Any = value  # Any: narrowed below; each case gives back what it was given
    if isinstance(value, str):
        found = _from(value, root)
    elif isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        seen = {name: veiled(each, root) for name, each in fields.items()}
        changed = {name: each for name, each in seen.items() if each is not fields[name]}
        found = msgspec.structs.replace(value, **changed) if changed else value
    elif isinstance(value, (tuple, list)):
        items = [veiled(each, root) for each in value]
        if any(new is not old for new, old in zip(items, value, strict=True)):
            found = type(value)(items)
    elif isinstance(value, dict):
        found = {key: veiled(each, root) for key, each in value.items()}
    return cast("Answered", found)


def _from(path: str, root: str) -> str:
    if path == root:
        return "."
    return path[len(root) + 1 :] if path.startswith(root + os.sep) else path


async def placed_in(desk: Desk, project: Project, asked: RunRequest, own: Scope, tenant: Scope) -> Placed:
    """A request with the project's folder in it, for somebody who may ask that; its index is brought up to date.

    `own` is whoever asks, `tenant` the installation, with their rights. Raises Denied, InvalidInput, InvalidPath,
    NotFound for what may not be asked, Unavailable on a node that has not the folder.
    """
    among = desk.app.roster.answering(asked.engine)
    scope = acting(among, own, tenant)
    scope.require(among[0].right)
    await check_here(project.root)
    with unplaced(project.root):
        request = await asyncio.to_thread(placed_for_all, among, asked.request, project.root, desk.app.settings)
        if takes(among[0], "refresh") and asked.request.get("refresh") is not False:
            await desk.freshness.bring(project, installation(scope.trace))
    within, right = project if scope is tenant else None, among[0].right
    return Placed(RunRequest(asked.engine, request), scope, within, right, project.root)


def permit_of(desk: Desk, member: Member, right: Right, project: UUID | None) -> Permit:
    """That a member may have something done, as long as they have this right, in a project or on the server."""
    came_as, trace = member.standing, member.trace

    async def check() -> None:
        now = await desk.accounts.again(came_as)
        rights = now.rights
        if project is not None:
            rights = (await desk.accounts.project_scope(now, project, trace)).rights
        if right not in rights:
            raise Denied(f"the right {right.value!r} is missing")

    return Permit(came_as.user.id, project, came_as.credential.expires_at, check)


async def carried_out(desk: Desk, permit: Permit, placed: Placed, emit: Emit) -> msgspec.Struct:
    """An engine's answer. It stops when whoever asked may not have it any more; raises Denied then."""
    with placed.confined():
        async with desk.permits.held(permit):
            asked = placed.asked
            answered: msgspec.Struct = await desk.app.run(asked.engine, asked.request, placed.scope, emit)
    return placed.veiled(answered)


async def answer(desk: Desk, member: Member, seat: Seat, placed: Placed, push: Push) -> msgspec.Raw:
    """Run an engine; its deltas and progress are pushed, its answer is returned."""
    stream = begin(desk, member, seat, placed)
    await push("started", Started(stream.id))
    return await follow(desk.streams, stream, 0, push)


async def nothing(answered: msgspec.Struct) -> None:
    """Nothing is to be done when an engine has answered."""


def begin(
    desk: Desk,
    member: Member,
    seat: Seat,
    placed: Placed,
    *,
    then: Callable[[msgspec.Struct], Awaitable[None]] = nothing,
) -> Stream:
    """Begin to run an engine; the stream of what it says is the member's.

    `then` is done with its answer when it has answered, also where nobody follows any more.
    """
    permit = permit_of(desk, member, placed.right, seat.scope.project)

    async def work(say: Say) -> msgspec.Struct:
        def emit(piece: Delta | Progress) -> None:
            if isinstance(piece, Delta):
                say("delta", DeltaView(piece.text))
            else:
                say("progress", ProgressView(piece.done, piece.total, placed.veiled(piece.note)))

        answered = await carried_out(desk, permit, placed, emit)
        await then(answered)
        return answered

    return desk.streams.start(seat.scope, work, topic=seat.topic)


async def resume(desk: Desk, seat: Seat, asked: ResumeRequest, push: Push) -> msgspec.Raw:
    """Go on with a stream after a cut; NotFound when it cannot be continued."""
    stream = await desk.streams.find(seat.scope, asked.stream, asked.offset, topic=seat.topic)
    return await follow(desk.streams, stream, asked.offset, push)
