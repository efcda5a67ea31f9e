"""Changes what is connected: one change at a time over all processes of a home, and none that the audit does not tell.

A change is written beside the file first, with the digest of its entry in the audit; once that is committed it becomes
the file. Whoever comes after a kill between the two sees from the audit whether it was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from rubber_duck.errors import DuckError
from rubber_duck.llm.changes import changes
from rubber_duck.llm.clocks import Clocks
from rubber_duck.llm.connections import Connections, changing, read_connections, write_connections, write_private
from rubber_duck.scope import Scope

if TYPE_CHECKING:
    from rubber_duck.storage.database import Database

DRAFT: Final = "models.next.json"
_MAX_BYTES: Final = 1_100_000


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be connected, once the audit has the entry with this digest."""

    digest: str
    connections: Connections


class Keeping:
    """The changes of one process to the connections of a home folder."""

    def __init__(self, home: Path, database: Database | None, clocks: Clocks) -> None:
        """Without a database there is no audit, and nothing to tell it."""
        self._home = home
        self._database = database
        self._now = clocks.now
        self._sleep = clocks.sleep
        self._turn = asyncio.Lock()

    async def change(self, scope: Scope, change: Callable[[Connections], Connections]) -> Connections:
        """Keep what `change` makes of what is connected; where the audit cannot be written, it stays as it was.

        Raises what `change` does, and Conflict while others change it for very long.
        """
        async with self._turn, changing(self._home, self._sleep):
            await self._recover()
            before = read_connections(self._home)
            changed = change(before)
            told = list(changes(before, changed))
            if self._database is None or not told:
                write_connections(self._home, changed)
                return changed
            from rubber_duck.accounts.accounts import recorded  # noqa: PLC0415  # SQLAlchemy: only where there is one

            digest = ""
            try:
                async with self._database.begin() as tx:
                    for action, subject in told:
                        digest = await recorded(scope, tx, action, subject, self._now())
                    content = msgspec.json.encode(Draft(digest, changed))
                    await asyncio.to_thread(write_private, self._home, DRAFT, content)
            except BaseException:
                with suppress(DuckError):  # the next one looks again
                    await asyncio.shield(self._recover())
                raise
            await asyncio.shield(self._recover())
            return changed

    async def recover(self) -> None:
        """Finish what was begun before a kill, or take it back."""
        if self._database is not None and (self._home / DRAFT).exists():
            async with self._turn, changing(self._home, self._sleep):
                await self._recover()

    async def _recover(self) -> None:
        place = self._home / DRAFT
        if self._database is None or not place.exists():
            return
        from rubber_duck.accounts.accounts import is_recorded  # noqa: PLC0415  # SQLAlchemy, as above

        try:
            content = await asyncio.to_thread(place.read_bytes)
            draft = msgspec.json.decode(content[:_MAX_BYTES], type=Draft)
        except (OSError, msgspec.MsgspecError, UnicodeError):
            draft = None  # it was not written whole, so nothing was committed
        if draft is not None:
            async with self._database.begin(write=False) as tx:
                is_done = await is_recorded(tx, draft.digest)
            if is_done:
                await asyncio.to_thread(write_connections, self._home, draft.connections)
        place.unlink(missing_ok=True)
