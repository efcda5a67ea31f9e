"""Carries frames between a line and a Socket, and keeps every open one within its member's rights."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import WebSocket
from fastapi.responses import PlainTextResponse

from rubber_duck import telemetry
from rubber_duck.accounts.accounts import Accounts
from rubber_duck.channels.message import Frame
from rubber_duck.channels.socket import Opener, Socket
from rubber_duck.errors import DuckError, InvalidInput, LimitExceeded, RateLimited, Unauthenticated, normalize
from rubber_duck.scope import new_trace
from rubber_duck.server import guard
from rubber_duck.server.census import Census
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.doors import doors
from rubber_duck.server.latecomers import Latecomers
from rubber_duck.server.limits import Asked, RouteClass, network_of
from rubber_duck.server.line import LINE, Line, Wiring
from rubber_duck.server.permits import Permits

IDLE_S: Final = 60.0
"""A client that sends nothing for so long, not even a heartbeat, is gone."""

SURE_S: Final = 4.0
"""Who cannot be asked about for so long may do nothing any more: with the look each second that is within five."""

_LOOK_S: Final = 1.0
"""What a look has in any case, also in a process that stood still: nobody in it did anything meanwhile."""

REVOKED: Final = 4401
TRY_LATER: Final = 1013
GOING_AWAY: Final = 1001
_UNREADABLE: Final = 1008


class Connection:
    """One WebSocket of a member. `wiring` is shared by all of them; `clock` gives seconds from any point."""

    __slots__ = (
        *("_clock", "_heard_at", "_is_checked", "_is_due", "_line", "_member", "_reason", "_socket", "_wiring"),
    )

    def __init__(
        self, line: Line, member: Member, socket: Socket, wiring: Wiring, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._line = line
        self._member = member
        self._socket = socket
        self._wiring = wiring
        self._clock = clock
        self._heard_at = clock()
        self._reason = TRY_LATER
        self._is_due = self._is_checked = False

    @property
    def kind(self) -> str:
        """What its member came with."""
        return self._member.standing.credential.kind.value

    @property
    def waiting(self) -> tuple[int, int]:
        """Frames that wait to be sent, and their bytes."""
        return len(self._socket.outgoing), self._socket.outgoing.size_bytes

    async def serve(self, first: Frame | None = None) -> None:
        """Carry frames until either side ends; `first` came already."""
        self._socket.outgoing.lead_to(self)
        self._line.carry(self._hear, self._socket.outgoing.flow, first)
        try:
            while (await self._line.receive())["type"] != "websocket.disconnect":
                continue
        finally:
            self._line.carry_no_more()
            self._socket.outgoing.end()
            await self._line.hang_up(self._reason)
            await self._socket.close(for_good=self._reason == REVOKED)

    def send(self, frame: Frame) -> bool:
        """Send a frame; False while too much is on its way."""
        is_sent = self._line.write(self._wiring(frame))
        if is_sent:
            self._socket.meter.sent(len(frame))
        return is_sent

    def ended(self) -> None:
        """Nothing follows: the connection is closed."""
        self._line.interrupt()

    def is_idle(self) -> bool:
        """Whether its client has said nothing for so long that it must be gone."""
        return self._clock() - self._heard_at > IDLE_S

    def has_expired(self, now: datetime) -> bool:
        """Whether the key it was let in with is over."""
        until = self._member.standing.credential.expires_at
        return until is not None and until <= now

    @property
    def user(self) -> UUID:
        """The id of its member."""
        return self._member.standing.user.id

    async def recheck(self, accounts: Accounts) -> None:
        """Take the rights that the key has now; end when it has none, or when nobody can say within `SURE_S`.

        Rights that change meanwhile are read again, and never an older answer after a newer one.
        """
        self._is_due = True
        if self._is_checked:
            return
        self._is_checked = True
        try:
            async with asyncio.timeout(SURE_S):
                while self._is_due:
                    self._is_due = False
                    self._member.standing = await accounts.again(self._member.standing)
                    await self._socket.recheck(self._member.scope())
        except Unauthenticated:
            self.end(REVOKED)
        except Exception as error:  # noqa: BLE001  # the border: who may do what nobody knows comes back when somebody does
            telemetry.emit("server.unsure", sockets=1, error=normalize(error).message)
            self.end(TRY_LATER)
        finally:
            self._is_checked = False

    def end(self, reason: int) -> None:
        """Close it with this code."""
        self._reason = reason
        self._socket.outgoing.end()

    def _hear(self, frame: Frame) -> None:
        self._heard_at = self._clock()
        try:
            self._socket.receive(frame)
        except (InvalidInput, LimitExceeded):
            self._socket.meter.dropped("unreadable")
            self.end(_UNREADABLE)


class Connections:
    """Every open WebSocket of this process: so many of one person, and from one address.

    `clock` gives seconds from any point.
    """

    def __init__(
        self, *, per_person: int = 2_000, per_address: int = 4_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_person = per_person
        self._per_address = per_address
        self._seats: Counter[str] = Counter()
        self._open: set[Connection] = set()
        self._moved = asyncio.Event()
        self._seen = 0
        self._round = 0
        self._clock = clock
        self._wiring = Wiring()
        self._latecomers = Latecomers()

    def __len__(self) -> int:
        return len(self._open)

    def census(self) -> Census:
        """What is open now."""
        waiting = [each.waiting for each in self._open]
        return Census(
            Counter(each.kind for each in self._open),
            sum(count for count, _ in waiting),
            sum(size for _, size in waiting),
        )

    async def accept(self, wire: WebSocket, desk: Desk, names: guard.Names) -> None:
        """Let a client in and serve it, or refuse it with a sentence."""
        asked_in = self._round
        let_in = await _let_in(wire, desk, names, self._latecomers, self._check_room)
        if let_in is None:
            return
        member, join = let_in
        with self._seated(member) as has_room:
            if not has_room:  # others came in while this one was let in
                await wire.close(TRY_LATER)
                return
            line: Line = wire.scope["extensions"][LINE][LINE]
            opened: dict[str, Opener] = dict(doors(desk, member))
            del wire  # what was said to come in need not be kept for as long as one stays
            socket = Socket(member.scope(), opened, desk.cluster)
            socket.meter = desk.metrics
            connection = Connection(line, member, socket, self._wiring, self._clock)
            with self.held(connection):
                if asked_in != self._round:  # rights changed after they were read, and this one was not rechecked
                    await connection.recheck(desk.accounts)
                await connection.serve(join)

    def _check_room(self, member: Member) -> None:
        """Raises RateLimited for one more of this person, or from this address, than there may be."""
        for what, name, most in self._seats_of(member):
            if self._seats[name] >= most:
                raise RateLimited(f"{what} has {most} sockets open; close one", None)

    def _seats_of(self, member: Member) -> list[tuple[str, str, int]]:
        seats = [(f"{member.standing.user.name!r}", str(member.standing.user.id), self._per_person)]
        if member.address:
            seats.append(("your address", network_of(member.address), self._per_address))
        return seats

    @contextmanager
    def _seated(self, member: Member) -> Iterator[bool]:
        """Count one more of this person and from this address; False where there is no room."""
        seats = self._seats_of(member)
        if any(self._seats[name] >= most for _, name, most in seats):
            yield False
            return
        for _, name, _ in seats:
            self._seats[name] += 1
        try:
            yield True
        finally:
            for _, name, _ in seats:
                self._seats[name] -= 1
                if not self._seats[name]:
                    del self._seats[name]

    @contextmanager
    def held(self, connection: Connection) -> Iterator[None]:
        """Keep it within its member's rights until the end of the block."""
        self._open.add(connection)
        try:
            yield
        finally:
            self._open.discard(connection)

    def rights_changed(self, _: bytes = b"") -> None:
        """Somebody's rights changed: look at once."""
        self._moved.set()

    async def watch(self, accounts: Accounts, permits: Permits, every_s: float = 1.0) -> None:
        """Keep every connection and all work within its member's rights, and end those that are silent; never returns.

        Rechecks those whose rights changed: told by the cluster, or read each second. Each does so by itself, so that
        one that is slow holds up nobody else. Ends those whose key expired, and all of them when for `SURE_S` nobody
        could say whether rights changed.
        """
        sure_at = self._clock()
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    async with asyncio.timeout(max(_LOOK_S, sure_at + SURE_S - self._clock())):
                        moved = await self._moved_since(accounts)
                except (DuckError, TimeoutError) as error:
                    if self._clock() - sure_at >= SURE_S:
                        telemetry.emit("server.unsure", sockets=len(self), error=normalize(error).message)
                        self.end_all(TRY_LATER)
                        sure_at = self._clock()
                else:
                    sure_at = self._clock()
                    for connection in tuple(self._open):
                        if connection.user in moved:
                            group.create_task(connection.recheck(accounts), name="recheck")
                    for look in permits.due(moved):
                        group.create_task(look, name="recheck of work")
                self._end_those_over(accounts.now())
                permits.end_those_over(accounts.now())
                with suppress(TimeoutError):
                    async with asyncio.timeout(every_s):
                        await self._moved.wait()

    async def _moved_since(self, accounts: Accounts) -> frozenset[UUID]:
        """The users whose rights changed since the last time; raises when nobody can say."""
        self._moved.clear()
        now, moved = await accounts.moved_since(self._seen)
        if now != self._seen:
            self._seen = now
            self._round += 1
        return moved

    def _end_those_over(self, at: datetime) -> None:
        for connection in tuple(self._open):
            if connection.has_expired(at):
                connection.end(REVOKED)
            elif connection.is_idle():
                connection.end(GOING_AWAY)

    def end_all(self, reason: int = GOING_AWAY) -> None:
        """Close every one with this code."""
        for connection in tuple(self._open):
            connection.end(reason)


async def _let_in(
    wire: WebSocket,
    desk: Desk,
    names: guard.Names,
    latecomers: Latecomers,
    check_room: Callable[[Member], None],
) -> tuple[Member, Frame | None] | None:
    """Who it is, with the join that said so if one did; None for one who was refused."""
    address = wire.client.host if wire.client is not None else ""

    async def known(secret: str) -> Member:
        member = Member(await desk.accounts.standing(secret), new_trace(), address)
        check_room(member)
        return member

    try:
        guard.check_host(wire.headers, names)
        guard.check_parameters(wire.query_params)
        is_late = latecomers.has_room() and not guard.says_key(wire.headers)
        key = "" if is_late else guard.key_in(wire.headers)
        await desk.limits.take(Asked(RouteClass.READ, address))
        member = None if is_late else await known(key)
    except DuckError as error:
        telemetry.count("socket.refused", reason=error.code)
        await wire.send_denial_response(PlainTextResponse(error.message, error.status))
        return None
    offered = guard.PROTOCOL in wire.headers.get("sec-websocket-protocol", "")
    await wire.accept(guard.PROTOCOL if offered else None)
    return await latecomers.come_in(wire, known) if member is None else (member, None)
