"""Several processes share the runs of several people over one database, and one of them is frozen and woken."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.tree import QueueSettings, WorkflowSettings
from rubber_duck.storage.database import Database, open_database
from rubber_duck.storage.keys import new_key
from rubber_duck.workflows.durable import open_durable
from rubber_duck.workflows.store import executors
from rubber_duck.workflows.whereabouts import place_of
from tests.killing.judgement import judged
from tests.killing.kills import Kept, drained, in_database
from tests.killing.ledger import SOCKET, Entries, Teller, answers
from tests.killing.nursery import kill_group, nursery
from tests.killing.working import Ledgered, Numbered, Order, create_applied, declare, now, resolve, scope_of

_WORKING: Final = "tests.killing.working"

DEFAULTS: Final = WorkflowSettings(queues={"analysis": QueueSettings(most_waiting=1_000_000)})
"""As installed, but for the room in the queue."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """`jobs` of `tenants`, half of them of the first, worked on by `processes`; one is frozen when a third is done."""

    jobs: int
    settings: WorkflowSettings = DEFAULTS
    tenants: int = 8
    processes: int = 4
    step_s: float = 0.0
    most_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Shared:
    """What became of it.

    `apart` is how many more runs of one person than of another had begun, at the worst moment of the time in which
    each had some waiting; `shares` are those of the processes that were not frozen, `told_twice` effects that the
    woken one told again.
    """

    faults: list[str]
    seconds: float
    apart: int
    shares: tuple[float, ...]
    fenced: int
    told_twice: int


async def shared(sharing: Sharing, url: str, scratch: Path) -> Shared:
    """Queue, work, freeze, wake, and judge."""
    place, file = scratch / SOCKET, scratch / "ledger.jsonl"
    async with nursery(scratch / "said.log", _WORKING, "tests.killing.imports") as made:
        keeper = await made.make("tests.killing.ledger:keep_ledger", str(place), str(file))
        while not answers(place):  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(0.02)
        teller = Teller(scratch)
        try:
            async with open_database(DatabaseSettings(url=url)) as database:
                await database.run(create_applied)
                order = msgspec.to_builtins(Order(url, str(scratch), sharing.settings))
                workers = [await made.make(f"{_WORKING}:work", order) for _ in range(sharing.processes)]
                entries = Entries(file)
                await _all_work(entries, sharing.processes)
                began = time.monotonic()
                queued = await _queued(sharing, url, database)
                await _frozen_and_woken(workers[0], sharing, database, entries)
            for run_id in queued:
                await teller.tell("acknowledged", run=run_id)
            await drained(url, sharing.most_s)
            seconds = time.monotonic() - began
            await _fenced(entries)
            for number in workers:
                kill_group(number)
            return _judged(sharing, entries, await in_database(url), seconds, workers)
        finally:
            await teller.close()
            kill_group(keeper)


async def _all_work(entries: Entries, processes: int) -> None:
    """Until every process looks for runs."""
    while len({entry["pid"] for entry in entries.read if entry["did"] == "working"}) < processes:
        list(entries.more())
        await asyncio.sleep(0.02)


async def _queued(sharing: Sharing, url: str, database: Database) -> list[str]:
    """Queue all runs at one moment, so that none is over before the last process has begun; their ids."""
    declare()
    settings = Settings(database=DatabaseSettings(url=url), workflows=sharing.settings)
    ids = [str(new_key()) for _ in range(sharing.jobs)]
    enqueues = []
    async with open_durable(database, settings, resolve=resolve, now=now) as durable:
        for number in range(sharing.jobs):
            half = number < sharing.jobs // 2
            tenant = 0 if half else 1 + number % (sharing.tenants - 1)
            asked = Numbered(number, steps=1, step_s=sharing.step_s, writes=False)
            scope = scope_of(f"tenant{tenant}")
            enqueues.append(await durable.enqueuing(scope, Ledgered.name, asked, run_id=ids[number]))
        await database.run(lambda connection: [enqueue(connection) for enqueue in enqueues])
    return ids


async def _frozen_and_woken(number: int, sharing: Sharing, database: Database, entries: Entries) -> None:
    """Freeze a process in the middle of a step, wait until the others have struck it off, and wake it."""
    begun, ended = set[str](), set[str]()
    told = 0
    while told < sharing.jobs // 3 or not begun - ended:
        await asyncio.sleep(0.02)
        for entry in entries.more():
            told += entry["did"] == "effect"
            if entry["pid"] == number and entry["did"] in ("begin", "effect"):
                (begun if entry["did"] == "begin" else ended).add(entry["key"])
    place = place_of(number)
    os.killpg(number, signal.SIGSTOP)
    while place in {each.place for each in await database.run(executors.living, write=False)}:  # noqa: ASYNC110  # in a database
        await asyncio.sleep(0.1)
    os.killpg(number, signal.SIGCONT)


async def _fenced(entries: Entries) -> None:
    """Until the woken process has noticed."""
    async with asyncio.timeout(60):
        while not any(entry["did"] == "fenced" for entry in entries.read):
            list(entries.more())
            await asyncio.sleep(0.1)


def _judged(sharing: Sharing, entries: Entries, kept: Kept, seconds: float, workers: list[int]) -> Shared:
    list(entries.more())
    found = judged(entries.read, *kept, frozen=True, steps=1)
    begins = [entry for entry in entries.read if entry["did"] == "begin"]
    by_process = Counter(entry["pid"] for entry in begins if entry["pid"] != workers[0])
    shares = tuple(sorted(round(count / by_process.total(), 3) for count in by_process.values()))
    return Shared(found.faults, seconds, _apart(begins, sharing.tenants), shares, found.fenced, found.told_twice)


def _apart(begins: list[dict[str, Any]], tenants: int) -> int:  # Any: JSON values
    seen, counted = set[str](), Counter[str]()
    left = Counter(each["tenant"] for each in {entry["key"]: entry for entry in begins}.values())
    worst = 0
    for entry in begins:
        if entry["key"] in seen:
            continue
        seen.add(entry["key"])
        counted[entry["tenant"]] += 1
        if counted[entry["tenant"]] == left[entry["tenant"]]:
            return worst  # it has none waiting any more
        if len(counted) == tenants:
            worst = max(worst, max(counted.values()) - min(counted.values()))
    return worst
