"""Speaks with the server itself, for commands that are about it and not about code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from rubber_duck.channels.wire import whole_address
from rubber_duck.cli import connection, terminal
from rubber_duck.cli.invocation import current
from rubber_duck.cli.remote import Server, open_server
from rubber_duck.errors import InvalidInput

if TYPE_CHECKING:
    from rubber_duck.cli.profiles import Profile

T = TypeVar("T")


def with_server(work: Callable[[Server], Awaitable[T]]) -> T:
    """What `work` finds out on the server that is meant. Raises InvalidInput when this process answers."""
    found = with_server_or_none(work)
    if found is None:
        raise InvalidInput("no server is in use: `duck login ADDRESS` signs in to one")
    return found


def with_server_or_none(work: Callable[[Server], Awaitable[T]]) -> T | None:
    """As `with_server`; None when this process answers."""
    invocation = current()

    async def ask() -> T | None:
        async with connection.server(invocation, _tell) as server:
            return None if server is None else await work(server)

    return asyncio.run(ask())


def address_of(said: str) -> str:
    """The address of a server as somebody says it. Raises InvalidInput for one to which a key may not be sent."""
    return whole_address(said)


def greet(profile: Profile) -> dict[str, Any]:  # Any: what the server says of the person
    """Who one is on a server, and in which `projects`: proves that it can be reached and takes the key."""

    async def ask() -> dict[str, Any]:  # Any: as above
        async with open_server(profile, "", _tell) as server:
            return {**await server.hello(), "projects": await server.projects()}

    return asyncio.run(ask())


def _tell(sentence: str) -> None:
    if not current().quiet:
        terminal.note(terminal.printable(sentence))
