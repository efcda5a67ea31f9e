"""What a route is, and what a request to it holds when it is answered."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from rubber_duck.accounts.user import Standing
from rubber_duck.errors import InvalidInput, NotFound
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.server.cookies import Cookies
from rubber_duck.server.desk import Desk
from rubber_duck.server.idempotency import Token
from rubber_duck.server.limits import RouteClass

T = TypeVar("T")

PREFIX: Final = "/api/v1"
PAGE: Final = 50
MOST: Final = 200
BODY_BYTES: Final = 1_000_000


class Method(StrEnum):
    """What is done."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


class Nothing(msgspec.Struct, frozen=True):
    """A body, or an answer, that says nothing."""


@dataclass(frozen=True, slots=True)
class Plain:
    """An answer that is no JSON."""

    content: bytes
    media_type: str


Answer = msgspec.Struct | Plain


@dataclass(slots=True)
class Call:
    """One request. `standing` is there where the route has a right, `project` where its path has one.

    `raw` are the body's pieces, for the routes that take no JSON. A handler may set `status`, `remaining`, the
    headers that tell what is left of the limits, and `cookie`, the header that sets one. `token` is there when the
    request has an `Idempotency-Key` and its route heeds it.
    """

    desk: Desk
    trace: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any  # Any: of the route's own type
    raw: AsyncIterator[bytes]
    address: str
    headers: Mapping[str, str]
    known: Standing | None = None
    within: Scope | None = None
    remaining: dict[str, str] = field(default_factory=dict)
    status: int = 0
    cookies: Cookies = field(default_factory=lambda: Cookies(is_secure=True))
    cookie: str = ""
    token: Token | None = None

    @property
    def standing(self) -> Standing:
        """Who asks."""
        assert self.known is not None
        return self.known

    @property
    def scope(self) -> Scope:
        """What they may do: in the project of the path, or else on the server."""
        if self.within is not None:
            return self.within
        actor = Actor(str(self.standing.user.id), self.standing.user.name)
        return Scope(actor, None, self.standing.rights, self.trace)

    @property
    def tenant(self) -> Scope:
        """Their rights on what belongs to the installation, as every project of a server does."""
        return self.scope.on_installation()

    def page(self) -> tuple[str, int]:
        """The cursor, "" for the first page, and how many are asked for. Raises InvalidInput."""
        written = self.query.get("limit", str(PAGE))
        if not (written.isascii() and written.isdecimal() and 1 <= int(written[:9]) <= MOST):
            raise InvalidInput(f"limit is a whole number from 1 to {MOST}, not {written!r}")
        try:
            cursor = base64.urlsafe_b64decode(self.query.get("cursor", "").encode("ascii")).decode()
        except (binascii.Error, UnicodeError) as error:
            raise InvalidInput("cursor is what `next` of the page before said, and nothing else") from error
        return cursor, int(written)


def paged(items: Sequence[T], key: Callable[[T], str], asked: tuple[str, int]) -> tuple[tuple[T, ...], str]:
    """The items behind the cursor, at most as many as asked for, and the cursor of the next page, "" at the end.

    They come in the order of `key`, which is unique.
    """
    cursor, limit = asked
    behind = sorted((item for item in items if not cursor or key(item) > cursor), key=key)
    taken = behind[:limit]
    return tuple(taken), written(key(taken[-1])) if len(behind) > limit else ""


def written(cursor: str) -> str:
    """A cursor as it is answered; "" stays so."""
    return base64.urlsafe_b64encode(cursor.encode()).decode()


def flag(call: Call, name: str) -> bool:
    """Whether a parameter says `true`; without it, no. Raises InvalidInput."""
    written = call.query.get(name, "false")
    if written not in ("true", "false"):
        raise InvalidInput(f"{name} is true or false, not {written!r}")
    return written == "true"


Handle = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """A route: who may take it (None: anybody), what it takes (None: bytes) and answers, and what it costs.

    A path with `{project}` is refused with `not_found` for who has no role there, and the right is that of the role.
    With `once`, an `Idempotency-Key` makes that a repeated request changes nothing; `secret` says that the answer is
    shown once, so it is not kept to be repeated.
    """

    method: Method
    path: str
    right: Right | None
    handle: Handle
    about: str
    body: type[msgspec.Struct] | None = Nothing
    answer: type[msgspec.Struct] | None = Nothing
    cost: RouteClass = RouteClass.READ
    status: int = 200
    once: bool = False
    secret: bool = False
    queries: tuple[str, ...] = ()
    body_bytes: int = BODY_BYTES

    @property
    def full_path(self) -> str:
        """The path from the root."""
        return self.path if self.path.startswith(("/health", "/metrics")) else PREFIX + self.path

    @property
    def name(self) -> str:
        """Method and path."""
        return f"{self.method.value} {self.full_path}"


def project_in(path: Mapping[str, str]) -> UUID:
    """The project that a path names. Raises NotFound for what is no id, as for one that is not there."""
    try:
        return UUID(path["project"])
    except ValueError as error:
        raise NotFound(f"there is no project with the id {path['project']!r}") from error
