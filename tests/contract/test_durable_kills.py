"""The short form of the campaigns of `make soak`: processes are killed at every kind of moment, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from rubber_duck.settings import DatabaseSettings
from tests.killing.kills import Plan, campaign
from tests.servers import PostgresServer, running_postgres, wheel_binaries

KILLS = 12


@pytest.mark.timeout(600)
async def test_killed_processes_lose_no_run_and_double_no_effect(settings: DatabaseSettings, tmp_path: Path) -> None:
    async with campaign(Plan(KILLS, life_s=2.0, seed=1), settings.url, tmp_path) as killing:
        found = await killing.run()
    assert found.faults == [], found.said()
    assert (found.kills >= KILLS, found.in_step > KILLS / 2, found.acknowledged > 0) == (True, True, True)


@pytest.mark.timeout(600)
async def test_neither_does_a_server_that_is_restarted_under_them(tmp_path: Path) -> None:
    with running_postgres(wheel_binaries(), authority=None) as server, server.database() as name:
        found = await _restarted(server, name, tmp_path)
    assert found == []


async def _restarted(server: PostgresServer, name: str, scratch: Path) -> list[str]:
    plan = Plan(KILLS // 2, life_s=6.0, seed=2, restart_s=(2.0, 4.0))
    async with campaign(plan, server.url(name), scratch, server) as killing:
        found = await killing.run()
        assert killing.restarts > 0
        return found.faults
