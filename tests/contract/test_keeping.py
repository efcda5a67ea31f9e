"""What is connected and what the audit tells of it stay the same, whoever changes it, and whatever is killed."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from rubber_duck.accounts.store import trail
from rubber_duck.llm.clocks import Clocks
from rubber_duck.llm.connections import FILE, Connection, Connections, read_connections
from rubber_duck.llm.keeping import DRAFT, Draft, Keeping
from rubber_duck.scope import Scope
from rubber_duck.storage.database import Database

SCOPE = Scope.local()


def named(name: str) -> Connection:
    return Connection(name=name, flavor="compatible", url="http://127.0.0.1:9/v1", key="only-a-test")


def keeping(home: Path, database: Database | None) -> Keeping:
    return Keeping(home, database, Clocks())


async def told(database: Database) -> list[str]:
    async with database.begin(write=False) as tx:
        return [each.subject.split()[0] for each in reversed(await trail.list_audit(SCOPE, tx, 100)) if each.subject]


async def test_changes_at_the_same_moment_are_all_kept_also_of_several_processes(
    tmp_path: Path, database: Database
) -> None:
    one, other = keeping(tmp_path, database), keeping(tmp_path, database)
    names = [f"p{number}" for number in range(6)]
    await asyncio.gather(
        *((one, other)[n % 2].change(SCOPE, lambda held, n=n: held.with_provider(named(f"p{n}"))) for n in range(6))  # type: ignore[misc]  # a default binds it
    )
    assert sorted(read_connections(tmp_path).providers) == names
    assert sorted(each for each in await told(database) if each in names) == names


async def test_a_change_that_was_committed_before_a_kill_is_finished(tmp_path: Path, database: Database) -> None:
    await keeping(tmp_path, database).change(SCOPE, lambda held: held.with_provider(named("first")))
    async with database.begin() as tx:
        digest = await trail.record(tx, SCOPE, "provider.connect", "second", datetime.now(UTC))
    left_behind(tmp_path, Draft(digest, read_connections(tmp_path).with_provider(named("second"))))
    await keeping(tmp_path, database).recover()
    assert sorted(read_connections(tmp_path).providers) == ["first", "second"]
    assert (FILE in os.listdir(tmp_path), DRAFT in os.listdir(tmp_path)) == (True, False)


@pytest.mark.parametrize("cut", [False, True])
async def test_a_change_that_was_not_committed_before_a_kill_is_taken_back(
    tmp_path: Path, database: Database, cut: bool
) -> None:
    await keeping(tmp_path, database).change(SCOPE, lambda held: held.with_provider(named("first")))
    left_behind(tmp_path, Draft("0" * 64, Connections({"second": named("second")})), cut=cut)
    changed = await keeping(tmp_path, database).change(SCOPE, lambda held: held.with_provider(named("third")))
    assert sorted(changed.providers) == sorted(read_connections(tmp_path).providers) == ["first", "third"]
    assert not (tmp_path / DRAFT).exists()


def left_behind(home: Path, draft: Draft, *, cut: bool = False) -> None:
    """What a killed process leaves."""
    content = msgspec.json.encode(draft)
    (home / DRAFT).write_bytes(content[:40] if cut else content)
