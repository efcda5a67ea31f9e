"""Keeps what this process reserved of budgets from lapsing, as long as the calls are under way.

A process that dies renews nothing: whoever is short of a budget afterwards, or asks how it stands, gives back what has
lapsed. What such a call took nobody knows, so it is not charged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rubber_duck import telemetry
from rubber_duck.errors import DuckError
from rubber_duck.llm import store
from rubber_duck.llm.clocks import Clocks
from rubber_duck.storage.database import Database

LEASE_S: Final = 120.0
"""So long a reservation stands that nobody renews."""

_RENEW_EVERY_S: Final = LEASE_S / 4


class Leases:
    """The reservations of this process. A task renews them while there are any, until `close`."""

    def __init__(self, database: Database, clocks: Clocks) -> None:
        self._database = database
        self._clocks = clocks
        self._living: set[UUID] = set()
        self._renewing: asyncio.Task[None] | None = None

    def until(self) -> datetime:
        """When a reservation of now lapses."""
        return self._clocks.now() + timedelta(seconds=LEASE_S)

    def keep(self, reservation: UUID) -> None:
        """Renew it from now on."""
        self._living.add(reservation)
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())

    def drop(self, reservations: Iterable[UUID]) -> None:
        """Renew them no more: they are settled, or nobody knows of them."""
        self._living.difference_update(reservations)

    async def close(self) -> None:
        """Renew nothing any more."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    async def _renew(self) -> None:
        while self._living:
            await self._clocks.sleep(_RENEW_EVERY_S)
            if not self._living:
                return
            try:
                async with self._database.begin() as tx:
                    await store.renew(tx, self._living, self.until())
            except DuckError as error:  # what lapses meanwhile is charged anew when it is settled
                telemetry.emit("llm.reservations_unrenewed", calls=len(self._living), error=error.message)
