"""`chat:CONVERSATION`: one conversation with a model, on every device of its owner, and for those it is shown to.

A conversation begins with the engine `chat` in `code:PROJECT`. What is said here is answered as `run` answers there.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from rubber_duck.accounts.roles import ON_A_CONVERSATION, Role
from rubber_duck.channels.channel import Push, Seat, on
from rubber_duck.channels.stream import follow
from rubber_duck.conversations.conversation import Speaker, Turn
from rubber_duck.conversations.conversations import Conversations
from rubber_duck.errors import InvalidInput, NotFound, Unavailable
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.server.asking import (
    REQUEST_BYTES,
    ResumeRequest,
    RunRequest,
    Started,
    begin,
    placed_in,
    resume,
)
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.limits import RouteClass
from rubber_duck.server.own import role_of
from rubber_duck.server.topic import Topic

PAGE: Final = 50


class Joined(msgspec.Struct, frozen=True):
    """The conversation that was joined, its project, and what one may do in it."""

    conversation: str
    project: str
    title: str
    turns: int
    rights: tuple[str, ...]


class History(msgspec.Struct, frozen=True):
    """Which turns: those behind the number `after`, at most so many."""

    after: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=200)] = PAGE


class TurnView(msgspec.Struct, frozen=True):
    """Something that was said, by `person` or `model`; `told` names what was mentioned with it."""

    number: int
    speaker: str
    text: str
    at: str
    told: tuple[str, ...]
    model: str


class TurnsView(msgspec.Struct, frozen=True):
    """Turns in their order; `more` says that there are others behind the last."""

    turns: tuple[TurnView, ...]
    more: bool


class Say(msgspec.Struct, frozen=True):
    """What one says; the model is told of what it mentions by `@`."""

    message: Annotated[str, Meta(min_length=1, max_length=100_000)]


class Typing(msgspec.Struct, frozen=True):
    """Whether one is typing."""

    typing: bool


class TypingOf(msgspec.Struct, frozen=True):
    """Whether somebody is typing."""

    person: str
    name: str
    typing: bool


class Share(msgspec.Struct, frozen=True):
    """To whom the conversation is shown: a member of the project, by name; `viewer`, or `none` to show it no more."""

    name: str
    role: str = "viewer"


class Chat(Topic):
    """A conversation. `said` is pushed with what was said and answered, `answering` with the stream of an answer.

    Only its owner speaks, because a model is told what it remembers of them; the stream is theirs, too.
    """

    name = "chat"
    right = Right.CONVERSATION_READ

    def __init__(self, seat: Seat, subject: str, desk: Desk, member: Member) -> None:
        super().__init__(seat, subject, desk, member)
        self.key = _key(subject)
        self.project: UUID | None = None
        self.owner = ""

    async def authorize(self, member: Scope) -> Scope:
        """What the member may do here; NotFound for a conversation that nobody showed them."""
        accounts, standing = self.desk.accounts, self.member.standing
        self.project, self.owner = await self._kept().place(self.key)
        self.charged = str(self.project)
        scope = await accounts.project_scope(standing, self.project, self.member.trace)
        scope.require(Right.FILE_READ)
        role: Role | None = Role.OWNER
        if self.owner != str(standing.user.id):
            role = await accounts.role_on(standing, self.project, resource_of(self.key))
        if role is None:
            raise NotFound(f"there is no conversation with the id {self.subject!r}")
        rights = scope.rights | ON_A_CONVERSATION[role]
        held = standing.credential.rights
        return replace(scope, rights=rights if held is None else rights & held)

    async def join(self, params: bytes) -> Joined:
        """Which conversation it is, and what one may do in it."""
        found = await self._kept().find(self._tenant(), str(self.key))
        rights = tuple(sorted(self.seat.scope.rights))
        return Joined(str(self.key), str(self.project), found.title, found.turns, rights)

    @on("history", right=Right.CONVERSATION_READ, payload=History, cost=RouteClass.READ)
    async def history(self, payload: History, push: Push) -> TurnsView:
        """What was said."""
        turns = [each for each in await self._kept().turns(self._tenant(), self.key) if each.number > payload.after]
        return TurnsView(tuple(map(_view, turns[: payload.limit])), len(turns) > payload.limit)

    @on("say", right=Right.CONVERSATION_WRITE, payload=Say, most_bytes=REQUEST_BYTES, cost=RouteClass.RUN)
    async def say(self, payload: Say, push: Push) -> msgspec.Raw:
        """Say something: pushes and the reply are as of `run` with the engine `chat`."""
        scope = self._tenant()
        project = await self.desk.app.parts.workspace.project(scope, str(self.project))
        request = {"message": payload.message, "conversation": str(self.key)}
        placed = await placed_in(self.desk, project, RunRequest("chat", request), self.seat.scope, scope)
        before = (await self._kept().find(scope, str(self.key))).turns

        async def tell(answered: msgspec.Struct) -> None:
            """Tell the others what was said, also when the speaker has gone meanwhile."""
            turns = [each for each in await self._kept().turns(scope, self.key) if each.number > before]
            said = _spoken(turns, payload.message, getattr(answered, "text", ""))
            if said:
                with suppress(Unavailable):  # whoever was not told reads it in the history
                    await self.seat.broadcast("said", TurnsView(tuple(map(_view, said)), more=False), besides_me=True)

        stream = begin(self.desk, self.member, self.seat, placed, then=tell)
        await push("started", Started(stream.id))
        await self.seat.broadcast("answering", Started(stream.id), besides_me=True)
        return await follow(self.desk.streams, stream, 0, push)

    @on("resume", right=Right.CONVERSATION_READ, payload=ResumeRequest, cost=RouteClass.READ)
    async def resume(self, payload: ResumeRequest, push: Push) -> msgspec.Raw:
        """Follow an answer that another device of one's own asked for, or go on after a cut."""
        return await resume(self.desk, self.seat, payload, push)

    @on("typing", right=Right.CONVERSATION_WRITE, payload=Typing, cost=RouteClass.SIGNAL)
    async def typing(self, payload: Typing, push: Push) -> None:
        """Tell the others whether one is typing."""
        actor = self.seat.scope.actor
        await self.seat.broadcast("typing", TypingOf(actor.id, actor.name, payload.typing), besides_me=True)

    @on("share", right=Right.CONVERSATION_WRITE, payload=Share, cost=RouteClass.WRITE)
    async def share(self, payload: Share, push: Push) -> None:
        """Show the conversation to another member of the project, or no more."""
        role = None if payload.role == "none" else role_of(payload.role)
        if role not in (None, Role.VIEWER):
            raise InvalidInput("a conversation is shown to somebody as 'viewer', or not at all: 'none'")
        assert self.project is not None
        await self.desk.accounts.share(self.seat.scope, resource_of(self.key), payload.name, role)

    def _kept(self) -> Conversations:
        return self.desk.app.parts.conversations

    def _tenant(self) -> Scope:
        """The owner of the conversation, with no more rights than the member has: it is kept as theirs."""
        scope = replace(self.seat.scope, project=self.project).on_installation()
        return scope if scope.actor.id == self.owner else replace(scope, actor=Actor(self.owner, scope.actor.name))


def resource_of(conversation: UUID) -> str:
    """How a conversation is called in the table of roles."""
    return f"conversation:{conversation}"


def _key(subject: str) -> UUID:
    try:
        return UUID(subject)
    except ValueError as error:
        raise NotFound(f"there is no conversation with the id {subject!r}") from error


def _spoken(turns: Sequence[Turn], message: str, text: str) -> Sequence[Turn]:
    """Of what was said since: this question with its answer, and not what another device asked at the same time."""
    for question, answer in pairwise(turns):
        both = ((question.speaker, question.text), (answer.speaker, answer.text))
        if both == ((Speaker.PERSON, message), (Speaker.MODEL, text)):
            return question, answer
    return ()


def _view(turn: Turn) -> TurnView:
    return TurnView(turn.number, turn.speaker.value, turn.text, turn.at.isoformat(), turn.told, turn.model)
