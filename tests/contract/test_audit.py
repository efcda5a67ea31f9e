"""What the audit tells beside accounts: who was refused, and what became of projects; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from rubber_duck.accounts.projects import project_changed
from rubber_duck.errors import Conflict, Unauthenticated
from rubber_duck.storage.database import Database, Transaction
from rubber_duck.workspace.project import Project
from rubber_duck.workspace.workspace import Workspace
from tests.contract.test_signing_in import ADMIN, House


@pytest.fixture
def house(database: Database) -> House:
    """An empty one."""
    return House(database)


async def test_who_is_refused_stands_in_the_audit_once_and_what_may_be_a_password_does_not(house: House) -> None:
    await house.signed_in()
    before = (await house.accounts.audit(ADMIN, 1))[0].number
    for name in ("ann", "three wild geese", "ann"):
        with pytest.raises(Unauthenticated):
            await house.signing_in.sign_in(name, "wrong", network="10.0.0.0/24")
    written = [(entry.actor, entry.action, entry.subject) for entry in await house.accounts.audit(ADMIN)]
    assert written[:-before] == [
        ("nobody (-)", "session.refuse", "an unknown name from 10.0.0.0/24"),
        ("nobody (-)", "session.refuse", "ann from 10.0.0.0/24"),
    ]


async def test_what_becomes_of_projects_stands_in_the_audit_and_is_told_to_their_members(
    house: House, tmp_path: Path
) -> None:
    ann = (await house.signed_in()).user
    workspace = Workspace(house.database, clock=house.now, changed=project_changed)

    async def own(tx: Transaction, project: Project) -> None:
        await house.accounts.own(ADMIN, tx, project.id, ann)

    async def fail(tx: Transaction, project: Project) -> None:
        await own(tx, project)
        raise Conflict("something went wrong")

    with pytest.raises(Conflict):
        await workspace.add_project(ADMIN, str(tmp_path), name="shop", also=fail)
    assert await workspace.projects(ADMIN) == []
    project = await workspace.add_project(ADMIN, str(tmp_path), name="shop", also=own)
    opened = await house.accounts.version()
    await workspace.remove(ADMIN, "shop")
    assert await house.accounts.moved_since(opened) == (opened + 1, frozenset({ann.id}))
    await workspace.restore(ADMIN, "shop")
    await workspace.remove(ADMIN, "shop")
    await workspace.purge(ADMIN, "shop")
    written = [(entry.action, entry.subject) for entry in await house.accounts.audit(ADMIN, 6)]
    said = str(project.id)
    assert written[::-1] == [
        ("project.open", said),
        ("role.set", f"{project.id} ann owner"),
        ("project.remove", said),
        ("project.restore", said),
        ("project.remove", said),
        ("project.purge", said),
    ]
    assert (await house.accounts.verify_audit(ADMIN)).wrong == ""
