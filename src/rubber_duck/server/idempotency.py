"""Repeated requests with one `Idempotency-Key` are carried out once, and answered alike for a day."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from rubber_duck.errors import Conflict, InvalidInput
from rubber_duck.server import store
from rubber_duck.storage.database import Database

KEPT: Final = timedelta(days=1)
_CHARACTERS: Final = 100


@dataclass(frozen=True, slots=True)
class Token:
    """A request that is carried out; `kept` is the answer that it had before, if it was."""

    id: str
    kept: bytes | None

    def made(self, at: datetime) -> tuple[str, str]:
        """The id of what the request makes at that moment, and what it would have been the day before.

        Where an answer was lost, because the database was, what it told of is found by one of them and not made again.
        """
        days = (at.date(), at.date() - KEPT)
        today, before = (str(uuid5(NAMESPACE_OID, f"{self.id} {day.isoformat()}")) for day in days)
        return today, before


class Idempotency:
    """Over one database, for all nodes. `now` gives aware moments."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def begin(self, user_id: UUID, key: str, request: bytes) -> Token:
        """Say that a request begins. Raises Conflict for one that is worked on, was another, or is not shown again."""
        if len(key) > _CHARACTERS or not key.isprintable():
            raise InvalidInput(f"an Idempotency-Key has at most {_CHARACTERS} characters")
        name = hashlib.sha256(f"{user_id}:{key}".encode()).hexdigest()
        digest = hashlib.sha256(request).hexdigest()
        async with self._database.begin() as tx:
            held = await store.begin_request(tx, name, digest, self._now(), KEPT)
        if held is None:
            return Token(name, None)
        kept_digest, answer = held
        if kept_digest != digest:
            raise Conflict("this Idempotency-Key was used for another request; take a new one for each")
        if answer is None:
            raise Conflict("the request with this Idempotency-Key is still being worked on")
        if not answer:
            raise Conflict("the request with this Idempotency-Key was carried out, and what it made is not shown again")
        return Token(name, answer)

    async def keep(self, token: Token, answer: bytes) -> None:
        """Keep what was answered; nothing for what is shown once."""
        async with self._database.begin() as tx:
            await store.end_request(tx, token.id, answer)

    async def forget(self, token: Token) -> None:
        """It failed, and may be tried again."""
        async with self._database.begin() as tx:
            await store.forget_request(tx, token.id)
