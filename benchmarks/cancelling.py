"""How long it takes until a cancel reaches the step that runs, over many runs, on either kind of database.

`python -m benchmarks.cancelling --runs 200`. Prints median, 99th percentile and the longest; they are to be within 1 s.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

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
    told = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        waits = asyncio.run(measured(f"sqlite:///{Path(scratch)}/duck.db", told.runs))
        worst = max(worst, _said("sqlite", waits))
    with running_postgres(wheel_binaries(), authority=None) as server, server.database() as name:
        worst = max(worst, _said("postgresql", asyncio.run(measured(server.url(name), told.runs))))
    return 1 if worst > REACHED_S else 0


def _said(kind: str, waits: list[float]) -> float:
    p99 = statistics.quantiles(waits, n=100)[98]
    print(
        f"{kind}: a cancel reached the running step in {statistics.median(waits):.2f} s (median), {p99:.2f} s (99th "
        f"percentile), {waits[-1]:.2f} s (longest of {len(waits)})",
        flush=True,
    )
    return p99


if __name__ == "__main__":
    sys.exit(main())
