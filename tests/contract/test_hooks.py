"""Hooks of projects on both databases: signed, fresh, and heard once."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from rubber_duck.errors import Conflict, Denied, Unauthenticated
from rubber_duck.notices.webhook import signature
from rubber_duck.scope import Right, Scope
from rubber_duck.server.hooks import HUBS, OURS, Hooks
from rubber_duck.storage.database import Database
from rubber_duck.storage.keys import new_key
from rubber_duck.workspace.workspace import Workspace

BODY = b'{"ref": "refs/heads/main"}'


class Clock:
    """A moment that is moved by hand."""

    now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At the beginning of a year."""
    return Clock()


async def hooked(database: Database, folder: Path, clock: Clock) -> tuple[Hooks, UUID, str]:
    """A project's hook and its secret."""
    project = await Workspace(database, clock=clock).add_project(Scope.local(), str(folder))
    hooks = Hooks(database, clock)
    return hooks, project.id, await hooks.make(Scope.local(project=project.id))


def by_hub(secret: str, body: bytes = BODY) -> dict[str, str]:
    """The headers with which GitHub, Gitea and Forgejo sign."""
    return {HUBS: "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


async def test_what_is_signed_is_heard_once(database: Database, tmp_path: Path, clock: Clock) -> None:
    hooks, project, secret = await hooked(database, tmp_path, clock)
    moment = int(clock.now.timestamp())
    for headers in (by_hub(secret), {OURS: signature(secret, moment, BODY)}):
        await hooks.check(project, headers, BODY)
        with pytest.raises(Conflict, match="heard before"):
            await hooks.check(project, headers, BODY)
    await hooks.check(project, {OURS: signature(secret, moment + 1, BODY)}, BODY)


async def test_what_is_not_signed_for_this_project_now_is_refused(
    database: Database, tmp_path: Path, clock: Clock
) -> None:
    hooks, project, secret = await hooked(database, tmp_path, clock)
    ours = signature(secret, int(clock.now.timestamp()), BODY)
    for at, headers, body in (
        (project, {}, BODY),
        (project, {HUBS: "sha256="}, BODY),
        (project, by_hub("x" * 64), BODY),
        (project, by_hub(secret), BODY + b" "),
        (project, {OURS: ours.replace("v1=", "v1=0")}, BODY),
        (project, {OURS: ours.replace("t=", "t=1")}, BODY),
        (new_key(), by_hub(secret), BODY),
    ):
        with pytest.raises(Unauthenticated):
            await hooks.check(at, headers, body)
    for away in (timedelta(seconds=301), timedelta(seconds=-602)):
        clock.now += away
        with pytest.raises(Unauthenticated):
            await hooks.check(project, {OURS: ours}, BODY)


async def test_what_cannot_be_right_is_refused_before_anything_is_read(
    database: Database, tmp_path: Path, clock: Clock
) -> None:
    hooks, project, secret = await hooked(database, tmp_path, clock)
    await hooks.expect(project, by_hub(secret))
    await hooks.expect(project, {OURS: signature(secret, 1, BODY)})
    for at, headers in ((project, {}), (project, {HUBS: "sha256=x"}), (new_key(), by_hub(secret))):
        with pytest.raises(Unauthenticated):
            await hooks.expect(at, headers)


async def test_a_new_secret_or_none_ends_the_one_before(database: Database, tmp_path: Path, clock: Clock) -> None:
    hooks, project, secret = await hooked(database, tmp_path, clock)
    scope = Scope.local(project=project)
    again = await hooks.make(scope)
    assert again != secret
    with pytest.raises(Unauthenticated):
        await hooks.check(project, by_hub(secret), BODY)
    await hooks.check(project, by_hub(again), BODY)
    await hooks.remove(scope)
    with pytest.raises(Unauthenticated):
        await hooks.check(project, by_hub(again, b"x"), b"x")
    with pytest.raises(Denied):
        await hooks.make(Scope(scope.actor, project, frozenset({Right.PROJECT_READ}), ""))
