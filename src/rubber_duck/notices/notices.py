"""The front of notices: tells people what happened, keeps it until they have seen it, and sends it as they chose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from rubber_duck import telemetry
from rubber_duck.channels.broadcast import announce
from rubber_duck.channels.outbox import Outbox
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.errors import (
    Denied,
    LimitExceeded,
    NotConfigured,
    NotFound,
    StorageUnavailable,
    Unavailable,
    UnknownName,
    normalize,
)
from rubber_duck.mail import checked_address
from rubber_duck.notices import store
from rubber_duck.notices.notice import BOX, EVENT, By, Kind, Notice, Told, Way
from rubber_duck.notices.sending import send
from rubber_duck.notices.wording import approval_of, end_of, payload_of, told_of
from rubber_duck.scope import Actor, Scope, new_trace
from rubber_duck.settings import Settings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.keys import new_key
from rubber_duck.workflows.durable import Durable, Enqueue
from rubber_duck.workflows.moves import Ended, Followers, Move, WaitsFor
from rubber_duck.workflows.status import ended_of

DELIVER: Final = "deliver-notice"
"""The workflow that sends a notice by one way."""

STATUS: Final = "status:server"
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """What somebody has not seen yet, oldest first; how much that they have not seen is gone; what they have seen."""

    notices: tuple[Told, ...]
    lost: int
    seen: int


class Notices:
    """Notices of one installation. `now` gives aware moments."""

    def __init__(
        self,
        database: Database,
        cluster: Cluster,
        durable: Durable,
        settings: Settings,
        *,
        now: Callable[[], datetime],
    ) -> None:
        kept = settings.notices
        self.outbox = Outbox(database, cluster, now=now, days=kept.kept_days, most=kept.most_kept)
        self._database = database
        self._now = now
        self._cluster = cluster
        self._durable = durable
        self._settings = settings

    def followers(self) -> Followers:
        """What follows every run: tells of its moves while it runs, and its actor when it ended or waits for them."""
        return Followers(self.moved, self.waits_for, self.tell_of_ends)

    async def tell(self, scope: Scope, notice: Notice) -> bool:
        """Tell the scope's actor, by every way they chose; False when they were told that already."""
        return await self._tell(scope, notice, lambda _: True)

    async def waiting(self, scope: Scope, *, after: int = 0) -> Waiting:
        """What the actor has not seen yet, behind the number `after`."""
        found = await self.outbox.waiting(box_of(scope), after=after)
        return Waiting(tuple(map(told_of, found.letters)), found.lost, found.seen)

    async def newest(self, scope: Scope, limit: int) -> tuple[Told, ...]:
        """The newest notices of the actor, seen or not, newest first."""
        return tuple(map(told_of, await self.outbox.newest(box_of(scope), limit)))

    async def see(self, scope: Scope, number: int) -> int:
        """Say that the actor has seen all up to `number`; the highest number they have seen."""
        return await self.outbox.acknowledge(box_of(scope), number)

    async def deliver(self, scope: Scope, key: str, by: By) -> str:
        """Send one notice by a way of the actor; what became of it. Raises what `sending.send` does."""
        letter = await self.outbox.letter(box_of(scope), key)
        way = await self.way(scope, by)
        if letter is None:
            return "the notice is no longer kept"
        if way is None:
            return f"its member is told by {by.value} no more"
        await send(self._settings, way, told_of(letter), key=key, now_s=lambda: self._now().timestamp())
        return "sent"

    async def ways(self, scope: Scope) -> list[Way]:
        """How the actor is told, beside the box."""
        return await self._database.run(partial(store.ways_of, member=scope.actor.id), write=False)

    async def way(self, scope: Scope, by: By) -> Way | None:
        """One of them."""
        return next((each for each in await self.ways(scope) if each.by is by), None)

    async def choose(self, scope: Scope, way: Way) -> None:
        """Let the actor be told by this way. Raises InvalidInput, NotConfigured, Denied, UnknownName."""
        if way.by is By.MAIL:
            self._check_mail(way.to)
        elif way.to not in self._settings.notices.webhooks:
            raise UnknownName.among("webhook", way.to, self._settings.notices.webhooks)
        await self._database.run(partial(store.put_way, member=scope.actor.id, way=way))

    async def drop(self, scope: Scope, by: By) -> None:
        """Let the actor be told by that way no more; NotFound when they are not."""
        if not await self._database.run(partial(store.drop_way, member=scope.actor.id, by=by)):
            raise NotFound(f"you are not told by {by.value}; `duck notices ways` shows how you are")

    async def probe(self, scope: Scope, by: By) -> None:
        """Send the actor a notice by one of their ways now. Raises NotFound, and what `sending.send` does."""
        way = await self.way(scope, by)
        if way is None:
            raise NotFound(f"you are not told by {by.value}; `duck notices way {by.value} TO` changes that")
        told = Told(0, Kind.FINISHED, "this way works", "You asked for a try.", "", "", self._now(), is_seen=True)
        await send(self._settings, way, told, key=str(new_key()), now_s=lambda: self._now().timestamp())

    async def moved(self, move: Move) -> None:
        """Tell the members of the run's project, and operators, how it does; nobody who is away."""
        payload = {
            "run": move.run,
            "workflow": move.workflow,
            "state": move.state,
            "done": move.done,
            "total": move.total,
            "note": move.note,
            "error": move.error,
        }
        topics = [STATUS] if move.project is None else [f"project:{move.project}", STATUS]
        try:
            for topic in topics:
                await announce(self._cluster, topic, "job", payload)
        except Unavailable:
            return  # who follows asks for the state when they are back; the run is what counts

    async def waits_for(self, waits: WaitsFor) -> None:
        """Tell whose run waits for a signal."""
        scope = Scope(Actor(waits.actor, waits.actor), waits.project, frozenset(), new_trace())
        await self.tell(scope, approval_of(waits))

    async def tell_of_ends(self) -> None:
        """Tell of runs that ended; whichever process is first does, once."""
        for ended, failures_only in await self.ended_untold():
            try:
                scope = await self._durable.resolve(ended.actor, ended.project, new_trace())
                await self._tell_of_end(scope, ended, failures_only=failures_only)
            except Denied:
                await self._settle(ended)  # who may do nothing here is told nothing either
            except StorageUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  # the border: one run is not in the way of the others
                known = normalize(error)
                telemetry.emit("notice.untold", run=ended.run, error=known.message)
                if not isinstance(known, (LimitExceeded, Unavailable)):
                    await self._settle(ended)  # it would fail again

    async def ended_untold(self) -> list[tuple[Ended, bool]]:
        """Some of the runs of which nobody was told that they ended, and whether only a failure is to be told."""
        library = await self._durable.library()
        work = partial(store.ended_untold, theirs=library.tables, limit=_AT_ONCE)
        return [ended_of(row) for row in await self._database.run(work, write=False)]

    async def _settle(self, ended: Ended) -> None:
        await self._database.run(partial(store.settle, run_id=ended.run))

    async def _tell_of_end(self, scope: Scope, ended: Ended, *, failures_only: bool) -> None:
        settle = partial(store.settle, run_id=ended.run)
        if failures_only and ended.state == "done":
            await self._database.run(settle)
            return
        await self._tell(scope, end_of(ended), settle)

    async def _tell(self, scope: Scope, notice: Notice, settle: Callable[[Connection], bool]) -> bool:
        ways = [way for way in await self.ways(scope) if notice.kind in way.kinds]
        sending = [await self._sending(scope, notice, way) for way in ways]
        box, payload = box_of(scope), payload_of(notice)

        def keep(connection: Connection) -> bool:
            if not settle(connection):
                return False
            if self.outbox.add(connection, box=box, key=notice.key, event=EVENT, payload=payload) is None:
                return False
            for enqueue in sending:
                enqueue(connection)
            return True

        if not await self._database.run(keep):
            return False
        telemetry.emit("notice.told", kind=notice.kind.value, ways=len(sending))
        await self.outbox.hint(box)
        return True

    async def _sending(self, scope: Scope, notice: Notice, way: Way) -> Enqueue:
        """What queues the sending of a notice by a way, within the transaction that keeps the notice."""
        actor = await self._durable.resolve(scope.actor.id, None, scope.trace)
        request = {"key": notice.key, "by": way.by.value}
        return await self._durable.enqueuing(actor, DELIVER, request, run_id=str(new_key()))

    def _check_mail(self, address: str) -> None:
        mail = self._settings.mail
        if not mail.host:
            raise NotConfigured("nobody has set up a mail server; an administrator sets mail.host in duck.toml")
        domain = checked_address(address).rpartition("@")[2].lower()
        if mail.domains and domain not in {each.lower() for each in mail.domains}:
            raise Denied(f"mail goes only to addresses in {', '.join(mail.domains)}")


def box_of(scope: Scope) -> str:
    """The box of the scope's actor."""
    return BOX + scope.actor.id
