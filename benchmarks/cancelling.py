"""How long it takes until a cancel reaches the step that runs, over many runs, on either kind of database.

`python -m benchmarks.cancelling --runs 200 --jobs 20`: steps of a workflow made for this, and so many of each of the
product's own jobs, in another process; `--runs 20 --jobs 4` takes some minutes. Prints the median, 95th and 99th
percentile and the longest; the 99th is to be within 1 s, or the command fails.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cancelling_jobs import cancelled
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import WorkflowSettings
from tests.durable import Bench, durable_over, working
from tests.servers import running_postgres, wheel_binaries

ME = Scope.local()
REACHED_S = 1.0


async def measured(url: str, runs: int) -> list[float]:
    """Seconds from each request to cancel until the step was interrupted, in order of length; settings as installed."""
    bench = Bench()
    waits: list[float] = []
    async with (
        durable_over(DatabaseSettings(url=url), bench, settings=WorkflowSettings()) as durable,
        working(durable),
    ):
        for number in range(runs):
            bench.reached.clear()
            run_id = await durable.start(ME, "sample", {"words": [f"wait:{number}"]})
            await bench.reached.wait()
            await asyncio.sleep(number % 10 * 0.03)  # at any moment between two looks
            began = time.monotonic()
            await durable.cancel(ME, run_id)
            while f"{number} cancelled" not in bench.diary:  # noqa: ASYNC110  # the step writes it
                await asyncio.sleep(0.001)
            waits.append(time.monotonic() - began)
    return sorted(waits)


def main() -> int:
    """A line for each kind of database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=10, help="of each kind; 0: none")
    told = parser.parse_args()
    late = False
    for kind in ("sqlite", "postgresql"):
        with _url(kind) as url:
            late |= _is_late(kind, "a step", asyncio.run(measured(url, told.runs)))
        if told.jobs:
            with _url(kind) as url, tempfile.TemporaryDirectory() as scratch:
                found = asyncio.run(cancelled(url, Path(scratch), told.jobs))
            for job, each in found.items():
                late |= _is_late(kind, job, sorted(each.waits_s)) or bool(each.faults)
                print(*each.faults, sep="\n", end="\n" if each.faults else "", flush=True)
    return 1 if late else 0


@contextmanager
def _url(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as scratch:
            yield f"sqlite:///{scratch}/duck.db"
        return
    with running_postgres(wheel_binaries(), authority=None) as server, server.database() as name:
        yield server.url(name)


def _is_late(kind: str, what: str, waits: list[float]) -> bool:
    cuts = statistics.quantiles(waits, n=100, method="inclusive") if len(waits) > 1 else waits * 99
    p50, p95, p99 = (cuts[at - 1] for at in (50, 95, 99))
    print(
        f"{kind}: a cancel ended {what} in {p50:.2f} s (median), {p95:.2f} s (95th percentile), "
        f"{p99:.2f} s (99th percentile), {waits[-1]:.2f} s (longest of {len(waits)})",
        flush=True,
    )
    return p99 > REACHED_S


if __name__ == "__main__":
    sys.exit(main())
