"""Kills processes that work through queues, again and again, beside a ledger in a process of its own.

`python -m benchmarks.durable --kills 100 --database sqlite`; `make soak` does some of it in every round. The workers
have the settings as installed, but do not give up what is killed five times before it keeps a step. In the end the
ledger is compared with the database: no acknowledged run may be lost, no keyed effect be missing or doubled, no
finished step be done again, and what was interrupted goes on within 30 s.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.killing.judgement import Judgement
from tests.killing.kills import POINTS, Plan, campaign
from tests.servers import PostgresServer, running_postgres, wheel_binaries

KEEP = "DUCK_KEEP"
"""The variable of the environment that names a folder, into which everything is copied when there were faults."""

KINDS = ("sqlite", "postgresql", "postgresql restarted")
"""A file, a server, and a server that is restarted every 5 to 40 s."""

MANY, VERY_MANY = 50, 300
"""From so many kills on, enough of them are to meet a step, and each point at which a worker is killed is to be met."""

IN_STEP = 0.9

_ELSEWHERE = "the share of those of another machine, whose silence a witness notices that is not killed"

RECOVERED_S = 30.0
"""So soon 99 of 100 interrupted steps are to be begun again."""


async def killed(plan: Plan, url: str, scratch: Path, server: PostgresServer | None) -> Judgement:
    """One campaign."""
    async with campaign(plan, url, scratch, server) as opened:
        return await opened.run()


def rounds(plan: Plan, kind: str) -> Judgement:
    """One campaign over an empty database of a kind."""
    if kind == "postgresql restarted":
        plan = dataclasses.replace(plan, restart_s=(5.0, 40.0))
    with tempfile.TemporaryDirectory(prefix="duck-kills-") as name:
        scratch = Path(name)
        with _database(kind, scratch) as (url, server):
            found = asyncio.run(killed(plan, url, scratch, server))
        if found.faults and KEEP in os.environ:
            shutil.copytree(scratch, os.environ[KEEP], dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
    found.faults += lacking(found, plan.elsewhere)
    for which, waits in (("", found.recoveries_s), (" from elsewhere", found.recoveries_elsewhere_s)):
        if len(waits) > 1 and (p99 := statistics.quantiles(waits, n=100)[98]) > RECOVERED_S:
            found.faults.append(f"recovery{which} took {p99:.1f} s in the 99th percentile")
    return found


def lacking(found: Judgement, elsewhere: float) -> list[str]:
    """What a long campaign was to do and did not: it may not be taken for one that found nothing."""
    lacks = []
    if found.kills >= MANY and found.in_step < IN_STEP * found.kills:
        lacks.append(f"only {found.in_step} of {found.kills} kills met a process in a step")
    if found.kills >= VERY_MANY and (missed := sorted(set(POINTS) - set(found.by_way))):
        lacks.append(f"nothing was killed at {', '.join(missed)}")
    if found.kills >= MANY and found.elsewhere < elsewhere * found.kills / 2:
        lacks.append(f"only {found.elsewhere} of {found.kills} kills were elsewhere")
    if found.kills >= MANY and elsewhere and not found.recoveries_elsewhere_s:
        lacks.append("nothing that was interrupted elsewhere began again")
    return lacks


@contextmanager
def _database(kind: str, scratch: Path) -> Iterator[tuple[str, PostgresServer | None]]:
    if kind == "sqlite":
        yield f"sqlite:///{scratch}/duck.db", None
        return
    with running_postgres(wheel_binaries(), authority=None) as server, server.database() as name:
        yield server.url(name), server


def main() -> int:
    """As many kills as are asked for, over one kind of database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=KINDS, default=KINDS[0])
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--life", type=float, default=4.0, help="seconds that a process works at the most")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--elsewhere", type=float, default=0.0, help=_ELSEWHERE)
    told = parser.parse_args()
    found = rounds(Plan(told.kills, told.workers, told.life, told.seed, elsewhere=told.elsewhere), told.database)
    print(f"{told.database}, seed {told.seed}: {found.said()}")
    print(*found.faults[:50], sep="\n")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
