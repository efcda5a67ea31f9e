"""Who says whose they are only in their first join comes in by a ticket, and nobody else does."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from fastapi import WebSocket

from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.user import Credential, CredentialKind, Standing, User
from rubber_duck.errors import Unauthenticated
from rubber_duck.server import guard
from rubber_duck.server.desk import Member
from rubber_duck.server.latecomers import Latecomers

TICKET = "duckt_" + "0" * 64
USER = User(uuid4(), "ann", Role.PERSON, datetime(2026, 1, 1, tzinfo=UTC))
ANN = Member(Standing(USER, Credential(CredentialKind.SESSION, "1", None, None), frozenset()), "trace")


class Browser:
    """A client whose socket is open, and what it was sent."""

    def __init__(self, *frames: str) -> None:
        self._coming = [
            {"type": "websocket.connect"},
            *({"type": "websocket.receive", "text": each} for each in frames),
        ]
        self.sent: list[dict[str, Any]] = []
        self.wire = WebSocket({"type": "websocket", "headers": []}, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if not self._coming:
            await asyncio.Event().wait()
        return self._coming.pop(0)

    async def _send(self, message: Any) -> None:  # Any: the library's mapping
        self.sent.append(dict(message))


async def known(secret: str) -> Member:
    """Knows one ticket."""
    if secret != TICKET:
        raise Unauthenticated("this ticket was used")
    return ANN


def join(payload: object, event: str = "phx_join") -> str:
    """The first frame of a client of Phoenix."""
    return json.dumps(["1", "1", "cli:me", event, payload])


async def test_the_ticket_in_the_first_join_says_who_it_is() -> None:
    browser = Browser(join({"ticket": TICKET, "more": 1}))
    await browser.wire.accept()
    assert await Latecomers().come_in(browser.wire, known) == (ANN, join({"ticket": TICKET, "more": 1}))
    assert [each["type"] for each in browser.sent] == ["websocket.accept"]


@pytest.mark.parametrize(
    "payload",
    [
        *({}, {"ticket": ""}, {"ticket": 7}, [], {"key": TICKET}),
        *({"ticket": f"{kind}_{digit * 64}"} for kind, digit in (("duckt", "1"), ("ducks", "0"))),
    ],
)
async def test_without_a_good_ticket_it_is_refused_with_a_reply_and_closed(payload: object) -> None:
    browser = Browser(join(payload))
    await browser.wire.accept()
    assert await Latecomers().come_in(browser.wire, known) is None
    _, reply, closed = browser.sent
    assert json.loads(reply["text"])[4]["response"]["code"] == "unauthenticated"
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


@pytest.mark.parametrize("frames", [(), ("no frame",), (join({"ticket": TICKET}, "run"),)])
async def test_who_joins_nothing_is_closed(frames: tuple[str, ...]) -> None:
    browser = Browser(*frames)
    await browser.wire.accept()
    assert await Latecomers(wait_s=0.01).come_in(browser.wire, known) is None
    assert browser.sent[-1]["code"] == 4401


async def test_only_so_many_may_be_silent_at_a_time() -> None:
    latecomers, browser = Latecomers(most=1), Browser()
    await browser.wire.accept()
    assert latecomers.has_room()
    waiting = asyncio.create_task(latecomers.come_in(browser.wire, known))
    await asyncio.sleep(0)
    assert not latecomers.has_room()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert latecomers.has_room()


def test_who_says_a_wrong_key_is_no_latecomer() -> None:
    assert not guard.says_key({"sec-websocket-protocol": "phoenix"})
    assert guard.says_key({"authorization": "Basic x"})
    assert guard.says_key({"sec-websocket-protocol": "phoenix, base64url.bearer.phx.!"})
