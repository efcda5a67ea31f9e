"""Kills processes that work through queues, again and again, beside a ledger, until so many were killed."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import text

from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.tree import WorkflowSettings
from rubber_duck.storage.database import Connection, open_database
from tests.killing import judgement, reading
from tests.killing.judgement import Judgement, judged
from tests.killing.ledger import SOCKET, Entries, Teller, answers
from tests.killing.nursery import Nursery, ended, is_alive, kill_group, nursery
from tests.killing.working import Order, create_applied
from tests.servers import PostgresServer

DEFAULTS: Final = WorkflowSettings(attempts=100)
"""As installed, but for patience: here a run may be killed five times before it keeps a step, and is no poison."""

_STEP_POINTS: Final = tuple(judgement.IN_STEP)
_WORK_POINTS: Final = (
    "storage.before_commit",
    "storage.after_commit",
    "workflow.before_recovery",
    "workspace.before_rename",
    "workspace.before_writing",
    "workspace.after_file",
    "workspace.before_done",
    "analysis.worker",
    "search.worker",
    "search.before_commit",
)
POINTS: Final = (*_STEP_POINTS, *_WORK_POINTS)
"""Where those that work are killed."""
_ASK_POINTS: Final = ("workflow.after_enqueue", "storage.before_commit", "storage.after_commit", "")
_START: Final = "app.after_part"
_WORKING: Final = "tests.killing.working"
_AFTER_POINT_S: Final = 4.0
_AFTER_READING_S: Final = 12.0
"""Worker processes start first, and everything that can be read is imported."""
_BUSY_S: Final = 20.0
_IN_STEP: Final = 0.97
"""Of those killed from outside, at moments drawn at random, so many are killed while they are in a step."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is killed: `kills` processes of `workers` at a time, each after up to `life_s` seconds of work.

    Every `restart_s` seconds, somewhere between the two, the server is restarted, and stays up for twice as long as
    that took at the least. The share `elsewhere` of the processes is of another machine to all others, so a witness
    works beside them that is not killed: only who lives for a while notices that somebody there is silent.
    """

    kills: int
    workers: int = 3
    life_s: float = 4.0
    seed: int = 0
    settings: WorkflowSettings = DEFAULTS
    restart_s: tuple[float, float] | None = None
    drain_s: float = 240.0
    elsewhere: float = 0.0


@dataclass(slots=True)
class Campaign:
    """One round of killing over one database."""

    plan: Plan
    url: str
    scratch: Path
    nursery: Nursery
    entries: Entries
    teller: Teller
    server: PostgresServer | None
    dice: random.Random
    killed: int = 0
    restarts: int = 0
    running: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    away: set[int] = field(default_factory=set)

    async def run(self) -> Judgement:
        """Kill, let what is left end, and judge."""
        following = asyncio.create_task(self._read(), name="ledger")
        witness = await self._made("work") if self.plan.elsewhere else None
        loops = [asyncio.create_task(self._kill_workers(), name="kills") for _ in range(self.plan.workers)]
        others = [asyncio.create_task(self._kill_askers(), name="asks")]
        if self.plan.restart_s is not None:
            others.append(asyncio.create_task(self._restart(), name="restarts"))
        try:
            await asyncio.gather(*loops)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            left = [await self._made("work") for _ in range(2)]
            await drained(self.url, self.plan.drain_s)
            is_witnessed = witness is None or is_alive(witness)
            for number in left:
                kill_group(number)
        finally:
            if witness is not None:
                kill_group(witness)
            for task in (*loops, *others, following):
                task.cancel()
            await asyncio.gather(*loops, *others, following, return_exceptions=True)
        list(self.entries.more())
        found = judged(self.entries.read, *await in_database(self.url), away=self.plan.restart_s is not None)
        if not is_witnessed:
            found.faults.append("the witness, which nobody killed, has ended")
        found.faults += await reading.faults(self.url, self.scratch)
        return found

    async def _kill_workers(self) -> None:
        while self.killed < self.plan.kills or (self.plan.restart_s is not None and not self.restarts):
            way = self._way()
            after_s = 0.0 if way == _START else self.dice.uniform(0.5, self.plan.life_s)
            number = await self._made("work", way, after_s, away=self.dice.random() < self.plan.elsewhere)
            self.killed += 1
            await self._busy(number)
            patience_s = _AFTER_READING_S if way in reading.POINTS else _AFTER_POINT_S
            life_s = after_s + patience_s if way else self.dice.uniform(0.0, self.plan.life_s)
            deadline = time.monotonic() + life_s
            while is_alive(number) and time.monotonic() < deadline:  # noqa: ASYNC110  # others write it
                await asyncio.sleep(0.02)
            if is_alive(number) and self.dice.random() < _IN_STEP:
                await self._busy(number)
            way = way if way and not is_alive(number) else "random"
            await self._killed(number, way)

    async def _busy(self, number: int) -> None:
        """Until the process is in a step, or has ended, or is not in one for long."""
        deadline = time.monotonic() + _BUSY_S
        while is_alive(number) and not self.running[number] and time.monotonic() < deadline:  # noqa: ASYNC110  # others write it
            await asyncio.sleep(0.02)

    def _way(self) -> str:
        chance = self.dice.random()
        if chance < 0.5:
            return ""
        if chance < 0.8:
            return self.dice.choice(_STEP_POINTS)
        return self.dice.choice(_WORK_POINTS) if chance < 0.98 else _START

    async def _kill_askers(self) -> None:
        """Who queues runs is killed too: what it was not told of must not be lost or doubled either."""
        while True:
            way = self.dice.choice(_ASK_POINTS)
            number = await self._made("ask", way, self.dice.uniform(2.0, 60.0))
            try:
                deadline = time.monotonic() + self.dice.uniform(30.0, 90.0)
                while is_alive(number) and time.monotonic() < deadline:  # noqa: ASYNC110  # no child of this process
                    await asyncio.sleep(0.1)
            finally:
                kill_group(number)
            await ended(number)
            await self.teller.tell("asker_killed", victim=number, way=way or "random")

    async def _restart(self) -> None:
        assert self.plan.restart_s is not None
        took_s = 0.0
        while True:
            await asyncio.sleep(max(self.dice.uniform(*self.plan.restart_s), 2 * took_s))
            began = time.monotonic()
            restarting = asyncio.ensure_future(asyncio.to_thread(self._restart_now))
            try:
                await asyncio.shield(restarting)
            finally:
                await asyncio.wait([restarting])  # whoever ends this must not leave it stopped
            took_s = time.monotonic() - began
            self.restarts += 1
            await self.teller.tell("restarted")

    def _restart_now(self) -> None:
        assert self.server is not None
        self.server.stop()
        self.server.start()

    async def _made(self, what: str, point: str = "", after_s: float = 0.0, *, away: bool = False) -> int:
        order = Order(self.url, str(self.scratch), self.plan.settings, point, after_s, elsewhere=away)
        number = await self.nursery.make(f"{_WORKING}:{what}", msgspec.to_builtins(order))
        if away:
            self.away.add(number)
        return number

    async def _killed(self, number: int, way: str) -> None:
        told = {"victim": number, "way": way, "away": number in self.away}
        if way == "random":
            await self.teller.tell("killed", **told)
        kill_group(number)
        await ended(number)
        if way != "random":
            await self.teller.tell("killed", **told)
        self.away.discard(number)

    async def _read(self) -> None:
        while True:
            for entry in self.entries.more():
                if entry["did"] == "begin":
                    self.running[entry["pid"]].add(entry["key"])
                elif entry["did"] == "effect":
                    self.running[entry["pid"]].discard(entry["key"])
            await asyncio.sleep(0.05)


@asynccontextmanager
async def campaign(
    plan: Plan, url: str, scratch: Path, server: PostgresServer | None = None
) -> AsyncIterator[Campaign]:
    """A campaign with its ledger and nursery, over an empty database."""
    place, file = scratch / SOCKET, scratch / "ledger.jsonl"
    async with open_database(DatabaseSettings(url=url)) as database:  # migrated once, not by whoever is killed first
        await database.run(create_applied)
    async with nursery(scratch / "said.log", _WORKING, "tests.killing.imports") as made:
        keeper = await made.make("tests.killing.ledger:keep_ledger", str(place), str(file))
        try:
            while not answers(place):  # noqa: ASYNC110  # another process makes it
                await asyncio.sleep(0.02)
            teller = Teller(scratch)
            yield Campaign(plan, url, scratch, made, Entries(file), teller, server, random.Random(plan.seed))
            await teller.close()
        finally:
            kill_group(keeper)


async def drained(url: str, most_s: float) -> None:
    """Until no run waits or works; runs that never end are found by the judgement."""
    deadline = time.monotonic() + most_s
    async with open_database(DatabaseSettings(url=url)) as database:
        while time.monotonic() < deadline and await database.run(_has_open_runs, write=False):  # noqa: ASYNC110  # in a database
            await asyncio.sleep(0.5)


Kept = tuple[Mapping[str, str], Mapping[tuple[str, str], float], Mapping[str, int]]


async def in_database(url: str) -> Kept:
    """The states of the runs; when the result of each step was kept, by run and step, in seconds since 1970; and how
    often each run wrote its row.
    """
    async with open_database(DatabaseSettings(url=url)) as database:
        return await database.run(_read_all, write=False)


def _read_all(connection: Connection) -> Kept:
    schema = _schema(connection)
    runs = f"SELECT runs.id, status, error FROM runs LEFT JOIN {schema}workflow_status ON workflow_uuid = runs.id"
    states = {row[0]: _state(row[1], row[2]) for row in connection.execute(text(runs))}
    steps = f"SELECT workflow_uuid, function_name, completed_at_epoch_ms FROM {schema}operation_outputs"
    kept = {(row[0], row[1]): row[2] / 1000 for row in connection.execute(text(steps))}
    rows = "SELECT run, count(*) FROM applied GROUP BY run"
    applied = {row[0]: row[1] for row in connection.execute(text(rows))}
    return states, kept, applied


def _state(status: str | None, error: str | None) -> str:
    """How a run ended, and behind a colon what it failed with."""
    return {"SUCCESS": "done", "ERROR": f"ERROR: {error}"[:600]}.get(str(status), str(status))


def _has_open_runs(connection: Connection) -> bool:
    statement = f"SELECT count(*) FROM {_schema(connection)}workflow_status WHERE status IN ('ENQUEUED', 'PENDING')"
    return bool(connection.execute(text(statement)).scalar_one())


def _schema(connection: Connection) -> str:
    return "dbos." if connection.dialect.name == "postgresql" else ""


__all__ = ["DEFAULTS", "POINTS", "Campaign", "Kept", "Plan", "campaign", "drained", "in_database"]
