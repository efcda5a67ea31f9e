"""Requests by which the host of a Git remote says that something was pushed: signed, fresh, and heard once.

Two ways of signing are understood. `X-Duck-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body">` is ours, as
notices are signed, and is good for five minutes. `X-Hub-Signature-256: sha256=<HMAC-SHA256 of the body>` is what
GitHub, Gitea and Forgejo send; it has no moment in it, so it is remembered for a day, and a repeated one does no more
after that than fetch once more. All digests are in hexadecimal.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from rubber_duck.accounts.store import trail
from rubber_duck.errors import Conflict, Unauthenticated
from rubber_duck.scope import Right, Scope
from rubber_duck.server import store
from rubber_duck.server.idempotency import KEPT
from rubber_duck.storage.database import Database
from rubber_duck.storage.installation import shared_key

OURS: Final = "x-duck-signature"
HUBS: Final = "x-hub-signature-256"
_UNSIGNED: Final = "this is not signed with the secret of the project's hook, or too long ago"
FRESH_S: Final = 300
BODY_BYTES: Final = 5_000_000

_OURS: Final = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_HUBS: Final = re.compile(r"sha256=([0-9a-f]{64})")


class Hooks:
    """The hooks of an installation's projects. `now` gives aware moments, `random` random bytes in hexadecimal."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], random: Callable[[int], str] = secrets.token_hex
    ) -> None:
        self._database = database
        self._now = now
        self._random = random

    async def make(self, scope: Scope) -> str:
        """The secret of the project's new hook, in place of the one before: it is shown once."""
        scope.require(Right.PROJECT_WRITE)
        project, salt = _project(scope), self._random(16)
        async with self._database.begin() as tx:
            await store.set_hook(tx, project, salt, self._now())
            await trail.record(tx, scope, "hook.make", str(project), self._now())
        return await self._secret(project, salt)

    async def remove(self, scope: Scope) -> None:
        """The project has no hook then."""
        scope.require(Right.PROJECT_WRITE)
        project = _project(scope)
        async with self._database.begin() as tx:
            await store.remove_hook(tx, project)
            await trail.record(tx, scope, "hook.remove", str(project), self._now())

    async def expect(self, project: UUID, headers: Mapping[str, str]) -> None:
        """Raises Unauthenticated for a project without a hook, and without a signature: before the body is read."""
        async with self._database.begin(write=False) as tx:
            salt = await store.hook_salt(tx, project)
        is_signed = _OURS.fullmatch(headers.get(OURS, "")) or _HUBS.fullmatch(headers.get(HUBS, ""))
        if salt is None or not is_signed:
            raise Unauthenticated(_UNSIGNED)

    async def check(self, project: UUID, headers: Mapping[str, str], body: bytes) -> None:
        """Raises Unauthenticated for what is not signed for this project, or not now, Conflict for what was heard."""
        async with self._database.begin(write=False) as tx:
            salt = await store.hook_salt(tx, project)
        secret = await self._secret(project, salt or self._random(16))
        given = _given(headers, body, secret, self._now())
        if salt is None or given is None:
            raise Unauthenticated(_UNSIGNED)
        name = hashlib.sha256(f"hook:{project}:{given}".encode()).hexdigest()
        async with self._database.begin() as tx:
            if await store.begin_request(tx, name, given, self._now(), KEPT) is not None:
                raise Conflict("this was heard before; sign it anew to have it heard again")
            await store.end_request(tx, name, b"")

    async def _secret(self, project: UUID, salt: str) -> str:
        key = await shared_key(self._database, "hooks")
        return hmac.new(key, f"{project}:{salt}".encode(), hashlib.sha256).hexdigest()


def _given(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> str | None:
    """The signature that came, if it is right."""
    ours = _OURS.fullmatch(headers.get(OURS, ""))
    if ours is not None:
        right = hmac.new(secret.encode(), ours[1].encode() + b"." + body, hashlib.sha256).hexdigest()
        is_fresh = abs(now.timestamp() - int(ours[1])) <= FRESH_S
        return right if hmac.compare_digest(right, ours[2]) and is_fresh else None
    hubs = _HUBS.fullmatch(headers.get(HUBS, ""))
    if hubs is None:
        return None
    right = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return right if hmac.compare_digest(right, hubs[1]) else None


def _project(scope: Scope) -> UUID:
    assert scope.project is not None
    return scope.project
