"""Who is in a topic, on every node: `presence_state` at the join, `presence_diff` when somebody comes or goes.

Each node tells the others of its own members, of changes at once and of all every few seconds; a node that is not
heard of for three of these is gone, and its members with it. A person may be there on several devices.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from rubber_duck import telemetry
from rubber_duck.cluster.cluster import Cluster, Subscription
from rubber_duck.errors import Unavailable

Metas = dict[str, str]
Members = dict[str, dict[str, Metas]]
"""Person → device → what it says of itself."""

Tell = Callable[["PresenceDiff"], None]


class Person(msgspec.Struct, frozen=True):
    """One person's devices; each has a `phx_ref` of its own."""

    metas: tuple[Metas, ...]


class PresenceDiff(msgspec.Struct, frozen=True):
    """Who came and who went, by person."""

    joins: dict[str, Person]
    leaves: dict[str, Person]


class _Report(msgspec.Struct, frozen=True):
    """What a node says of its members of a topic; `whole`: these are all. `asks`: others are to say theirs."""

    node: str
    members: Members
    gone: Members
    whole: bool = False
    asks: bool = False


_report: Final = msgspec.msgpack.Decoder(_Report)
_pack: Final = msgspec.msgpack.Encoder()


class _Room:
    def __init__(self) -> None:
        self.nodes: dict[str, Members] = {}
        self.heard: dict[str, float] = {}
        self.tells: list[Tell] = []
        self.subscription: Subscription | None = None
        self.entering = 0
        self.opening = asyncio.Lock()


class Presence:
    """Members of topics over all nodes. `clock` gives seconds from any point."""

    def __init__(
        self, cluster: Cluster, node: str, *, every_s: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._node = node
        self._every_s = every_s
        self._clock = clock
        self._rooms: dict[str, _Room] = {}
        self._answers: set[asyncio.Task[None]] = set()

    async def enter(self, topic: str, person: str, device: str, metas: Metas, tell: Tell) -> dict[str, Person]:
        """Be there as one device of a person; who is there now. `tell` is called with each later change."""
        room = self._rooms.setdefault(topic, _Room())
        room.entering += 1
        try:
            await self._open(topic, room)
            room.tells.append(tell)
        finally:
            room.entering -= 1
            await self._close_empty(topic, room)
        mine = room.nodes.setdefault(self._node, {})
        entry = {**metas, "phx_ref": device}
        mine.setdefault(person, {})[device] = entry
        coming: Members = {person: {device: entry}}
        for other in tuple(room.tells):
            if other is not tell:
                other(_diff(coming, {}))
        await self._say(topic, _Report(self._node, coming, {}))
        return _people(room)

    async def leave(self, topic: str, person: str, device: str, tell: Tell) -> None:
        """Be there no more with this device."""
        room = self._rooms.get(topic)
        if room is None or tell not in room.tells:
            return
        room.tells.remove(tell)
        devices = room.nodes[self._node].get(person, {})
        entry = devices.pop(device, {})
        if not devices:
            room.nodes[self._node].pop(person, None)
        going: Members = {person: {device: entry}}
        for other in tuple(room.tells):
            other(_diff({}, going))
        await self._say(topic, _Report(self._node, {}, going))
        await self._close_empty(topic, room)

    def people(self, topic: str) -> dict[str, Person]:
        """Who is in a topic, as far as this node knows: of topics that somebody here is in."""
        room = self._rooms.get(topic)
        return {} if room is None else _people(room)

    async def keep_telling(self) -> None:
        """Every few seconds tell other nodes of all members here, and forget nodes that are gone; never returns."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.tell_all()

    async def tell_all(self) -> None:
        """One round of `keep_telling`."""
        for topic, room in tuple(self._rooms.items()):
            await self._say(topic, self._all_mine(room))
            limit = self._clock() - 3 * self._every_s
            for node in [node for node, heard in room.heard.items() if heard < limit]:
                del room.heard[node]
                self._change(room, node, {})

    async def close(self) -> None:
        """Tell no more."""
        for task in tuple(self._answers):
            task.cancel()
        await asyncio.gather(*tuple(self._answers), return_exceptions=True)

    async def _open(self, topic: str, room: _Room) -> None:
        """Hear of a room's members on other nodes, from the first who enters; others wait until it is so."""
        async with room.opening:
            if room.subscription is not None:
                return
            room.subscription = await self._cluster.subscribe(
                f"presence:{topic}", lambda message: self._hear(topic, message), gap=lambda: self._ask(topic)
            )
            await self._say(topic, _Report(self._node, {}, {}, asks=True))

    async def _close_empty(self, topic: str, room: _Room) -> None:
        """Forget a room in which nobody is, and which nobody is about to enter."""
        if not room.tells and not room.entering and self._rooms.get(topic) is room:
            del self._rooms[topic]
            if room.subscription is not None:
                await room.subscription.end()

    def _hear(self, topic: str, message: bytes) -> None:
        try:
            report = _report.decode(message)
        except (msgspec.MsgspecError, UnicodeError):
            telemetry.count("cluster.unreadable", of="presence")
            return
        room = self._rooms.get(topic)
        if room is None or report.node == self._node:
            return
        if report.asks:
            self._answer(topic, room)
            return
        room.heard[report.node] = self._clock()
        known = room.nodes.get(report.node, {})
        if report.whole:
            self._change(room, report.node, report.members)
            return
        after = {person: dict(devices) for person, devices in known.items()}
        for person, devices in report.members.items():
            after.setdefault(person, {}).update(devices)
        for person, devices in report.gone.items():
            for device in devices:
                after.get(person, {}).pop(device, None)
        self._change(room, report.node, {person: devices for person, devices in after.items() if devices})

    def _change(self, room: _Room, node: str, members: Members) -> None:
        """Let a node have these members, and tell everybody here what that changed."""
        before = room.nodes.get(node, {})
        joins, leaves = _besides(members, before), _besides(before, members)
        if members:
            room.nodes[node] = members
        else:
            room.nodes.pop(node, None)
        if joins or leaves:
            for tell in tuple(room.tells):
                tell(_diff(joins, leaves))

    def _ask(self, topic: str) -> None:
        room = self._rooms.get(topic)
        if room is not None:
            self._answer(topic, room)
            self._later(self._say(topic, _Report(self._node, {}, {}, asks=True)))

    def _answer(self, topic: str, room: _Room) -> None:
        self._later(self._say(topic, self._all_mine(room)))

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name="presence")
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    def _all_mine(self, room: _Room) -> _Report:
        return _Report(self._node, room.nodes.get(self._node, {}), {}, whole=True)

    async def _say(self, topic: str, report: _Report) -> None:
        try:
            await self._cluster.publish(f"presence:{topic}", _pack.encode(report))
        except Unavailable:
            return  # others are told all of it when they can be reached again


@asynccontextmanager
async def open_presence(cluster: Cluster, node: str) -> AsyncIterator[Presence]:
    """The presence of this node, which tells the others until the end of the block."""
    presence = Presence(cluster, node)
    telling = asyncio.create_task(presence.keep_telling(), name="presence")
    try:
        yield presence
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await presence.close()


def _people(room: _Room) -> dict[str, Person]:
    merged: Members = {}
    for members in room.nodes.values():
        for person, devices in members.items():
            merged.setdefault(person, {}).update(devices)
    return _persons(merged)


def _persons(members: Members) -> dict[str, Person]:
    return {person: Person(tuple(devices.values())) for person, devices in members.items()}


def _diff(joins: Members, leaves: Members) -> PresenceDiff:
    return PresenceDiff(_persons(joins), _persons(leaves))


def _besides(these: Members, those: Members) -> Members:
    """The devices of `these` that are not among `those`."""
    found = {
        person: {device: metas for device, metas in devices.items() if device not in those.get(person, {})}
        for person, devices in these.items()
    }
    return {person: devices for person, devices in found.items() if devices}
