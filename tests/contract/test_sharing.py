"""The short form of `benchmarks.sharing`: four processes, many people, and one process that is frozen and woken."""

from __future__ import annotations

from pathlib import Path

import pytest

from rubber_duck.settings.tree import QueueSettings, WorkflowSettings
from tests.killing.sharing import Sharing, shared
from tests.servers import PostgresServer

PLACES = 4
QUICK = WorkflowSettings(
    heartbeat_s=0.2, dead_after_s=3.0, poll_s=0.2, queues={"analysis": QueueSettings(per_process=PLACES)}
)


@pytest.mark.timeout(600)
async def test_four_processes_share_runs_fairly_and_none_is_done_twice(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    sharing = Sharing(jobs=200, settings=QUICK, tenants=4, step_s=0.1)
    with postgres_server.database() as name:
        found = await shared(sharing, postgres_server.url(name), tmp_path)
    assert found.faults == []
    # So many runs may have begun in another order than they were taken: those that all processes take at once.
    assert found.apart <= sharing.processes * PLACES
    assert (found.fenced >= 1, len(found.shares)) == (True, sharing.processes - 1)
