"""Work that goes on does so with the rights that its person has now, and no more than they had when they asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from rubber_duck.accounts.accounts import Accounts
from rubber_duck.accounts.keys import IssuedKey
from rubber_duck.accounts.roles import Role
from rubber_duck.app import resolving
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import Conflict
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.storage.database import open_database
from rubber_duck.workflows.durable import Durable, open_durable
from rubber_duck.workspace.project import Project
from rubber_duck.workspace.workspace import Workspace
from tests.durable import QUICK, Bench, declare, until, working

ADMIN = Scope.local()
TRACE = "0" * 32


def now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Office:
    """A server with a project, in which Ann is a member and has a key."""

    accounts: Accounts
    durable: Durable
    bench: Bench
    project: Project

    async def scope(self, rights: frozenset[Right] | None = None) -> Scope:
        """What Ann may do, with a new key that is limited to some rights."""
        key: IssuedKey = await self.accounts.add_key(ADMIN, "ann", rights=rights)
        return await self.accounts.project_scope(await self.accounts.standing(key.text), self.project.id, TRACE)

    async def ended(self, scope: Scope, run_id: str) -> str:
        """What the run failed with."""
        with pytest.raises(Conflict) as failed:
            await self.durable.answer(scope, run_id)
        return failed.value.message


@asynccontextmanager
async def office(database_settings: DatabaseSettings, folder: Path) -> AsyncIterator[Office]:
    """Accounts, durable work and a project over one database."""
    declare()
    settings = msgspec.structs.replace(Settings(database=database_settings), workflows=QUICK)
    async with (
        open_database(database_settings) as database,
        open_durable(database, settings, resolve=resolving(database), now=now) as durable,
    ):
        bench = Bench()
        durable.lend(bench)
        accounts = Accounts(database, LocalCluster(), clock=now)
        project = await Workspace(database, clock=now).open_project(ADMIN, str(folder))
        await accounts.add_user(ADMIN, "ann", Role.PERSON)
        await accounts.set_role(ADMIN, project.id, "ann", Role.MEMBER)
        yield Office(accounts, durable, bench, project)


async def test_a_member_of_a_project_starts_work_on_it(settings: DatabaseSettings, tmp_path: Path) -> None:
    async with office(settings, tmp_path) as at, working(at.durable):
        scope = await at.scope()
        run_id = await at.durable.start(scope, "sample", {"words": ["a"]})
        assert await at.durable.answer(scope, run_id) == {"words": ["a"]}


@pytest.mark.parametrize("how", ["disabled", "put out of the project", "made a viewer"])
async def test_the_work_of_somebody_who_may_no_more_stops(settings: DatabaseSettings, tmp_path: Path, how: str) -> None:
    async with office(settings, tmp_path) as at, working(at.durable):
        scope = await at.scope()
        run_id = await at.durable.start(scope, "sample", {"words": ["wait:a", "b"]})
        await at.bench.reached.wait()
        if how == "disabled":
            await at.accounts.disable_user(ADMIN, "ann")
        else:
            role = Role.VIEWER if how == "made a viewer" else None
            await at.accounts.set_role(ADMIN, at.project.id, "ann", role)
        at.bench.gate.set()
        said = await at.ended(scope, run_id)
    assert ("may not do" in said, at.bench.diary) == (True, ["a"])


@pytest.mark.parametrize("how", ["step", "child"])
async def test_the_work_of_a_key_that_is_revoked_stops_and_that_of_others_goes_on(
    settings: DatabaseSettings, tmp_path: Path, how: str
) -> None:
    async with office(settings, tmp_path) as at, working(at.durable):
        scope, other = await at.scope(), await at.scope()
        words = ["wait:a", "b" if how == "step" else "child:b"]
        run_id, goes_on = [await at.durable.start(each, "sample", {"words": words}) for each in (scope, other)]
        await until(lambda: _began(at.bench, 2))
        await at.accounts.revoke_key(ADMIN, scope.key)
        at.bench.gate.set()
        said = await at.ended(scope, run_id)
        assert await at.durable.answer(other, goes_on) == {"words": ["a", "b"]}
    assert (said, at.bench.diary) == (
        f"the run {run_id!r} is failed: the key with which this work was asked for was revoked, so it stops",
        ["a", "a", "b"],
    )


async def test_work_does_no_more_than_the_key_that_started_it(settings: DatabaseSettings, tmp_path: Path) -> None:
    few = frozenset({Right.ANALYSIS_RUN, Right.WORKFLOW_RUN})
    async with office(settings, tmp_path) as at, working(at.durable):
        scope = await at.scope(few)
        run_id = await at.durable.start(scope, "sample", {"words": ["rights:x"]})
        assert await at.durable.answer(scope, run_id) == {"words": ["analysis.run workflow.run"]}


async def _began(bench: Bench, times: int) -> bool:
    return bench.diary.count("a") == times
