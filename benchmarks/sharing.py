"""Four processes on one PostgreSQL share the runs of eight people, of whom one has half; one is frozen and woken.

`python -m benchmarks.sharing --jobs 10000`. No run may be lost or done twice, and those of one person may not keep
those of another waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.killing.sharing import Sharing, shared
from tests.servers import running_postgres, wheel_binaries


def main() -> int:
    """One line, and one for each fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    told = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="duck-share-") as scratch,
        running_postgres(wheel_binaries(), authority=None) as server,
        server.database() as name,
    ):
        sharing = Sharing(told.jobs)
        found = asyncio.run(shared(sharing, server.url(name), Path(scratch)))
    at_once = sharing.processes * sharing.settings.queues["analysis"].per_process
    if found.apart > at_once:  # so many may begin in another order than they were taken
        found.faults.append(f"runs of one person were {found.apart} ahead of another's")
    if not found.fenced:
        found.faults.append("the process that was frozen was not fenced")
    print(
        f"{told.jobs} runs in {found.seconds:.0f} s, {told.jobs / found.seconds:.0f} a second; begun runs of two "
        f"people at most {found.apart} apart; shares of the processes {found.shares}; {found.fenced} fenced, "
        f"{found.told_twice} effects told twice and applied once; {len(found.faults)} faults"
    )
    print(*found.faults[:50], sep="\n")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
