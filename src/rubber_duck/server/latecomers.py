"""Lets in who can say whose they are only in a join: clients of Phoenix in browsers that offer no `authToken`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import msgspec
from fastapi import WebSocket, WebSocketDisconnect

from rubber_duck import telemetry
from rubber_duck.accounts.references import Kind, kind_of
from rubber_duck.channels.message import JOIN, ErrorView, Frame, Message, decode, encode_reply, to_payload
from rubber_duck.errors import DuckError, InvalidInput, Unauthenticated
from rubber_duck.server.desk import Member

MOST: Final = 32
"""So many at a time may be open without a word: each can hold the memory of one frame."""

WAIT_S: Final = 10.0
_NOBODY: Final = 4401


class _Params(msgspec.Struct, frozen=True):
    ticket: str = ""


class Latecomers:
    """Sockets of one process that are open and have not said whose they are; for `wait_s` seconds, `most` at a time."""

    def __init__(self, *, most: int = MOST, wait_s: float = WAIT_S) -> None:
        self._most = most
        self._wait_s = wait_s
        self._waiting = 0

    def has_room(self) -> bool:
        """Whether one more may wait."""
        return self._waiting < self._most

    async def come_in(
        self, wire: WebSocket, known: Callable[[str], Awaitable[Member]]
    ) -> tuple[Member, Frame | None] | None:
        """Who it is by the ticket in its first join, and that join; None for one that is closed, with a reply to it."""
        try:
            frame = await self._first(wire)
            join = decode(frame)
        except (InvalidInput, Unauthenticated) as error:
            await _refuse(wire, None, error)
            return None
        try:
            return await known(_ticket_in(join)), frame
        except DuckError as error:
            await _refuse(wire, join, error)
            return None

    async def _first(self, wire: WebSocket) -> Frame:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                received = await wire.receive()
        except TimeoutError as error:
            raise Unauthenticated("nothing was said for too long by somebody whom nobody knows") from error
        finally:
            self._waiting -= 1
        if received["type"] != "websocket.receive":
            raise Unauthenticated("it was closed before anything was said")
        text: str | None = received.get("text")
        content: bytes = received.get("bytes") or b""
        return content if text is None else text


def _ticket_in(join: Message) -> str:
    """The ticket in a join. Raises Unauthenticated; a key or a session is not taken there."""
    with suppress(msgspec.MsgspecError, UnicodeError, RecursionError):
        ticket = msgspec.json.decode(join.payload, type=_Params).ticket
        if join.event == JOIN and kind_of(ticket) is Kind.TICKET:
            return ticket
    raise Unauthenticated("say who you are: by the authToken of the socket, or by a `ticket` in the first join")


async def _refuse(wire: WebSocket, join: Message | None, error: DuckError) -> None:
    telemetry.count("socket.refused", reason=error.code)
    with suppress(RuntimeError, OSError, WebSocketDisconnect):  # it may be closed already
        if join is not None:
            reply = encode_reply(join, "error", to_payload(ErrorView.of(error)))
            await wire.send_text(reply if isinstance(reply, str) else reply.decode())
        await wire.close(_NOBODY)
