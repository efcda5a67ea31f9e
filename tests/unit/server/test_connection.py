"""A member's connection over a real line: slow readers, silent ones, and the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.user import Credential, CredentialKind, Standing, User
from rubber_duck.channels.socket import Socket, SocketLimits
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.scope import Right
from rubber_duck.server.desk import Member
from rubber_duck.server.line import Line, Wiring
from rubber_duck.server.websocket import GOING_AWAY, IDLE_S, REVOKED, Connection
from rubber_duck.storage.keys import new_key
from tests.unit.channels.rooms import doors
from tests.unit.server.test_line import client_of, read_on


@dataclass
class House:
    """Rooms, and the connections to them."""

    cluster: LocalCluster = field(default_factory=LocalCluster)
    diary: list[str] = field(default_factory=list)
    open: list[Connection] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    now: float = 0.0

    async def serve(self, line: Line) -> None:
        """Serve somebody who may read."""
        rights = frozenset({Right.PROJECT_READ})
        user = User(new_key(), "ann", Role.PERSON, datetime.now(UTC))
        member = Member(Standing(user, Credential(CredentialKind.KEY, "k", None, None), rights), "0" * 32)
        limits = SocketLimits(waiting_bytes=200_000)
        socket = Socket(member.scope(), doors(self.diary), self.cluster, limits=limits)
        connection = Connection(line, member, socket, Wiring(), self.clock)
        self.open.append(connection)
        await connection.serve()
        self.ended.set()

    @property
    def clock(self) -> Callable[[], float]:
        """Stands still until a test moves it."""
        return lambda: self.now


async def ask(wire: ClientConnection, event: str, ref: str = "1", **payload: object) -> None:
    """Send a request to the room `a`."""
    await wire.send(json.dumps(["1", ref, "room:a", event, payload]))


async def test_a_member_is_answered_over_the_line() -> None:
    house = House()
    async with client_of(house.serve) as wire:
        await ask(wire, "phx_join")
        assert json.loads(await wire.recv())[4] == {"status": "ok", "response": {"text": "a"}}
        await wire.send(b"\x00\x01\x01\x06\x0517room:abytes\x00\xfe\xff")
        assert await wire.recv() == b"\x01\x01\x01\x06\x0217room:aok\xff\xfe\x00"
    await house.ended.wait()
    assert house.diary == ["join", "joined", "leave"]


async def test_who_reads_nothing_holds_up_their_own_request_and_is_cut_off_by_what_others_say() -> None:
    house = House()
    async with client_of(house.serve) as wire:
        await ask(wire, "phx_join")
        await wire.recv()
        wire.transport.pause_reading()
        await ask(wire, "pour", "2")
        async with asyncio.timeout(20):
            while house.open[0].waiting[1] < 190_000:  # noqa: ASYNC110  # nobody tells when the system's buffers are full
                await asyncio.sleep(0)
        assert house.open[0].waiting[1] <= 200_000
        said = b"0" * 32 + b't[null,null,"room:a","said",{"text":"' + b"x" * 150_000 + b'"}]'
        while not house.ended.is_set():
            await house.cluster.publish("channel:room:a", said)
            await asyncio.sleep(0)
        assert house.open[0].waiting == (0, 0)
        wire.transport.resume_reading()
        with pytest.raises(ConnectionClosed):
            await read_on(wire)
    assert house.diary[-1] == "leave"


@pytest.mark.parametrize(("reason", "code"), [(REVOKED, 4401), (GOING_AWAY, 1001)])
async def test_who_has_to_go_is_told_why_in_the_middle_of_a_request(reason: int, code: int) -> None:
    house = House()
    async with client_of(house.serve) as wire:
        await ask(wire, "phx_join")
        await wire.recv()
        await ask(wire, "wait", "2")
        await ask(wire, "echo", "3", text="x")
        await wire.recv()
        house.open[0].end(reason)
        with pytest.raises(ConnectionClosed) as closed:
            await wire.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code
    await house.ended.wait()
    assert house.diary == ["join", "joined", "woken", "leave"]


async def test_a_client_is_idle_when_it_has_said_nothing_for_long() -> None:
    house = House()
    async with client_of(house.serve) as wire:
        await ask(wire, "phx_join")
        await wire.recv()
        house.now = IDLE_S
        assert not house.open[0].is_idle()
        house.now = IDLE_S + 1
        assert house.open[0].is_idle()
        await ask(wire, "echo", "2", text="x")
        await wire.recv()
        assert not house.open[0].is_idle()


async def test_what_is_no_frame_ends_the_connection() -> None:
    house = House()
    async with client_of(house.serve) as wire:
        await wire.send("[]")
        with pytest.raises(ConnectionClosed) as closed:
            await wire.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
