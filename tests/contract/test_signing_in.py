"""How people come in, on both databases: invited, by password, with sessions, tickets, tokens and keys of their own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import text

from rubber_duck.accounts.accounts import Accounts
from rubber_duck.accounts.own_settings import OwnSettings
from rubber_duck.accounts.references import Kind, new_reference
from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.signing_in import SigningIn
from rubber_duck.accounts.tokens import Tokens
from rubber_duck.accounts.user import CredentialKind, Standing
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import Conflict, Denied, DuckError, InvalidInput, LimitExceeded, NotFound, Unauthenticated
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.database import Database
from rubber_duck.workspace.workspace import Workspace

ADMIN = Scope.local()
PASSWORD = "three wild geese"
SECRET = "0123456789abcdef" * 4


@dataclass
class House:
    """Accounts in an empty database, with a clock that stands until it is moved."""

    database: Database
    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        """Open them."""
        tokens = Tokens(SECRET, self.now)
        self.accounts = Accounts(self.database, LocalCluster(), clock=self.now, tokens=tokens)
        self.signing_in = SigningIn(self.database, self.accounts, tokens, clock=self.now)

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    async def signed_in(self, name: str = "ann") -> Standing:
        """Somebody who was invited and signed in."""
        made = await self.signing_in.invite(ADMIN, name)
        await self.signing_in.accept(made.text, name, PASSWORD)
        _, session, _ = await self.signing_in.sign_in(name, PASSWORD)
        return await self.accounts.standing(session.text)


@pytest.fixture
def house(database: Database) -> House:
    """An empty one."""
    return House(database)


async def test_one_person_signs_in_on_several_devices_at_one_moment(house: House) -> None:
    await house.signed_in()
    made = await asyncio.gather(*(house.signing_in.sign_in("ann", PASSWORD, network="10.0.0.0/24") for _ in range(6)))
    assert len({session.text for _, session, _ in made}) == 6


async def test_the_first_to_come_is_the_administrator_once_and_within_fifteen_minutes(house: House) -> None:
    late = await house.signing_in.bootstrap()
    assert late is not None
    house.moment += timedelta(minutes=15)
    with pytest.raises(Unauthenticated, match="used, or its time is over"):
        await house.signing_in.accept(late.text, "ann", PASSWORD)
    made = await house.signing_in.bootstrap()
    assert made is not None
    user = await house.signing_in.accept(made.text, "ann", PASSWORD)
    assert (user.name, user.role) == ("ann", Role.ADMINISTRATOR)
    with pytest.raises(Unauthenticated):
        await house.signing_in.accept(made.text, "bob", PASSWORD)
    assert await house.signing_in.bootstrap() is None


async def test_each_node_prints_an_invitation_and_the_first_that_is_accepted_ends_the_others(house: House) -> None:
    printed = [await house.signing_in.bootstrap() for _ in range(2)]
    here, there = (each.text for each in printed if each is not None)
    came = await asyncio.gather(
        house.signing_in.accept(here, "ann", PASSWORD),
        house.signing_in.accept(there, "bob", PASSWORD),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in came) == ["Unauthenticated", "User"]
    for text_ in (here, there):
        with pytest.raises(Unauthenticated):
            await house.signing_in.accept(text_, "eve", PASSWORD)


async def test_where_somebody_signed_in_they_are_known_for_a_while(house: House) -> None:
    await house.signed_in()
    assert not await house.signing_in.is_known_from("ann", "203.0.113.9")
    await house.signing_in.sign_in("ann", PASSWORD, network="203.0.113.9")
    with pytest.raises(Unauthenticated):
        await house.signing_in.sign_in("ann", "not that one at all", network="198.51.100.1")
    assert await house.signing_in.is_known_from("ann", "203.0.113.9")
    assert not await house.signing_in.is_known_from("ann", "198.51.100.1")
    assert not await house.signing_in.is_known_from("bob", "203.0.113.9")
    house.moment += timedelta(days=31)
    assert not await house.signing_in.is_known_from("ann", "203.0.113.9")


async def test_of_two_who_come_first_at_the_same_moment_one_is_the_administrator(house: House) -> None:
    made = await house.signing_in.bootstrap()
    assert made is not None
    came = await asyncio.gather(
        *(house.signing_in.accept(made.text, name, PASSWORD) for name in ("ann", "bob")), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in came) == ["Unauthenticated", "User"]


async def test_who_is_invited_comes_under_that_name_with_that_role(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("one")
    project = await Workspace(house.database, clock=house.now).add_project(ADMIN, str(folder))
    made = await house.signing_in.invite(ADMIN, "bob", project=(project.id, Role.MEMBER))
    with pytest.raises(InvalidInput, match="is for 'bob'"):
        await house.signing_in.accept(made.text, "eve", PASSWORD)
    await house.signing_in.accept(made.text, "bob", PASSWORD)
    _, session, _ = await house.signing_in.sign_in("bob", PASSWORD)
    standing = await house.accounts.standing(session.text)
    assert await house.accounts.roles(standing) == {project.id: Role.MEMBER}
    with pytest.raises(Conflict):
        await house.signing_in.invite(ADMIN, "bob")
    with pytest.raises(Denied):
        await house.signing_in.invite(Scope(ADMIN.actor, None, frozenset(), ""), "cem")
    assert (await house.accounts.verify_audit(ADMIN)).wrong == ""


@pytest.mark.parametrize("password", ["short", "x" * 1001, "annannannannannann", "ann-and-more", "aaaaaaaaaaaaaaaa"])
async def test_a_password_that_is_easily_guessed_is_refused(house: House, password: str) -> None:
    made = await house.signing_in.invite(ADMIN, "ann")
    with pytest.raises(InvalidInput):
        await house.signing_in.accept(made.text, "ann", password)
    await house.signing_in.accept(made.text, "ann", PASSWORD)


async def test_a_wrong_password_and_an_unknown_name_are_refused_in_the_same_words(house: House) -> None:
    await house.signed_in()
    await house.accounts.add_user(ADMIN, "machine", Role.PERSON)
    for name, password in (("ann", "wrong"), ("nobody", PASSWORD), ("machine", PASSWORD), ("ann", PASSWORD * 90)):
        with pytest.raises(Unauthenticated, match="the name or the password is wrong"):
            await house.signing_in.sign_in(name, password)
    await house.accounts.disable_user(ADMIN, "ann")
    with pytest.raises(Unauthenticated, match="the name or the password is wrong"):
        await house.signing_in.sign_in("ann", PASSWORD)


async def test_only_hashes_are_kept(house: House) -> None:
    standing = await house.signed_in()
    ticket, _ = await house.signing_in.ticket(standing)
    invitation = await house.signing_in.invite(ADMIN, "bob")
    async with house.database.begin(write=False) as tx:
        tables = ("passwords", "sessions", "tickets", "invitations")
        rows = [row for table in tables for row in await tx.execute(text(f"SELECT * FROM {table}"))]
        kept = " ".join(map(str, rows))
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in kept
    for secret in (PASSWORD, ticket.text, invitation.text, ticket.text.split("_")[1], invitation.text.split("_")[1]):
        assert secret not in kept


async def test_a_session_ends_by_itself_by_signing_out_and_everywhere(house: House) -> None:
    first = await house.signed_in()
    sessions = [(await house.signing_in.sign_in("ann", PASSWORD))[1] for _ in range(3)]
    standings = [await house.accounts.standing(each.text) for each in sessions]
    before = await house.accounts.version()
    await house.signing_in.sign_out(standings[0])
    assert await house.accounts.version() == before + 1
    with pytest.raises(Unauthenticated, match="not signed in any more"):
        await house.accounts.standing(sessions[0].text)
    assert (await house.accounts.again(standings[1])).user.name == "ann"
    key = await house.signing_in.add_key(first, label="", rights=None, days=None)
    assert await house.signing_in.sign_out_everywhere(first, keys=False) == (3, 0)
    assert (await house.accounts.standing(key.text)).user.name == "ann"
    _, again, _ = await house.signing_in.sign_in("ann", PASSWORD)
    assert await house.signing_in.sign_out_everywhere(await house.accounts.standing(again.text), keys=True) == (1, 1)
    for secret in (again.text, key.text, sessions[1].text):
        with pytest.raises(Unauthenticated):
            await house.accounts.standing(secret)
    _, last, until = await house.signing_in.sign_in("ann", PASSWORD)
    house.moment = until
    with pytest.raises(Unauthenticated):
        await house.accounts.standing(last.text)


async def test_a_ticket_is_good_once_and_for_thirty_seconds_and_means_its_session(house: House) -> None:
    standing = await house.signed_in()
    once, _ = await house.signing_in.ticket(standing)
    late, until = await house.signing_in.ticket(standing)
    came = await house.accounts.standing(once.text)
    assert came.credential == standing.credential
    with pytest.raises(Unauthenticated, match="was used"):
        await house.accounts.standing(once.text)
    house.moment = until
    with pytest.raises(Unauthenticated):
        await house.accounts.standing(late.text)
    await house.signing_in.sign_out(standing)
    with pytest.raises(Unauthenticated):
        await house.accounts.again(came)


async def test_a_token_lasts_five_minutes_and_is_worth_nothing_once_its_key_is_revoked(house: House) -> None:
    standing = await house.signed_in()
    key = await house.signing_in.add_key(standing, label="", rights=frozenset({Right.CATALOG_READ}), days=None)
    holder = await house.accounts.standing(key.text)
    token, until = house.signing_in.token(holder)
    assert until == house.moment + timedelta(minutes=5)
    came = await house.accounts.standing(token)
    assert (came.credential, came.rights) == (holder.credential, frozenset({Right.CATALOG_READ}))
    await house.signing_in.revoke_key(standing, key.id)
    with pytest.raises(Unauthenticated):
        await house.accounts.standing(token)
    other, _ = house.signing_in.token(standing)
    house.moment = until
    with pytest.raises(Unauthenticated, match="five minutes are over"):
        await house.accounts.standing(other)


async def test_a_token_that_is_not_ours_is_refused(house: House) -> None:
    standing = await house.signed_in()
    now = int(house.moment.timestamp())
    mine = {"sub": str(standing.user.id), "aud": "rubber-duck", "iat": now, "exp": now + 300, "kind": "session"}
    mine["cred"] = standing.credential.id
    key, other = OctKey.import_key(SECRET), OctKey.import_key("x" * 64)
    header = {"alg": "HS256", "typ": "duck+jwt"}
    good = jwt.encode(header, mine, key)
    assert (await house.accounts.standing(good)).user.name == "ann"
    forged = [
        jwt.encode(header, mine, other),
        jwt.encode({"alg": "HS256", "typ": "JWT"}, mine, key),
        jwt.encode({"alg": "HS384", "typ": "duck+jwt"}, mine, key, algorithms=["HS384"]),
        jwt.encode(header, {**mine, "aud": "other"}, key),
        jwt.encode(header, {**mine, "exp": now + 3000}, key),
        jwt.encode(header, {**mine, "iat": now + 3000, "exp": now + 3300}, key),
        jwt.encode(header, {name: value for name, value in mine.items() if name != "cred"}, key),
        jwt.encode(header, {**mine, "kind": "ticket"}, key),
        good.rsplit(".", 1)[0] + ".",
        "eyJhbGciOiJub25lIn0." + good.split(".")[1] + ".",
        "ey",
        "ey" * 2000,
    ]
    for token in forged:
        with pytest.raises(Unauthenticated):
            await house.accounts.standing(token)


async def test_a_key_gives_no_more_than_it_has_and_what_replaces_it_is_like_it(house: House) -> None:
    standing = await house.signed_in()
    rights = frozenset({Right.CATALOG_READ, Right.ACCOUNT_OWN})
    narrow = await house.signing_in.add_key(standing, label="ci", rights=rights, days=10)
    holder = await house.accounts.standing(narrow.text)
    with pytest.raises(Denied, match="no more rights than it has"):
        await house.signing_in.add_key(holder, label="", rights=frozenset(Right), days=None)
    child = await house.signing_in.add_key(holder, label="", rights=None, days=100)
    assert (await house.accounts.standing(child.text)).credential.expires_at == holder.credential.expires_at
    assert (await house.accounts.standing(child.text)).rights == rights
    made = await house.signing_in.rotate_key(holder, narrow.id)
    known = {each.id: each for each in await house.signing_in.keys(standing)}
    assert (known[made.id].label, known[made.id].rights) == ("ci", rights)
    assert (await house.accounts.standing(narrow.text)).user.name == "ann"
    house.moment += timedelta(hours=1)
    with pytest.raises(Unauthenticated):
        await house.accounts.standing(narrow.text)
    assert (await house.accounts.standing(made.text)).user.name == "ann"
    for work in (house.signing_in.rotate_key(standing, narrow.id), house.signing_in.revoke_key(standing, "gone")):
        with pytest.raises(NotFound):
            await work


async def test_nobody_ends_what_is_anothers(house: House) -> None:
    ann, bob = await house.signed_in("ann"), await house.signed_in("bob")
    key = await house.signing_in.add_key(ann, label="", rights=None, days=None)
    for work in (house.signing_in.revoke_key(bob, key.id), house.signing_in.rotate_key(bob, key.id)):
        with pytest.raises(NotFound):
            await work
    await house.signing_in.sign_out_everywhere(bob, keys=True)
    assert (await house.accounts.standing(key.text)).user.name == "ann"
    assert (await house.accounts.again(ann)).credential.kind is CredentialKind.SESSION


async def test_another_password_ends_every_session(house: House) -> None:
    standing = await house.signed_in()
    with pytest.raises(Unauthenticated, match="the old password is wrong"):
        await house.signing_in.change_password(standing, "wrong", "four tame swans")
    await house.signing_in.change_password(standing, PASSWORD, "four tame swans")
    with pytest.raises(Unauthenticated):
        await house.accounts.again(standing)
    with pytest.raises(Unauthenticated):
        await house.signing_in.sign_in("ann", PASSWORD)
    assert (await house.signing_in.sign_in("ann", "four tame swans"))[0].name == "ann"


async def test_a_narrow_or_passing_key_does_not_become_a_person_who_signs_in(house: House) -> None:
    await house.accounts.add_user(ADMIN, "eve", Role.PERSON)
    narrow = await house.accounts.add_key(ADMIN, "eve", rights=frozenset({Right.ACCOUNT_OWN}))
    passing, whole = [await house.accounts.add_key(ADMIN, "eve", days=days) for days in (1, None)]
    for key in (narrow, passing):
        with pytest.raises(Denied, match="cannot set your first password"):
            await house.signing_in.change_password(await house.accounts.standing(key.text), "", "four tame swans")
    await house.signing_in.change_password(await house.accounts.standing(whole.text), "", "four tame swans")
    assert (await house.signing_in.sign_in("eve", "four tame swans"))[0].name == "eve"


async def test_what_is_no_reference_is_told_without_asking_the_database(house: House) -> None:
    session = new_reference(Kind.SESSION, lambda size: b"x" * size)
    assert session.text not in repr(session)
    errors: list[type[DuckError]] = []
    for wrong in (session.text, "ducki_1", "", session.text[:-1]):
        try:
            await house.signing_in.accept(wrong, "ann", PASSWORD)
        except DuckError as error:
            errors.append(type(error))
    assert errors == [Unauthenticated] * 4


async def test_settings_of_ones_own_are_kept_bounded_and_told_to_every_device(house: House) -> None:
    ann, bob = await house.signed_in(), await house.signed_in("bob")
    own = OwnSettings(house.database, LocalCluster(), house.now)
    told: list[bytes] = []
    async with await own.listen(ann, told.append):
        await own.set(ann, "theme", "dark")
        await own.set(ann, "editor.keys", {"save": ["ctrl+s"]})
        await own.set(bob, "theme", "light")
        await own.set(ann, "theme", "high contrast")
        await own.set(ann, "nothing", None)
    assert told == [b"theme", b"editor.keys", b"theme", b"nothing"]
    assert await own.read(ann) == {"editor.keys": {"save": ["ctrl+s"]}, "theme": "high contrast"}
    assert await own.read(bob) == {"theme": "light"}
    await own.set(ann, "theme", None)
    assert await own.read(ann) == {"editor.keys": {"save": ["ctrl+s"]}}
    for name, value, error in (("Theme", 1, InvalidInput), ("", 1, InvalidInput), ("x", "y" * 5_000, LimitExceeded)):
        with pytest.raises(error):
            await own.set(ann, name, value)


async def test_a_role_on_a_single_thing_is_worth_nothing_without_one_in_its_project(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = await Workspace(house.database, clock=house.now).add_project(ADMIN, str(tmp_path_factory.mktemp("one")))
    bob, owner = await house.signed_in("bob"), Scope.local(project=project.id)
    with pytest.raises(NotFound, match="nobody called 'bob'"):
        await house.accounts.share(owner, "conversation:1", "bob", Role.VIEWER)
    await house.accounts.set_role(ADMIN, project.id, "bob", Role.MEMBER)
    await house.accounts.share(owner, "conversation:1", "bob", Role.VIEWER)
    assert await house.accounts.role_on(bob, project.id, "conversation:1") is Role.VIEWER
    assert await house.accounts.role_on(bob, project.id, "conversation:2") is None
    assert await house.accounts.roles(bob) == {project.id: Role.MEMBER}
    await house.accounts.set_role(ADMIN, project.id, "bob", Role.VIEWER)
    assert await house.accounts.role_on(bob, project.id, "conversation:1") is Role.VIEWER
    await house.accounts.set_role(ADMIN, project.id, "bob", None)
    assert await house.accounts.role_on(bob, project.id, "conversation:1") is None
    assert await house.accounts.roles(bob) == {}
    await house.accounts.set_role(ADMIN, project.id, "bob", Role.MEMBER)
    assert await house.accounts.role_on(bob, project.id, "conversation:1") is None, "it ended with the role"
    await house.accounts.share(owner, "conversation:1", "bob", Role.VIEWER)
    await house.accounts.share(owner, "conversation:1", "bob", None)
    assert await house.accounts.role_on(bob, project.id, "conversation:1") is None
    with pytest.raises(Denied):
        await house.accounts.share(Scope(ADMIN.actor, project.id, frozenset(), ""), "conversation:1", "bob", None)
