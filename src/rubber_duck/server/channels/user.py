"""`user:ME`: what a person is told, also what came while they were away, on every device of theirs."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from rubber_duck import telemetry
from rubber_duck.channels.channel import NoPayload, Push, Seat, on
from rubber_duck.cluster.cluster import Subscription
from rubber_duck.errors import DuckError, NotFound
from rubber_duck.notices.notice import By, Kind, Told, Way
from rubber_duck.notices.notices import Notices, box_of
from rubber_duck.scope import Right
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.limits import RouteClass
from rubber_duck.server.topic import Topic

ME = "me"


class NoticeView(msgspec.Struct, frozen=True):
    """Something one is told. `number` is what one says to have seen it."""

    number: int
    kind: str
    title: str
    text: str
    run: str
    project: str
    at: datetime


class Joined(msgspec.Struct, frozen=True):
    """Whose topic it is, how much waits, and how much that was never seen is gone."""

    user: str
    name: str
    waiting: int
    lost: int


class Seen(msgspec.Struct, frozen=True):
    """Up to which number everything was seen."""

    number: int


class WayView(msgspec.Struct, frozen=True):
    """How one is told beside this topic: `to` is a mail address, or the name of a webhook."""

    by: By
    to: str
    kinds: tuple[Kind, ...]


class Drop(msgspec.Struct, frozen=True):
    """By which way one is told no more."""

    by: By


class Ways(msgspec.Struct, frozen=True):
    """How one is told, and the webhooks there are."""

    ways: tuple[WayView, ...]
    webhooks: tuple[str, ...]
    mail: bool


class SettingView(msgspec.Struct, frozen=True):
    """A setting of one's own; null: there is none of that name."""

    name: str
    value: Any = None  # Any: JSON that a face understands


class SettingsView(msgspec.Struct, frozen=True):
    """One's own settings by name."""

    settings: dict[str, Any]  # Any: as above


class User(Topic):
    """One's own notices. Those that wait are pushed after the join, others as they come, each once in order.

    A notice waits until it was said to be seen, which every device of the person hears.
    """

    name = "user"
    right = Right.CATALOG_READ

    def __init__(self, seat: Seat, subject: str, desk: Desk, member: Member) -> None:
        super().__init__(seat, subject, desk, member)
        self.mine = str(member.standing.user.id)
        if subject not in (ME, self.mine):
            raise NotFound(f"there is no topic 'user:{subject}' for you; yours is 'user:{ME}'")
        self._pushed = self._seen = 0
        self._has_more = False
        self._listening: list[Subscription] = []
        self._changed: dict[str, None] = {}
        self._telling: asyncio.Task[None] | None = None
        """There while something is to be told: most sockets wait for days, and a task takes memory."""

    async def join(self, params: bytes) -> Joined:
        """Who one is, and how much waits."""
        found = await self._notices().waiting(self.seat.scope)
        return Joined(self.mine, self.seat.scope.actor.name, len(found.notices), found.lost)

    async def joined(self) -> None:
        """Push what waits, and from now on what comes."""
        box, own = box_of(self.seat.scope), self.desk.own_settings
        self._listening.append(await self._notices().outbox.listen(box, self._note_more))
        self._listening.append(await own.listen(self.member.standing, self._note_setting))
        self._note_more()

    async def leave(self) -> None:
        """Push no more."""
        for each in self._listening:
            await each.end()
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    @on("settings", right=Right.ACCOUNT_OWN, cost=RouteClass.READ)
    async def settings(self, payload: NoPayload, push: Push) -> SettingsView:
        """What one has set for every face."""
        return SettingsView(await self.desk.own_settings.read(self.member.standing))

    @on("set", right=Right.ACCOUNT_OWN, payload=SettingView, cost=RouteClass.WRITE)
    async def set(self, payload: SettingView, push: Push) -> SettingView:
        """Set something for every face, or drop it with null; each device is told."""
        await self.desk.own_settings.set(self.member.standing, payload.name, payload.value)
        return payload

    @on("seen", right=Right.CATALOG_READ, payload=Seen, cost=RouteClass.READ)
    async def seen(self, payload: Seen, push: Push) -> Seen:
        """Say that all up to a number was seen."""
        number = await self._notices().see(self.seat.scope, payload.number)
        return Seen(number)

    @on("ways", right=Right.CATALOG_READ, cost=RouteClass.READ)
    async def ways(self, payload: NoPayload, push: Push) -> Ways:
        """How one is told beside this topic."""
        return await self._ways()

    @on("way", right=Right.CATALOG_READ, payload=WayView, cost=RouteClass.WRITE)
    async def way(self, payload: WayView, push: Push) -> Ways:
        """Be told by a way."""
        await self._notices().choose(self.seat.scope, Way(payload.by, payload.to, frozenset(payload.kinds)))
        return await self._ways()

    @on("drop", right=Right.CATALOG_READ, payload=Drop, cost=RouteClass.WRITE)
    async def drop(self, payload: Drop, push: Push) -> Ways:
        """Be told by it no more."""
        await self._notices().drop(self.seat.scope, payload.by)
        return await self._ways()

    async def _ways(self) -> Ways:
        settings = self.desk.app.settings
        chosen = await self._notices().ways(self.seat.scope)
        ways = tuple(WayView(each.by, each.to, tuple(sorted(each.kinds))) for each in chosen)
        return Ways(ways, tuple(settings.notices.webhooks), bool(settings.mail.host))

    def _note_setting(self, name: bytes) -> None:
        """However often one changes while a slow reader is told of another, it is told once."""
        self._changed[name.decode()] = None
        self._tell()

    def _note_more(self, _: bytes = b"") -> None:
        self._has_more = True
        self._tell()

    def _tell(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all(), name="notices")

    async def _tell_all(self) -> None:
        """Push what there is to be told, and what comes meanwhile."""
        while self._has_more or self._changed:
            try:
                if self._has_more:
                    self._has_more = False
                    await self._push_notices()
                if self._changed:
                    await self._push_settings()
            except DuckError as error:  # the database is away: the next hint, or the next join, brings it
                telemetry.emit("notice.unread", error=error.message)

    async def _push_settings(self) -> None:
        """Push each setting that changed."""
        changed, self._changed = self._changed, {}
        values = await self.desk.own_settings.read(self.member.standing)
        for name in changed:
            await self.seat.push("setting", SettingView(name, values.get(name)))

    async def _push_notices(self) -> None:
        """Push what is in the box behind what was pushed."""
        found = await self._notices().waiting(self.seat.scope, after=self._pushed)
        if found.seen > self._seen:
            self._seen = found.seen
            await self.seat.push("seen", Seen(found.seen))
        for each in found.notices:
            await self.seat.push("notice", _view(each))
            self._pushed = each.number

    def _notices(self) -> Notices:
        return self.desk.app.parts.notices


def _view(told: Told) -> NoticeView:
    return NoticeView(told.number, told.kind.value, told.title, told.text, told.run, told.project, told.at)
