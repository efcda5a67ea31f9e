"""Jobs a second: ours beside plain DBOS and procrastinate, on one PostgreSQL, in one run.

`python -m benchmarks.durable_peers --jobs 10000`. Each queues so many jobs that do nothing, then one process works
until all have ended. Ours and DBOS's have a step in each job, procrastinate knows none.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import msgspec

from rubber_duck.scope import Right, Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import QueueSettings, WorkflowSettings
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows
from tests.durable import Bench, durable_over, working
from tests.servers import running_postgres, wheel_binaries

ME = Scope.local()
AT_ONCE = 8
LIMITS = WorkflowSettings(queues={"analysis": QueueSettings(per_process=AT_ONCE, most_waiting=10**6)})
"""As installed, but for how many are worked on at once, which is the same for each."""


class Nothing(msgspec.Struct, frozen=True):
    """Nothing is asked, and nothing answered."""


class Tiny(Workflow[Nothing, Nothing]):
    """One step that does nothing."""

    name = "tiny"
    version = 1
    request = Nothing
    answer = Nothing
    right = Right.ANALYSIS_RUN
    queue = "analysis"

    async def run(self, request: Nothing, run: Run) -> Nothing:
        """One step."""
        await run.step(Step("one", _one, int))
        return request


async def _one() -> int:
    return 1


async def ours(url: str, jobs: int) -> tuple[float, float]:
    """Seconds to queue, seconds to work."""
    workflows.discover()
    workflows.add(Tiny)
    async with durable_over(DatabaseSettings(url=url), Bench(), settings=LIMITS) as durable:
        await durable.library()
        began = time.monotonic()
        for _ in range(jobs):
            await durable.start(ME, "tiny", {})
        queued = time.monotonic()
        async with working(durable):
            while True:
                counts = await durable.counts(ME)
                if counts and counts[0].by_state.get("done", 0) == jobs:
                    break
                await asyncio.sleep(0.5)
            return queued - began, time.monotonic() - queued


async def plain(url: str, jobs: int) -> tuple[float, float]:
    """The same with DBOS as it comes, with one step."""
    from dbos import DBOS, DBOSClient  # noqa: PLC0415  # each peer in a process of its own

    done = 0

    @DBOS.step()
    async def step() -> int:
        return 1

    @DBOS.workflow(name="plain")
    async def plain_job() -> None:
        nonlocal done
        await step()
        done += 1

    DBOS(config={"name": "plain", "system_database_url": url.replace("postgresql://", "postgresql+psycopg://")})
    DBOS.launch()
    client = DBOSClient(system_database_url=url, application_name="plain")
    began = time.monotonic()
    for _ in range(jobs):
        await client.enqueue_async({"workflow_name": "plain", "queue_name": "q"})
    queued = time.monotonic()
    await DBOS.register_queue_async("q", worker_concurrency=AT_ONCE, polling_interval_sec=0.05)
    while done < jobs:  # noqa: ASYNC110  # the jobs count
        await asyncio.sleep(0.2)
    return queued - began, time.monotonic() - queued


async def procrastinate(url: str, jobs: int) -> tuple[float, float]:
    """The same with procrastinate."""
    import procrastinate as peer  # noqa: PLC0415  # as above

    app = peer.App(connector=peer.PsycopgConnector(conninfo=url))

    async def tiny() -> int:
        return 1

    task = app.task(name="tiny")(tiny)

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        began = time.monotonic()
        for _ in range(jobs):
            await task.defer_async()
        queued = time.monotonic()
        await app.run_worker_async(concurrency=AT_ONCE, wait=False, install_signal_handlers=False)
        return queued - began, time.monotonic() - queued


WAYS: dict[str, Callable[[str, int], Awaitable[tuple[float, float]]]] = {
    "ours": ours,
    "plain DBOS": plain,
    "procrastinate": procrastinate,
}


def main() -> int:
    """A line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--way", default="", help="only this one, in this process")
    parser.add_argument("--url", default="", help="an empty PostgreSQL database, with --way")
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(asyncio.run(_timed(arguments.way, arguments.url, arguments.jobs))))
        return 0
    with running_postgres(wheel_binaries(), authority=None) as server:
        for way in WAYS:
            with server.database() as name:
                print(_row(way, server.url(name), arguments.jobs), flush=True)
    return 0


def _row(way: str, url: str, jobs: int) -> str:
    argv = [sys.executable, "-m", "benchmarks.durable_peers", "--url", url, "--jobs", str(jobs), "--way", way]
    done = subprocess.run(argv, capture_output=True, check=False, text=True)
    if done.returncode:
        return f"{way}: {done.stderr[-2000:]}"
    queue_s, work_s = json.loads(done.stdout.splitlines()[-1])
    return f"{way:<14} queued {jobs / queue_s:7.0f}/s  worked {jobs / work_s:7.0f}/s"


async def _timed(way: str, url: str, jobs: int) -> tuple[float, float]:
    return await WAYS[way](url, jobs)


if __name__ == "__main__":
    sys.exit(main())
