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
from sqlalchemy import text, update

from rubber_duck import fault
from rubber_duck.app import Opened, Part, open_app
from rubber_duck.errors import Conflict
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.tree import WorkflowSettings
from rubber_duck.storage.database import Connection, Database, open_database
from rubber_duck.storage.keys import new_key
from rubber_duck.workflows.durable import Durable, open_durable
from rubber_duck.workflows.retries import PATIENT
from rubber_duck.workflows.run import Effect, Run, Step
from rubber_duck.workflows.store import runs
from rubber_duck.workflows.store.tables import executors
from rubber_duck.workflows.workflow import Workflow, workflows
from rubber_duck.workflows.working import working
from rubber_duck.workspace.journal import FileWrite, Journal
from rubber_duck.workspace.paths import Root
from tests.killing import reading
from tests.killing.ledger import Teller

STEPS = 3
STEP_S = 0.3
FAILING = 5
"""One run of so many fails in its last step."""
UNDONE = "undone "
"""What stands before the run in the row that tells that its own was taken back."""
JOURNALED = 5
"""Every so many runs, a step writes a file through the journal."""


class Numbered(msgspec.Struct, frozen=True):
    """A run's number, how many steps it has and how long each takes, and whether it writes files now and then.

    One that `fails` does so in its last step, and all that it did is undone.

    At its end it writes a row into the database, which nothing but the product keeps from being written twice.
    """

    number: int
    steps: int = STEPS
    step_s: float = STEP_S
    writes: bool = True
    fails: bool = False


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
            undo = partial(_undone, run) if request.fails else None
            work = partial(_step, run, request, number)  # it reads and writes the database, as our own jobs do
            await run.step(Step(f"s{number}", work, int, undo=undo, retries=PATIENT))
        await run.commit(Effect("applied", partial(_applied, run.id), int, undo=partial(_taken_back, run.id)))
        if request.fails:
            await run.step(Step("fail", _failed, int))
        return request


async def _failed() -> int:
    raise Conflict("it was to fail")


async def _undone(run: Run, number: int) -> None:
    bench = run.hands
    assert isinstance(bench, Bench)
    await bench.teller.tell("undone", run=run.id, step=number)


def _taken_back(run_id: str, connection: Connection, _: int) -> None:
    """The row says so, as often as it was done."""
    connection.execute(text("DELETE FROM applied WHERE run = :run"), {"run": run_id})
    connection.execute(text("INSERT INTO applied VALUES (:run)"), {"run": UNDONE + run_id})


def _applied(run_id: str, connection: Connection) -> int:
    return connection.execute(text("INSERT INTO applied VALUES (:run)"), {"run": run_id}).rowcount


def create_applied(connection: Connection) -> None:
    """The table of what runs wrote; it takes the same row as often as it comes."""
    connection.execute(text("CREATE TABLE IF NOT EXISTS applied (run TEXT NOT NULL)"))


async def _step(run: Run, request: Numbered, number: int) -> int:
    bench = run.hands
    assert isinstance(bench, Bench)
    key = run.effect_key(f"s{number}")
    await bench.teller.tell("begin", key=key, run=run.id, step=number, tenant=run.scope.actor.id, fails=request.fails)
    await asyncio.sleep(request.step_s)
    await bench.read()
    if request.writes and request.number % JOURNALED == 0:
        await bench.write(run.id, number)
    await bench.teller.tell("effect", key=key, run=run.id, step=number)
    return number


class Bench:
    """What the steps touch. Once it `reads`, each step analyses and indexes something."""

    def __init__(self, home: Path, database: Database) -> None:
        self.teller = Teller(home)
        self.reads = False
        self._database = database
        self._home = home
        self._journal = Journal(home / "journal", clock=now)

    async def read(self) -> None:
        """Analyse and index, if that is asked for."""
        if self.reads:
            await reading.read(self._database, self._home)

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
    """How a process is to live. `point` is where it kills its own group, from `after_s` seconds on.

    One that is `elsewhere` is to the others one of another machine: that it is gone they learn from its silence.
    """

    url: str
    home: str
    settings: WorkflowSettings
    point: str = ""
    after_s: float = 0.0
    tenants: int = 1
    waiting: int = 60
    elsewhere: bool = False


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
            executor_id = str(new_key())
            async with working(durable, executor_id=executor_id) as failed:
                if order.elsewhere:
                    await durable.database.run(partial(_moved_away, executor_id))
                await teller.tell("working")
                with contextlib.suppress(Exception):  # struck off: it begins anew
                    await failed()
            await teller.tell("fenced")


def _moved_away(executor_id: str, connection: Connection) -> None:
    connection.execute(update(executors).where(executors.c.id == executor_id).values(place="elsewhere 1 1"))


async def _asking(order: Order) -> None:
    async with _opened(order) as durable:
        teller = _bench(durable).teller
        library = await durable.library()
        await teller.tell("asking")
        waiting = partial(runs.waiting, status=library.tables.status, queue=Ledgered.queue, most=order.waiting)
        for number in count():
            while await durable.database.run(waiting, write=False) >= order.waiting:  # noqa: ASYNC110  # in a database
                await asyncio.sleep(0.2)
            scope = scope_of(f"tenant{number % order.tenants}")
            asked = {"number": number, "fails": number % FAILING == FAILING - 1}
            run_id = await durable.start(scope, Ledgered.name, asked)
            await teller.tell("acknowledged", run=run_id)


def scope_of(tenant: str) -> Scope:
    """All that a tenant may do."""
    return Scope(Actor(tenant, tenant), None, frozenset(Right), "0" * 32)


def now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


async def resolve(actor: str, project: UUID | None, trace: str, key: str = "") -> Scope:
    """All that an actor may do."""
    return Scope(Actor(actor, actor), project, frozenset(Right), trace)


@asynccontextmanager
async def _opened(order: Order) -> AsyncIterator[Durable]:
    """The application, of two parts, so that its own fault points are passed."""
    declare()
    late = order.after_s > 0
    settings = Settings(database=DatabaseSettings(url=order.url), workflows=order.settings, home=order.home)
    with fault.injected(order.point, _die) if order.point and not late else contextlib.nullcontext():
        async with open_app(settings, parts=_PARTS) as app:
            durable = app.parts.opened["workflows"]
            assert isinstance(durable, Durable)
            database = app.parts.opened["database"]
            assert isinstance(database, Database)
            bench = Bench(Path(order.home), database)
            durable.lend(bench)
            armed = asyncio.create_task(_armed(order, bench), name="arm") if late else None
            try:
                yield durable
            finally:
                if armed is not None:
                    armed.cancel()


async def _armed(order: Order, bench: Bench) -> None:
    await asyncio.sleep(order.after_s)
    bench.reads = order.point in reading.POINTS
    if order.point in reading.WORKER_POINTS:
        os.environ[fault.ENVIRONMENT] = fault.GROUP + order.point
        return
    with fault.injected(order.point, _die) if order.point else contextlib.nullcontext():
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
