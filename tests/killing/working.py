"""What is killed: processes that work through the queues, and processes that queue runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from uuid import UUID

import msgspec

from rubber_duck import fault
from rubber_duck.app import Opened, Part, open_app
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.tree import WorkflowSettings
from rubber_duck.storage.database import Database, open_database
from rubber_duck.workflows import store
from rubber_duck.workflows.durable import Durable, open_durable
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows
from rubber_duck.workflows.working import working
from rubber_duck.workspace.journal import FileWrite, Journal
from rubber_duck.workspace.paths import Root
from tests.killing.ledger import Teller

STEPS = 3
STEP_S = 0.3
JOURNALED = 5
"""Every so many runs, a step writes a file through the journal."""


class Numbered(msgspec.Struct, frozen=True):
    """A run's number, how many steps it has and how long each takes, and whether it writes files now and then."""

    number: int
    steps: int = STEPS
    step_s: float = STEP_S
    writes: bool = True


class Ledgered(Workflow[Numbered, Numbered]):
    """Steps that tell a ledger what they do."""

    name = "ledgered"
    version = 1
    request = Numbered
    answer = Numbered
    right = Right.ANALYSIS_RUN
    queue = "analysis"

    async def run(self, request: Numbered, run: Run) -> Numbered:
        """Steps, one after the other."""
        for number in range(request.steps):
            await run.step(Step(f"s{number}", partial(_step, run, request, number), int))
        return request


async def _step(run: Run, request: Numbered, number: int) -> int:
    bench = run.hands
    assert isinstance(bench, Bench)
    key = run.effect_key(f"s{number}")
    await bench.teller.tell("begin", key=key, run=run.id, step=number, tenant=run.scope.actor.id)
    await asyncio.sleep(request.step_s)
    if request.writes and request.number % JOURNALED == 0:
        await bench.write(run.id, number)
    await bench.teller.tell("effect", key=key, run=run.id, step=number)
    return number


class Bench:
    """What the steps touch."""

    def __init__(self, home: Path) -> None:
        self.teller = Teller(home)
        self._home = home
        self._journal = Journal(home / "journal", clock=now)

    async def write(self, run_id: str, number: int) -> None:
        """Write a number into a file of the run, unless it is there already."""
        folder = self._home / "written" / run_id
        folder.mkdir(parents=True, exist_ok=True)
        scope, root = Scope.local(), Root(folder)
        await self._journal.recover(scope, root)
        file = folder / "number"
        before = file.read_bytes() if file.exists() else None
        after = b"%d" % number
        if before != after:
            await self._journal.write(scope, root, [FileWrite("number", before, after)], "number")


class Order(msgspec.Struct, frozen=True):
    """How a process is to live. `point` is where it kills its own group, from `after_s` seconds on."""

    url: str
    home: str
    settings: WorkflowSettings
    point: str = ""
    after_s: float = 0.0
    tenants: int = 1
    waiting: int = 60


def declare() -> None:
    """Make the workflow known."""
    workflows.discover()
    if Ledgered.name not in workflows:
        workflows.add(Ledgered)


def work(order: Mapping[str, object]) -> None:
    """Work through the queues until killed."""
    asyncio.run(_working(msgspec.convert(order, Order)))


def ask(order: Mapping[str, object]) -> None:
    """Queue runs as long as few enough wait, and tell the ledger of each that was acknowledged, until killed."""
    asyncio.run(_asking(msgspec.convert(order, Order)))


async def _working(order: Order) -> None:
    async with _opened(order) as durable:
        teller = _bench(durable).teller
        while True:
            async with working(durable) as failed:
                await teller.tell("working")
                with contextlib.suppress(Exception):  # struck off: it begins anew
                    await failed()
            await teller.tell("fenced")


async def _asking(order: Order) -> None:
    async with _opened(order) as durable:
        teller = _bench(durable).teller
        library = await durable.library()
        await teller.tell("asking")
        waiting = partial(store.waiting, status=library.tables.status, queue=Ledgered.queue, most=order.waiting)
        for number in count():
            while await durable.database.run(waiting, write=False) >= order.waiting:  # noqa: ASYNC110  # in a database
                await asyncio.sleep(0.2)
            scope = scope_of(f"tenant{number % order.tenants}")
            run_id = await durable.start(scope, Ledgered.name, {"number": number})
            await teller.tell("acknowledged", run=run_id)


def scope_of(tenant: str) -> Scope:
    """All that a tenant may do."""
    return Scope(Actor(tenant, tenant), None, frozenset(Right), "0" * 32)


def now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


async def resolve(actor: str, project: UUID | None, trace: str) -> Scope:
    """All that an actor may do."""
    return Scope(Actor(actor, actor), project, frozenset(Right), trace)


@asynccontextmanager
async def _opened(order: Order) -> AsyncIterator[Durable]:
    """The application, of two parts, so that its own fault points are passed."""
    declare()
    armed = asyncio.create_task(_armed(order), name="arm") if order.after_s else None
    settings = Settings(database=DatabaseSettings(url=order.url), workflows=order.settings, home=order.home)
    with fault.injected(order.point, _die) if order.point and armed is None else contextlib.nullcontext():
        async with open_app(settings, parts=_PARTS) as app:
            durable = app.parts.opened["workflows"]
            assert isinstance(durable, Durable)
            durable.lend(Bench(Path(order.home)))
            try:
                yield durable
            finally:
                if armed is not None:
                    armed.cancel()


async def _armed(order: Order) -> None:
    await asyncio.sleep(order.after_s)
    with fault.injected(order.point, _die):
        await asyncio.Event().wait()


def _die() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _bench(durable: Durable) -> Bench:
    assert isinstance(durable.hands, Bench)
    return durable.hands


@asynccontextmanager
async def _database(settings: Settings, opened: Opened) -> AsyncIterator[Database]:
    async with open_database(settings.database) as database:
        yield database


@asynccontextmanager
async def _durable(settings: Settings, opened: Opened) -> AsyncIterator[Durable]:
    async with open_durable(opened["database"], settings, resolve=resolve, now=now) as durable:
        yield durable


_PARTS = (Part("database", (), _database), Part("workflows", ("database",), _durable))
