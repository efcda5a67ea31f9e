"""How people come in: invitations, passwords, sessions, tickets, tokens, and keys that they make for themselves."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rubber_duck.accounts.accounts import Accounts, actor_of, check_name
from rubber_duck.accounts.keys import IssuedKey, new_key
from rubber_duck.accounts.passwords import Passwords, check_password
from rubber_duck.accounts.references import Kind, Reference, checked, new_reference
from rubber_duck.accounts.refusals import Refusals
from rubber_duck.accounts.roles import IN_A_PROJECT, ON_THE_SERVER, Role
from rubber_duck.accounts.store import coming, people, trail
from rubber_duck.accounts.tokens import Tokens
from rubber_duck.accounts.user import ApiKey, CredentialKind, Invitation, Standing, User
from rubber_duck.errors import Conflict, Denied, InvalidInput, LimitExceeded, NotFound, Unauthenticated
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.storage.database import Database, Transaction
from rubber_duck.storage.keys import new_key as new_row_key

BOOTSTRAP_LASTS: Final = timedelta(minutes=15)
SESSION_LASTS: Final = timedelta(days=14)
TICKET_LASTS: Final = timedelta(seconds=30)
_KNOWN: Final = timedelta(days=30)
"""How long somebody is known where they signed in."""

_LINE: Final = 200
"""Keys of which each was made with the one before: all of them are looked at when the last is used."""

_NOBODY: Final = Scope(Actor("-", "nobody"), None, frozenset(), "")

_GRACE: Final = timedelta(hours=1)
"""How long a key that was rotated is still good, so that nothing that uses it stands still."""


class SigningIn:
    """Over the accounts of one installation. `clock` gives aware moments, `random_bytes` random bytes."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        tokens: Tokens,
        *,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._tokens = tokens
        self._passwords = Passwords()
        self._clock = clock
        self._random_bytes = random_bytes
        self._refusals = Refusals(clock)

    async def bootstrap(self) -> Reference | None:
        """An invitation to be the first administrator, for 15 minutes and one time; None once anybody is there.

        Each node of an installation makes its own: the first that is accepted ends the others.
        """
        made, at = new_reference(Kind.INVITATION, self._random_bytes), self._clock()
        until = at + BOOTSTRAP_LASTS
        async with self._database.begin() as tx:
            if await people.has_users(tx):
                return None
            await coming.forget_invitations(tx, at)
            await coming.create_invitation(tx, made.digest, Invitation("", Role.ADMINISTRATOR, None, None, until))
        return made

    async def invite(
        self,
        scope: Scope,
        name: str,
        role: Role = Role.PERSON,
        *,
        project: tuple[UUID, Role] | None = None,
        lasts: timedelta = timedelta(days=3),
    ) -> Reference:
        """An invitation for one person, with a role in a project if one is named. Raises InvalidInput, Denied."""
        scope.require(Right.ADMINISTER)
        check_name(name)
        if role not in ON_THE_SERVER or (project is not None and project[1] not in IN_A_PROJECT):
            raise InvalidInput(
                f"on the server one is {' or '.join(ON_THE_SERVER)}, in a project {', '.join(IN_A_PROJECT)}"
            )
        made, at = new_reference(Kind.INVITATION, self._random_bytes), self._clock()
        project_id, project_role = project or (None, None)
        async with self._database.begin() as tx:
            if await coming.find_user(tx, name) is not None:
                raise Conflict(f"there is a user called {name!r} already")
            await coming.create_invitation(
                tx, made.digest, Invitation(name, role, project_id, project_role, at + lasts)
            )
            await trail.record(tx, scope, "user.invite", f"{name} {role.value}", at)
        return made

    async def accept(self, invitation: str, name: str, password: str) -> User:
        """Become a user, or choose another password with what `Accounts.reset_password` gave.

        Raises Unauthenticated for an invitation that is over or used, InvalidInput, Conflict.
        """
        digest, at = checked(Kind.INVITATION, invitation), self._clock()
        check_name(name)
        check_password(name, password)
        hashed = await self._passwords.hashed(password)
        async with self._database.begin() as tx:
            await trail.wait_turn(tx)
            if (known := await coming.take_reset(tx, digest)) is not None:
                return await self._choose(tx, known, name, (hashed, at))
            found = await coming.take_invitation(tx, digest)
            is_first = found is not None and not found.name
            if is_first:
                await coming.close_door(tx)
            if found is None or found.expires_at <= at or (is_first and await people.has_users(tx)):
                raise Unauthenticated("this invitation was used, or its time is over; ask for a new one")
            if not is_first and found.name != name:
                raise InvalidInput(f"this invitation is for {found.name!r}")
            user = User(new_row_key(), name, found.role, at)
            await coming.admit(tx, user, found.project_id, found.project_role)
            await coming.set_password(tx, user.id, hashed, at)
            scope = Scope(actor_of(user), None, frozenset(), "")
            await trail.record(tx, scope, "user.accept", f"{name} {found.role.value}", at)
        return user

    async def _choose(
        self, tx: Transaction, known: tuple[User, datetime], name: str, chosen: tuple[str, datetime]
    ) -> User:
        """Let a user have the password that was `chosen`, hashed and when; every session of theirs ends."""
        (user, until), (hashed, at) = known, chosen
        if until <= at or user.disabled_at is not None:
            raise Unauthenticated("the time to choose another password is over; ask for a new code")
        if user.name != name:
            raise InvalidInput(f"this is for {user.name!r}")
        await coming.set_password(tx, user.id, hashed, at)
        await coming.end_sessions(tx, user.id, at)
        scope = Scope(actor_of(user), None, frozenset(), "")
        await trail.record(tx, scope, "password.choose", name, at, moves=[user.id])
        tx.after_commit(self._accounts.tell)
        return user

    async def is_known_from(self, name: str, network: str) -> bool:
        """Whether somebody of that name signed in from there lately, so that they are hardly somebody who guesses."""
        async with self._database.begin(write=False) as tx:
            return await coming.came_from(tx, name, network, self._clock() - _KNOWN)

    async def sign_in(self, name: str, password: str, *, network: str = "") -> tuple[User, Reference, datetime]:
        """A session, and when it ends. Raises Unauthenticated, with the same words and as slowly for any name.

        `network` is where they are, "" where that is not known.
        """
        async with self._database.begin(write=False) as tx:
            found = await coming.find_user(tx, name)
        user, kept = found or (None, None)
        fits = await self._passwords.is_right(password, kept)
        if user is None or kept is None or not fits or user.disabled_at is not None:
            await self._refused(name, network, is_known=user is not None)
            raise Unauthenticated("the name or the password is wrong")
        made, at = new_reference(Kind.SESSION, self._random_bytes), self._clock()
        renewed = await self._passwords.hashed(password) if self._passwords.is_outdated(kept) else None
        async with self._database.begin() as tx:
            await trail.wait_turn(tx)  # another device may sign in at this moment, or change the password
            now = await coming.find_user(tx, name)
            if now is None or now[1] != kept or now[0].disabled_at is not None:
                raise Unauthenticated("the name or the password is wrong")
            if renewed is not None:
                await coming.set_password(tx, user.id, renewed, at)
            await coming.create_session(tx, made.digest, user.id, at, at + SESSION_LASTS)
            if network:
                await coming.note_place(tx, user.id, network, at, _KNOWN)
            scope = Scope(actor_of(user), None, frozenset(), "")
            await trail.record(tx, scope, "session.begin", made.digest[:16], at)
        return user, made, at + SESSION_LASTS

    async def _refused(self, name: str, network: str, *, is_known: bool) -> None:
        """Write down that somebody was refused; what was given for a name nobody has may be a password."""
        if (counted := self._refusals.count(name, network)) is None:
            return
        times, left_out = counted
        said = f"{name if is_known else 'an unknown name'} from {network or 'somewhere'}"
        said += f", {times} times" * (times > 1) + f"; {left_out} like it not written" * (left_out > 0)
        async with self._database.begin() as tx:
            await trail.record(tx, _NOBODY, "session.refuse", said, self._clock())

    async def change_password(self, standing: Standing, old: str, new: str) -> None:
        """Replace the password and end every other session. Raises Unauthenticated, InvalidInput, Denied.

        Who has none yet sets it with a key for everything that lasts: a narrower one would become more than it is.
        """
        user, holder = standing.user, standing.credential
        async with self._database.begin(write=False) as tx:
            found = await coming.find_user(tx, user.name)
        if found is not None and found[1] is not None:
            if not await self._passwords.is_right(old, found[1]):
                raise Unauthenticated("the old password is wrong")
        elif holder.rights is not None or (holder.kind is CredentialKind.KEY and holder.expires_at is not None):
            raise Denied("a key that expires, or has not all of your rights, cannot set your first password")
        check_password(user.name, new)
        hashed, at = await self._passwords.hashed(new), self._clock()
        async with self._database.begin() as tx:
            await trail.wait_turn(tx)  # another device may change it at this moment
            await coming.set_password(tx, user.id, hashed, at)
            await coming.end_sessions(tx, user.id, at)
            await trail.record(tx, _own(standing), "password.change", user.name, at, moves=[user.id])
            tx.after_commit(self._accounts.tell)

    async def ticket(self, standing: Standing) -> tuple[Reference, datetime]:
        """A ticket for one socket, and when it ends: in 30 s."""
        made, until = new_reference(Kind.TICKET, self._random_bytes), self._clock() + TICKET_LASTS
        async with self._database.begin() as tx:
            await coming.create_ticket(tx, made.digest, standing.user.id, standing.credential, until)
        return made, until

    def token(self, standing: Standing) -> tuple[str, datetime]:
        """A token for sockets and services, and when it ends: in five minutes at the latest."""
        return self._tokens.issue(standing.user.id, standing.credential)

    async def sign_out(self, standing: Standing) -> None:
        """End the session that one came with. Raises InvalidInput for who came with a key."""
        if standing.credential.kind is not CredentialKind.SESSION:
            raise InvalidInput("you came with a key and not with a session; revoke the key to end it")
        at = self._clock()
        async with self._database.begin() as tx:
            await trail.wait_turn(tx)  # as who changes a password does first: else each could wait for the other
            await coming.end_sessions(tx, standing.user.id, at, only=standing.credential.id)
            await trail.record(
                tx, _own(standing), "session.end", standing.credential.id[:16], at, moves=[standing.user.id]
            )
            tx.after_commit(self._accounts.tell)

    async def sign_out_everywhere(self, standing: Standing, *, keys: bool) -> tuple[int, int]:
        """End every session of one's own, and with `keys` every key; how many of each there were."""
        at = self._clock()
        async with self._database.begin() as tx:
            await trail.wait_turn(tx)  # as above
            ended = await coming.end_sessions(tx, standing.user.id, at)
            revoked = await people.end_keys(tx, standing.user.id, at) if keys else 0
            await trail.record(
                tx, _own(standing), "session.end-all", f"{ended} sessions, {revoked} keys", at, moves=[standing.user.id]
            )
            tx.after_commit(self._accounts.tell)
        return ended, revoked

    async def keys(self, standing: Standing) -> list[ApiKey]:
        """One's own keys, oldest first."""
        async with self._database.begin(write=False) as tx:
            return await people.own_keys(tx, standing.user.id)

    async def add_key(
        self, standing: Standing, *, label: str, rights: frozenset[Right] | None, days: int | None
    ) -> IssuedKey:
        """A key for oneself, which may do no more and lasts no longer than what one came with.

        Made with a key, it is worth nothing any more once that one is revoked. Raises Denied, LimitExceeded.
        """
        holder, at = standing.credential, self._clock()
        if holder.rights is not None:
            rights = holder.rights if rights is None else rights
            if not rights <= holder.rights:
                raise Denied("a key can give a key no more rights than it has itself")
        until = None if days is None else at + timedelta(days=days)
        if holder.kind is CredentialKind.KEY and holder.expires_at is not None:
            until = holder.expires_at if until is None else min(until, holder.expires_at)
        made, maker = new_key(self._random_bytes), holder.id if holder.kind is CredentialKind.KEY else ""
        key = ApiKey(made.id, standing.user.id, label, rights, at, until, made_with=maker)
        async with self._database.begin() as tx:
            if maker and await people.line_length(tx, maker) >= _LINE:
                raise LimitExceeded(f"this key comes from {_LINE} others, each made with the next: sign in to make one")
            await people.insert_key(tx, key, made.digest)
            await trail.record(tx, _own(standing), "key.add", f"{made.id} {standing.user.name}", at)
        return made

    async def rotate_key(self, standing: Standing, key_id: str) -> IssuedKey:
        """A key like one of one's own, which expires within the hour. Raises NotFound, Denied."""
        at = self._clock()
        held = next((each for each in await self.keys(standing) if each.id == key_id), None)
        if held is None or held.revoked_at or (held.expires_at is not None and held.expires_at <= at):
            raise NotFound(f"you have no valid key with the id {key_id!r}; `duck auth keys` lists them")
        lasts = None if held.expires_at is None else max(1, (held.expires_at - held.created_at).days)
        made = await self.add_key(standing, label=held.label, rights=held.rights, days=lasts)
        soon = at + _GRACE if held.expires_at is None else min(at + _GRACE, held.expires_at)
        async with self._database.begin() as tx:
            await people.end_own_key(tx, standing.user.id, key_id, soon, revoked=False)
            await trail.record(tx, _own(standing), "key.rotate", f"{key_id} {made.id}", at, moves=[standing.user.id])
            tx.after_commit(self._accounts.tell)
        return made

    async def revoke_key(self, standing: Standing, key_id: str) -> None:
        """End a key of one's own, and with it all that was made with it. Raises NotFound."""
        at = self._clock()
        async with self._database.begin() as tx:
            await people.end_own_key(tx, standing.user.id, key_id, at, revoked=True)
            await trail.record(tx, _own(standing), "key.revoke", key_id, at, moves=[standing.user.id])
            tx.after_commit(self._accounts.tell)


def _own(standing: Standing) -> Scope:
    """A person as who asks, about themselves."""
    return Scope(actor_of(standing.user), None, standing.rights, "")
