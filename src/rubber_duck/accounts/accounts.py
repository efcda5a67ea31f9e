"""The front of accounts: makes users and keys, says who a key is and what they may do, and records each change."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rubber_duck.accounts import references
from rubber_duck.accounts.keys import IssuedKey, digest_of, id_of, new_key
from rubber_duck.accounts.roles import IN_A_PROJECT, ON_THE_SERVER, RIGHTS, Role, rights_in_project
from rubber_duck.accounts.store import coming, people, trail
from rubber_duck.accounts.tokens import Tokens
from rubber_duck.accounts.user import (
    ApiKey,
    AuditVerdict,
    Credential,
    CredentialKind,
    Entry,
    Standing,
    User,
)
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.errors import Denied, InvalidInput, NotFound, Unauthenticated, Unavailable, UnknownName
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.storage.database import Database, Transaction
from rubber_duck.storage.keys import new_key as new_row_key

CHANGED: Final = "accounts:changed"
"""The topic on which a change of rights is told; the version row says it too, for when this is not heard."""

RESET_LASTS: Final = timedelta(days=1)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,99}")
_NOBODY: Final = digest_of("nobody")
_TOKEN: Final = "ey"
"""How every JWT begins: its header is JSON in base64url."""


class Accounts:
    """Users, keys and roles of one installation.

    `clock` gives aware moments; without `tokens` nobody comes in with one. `runs_commands`: see `rights_in_project`.
    """

    def __init__(
        self,
        database: Database,
        cluster: Cluster,
        *,
        clock: Callable[[], datetime],
        tokens: Tokens | None = None,
        runs_commands: bool = False,
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._clock = clock
        self._runs_commands = runs_commands
        self._tokens = tokens

    async def add_user(self, scope: Scope, name: str, role: Role) -> User:
        """Raises InvalidInput, Conflict."""
        check_name(name)
        if role not in ON_THE_SERVER:
            raise InvalidInput(f"on the server one is {' or '.join(ON_THE_SERVER)}, not {role.value!r}")
        user = User(new_row_key(), name, role, self._clock())
        async with self._database.begin() as tx:
            await people.create_user(scope, tx, user)
            await trail.record(tx, scope, "user.add", f"{name} {role.value}", user.created_at)
        return user

    async def users(self, scope: Scope) -> list[User]:
        """Every user by name."""
        async with self._database.begin(write=False) as tx:
            return await people.list_users(scope, tx)

    async def disable_user(self, scope: Scope, name: str, *, disabled: bool = True) -> User:
        """A disabled user's keys say nothing any more, at once. Raises NotFound."""
        at = self._clock()
        async with self._database.begin() as tx:
            user = await people.read_user(scope, tx, name)
            await people.set_disabled(scope, tx, user, at if disabled else None)
            await trail.record(tx, scope, "user.disable" if disabled else "user.enable", name, at, moves=[user.id])
            tx.after_commit(self.tell)
        return replace(user, disabled_at=at if disabled else None)

    async def reset_password(self, scope: Scope, name: str) -> references.Reference:
        """What lets a user who forgot it choose another password, once and within a day, as an invitation does.

        Raises NotFound. What was made before is worth nothing; the old password holds until a new one is there.
        """
        scope.require(Right.ADMINISTER)
        made, at = references.new_reference(references.Kind.INVITATION, secrets.token_bytes), self._clock()
        async with self._database.begin() as tx:
            await trail.wait_turn(tx)  # another administrator may do the same at this moment
            user = await people.read_user(scope, tx, name)
            await coming.create_reset(tx, made.digest, user.id, at + RESET_LASTS)
            await trail.record(tx, scope, "password.reset", name, at)
        return made

    async def add_key(
        self,
        scope: Scope,
        name: str,
        *,
        label: str = "",
        rights: frozenset[Right] | None = None,
        days: int | None = None,
    ) -> IssuedKey:
        """A key for a user; its text is shown once and cannot be had again. Raises NotFound."""
        made, at = new_key(secrets.token_bytes), self._clock()
        async with self._database.begin() as tx:
            user = await people.read_user(scope, tx, name)
            expires_at = None if days is None else at + timedelta(days=days)
            key = ApiKey(made.id, user.id, label, rights, at, expires_at)
            await people.create_key(scope, tx, key, made.digest)
            await trail.record(tx, scope, "key.add", f"{made.id} {name}", at)
        return made

    async def keys(self, scope: Scope, name: str) -> list[ApiKey]:
        """The keys of a user. Raises NotFound."""
        async with self._database.begin(write=False) as tx:
            return await people.list_keys(scope, tx, await people.read_user(scope, tx, name))

    async def revoke_key(self, scope: Scope, key_id: str) -> None:
        """Raises NotFound."""
        at = self._clock()
        async with self._database.begin() as tx:
            owner = await people.revoke_key(scope, tx, key_id, at)
            await trail.record(tx, scope, "key.revoke", key_id, at, moves=[owner])
            tx.after_commit(self.tell)

    async def set_role(self, scope: Scope, project_id: UUID, name: str, role: Role | None) -> None:
        """Give a user a role in a project, or none. Raises NotFound, InvalidInput; Conflict for no such project."""
        if role is not None and role not in IN_A_PROJECT:
            raise UnknownName.among("role in a project", role.value, IN_A_PROJECT)
        async with self._database.begin() as tx:
            await trail.wait_turn(tx)  # two who set the same role at the same moment
            await self._set_role(scope, tx, project_id, await people.read_user(scope, tx, name), role)

    async def own(self, scope: Scope, tx: Transaction, project_id: UUID, user: User) -> None:
        """Make somebody the owner of a project, in the transaction that makes it."""
        await self._set_role(scope, tx, project_id, user, Role.OWNER)

    async def _set_role(self, scope: Scope, tx: Transaction, project_id: UUID, user: User, role: Role | None) -> None:
        await people.set_membership(scope, tx, project_id, user, role)
        subject = f"{project_id} {user.name} {role.value if role else 'none'}"
        await trail.record(tx, scope, "role.set", subject, self._clock(), moves=[user.id])
        tx.after_commit(self.tell)

    async def share(self, scope: Scope, resource: str, name: str, role: Role | None) -> None:
        """Give another member of the scope's project a role on one thing in it, or none. Raises NotFound."""
        scope.require(Right.CONVERSATION_WRITE)
        assert scope.project is not None
        at = self._clock()
        async with self._database.begin() as tx:
            await trail.wait_turn(tx)  # as above
            found = await coming.find_user(tx, name)
            if found is None or await people.role_in(tx, found[0].id, scope.project) is None:
                raise NotFound(f"nobody called {name!r} has a role in this project")
            await people.set_role_on(tx, scope.project, found[0], resource, role)
            subject = f"{resource} {name} {role.value if role else 'none'}"
            await trail.record(tx, scope, "role.share", subject, at, moves=[found[0].id])
            tx.after_commit(self.tell)

    async def role_on(self, standing: Standing, project_id: UUID, resource: str) -> Role | None:
        """Their role on one thing in a project; None without one, or without one in the project."""
        async with self._database.begin(write=False) as tx:
            if await people.role_in(tx, standing.user.id, project_id) is None:
                return None
            return await people.role_in(tx, standing.user.id, project_id, resource)

    async def standing(self, secret: str) -> Standing:
        """Who comes with a key, a session, a ticket or a token, and what they may do on the server now.

        A ticket is good for one time. Raises Unauthenticated, for whatever reason.
        """
        if (kind := references.kind_of(secret)) is references.Kind.SESSION:
            return await self._by_credential(CredentialKind.SESSION, references.digest_of(secret))
        if kind is references.Kind.TICKET:
            async with self._database.begin() as tx:
                taken = await coming.take_ticket(tx, references.digest_of(secret))
            if taken is None or taken[2] <= self._clock():
                raise Unauthenticated("this ticket was used, or its 30 seconds are over; ask for a new one")
            return await self._by_credential(CredentialKind(taken[0]), taken[1])
        if secret.startswith(_TOKEN) and self._tokens is not None:
            claim = self._tokens.read(secret)
            return await self._by_credential(claim.kind, claim.credential)
        key_id = id_of(secret)
        async with self._database.begin(write=False) as tx:
            found = await people.find_key(tx, key_id)
        is_right = hmac.compare_digest(digest_of(secret), _NOBODY if found is None else found[2])
        if found is None or not is_right:
            raise _unknown()
        return self._of_key(found[0], found[1])

    async def again(self, standing: Standing) -> Standing:
        """What somebody who came in may do now. Raises Unauthenticated when their credential is worth nothing more."""
        return await self._by_credential(standing.credential.kind, standing.credential.id)

    async def _by_credential(self, kind: CredentialKind, credential: str) -> Standing:
        async with self._database.begin(write=False) as tx:
            if kind is CredentialKind.KEY:
                key = await people.find_key(tx, credential)
                if key is None:
                    raise _unknown()
                return self._of_key(key[0], key[1])
            session = await coming.find_session(tx, credential)
        if session is None or session[0].disabled_at or session[2] or session[1] <= self._clock():
            raise Unauthenticated("you are not signed in any more; sign in again")
        user, until, _ = session
        return Standing(user, Credential(kind, credential, None, until), RIGHTS[user.role])

    def _of_key(self, user: User, key: ApiKey) -> Standing:
        if not self._is_valid(user, key):
            raise _unknown()
        credential = Credential(CredentialKind.KEY, key.id, key.rights, key.expires_at)
        return Standing(user, credential, _capped(RIGHTS[user.role], credential))

    async def project_scope(self, standing: Standing, project_id: UUID, trace: str) -> Scope:
        """What they may do in a project now. Raises NotFound when they have no role there: they may not know of it."""
        async with self._database.begin(write=False) as tx:
            role = await people.role_in(tx, standing.user.id, project_id)
        if role is None:
            raise NotFound(f"there is no project with the id {str(project_id)!r}")
        credential = standing.credential
        key = credential.id if credential.kind is CredentialKind.KEY else ""
        rights = rights_in_project(role, runs_commands=self._runs_commands)
        return Scope(actor_of(standing.user), project_id, _capped(rights, credential), trace, key)

    async def roles(self, standing: Standing) -> dict[UUID, Role]:
        """Their role in each project where they have one."""
        async with self._database.begin(write=False) as tx:
            return await people.roles_of(tx, standing.user.id)

    def now(self) -> datetime:
        """The moment by which keys expire."""
        return self._clock()

    async def version(self) -> int:
        """A number that moves with every change of anybody's rights."""
        async with self._database.begin(write=False) as tx:
            return await trail.version(tx)

    async def moved_since(self, before: int) -> tuple[int, frozenset[UUID]]:
        """The version now, and the users whose rights moved after `before`."""
        async with self._database.begin(write=False) as tx:
            now = await trail.version(tx)
            return now, frozenset() if now == before else await trail.moved_since(tx, before)

    async def audit(self, scope: Scope, most: int = 50) -> list[Entry]:
        """The last entries of the audit, newest first."""
        async with self._database.begin(write=False) as tx:
            return await trail.list_audit(scope, tx, most)

    async def verify_audit(self, scope: Scope) -> AuditVerdict:
        """Whether the audit is whole."""
        async with self._database.begin(write=False) as tx:
            return await trail.verify_audit(scope, tx)

    def _is_valid(self, user: User, key: ApiKey) -> bool:
        is_expired = key.expires_at is not None and key.expires_at <= self._clock()
        return user.disabled_at is None and key.revoked_at is None and not is_expired

    async def tell(self) -> None:
        """Tell every process that somebody's rights changed."""
        try:
            await self._cluster.publish(CHANGED, b"")
        except Unavailable:
            return  # the version row has moved, which each process reads once a second


async def scope_of_user(
    database: Database,
    user_id: str,
    project_id: UUID | None,
    trace: str,
    key_id: str = "",
    *,
    runs_commands: bool = False,
) -> Scope:
    """What a user may do now, in a project or on the server, while nobody holds their key: for work that goes on.

    Raises Denied for somebody who is not known, is disabled, or has no role in the project any more, and when the key
    with which they asked was revoked since. That it expired, or one signed out, stops nothing that has begun.
    """
    gone = Denied(f"the actor {user_id!r} may not do anything here any more, so its work stops")
    try:
        key = UUID(user_id)
    except ValueError:
        raise gone from None
    async with database.begin(write=False) as tx:
        user = await people.user_of(tx, key)
        role = user.role if user is not None else None
        if user is not None and project_id is not None:
            role = await people.role_in(tx, key, project_id)
        known = await people.find_key(tx, key_id) if key_id else None
    if user is None or user.disabled_at is not None or role is None:
        raise gone
    if key_id and (known is None or known[1].revoked_at is not None):
        raise Denied("the key with which this work was asked for was revoked, so it stops")
    rights = RIGHTS[role] if project_id is None else rights_in_project(role, runs_commands=runs_commands)
    return Scope(actor_of(user), project_id, rights, trace, key_id)


async def recorded(scope: Scope, tx: Transaction, action: str, subject: str, at: datetime) -> str:
    """Add to the audit what another slice does in this transaction; nobody's rights change by it. Gives its digest."""
    return await trail.record(tx, scope, action, subject, at)


async def is_recorded(tx: Transaction, digest: str) -> bool:
    """Whether the audit has the entry with a digest that `recorded` gave."""
    return await trail.has_entry(tx, digest)


async def departed(scope: Scope, database: Database, before: datetime) -> tuple[str, ...]:
    """The actor ids of the users who were disabled before a moment, and still are."""
    async with database.begin(write=False) as tx:
        return await people.disabled_before(scope, tx, before)


def check_name(name: str) -> None:
    """Raises InvalidInput for what cannot be the name of a user; that of the installation itself is taken."""
    if not _NAME.fullmatch(name) or name == Actor.local().name:
        raise InvalidInput(f"{name!r} is no name for a user: use lower-case letters, digits and `.`, `_`, `@`, `-`")


def actor_of(user: User) -> Actor:
    """The user as who asks."""
    return Actor(str(user.id), user.name)


def _unknown() -> Unauthenticated:
    return Unauthenticated("this key is not known, was revoked or has expired; ask your administrator for a new one")


def _capped(rights: frozenset[Right], credential: Credential) -> frozenset[Right]:
    return rights if credential.rights is None else rights & credential.rights
