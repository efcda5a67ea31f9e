"""What the audit tells beside accounts: who was refused, and what became of projects; on both databases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

from rubber_duck.accounts.projects import project_changed
from rubber_duck.accounts.user import Entry
from rubber_duck.errors import Conflict, Unauthenticated, Unavailable
from rubber_duck.scope import Scope
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
    await workspace.rename(ADMIN, "shop", "store")
    await workspace.describe(ADMIN, "store", "what is sold")
    await workspace.configure(ADMIN, "store", {"a": 1})
    await workspace.fetching(ADMIN, project)
    await workspace.rename(ADMIN, "store", "shop")
    assert await house.accounts.moved_since(opened) == (opened, frozenset())
    await workspace.remove(ADMIN, "shop")
    assert await house.accounts.moved_since(opened) == (opened + 1, frozenset({ann.id}))
    await workspace.restore(ADMIN, "shop")
    await workspace.remove(ADMIN, "shop")
    await workspace.purge(ADMIN, "shop")
    written = [(entry.action, entry.subject) for entry in await house.accounts.audit(ADMIN, 11)]
    said = str(project.id)
    assert written[::-1] == [
        ("project.open", said),
        ("role.set", f"{project.id} ann owner"),
        *((f"project.{action}", said) for action in ("rename", "describe", "configure", "fetch", "rename")),
        ("project.remove", said),
        ("project.restore", said),
        ("project.remove", said),
        ("project.purge", said),
    ]
    assert (await house.accounts.verify_audit(ADMIN)).wrong == ""


Act = Callable[[Workspace, Project, str], Awaitable[object]]

ACTS: dict[str, Act] = {
    "add_project": lambda workspace, _, folder: workspace.add_project(ADMIN, folder),
    "open_project": lambda workspace, _, folder: workspace.open_project(ADMIN, folder),
    "project_at": lambda workspace, _, folder: workspace.project_at(ADMIN, folder),
    "rename": lambda workspace, project, _: workspace.rename(ADMIN, project.name, "store"),
    "describe": lambda workspace, project, _: workspace.describe(ADMIN, project.name, "what is sold"),
    "configure": lambda workspace, project, _: workspace.configure(ADMIN, project.name, {"a": 1}),
    "fetching": lambda workspace, project, _: workspace.fetching(ADMIN, project),
    "remove": lambda workspace, project, _: workspace.remove(ADMIN, project.name),
    "restore": lambda workspace, *_: workspace.restore(ADMIN, "gone"),
    "purge": lambda workspace, *_: workspace.purge(ADMIN, "gone"),
}
"""Everything that changes a project; what only reads, and the list of files that an analysis brings, does not."""


def test_whatever_changes_a_project_is_among_those_that_are_audited() -> None:
    public = {name for name, each in vars(Workspace).items() if iscoroutinefunction(each) and name[0] != "_"}
    assert public == ACTS.keys() | {"projects", "project", "files", "record_scan"}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_what_cannot_be_audited_is_not_done(house: House, tmp_path: Path, act: Act) -> None:
    """The audit's row and the change are one transaction: a failure of either takes both back."""
    folders = [tmp_path / name for name in ("shop", "gone", "new")]
    for folder in folders:
        folder.mkdir()
    workspace = Workspace(house.database, clock=house.now, changed=project_changed)
    project = await workspace.add_project(ADMIN, str(folders[0]))
    await workspace.add_project(ADMIN, str(folders[1]))
    await workspace.remove(ADMIN, "gone")

    async def full(scope: Scope, tx: Transaction, *what: Any) -> None:  # Any: what `project_changed` takes
        await project_changed(scope, tx, *what)
        raise Unavailable("the disk is full")

    async def state() -> tuple[list[Project], list[Project], list[Entry]]:
        there, gone = await workspace.projects(ADMIN), await workspace.projects(ADMIN, deleted=True)
        return there, gone, list(await house.accounts.audit(ADMIN))

    before = await state()
    with pytest.raises(Unavailable):
        await act(Workspace(house.database, clock=house.now, changed=full), project, str(folders[2]))
    assert await state() == before
    await act(workspace, project, str(folders[2]))
    assert len(await house.accounts.audit(ADMIN)) == len(before[2]) + 1
