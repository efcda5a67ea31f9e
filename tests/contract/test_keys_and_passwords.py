"""What becomes of keys that a leaked one made, of forgotten passwords, and of devices that come at one moment."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from rubber_duck.accounts.accounts import scope_of_user
from rubber_duck.accounts.own_settings import OwnSettings
from rubber_duck.accounts.roles import Role
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import Denied, InvalidInput, NotFound, Unauthenticated
from rubber_duck.scope import Scope
from rubber_duck.storage.database import Database
from rubber_duck.workspace.workspace import Workspace
from tests.contract.test_signing_in import ADMIN, PASSWORD, House


@pytest.fixture
def house(database: Database) -> House:
    """An empty one."""
    return House(database)


async def test_a_revoked_key_ends_all_that_was_made_with_it_however_far(house: House) -> None:
    ann = await house.signed_in()
    leaked = await house.signing_in.add_key(ann, label="leaked", rights=None, days=None)
    thief = await house.accounts.standing(leaked.text)
    child = await house.signing_in.add_key(thief, label="", rights=None, days=30)
    grandchild = await house.signing_in.add_key(
        await house.accounts.standing(child.text), label="", rights=None, days=None
    )
    turned = await house.signing_in.rotate_key(thief, leaked.id)
    own = await house.signing_in.add_key(ann, label="own", rights=None, days=None)
    user = str(ann.user.id)
    assert (await scope_of_user(house.database, user, None, "t", grandchild.id)).actor.name == "ann"
    house.moment += timedelta(hours=2)
    with pytest.raises(Unauthenticated):
        await house.accounts.standing(leaked.text)
    assert (await house.accounts.standing(turned.text)).user.name == "ann"
    await house.signing_in.revoke_key(ann, leaked.id)
    for made in (child, grandchild, turned):
        with pytest.raises(Unauthenticated):
            await house.accounts.standing(made.text)
    with pytest.raises(Denied, match="revoked"):
        await scope_of_user(house.database, user, None, "t", grandchild.id)
    assert (await house.accounts.standing(own.text)).user.name == "ann"
    listed = {each.id: (each.made_with, each.revoked_at is None) for each in await house.signing_in.keys(ann)}
    assert listed == {
        leaked.id: ("", False),
        child.id: (leaked.id, False),
        grandchild.id: (child.id, False),
        turned.id: (leaked.id, False),
        own.id: ("", True),
    }
    assert [each.revoked_at is None for each in await house.accounts.keys(ADMIN, "ann")].count(True) == 1


async def test_who_forgot_their_password_chooses_another_one_with_an_administrators_word(house: House) -> None:
    ann = await house.signed_in()
    await house.signed_in("bob")
    old, made = [await house.accounts.reset_password(ADMIN, "ann") for _ in range(2)]
    await house.signing_in.sign_in("ann", PASSWORD)
    for wrong, name, error in ((old, "ann", Unauthenticated), (made, "bob", InvalidInput), (made, "eve", InvalidInput)):
        with pytest.raises(error):
            await house.signing_in.accept(wrong.text, name, "four tame swans")
    assert (await house.signing_in.accept(made.text, "ann", "four tame swans")).id == ann.user.id
    with pytest.raises(Unauthenticated):
        await house.accounts.again(ann)
    with pytest.raises(Unauthenticated):
        await house.signing_in.sign_in("ann", PASSWORD)
    assert (await house.signing_in.sign_in("ann", "four tame swans"))[0].id == ann.user.id
    with pytest.raises(Unauthenticated):
        await house.signing_in.accept(made.text, "ann", "five wild ducks")
    with pytest.raises(NotFound):
        await house.accounts.reset_password(ADMIN, "eve")
    with pytest.raises(Denied):
        await house.accounts.reset_password(Scope(ADMIN.actor, None, frozenset(), ""), "ann")


async def test_another_password_is_chosen_within_a_day_and_not_by_whoever_is_disabled(house: House) -> None:
    ann = await house.signed_in()
    late = await house.accounts.reset_password(ADMIN, "ann")
    house.moment += timedelta(days=1)
    with pytest.raises(Unauthenticated):
        await house.signing_in.accept(late.text, "ann", "four tame swans")
    spent = await house.accounts.reset_password(ADMIN, "ann")
    await house.signing_in.change_password(ann, PASSWORD, "five wild ducks")
    with pytest.raises(Unauthenticated):
        await house.signing_in.accept(spent.text, "ann", "four tame swans")
    made = await house.accounts.reset_password(ADMIN, "ann")
    await house.accounts.disable_user(ADMIN, "ann")
    with pytest.raises(Unauthenticated):
        await house.signing_in.accept(made.text, "ann", "four tame swans")


async def test_devices_that_set_the_same_thing_at_one_moment_come_one_after_the_other(
    house: House, tmp_path: Path
) -> None:
    ann = await house.signed_in()
    own = OwnSettings(house.database, LocalCluster(), house.now)
    workspace = Workspace(house.database, clock=house.now)
    project = (await workspace.add_project(ADMIN, str(tmp_path))).id
    await own.set(ann, "theme", "dark")
    for _ in range(3):
        await asyncio.gather(*(own.set(ann, "theme", number) for number in range(6)))
        await asyncio.gather(*(house.accounts.set_role(ADMIN, project, "ann", Role.MEMBER) for _ in range(4)))
    assert (await own.read(ann))["theme"] in range(6)
