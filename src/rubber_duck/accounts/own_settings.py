"""Settings of a person that every face shares: kept with the account, and told to each open device when one changes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from rubber_duck.accounts.store import own, people
from rubber_duck.accounts.user import Standing
from rubber_duck.cluster.cluster import Cluster, Receive, Subscription
from rubber_duck.errors import InvalidInput, LimitExceeded, Unavailable
from rubber_duck.storage.database import Database

MOST: Final = 200
MOST_BYTES: Final = 4_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


class OwnSettings:
    """Of every user. What they mean is for the faces: the server keeps JSON under names. `now` gives aware moments."""

    def __init__(self, database: Database, cluster: Cluster, now: Callable[[], datetime]) -> None:
        self._database = database
        self._cluster = cluster
        self._now = now

    async def read(self, standing: Standing) -> dict[str, Any]:  # Any: JSON that somebody wrote
        """All of somebody's, by name."""
        async with self._database.begin(write=False) as tx:
            return await own.settings_of(tx, standing.user.id)

    async def set(self, standing: Standing, name: str, value: object) -> None:
        """Keep a value, None for none, and tell every device of theirs. Raises InvalidInput, LimitExceeded."""
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"{name!r} is no name of a setting: use lower-case letters, digits and `_`, `.`, `-`")
        if len(json.dumps(value)) > MOST_BYTES:
            raise LimitExceeded(f"the value of a setting has at most {MOST_BYTES:,} bytes as JSON")
        async with self._database.begin() as tx:
            await people.take_turn(tx, standing.user.id)
            known = await own.settings_of(tx, standing.user.id)
            if value is not None and len(known.keys() | {name}) > MOST:
                raise LimitExceeded(f"there are {MOST} settings already; drop one of them")
            await own.set_setting(tx, standing.user.id, name, value, self._now())
        try:
            await self._cluster.publish(_topic(standing), name.encode())
        except Unavailable:
            return  # devices on other nodes read it when they join again

    async def listen(self, standing: Standing, changed: Receive) -> Subscription:
        """Let `changed` be called with the name of each setting that changes."""
        return await self._cluster.subscribe(_topic(standing), changed)


def _topic(standing: Standing) -> str:
    return f"settings:{standing.user.id}"
