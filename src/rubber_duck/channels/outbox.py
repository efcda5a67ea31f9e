"""What members are to be told though they are away: kept in the database until they have seen it, bounded, expiring.

A letter has a number within its box, and numbers are given in the order of commits. Whoever reads remembers the last
one and asks for what is behind it; a hint over the cluster says that there may be more, and losing one loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from rubber_duck.channels import store
from rubber_duck.channels.store import Letter
from rubber_duck.cluster.cluster import Cluster, Receive, Subscription
from rubber_duck.errors import Unavailable
from rubber_duck.storage.database import Connection, Database

MOST: Final = 500
"""Letters that one box holds; one more takes the place of the oldest."""

DAYS: Final = 30
"""How long a letter is kept."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a box, oldest first.

    `lost` letters went unseen because they expired or had no room; all up to the number `seen` were acknowledged.
    """

    letters: tuple[Letter, ...]
    lost: int
    seen: int


class Outbox:
    """The boxes of every member. `now` gives aware moments."""

    def __init__(
        self, database: Database, cluster: Cluster, *, now: Callable[[], datetime], days: int = DAYS, most: int = MOST
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._now = now
        self._kept_for = timedelta(days=days)
        self._most = most

    async def put(self, box: str, key: str, event: str, payload: dict[str, Any]) -> int | None:  # Any: JSON
        """Keep a letter and tell who reads the box; its number. None when one with this key is kept already."""
        number = await self._database.run(partial(self.add, box=box, key=key, event=event, payload=payload))
        await self.hint(box)
        return number

    def add(
        self, connection: Connection, *, box: str, key: str, event: str, payload: dict[str, Any]
    ) -> int | None:  # Any: JSON
        """As `put`, within somebody's transaction; after it call `hint`."""
        now = self._now()
        letter = store.Draft(key, event, payload, now, now + self._kept_for)
        return store.add_letter(connection, box, letter, most=self._most)

    async def hint(self, box: str) -> None:
        """Tell who reads the box that there may be more."""
        try:
            await self._cluster.publish(_topic(box), b"")
        except Unavailable:
            return  # those on other nodes look when the cluster is back

    async def waiting(self, box: str, *, after: int = 0) -> Waiting:
        """What was not acknowledged yet, behind the number `after`."""
        kept = partial(store.waiting, box=box, after=after, now=self._now())
        letters, seen, last = await self._database.run(kept, write=False)
        lost = last - max(after, seen) - len(letters)
        return Waiting(tuple(letters), max(0, lost), seen)

    async def newest(self, box: str, limit: int) -> tuple[Letter, ...]:
        """The newest letters, acknowledged or not, newest first."""
        return tuple(
            await self._database.run(partial(store.newest, box=box, limit=limit, now=self._now()), write=False)
        )

    async def letter(self, box: str, key: str) -> Letter | None:
        """One letter; None when there is no such, or no longer."""
        return await self._database.run(partial(store.letter, box=box, key=key, now=self._now()), write=False)

    async def acknowledge(self, box: str, number: int) -> int:
        """Say that all up to `number` was seen, on every device of the member; the highest number seen until now."""
        seen = await self._database.run(partial(store.acknowledge, box=box, number=number))
        await self.hint(box)
        return seen

    async def listen(self, box: str, more: Receive) -> Subscription:
        """Let `more` be called whenever there may be more in the box, also after others could not be heard."""
        return await self._cluster.subscribe(_topic(box), more, gap=lambda: more(b""))


def _topic(box: str) -> str:
    return f"outbox:{box}"
