"""Rights that change while sockets are open: those concerned are asked about, and nobody else pays for it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from rubber_duck.accounts.accounts import Accounts
from rubber_duck.accounts.keys import IssuedKey
from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.user import Standing
from rubber_duck.channels.socket import Socket
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import Denied, LimitExceeded, Unauthenticated
from rubber_duck.scope import Right, Scope
from rubber_duck.server.desk import Member
from rubber_duck.server.line import Line, Wiring
from rubber_duck.server.permits import PER_PERSON, Permit, Permits
from rubber_duck.server.websocket import GOING_AWAY, IDLE_S, REVOKED, Connection, Connections
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import open_database
from tests.unit.channels.rooms import doors
from tests.unit.server.test_line import client_of, read_on

ADMIN = Scope.local()


class Noted(Accounts):
    """Accounts that note about whom they were asked again."""

    asked: list[str]
    moment = datetime(2026, 11, 1, tzinfo=UTC)

    async def again(self, standing: Standing) -> Standing:
        """As accounts do."""
        self.asked.append(standing.user.name)
        return await super().again(standing)


@dataclass
class House:
    """Accounts, and connections that are kept within them."""

    accounts: Noted
    connections: Connections = field(init=False)
    frozen_s: float = 0.0
    """For how long this process stood still before now."""

    permits: Permits = field(default_factory=Permits)
    diary: list[str] = field(default_factory=list)
    silent_s: float = 0.0
    """The clock by which connections are silent; it stands until a test moves it, as that of the accounts does."""

    def __post_init__(self) -> None:
        self.connections = Connections(clock=lambda: time.monotonic() + self.frozen_s)

    async def key_of(self, name: str) -> IssuedKey:
        """A key of somebody who is there."""
        return await self.accounts.add_key(ADMIN, name)

    @asynccontextmanager
    async def sitting(self, key: IssuedKey, room: str) -> AsyncIterator[ClientConnection]:
        """Somebody who has joined a room."""

        async def serve(line: Line) -> None:
            standing = await self.accounts.standing(key.text)
            member = Member(Standing(standing.user, standing.credential, frozenset({Right.PROJECT_READ})), "0" * 32)
            socket = Socket(member.scope(), doors(self.diary), LocalCluster())
            connection = Connection(line, member, socket, Wiring(), lambda: self.silent_s)
            with self.connections.held(connection):
                await connection.serve()

        async with client_of(serve) as wire:
            await wire.send(json.dumps(["1", "1", f"room:{room}", "phx_join", {}]))
            yield wire


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """One with ann and bob in it, whose rights are looked at again and again."""
    async with open_database(DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db")) as database:
        accounts = Noted(database, LocalCluster(), clock=lambda: accounts.moment)
        accounts.asked = []
        for name in ("ann", "bob"):
            await accounts.add_user(ADMIN, name, Role.PERSON)
        found = House(accounts)
        watching = asyncio.create_task(found.connections.watch(accounts, found.permits, every_s=0.01))
        yield found
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def closed(wire: ClientConnection) -> int:
    """The code with which it is closed."""
    with pytest.raises(ConnectionClosed) as found:
        await read_on(wire)
    assert found.value.rcvd is not None
    return found.value.rcvd.code


async def test_a_change_of_somebodys_rights_is_asked_about_them_alone(house: House) -> None:
    hers, his = await house.key_of("ann"), await house.key_of("bob")
    async with house.sitting(hers, "a") as ann, house.sitting(his, "a") as bob:
        await ann.recv()
        await bob.recv()
        await house.accounts.revoke_key(ADMIN, his.id)
        assert await closed(bob) == REVOKED
        await ann.send(json.dumps(["1", "2", "room:a", "echo", {"text": "still here"}]))
        assert json.loads(await ann.recv())[4]["response"] == {"text": "still here"}
    assert house.accounts.asked == ["bob"]


async def test_a_key_that_expires_closes_its_own_socket_and_no_other(house: House) -> None:
    day, week = [await house.accounts.add_key(ADMIN, "ann", days=days) for days in (1, 7)]
    async with house.sitting(day, "a") as ann, house.sitting(week, "a") as again:
        await ann.recv()
        await again.recv()
        house.accounts.moment += timedelta(days=1)
        assert await closed(ann) == REVOKED
        await again.send(json.dumps(["1", "2", "room:a", "echo", {"text": "still here"}]))
        assert json.loads(await again.recv())[4]["response"] == {"text": "still here"}


async def test_who_sends_no_heartbeat_is_closed_and_who_does_is_not(house: House) -> None:
    hers, his = await house.key_of("ann"), await house.key_of("bob")
    async with house.sitting(hers, "a") as ann, house.sitting(his, "a") as bob:
        await ann.recv()
        await bob.recv()
        house.silent_s = IDLE_S
        await bob.send(json.dumps([None, "2", "phoenix", "heartbeat", {}]))
        assert json.loads(await bob.recv())[4]["status"] == "ok"
        assert len(house.connections) == 2
        house.silent_s = IDLE_S + 1
        assert await closed(ann) == GOING_AWAY
        await bob.send(json.dumps([None, "3", "phoenix", "heartbeat", {}]))
        assert json.loads(await bob.recv())[4]["status"] == "ok"


async def test_a_process_that_stood_still_looks_before_it_throws_anybody_out(house: House) -> None:
    hers, his = await house.key_of("ann"), await house.key_of("bob")
    async with house.sitting(hers, "a") as ann, house.sitting(his, "a") as bob:
        await ann.recv()
        await bob.recv()
        await house.accounts.revoke_key(ADMIN, his.id)
        house.frozen_s = 3600
        assert await closed(bob) == REVOKED
        await ann.send(json.dumps(["1", "2", "room:a", "echo", {"text": "still here"}]))
        assert json.loads(await ann.recv())[4]["response"] == {"text": "still here"}


async def test_a_slow_one_holds_up_nobody_else(house: House) -> None:
    hers, spare, his = [await house.key_of(name) for name in ("ann", "ann", "bob")]
    async with AsyncExitStack() as stack:
        await (await stack.enter_async_context(house.sitting(hers, "quiet"))).recv()  # it speaks as long as it is empty
        bob = await stack.enter_async_context(house.sitting(his, "a"))
        await bob.recv()
        await house.accounts.revoke_key(ADMIN, spare.id)
        while house.accounts.asked != ["ann"]:  # noqa: ASYNC110  # nobody tells that it has begun
            await asyncio.sleep(0)
        await house.accounts.revoke_key(ADMIN, his.id)
        assert await closed(bob) == REVOKED
        assert len(house.connections) == 1, "whose rights are still being read"


async def _working(house: House, key: IssuedKey, begun: asyncio.Event) -> None:
    """Work without end that nobody follows."""
    standing = await house.accounts.standing(key.text)

    async def check() -> None:
        await house.accounts.again(standing)

    async with house.permits.held(Permit(standing.user.id, None, standing.credential.expires_at, check)):
        begun.set()
        await asyncio.Event().wait()


async def test_work_that_nobody_follows_stops_with_the_key_that_asked_for_it(house: House) -> None:
    hers, his = await house.key_of("ann"), await house.key_of("bob")
    begun = [asyncio.Event(), asyncio.Event()]
    working = [asyncio.create_task(_working(house, key, event)) for key, event in zip((hers, his), begun, strict=True)]
    await asyncio.gather(*(event.wait() for event in begun))
    await house.accounts.revoke_key(ADMIN, his.id)
    with pytest.raises(Denied, match="was taken away"):
        await working[1]
    assert len(house.permits) == 1, "hers goes on"
    working[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await working[0]


async def test_work_that_was_asked_for_in_time_and_begins_too_late_does_not_begin(house: House) -> None:
    key = await house.key_of("bob")
    standing = await house.accounts.standing(key.text)
    await house.accounts.revoke_key(ADMIN, key.id)

    async def check() -> None:
        await house.accounts.again(standing)

    with pytest.raises((Unauthenticated, Denied)):  # its own look, or that of the guard which heard of it meanwhile
        async with house.permits.held(Permit(standing.user.id, None, None, check)):
            raise AssertionError("it has begun")


async def test_work_ends_with_the_key_that_expires(house: House) -> None:
    begun = asyncio.Event()
    working = asyncio.create_task(_working(house, await house.accounts.add_key(ADMIN, "ann", days=1), begun))
    await begun.wait()
    house.permits.end_those_over(house.accounts.moment)
    assert not working.done()
    house.permits.end_those_over(house.accounts.moment + timedelta(days=2))
    with pytest.raises(Denied):
        await working


async def test_one_person_has_no_more_work_at_once_than_others_leave_room_for(house: House) -> None:
    key = await house.key_of("ann")
    begun = [asyncio.Event() for _ in range(PER_PERSON)]
    working = [asyncio.create_task(_working(house, key, event)) for event in begun]
    await asyncio.gather(*(event.wait() for event in begun))
    with pytest.raises(LimitExceeded):
        await _working(house, key, asyncio.Event())
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    assert len(house.permits) == 0
