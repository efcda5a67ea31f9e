"""Users, keys, roles and the audit, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text

from rubber_duck.accounts.accounts import CHANGED, Accounts, scope_of_user
from rubber_duck.accounts.keys import digest_of, id_of
from rubber_duck.accounts.projects import project_changed
from rubber_duck.accounts.roles import RIGHTS, Role
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import Conflict, Denied, DuckError, InvalidInput, NotFound, Unauthenticated
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.database import Database
from rubber_duck.workspace.workspace import Workspace

ADMIN = Scope.local()
_GUARDS = ("audit_stands_update", "audit_stands_delete")


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment."""
        return self.moment


@pytest.fixture
def now() -> Now:
    """The clock of the accounts."""
    return Now()


@pytest.fixture
def accounts(database: Database, now: Now) -> Accounts:
    """Accounts in an empty database."""
    return Accounts(database, LocalCluster(), clock=now)


async def test_a_key_says_who_asks_and_what_they_may_do(accounts: Accounts) -> None:
    user = await accounts.add_user(ADMIN, "ann", Role.ADMINISTRATOR)
    key = await accounts.add_key(ADMIN, "ann", label="laptop")
    standing = await accounts.standing(key.text)
    assert (standing.user, standing.rights) == (user, RIGHTS[Role.ADMINISTRATOR])
    assert key.text not in repr(key)
    assert (await accounts.keys(ADMIN, "ann"))[0].label == "laptop"


async def test_only_the_hash_of_a_key_is_kept(accounts: Accounts, database: Database) -> None:
    await accounts.add_user(ADMIN, "ann", Role.PERSON)
    key = await accounts.add_key(ADMIN, "ann")
    async with database.begin(write=False) as tx:
        (row,) = await tx.execute(text("SELECT * FROM api_keys"))
        kept = " ".join(map(str, row))
    assert digest_of(key.text) in kept
    assert key.text.split("_")[2] not in kept


async def test_what_is_no_valid_key_is_nobody(accounts: Accounts, now: Now) -> None:
    await accounts.add_user(ADMIN, "ann", Role.PERSON)
    revoked, expired, of_disabled = [await accounts.add_key(ADMIN, "ann", days=days) for days in (None, 1, None)]
    await accounts.revoke_key(ADMIN, revoked.id)
    assert (await accounts.standing(expired.text)).user.name == "ann"
    now.moment += timedelta(days=1)
    forged = of_disabled.text[:30] + "0" * (len(of_disabled.text) - 30)
    for wrong in (revoked.text, expired.text, forged, "", "duck_x", of_disabled.text[:-1]):
        with pytest.raises(Unauthenticated):
            await accounts.standing(wrong)
    assert (await accounts.standing(of_disabled.text)).user.name == "ann"
    await accounts.disable_user(ADMIN, "ann")
    with pytest.raises(Unauthenticated):
        await accounts.standing(of_disabled.text)
    await accounts.disable_user(ADMIN, "ann", disabled=False)
    assert (await accounts.standing(of_disabled.text)).user.disabled_at is None


async def test_a_keys_rights_are_never_more_than_its_users(accounts: Accounts) -> None:
    await accounts.add_user(ADMIN, "ann", Role.PERSON)
    key = await accounts.add_key(ADMIN, "ann", rights=frozenset({Right.ADMINISTER, Right.CATALOG_READ}))
    assert (await accounts.standing(key.text)).rights == {Right.CATALOG_READ}


async def test_a_role_holds_in_its_project_alone(
    accounts: Accounts, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = Workspace(database, clock=Now())
    one, two = [await workspace.add_project(ADMIN, str(tmp_path_factory.mktemp(name))) for name in ("one", "two")]
    await accounts.add_user(ADMIN, "ann", Role.PERSON)
    standing = await accounts.standing((await accounts.add_key(ADMIN, "ann")).text)
    await accounts.set_role(ADMIN, one.id, "ann", Role.VIEWER)
    scope = await accounts.project_scope(standing, one.id, "t")
    assert (scope.actor.name, scope.project, scope.rights) == ("ann", one.id, RIGHTS[Role.VIEWER])
    with pytest.raises(NotFound):
        await accounts.project_scope(standing, two.id, "t")
    await accounts.set_role(ADMIN, one.id, "ann", None)
    with pytest.raises(NotFound):
        await accounts.project_scope(standing, one.id, "t")
    with pytest.raises(Conflict):
        await accounts.set_role(ADMIN, uuid4(), "ann", Role.VIEWER)


async def test_commands_are_run_only_where_the_installation_lets_them_and_by_whoever_may_write(
    accounts: Accounts, database: Database, tmp_path: Path
) -> None:
    project = await Workspace(database, clock=Now()).add_project(ADMIN, str(tmp_path))
    letting = Accounts(database, LocalCluster(), clock=Now(), runs_commands=True)
    may: dict[Role, tuple[bool, bool, bool]] = {}
    for role in (Role.OWNER, Role.MAINTAINER, Role.MEMBER, Role.VIEWER):
        user = await accounts.add_user(ADMIN, f"a-{role.value}", Role.PERSON)
        standing = await accounts.standing((await accounts.add_key(ADMIN, user.name)).text)
        await accounts.set_role(ADMIN, project.id, user.name, role)
        scopes = (
            await accounts.project_scope(standing, project.id, "t"),
            await letting.project_scope(standing, project.id, "t"),
            await scope_of_user(database, str(user.id), project.id, "t", runs_commands=True),
        )
        first, second, third = (Right.COMMAND_RUN in each.rights for each in scopes)
        may[role] = (first, second, third)
        assert (
            Right.COMMAND_RUN not in (await scope_of_user(database, str(user.id), None, "t", runs_commands=True)).rights
        )
    assert may.pop(Role.VIEWER) == (False, False, False)
    assert set(may.values()) == {(False, True, True)}


async def test_in_a_project_that_was_removed_nobody_has_a_role_until_it_is_restored(
    accounts: Accounts, database: Database, tmp_path: Path
) -> None:
    workspace = Workspace(database, clock=Now(), changed=project_changed)
    project = await workspace.add_project(ADMIN, str(tmp_path))
    user = await accounts.add_user(ADMIN, "ann", Role.PERSON)
    standing = await accounts.standing((await accounts.add_key(ADMIN, "ann")).text)
    await accounts.set_role(ADMIN, project.id, "ann", Role.OWNER)
    before = await accounts.version()
    await workspace.remove(ADMIN, project.name)
    assert await accounts.version() > before
    with pytest.raises(NotFound):
        await accounts.project_scope(standing, project.id, "t")
    with pytest.raises(Denied):
        await scope_of_user(database, str(user.id), project.id, "t")
    assert await accounts.roles(standing) == {}
    await workspace.restore(ADMIN, project.name)
    assert (await accounts.project_scope(standing, project.id, "t")).project == project.id
    assert await accounts.roles(standing) == {project.id: Role.OWNER}
    said = [(each.action, each.subject) for each in await accounts.audit(ADMIN, 2)]
    assert said == [("project.restore", str(project.id)), ("project.remove", str(project.id))]


async def test_only_an_administrator_changes_accounts(accounts: Accounts) -> None:
    nobody = replace(ADMIN, rights=frozenset(Right) - {Right.ADMINISTER})
    await accounts.add_user(ADMIN, "ann", Role.PERSON)
    for work in (
        accounts.add_user(nobody, "bob", Role.PERSON),
        accounts.users(nobody),
        accounts.disable_user(nobody, "ann"),
        accounts.add_key(nobody, "ann"),
        accounts.keys(nobody, "ann"),
        accounts.revoke_key(nobody, "x"),
        accounts.set_role(nobody, uuid4(), "ann", Role.OWNER),
        accounts.audit(nobody),
        accounts.verify_audit(nobody),
    ):
        with pytest.raises(Denied):
            await work
    assert len(await accounts.audit(ADMIN)) == 1


async def test_names_are_taken_once_and_roles_are_where_they_belong(accounts: Accounts) -> None:
    await accounts.add_user(ADMIN, "ann", Role.PERSON)
    with pytest.raises(Conflict):
        await accounts.add_user(ADMIN, "ann", Role.PERSON)
    for name, role in (("Ann", Role.PERSON), ("", Role.PERSON), ("bob", Role.OWNER)):
        with pytest.raises(InvalidInput):
            await accounts.add_user(ADMIN, name, role)
    with pytest.raises(NotFound):
        await accounts.add_key(ADMIN, "bob")


async def test_every_change_is_told_and_moves_the_version(database: Database) -> None:
    heard: list[bytes] = []
    cluster = LocalCluster()
    accounts = Accounts(database, cluster, clock=Now())
    await cluster.subscribe(CHANGED, heard.append)
    await accounts.add_user(ADMIN, "ann", Role.PERSON)
    key = await accounts.add_key(ADMIN, "ann")
    before = await accounts.version()
    await accounts.revoke_key(ADMIN, key.id)
    assert (heard, await accounts.version()) == ([b""], before + 1)


async def test_it_is_known_whose_rights_moved(accounts: Accounts, database: Database, tmp_path: Path) -> None:
    project = await Workspace(database, clock=Now()).add_project(ADMIN, str(tmp_path))
    ann, bob = [await accounts.add_user(ADMIN, name, Role.PERSON) for name in ("ann", "bob")]
    key = await accounts.add_key(ADMIN, "ann")
    before = await accounts.version()
    assert await accounts.moved_since(before) == (before, frozenset())
    await accounts.set_role(ADMIN, project.id, "bob", Role.VIEWER)
    assert await accounts.moved_since(before) == (before + 1, frozenset({bob.id}))
    await accounts.revoke_key(ADMIN, key.id)
    assert await accounts.moved_since(before) == (before + 2, frozenset({ann.id, bob.id}))
    await accounts.disable_user(ADMIN, "bob")
    assert await accounts.moved_since(before + 2) == (before + 3, frozenset({bob.id}))
    await accounts.add_key(ADMIN, "ann")
    assert await accounts.version() == before + 3, "a key that is made takes nothing from anybody"


@pytest.mark.parametrize(
    ("tampering", "wrong"),
    [
        ("UPDATE audit SET subject = 'eve person' WHERE number = 2", "entry 2 was changed"),
        ("DELETE FROM audit WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE number = 3", "the audit had 3 entries, and ends after 2"),
    ],
)
async def test_an_audit_that_was_tampered_with_is_found(
    accounts: Accounts, database: Database, tampering: str, wrong: str
) -> None:
    for name in ("ann", "bob", "cem"):
        await accounts.add_user(ADMIN, name, Role.PERSON)
    assert (await accounts.verify_audit(ADMIN)).wrong == ""
    assert [entry.subject for entry in await accounts.audit(ADMIN)] == ["cem person", "bob person", "ann person"]
    with pytest.raises(DuckError, match="only added to"):
        async with database.begin() as tx:
            await tx.execute(text(tampering))
    assert (await accounts.verify_audit(ADMIN)).wrong == ""

    def without_the_guard(connection: Connection) -> None:
        """As somebody who owns the database can."""
        names = ("audit_stands",) if connection.dialect.name == "postgresql" else _GUARDS
        for name in names:
            connection.execute(text(f"DROP TRIGGER {name}" + " ON audit" * (connection.dialect.name == "postgresql")))
        connection.execute(text(tampering))

    await database.run(without_the_guard)
    assert (await accounts.verify_audit(ADMIN)).wrong == wrong


def test_a_mistyped_key_is_told_without_asking_the_database() -> None:
    with pytest.raises(Unauthenticated, match="copy it once more"):
        id_of("duck_" + "0" * 16 + "_" + "0" * 64 + "_" + "0" * 8)
