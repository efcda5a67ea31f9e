"""What a channel is: one topic as one member sees it, with a right and a payload type for each event."""

from __future__ import annotations

from abc import ABC
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, TypeVar

import msgspec

from rubber_duck.channels.message import to_payload
from rubber_duck.errors import InvalidDeclaration
from rubber_duck.scope import Right, Scope

C = TypeVar("C")
Answer = msgspec.Struct | msgspec.Raw | bytes | None
"""What a client is answered: a struct, JSON as it is, or bytes as a binary frame."""

Handle = Callable[[C, Any, "Push"], Awaitable[Answer]]  # Any: the event's own payload type

ASKED: Final = "asked"
"""What a request is cancelled with when the client wanted it to end; else its connection was cut."""


EVENT_BYTES: Final = 64_000
"""A payload has no more, unless its event declares that it takes more."""


class NoPayload(msgspec.Struct, frozen=True):
    """The payload of an event that has none."""


class Seat(Protocol):
    """What a channel has of its socket."""

    @property
    def topic(self) -> str:
        """The whole topic, e.g. `code:4f1c…`."""

    @property
    def scope(self) -> Scope:
        """Who sits here, with the rights they have in this topic now."""

    async def push(self, event: str, payload: msgspec.Struct | msgspec.Raw | bytes, *, ref: str | None = None) -> None:
        """Send an event to this member; waits while they read too slowly."""

    def hear(self, event: str, payload: msgspec.Struct) -> None:
        """Send an event to this member at once; one who reads too slowly for it is cut off."""

    async def broadcast(self, event: str, payload: msgspec.Struct | bytes, *, besides_me: bool = False) -> None:
        """Send an event to all members, on every node; Unavailable when other nodes cannot be told."""


@dataclass(frozen=True, slots=True)
class Push:
    """The way to say something before the reply: what is sent carries the request's `ref`."""

    seat: Seat
    ref: str

    async def __call__(self, event: str, payload: msgspec.Struct | msgspec.Raw | bytes) -> None:
        """Send an event."""
        await self.seat.push(event, payload, ref=self.ref)


@dataclass(frozen=True, slots=True)
class Event:
    """One event that clients may send: the right it takes, its payload (None: bytes) and most bytes, who answers.

    `cost` is what it costs, in the words of whoever counts that.
    """

    name: str
    right: Right
    payload: type[msgspec.Struct] | None
    method: str
    most_bytes: int
    cost: str


class Channel(ABC):
    """A topic as one member sees it. Class attributes, checked when the class is made:

    - `name`: what stands before the colon of the topic.
    - `right`: what the member must hold to join; each event declares its own with `@on`.

    An instance lives from a join to its leave, and every message is checked anew.
    """

    name: ClassVar[str]
    right: ClassVar[Right]
    events: ClassVar[Mapping[str, Event]] = {}

    def __init__(self, seat: Seat, subject: str) -> None:
        self.seat = seat
        self.subject = subject

    def __init_subclass__(cls, *, is_whole: bool = True, **kwargs: object) -> None:
        """With `is_whole=False` it is no channel yet, but what several have in common."""
        super().__init_subclass__(**kwargs)
        for field in ("name", "right") if is_whole else ():
            if not hasattr(cls, field):
                raise InvalidDeclaration(f"the channel class {cls.__qualname__} needs a class attribute `{field}`")
        declared = [each for value in vars(cls).values() if (each := getattr(value, "declared_event", None))]
        cls.events = {**cls.events, **{event.name: event for event in declared}}

    async def authorize(self, member: Scope) -> Scope:
        """What the member may do here; asked at the join, and when rights changed. Raises Denied or NotFound.

        `member` is who they are and what they may do outside of all topics.
        """
        member.require(self.right)
        return member

    async def join(self, params: bytes) -> msgspec.Struct | None:
        """What the member is told at the join; `params` is the JSON they sent. Raising refuses."""
        return None

    async def afford_join(self) -> None:  # noqa: B027  # as `joined`
        """Asked before each join, before it is known whether they may: raise to refuse one who joins too often."""

    async def afford(self, event: Event) -> None:  # noqa: B027  # as `joined`
        """Asked before each event is answered, by who may send it: raise to refuse one who asks too often."""

    async def joined(self) -> None:  # noqa: B027  # most need no such moment
        """The member was told and hears broadcasts; the place for a first push."""

    async def leave(self) -> None:  # noqa: B027  # as `joined`
        """The member left or was cut off."""


def on(
    name: str,
    *,
    right: Right,
    payload: type[msgspec.Struct] | None = NoPayload,
    most_bytes: int = EVENT_BYTES,
    cost: str = "",
) -> Callable[[Handle[C]], Handle[C]]:
    """Let a method answer the event `name`: `async def handle(self, payload, push)`, whose result is the reply."""

    def declare(method: Handle[C]) -> Handle[C]:
        event = Event(name, right, payload, method.__name__, most_bytes, cost)
        method.declared_event = event  # type: ignore[attr-defined]  # it is read above
        return method

    return declare


def encoded(answer: Answer) -> bytes:
    """An answer as the JSON of a payload; bytes stay what they are."""
    if answer is None:
        return b"{}"
    return bytes(answer) if isinstance(answer, (bytes, msgspec.Raw)) else to_payload(answer)
