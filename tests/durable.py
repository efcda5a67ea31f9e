"""What tests of durable work share: workflows to be carried out, and a worker over a database of either kind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import text

from rubber_duck.errors import Denied, DuckError, InvalidInput, StorageUnavailable, Unavailable
from rubber_duck.jobs.hands import Hands
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.tree import QueueSettings, WorkflowSettings
from rubber_duck.storage.database import Connection, open_database
from rubber_duck.workflows.durable import Durable, open_durable
from rubber_duck.workflows.retries import Retries
from rubber_duck.workflows.run import Effect, Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows
from rubber_duck.workflows.working import working

QUICK = WorkflowSettings(
    heartbeat_s=0.1,
    dead_after_s=1.0,
    poll_s=0.05,
    attempts=3,
    queues={"analysis": QueueSettings(per_process=8), "notification": QueueSettings(per_process=1)},
)


PATIENT = Retries(patient=True)


@dataclass(slots=True)
class Bench:
    """What the steps of these workflows touch: a diary, gates to wait at, who is revoked, how often accounts fail."""

    diary: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    failure: DuckError | None = None
    revoked: bool = False
    away: int = 0

    async def resolve(self, actor: str, project: UUID | None, trace: str, key: str = "") -> Scope:
        """What the actor may do: everything, until revoked; not known so often as the database is away."""
        if self.away:
            self.away -= 1
            raise StorageUnavailable("the server is shutting down")
        if self.revoked:
            raise Denied(f"{actor!r} may not do anything any more")
        return Scope(Actor(actor, actor), project, frozenset(Right), trace)

    async def note(self, line: str) -> str:
        """Write a line."""
        self.diary.append(line)
        return line

    async def wait(self, line: str) -> str:
        """Write a line and wait at the gate."""
        self.diary.append(line)
        self.reached.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.diary.append(f"{line} cancelled")
            raise
        return line

    async def kill(self, line: str) -> str:
        """Kill the process that this is, unless the gate is open."""
        if not self.gate.is_set():
            os.kill(os.getpid(), signal.SIGKILL)
        return line

    async def fail(self, line: str, error: Exception) -> str:
        """Fail as often as is set."""
        self.diary.append(line)
        if self.failures:
            self.failures -= 1
            raise self.failure or error
        return line


@dataclass(frozen=True, slots=True)
class Lent(Hands):
    """What is lent where a test has workflows of the product carried out beside its own."""

    bench: Bench


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request of words."""

    words: tuple[str, ...] = ()
    cache: str = ""


class Said(msgspec.Struct, frozen=True):
    """An answer of words."""

    words: tuple[str, ...]


def bench_of(run: Run) -> Bench:
    """The bench that the test lent."""
    lent = run.hands.bench if isinstance(run.hands, Lent) else run.hands
    assert isinstance(lent, Bench)
    return lent


class Sample(Workflow[Words, Said]):
    """A workflow of the tests."""

    name = "sample"
    version = 1
    request = Words
    answer = Said
    right = Right.ANALYSIS_RUN
    queue = "analysis"
    starts_in: ClassVar[tuple[str, ...]] = ("notification",)

    async def run(self, request: Words, run: Run) -> Said:
        """Say each word, one step each, beside each other where it begins with `|`."""
        bench = bench_of(run)
        said: list[str] = []
        for number, word in enumerate(request.words, 1):
            kind, _, rest = word.partition(":")
            said.append(await _act(run, bench, kind, rest or word, request.cache))
            await run.progress(number, len(request.words), word)
        return Said(tuple(said))


class Follower(Sample):
    """What the sample starts, in a queue after its own."""

    name = "follower"
    version = 1
    queue = "notification"
    starts_in = ()


async def _act(run: Run, bench: Bench, kind: str, word: str, cache: str) -> str:
    match kind:
        case "wait":
            return await run.step(Step(word, lambda: bench.wait(word), str))
        case "slow":
            return await run.step(Step(word, lambda: bench.wait(word), str, timeout_s=0.2))
        case "fail":
            return await run.step(Step(word, lambda: bench.fail(word, InvalidInput(f"{word} is bad")), str))
        case "retry":
            step = Step(word, lambda: bench.fail(word, Unavailable("not now")), str, retries=Retries(3, first_s=0.01))
            return await run.step(step)
        case "undo":
            return await run.step(Step(word, lambda: bench.note(word), str, undo=lambda kept: _undone(bench, kept)))
        case "rights":
            return await run.step(Step(word, lambda: bench.note(" ".join(sorted(run.scope.rights))), str))
        case "hold":
            return await run.step(Step(word, lambda: bench.note(word), str, undo=lambda kept: _held(bench, kept)))
        case "sides":
            return " ".join(str(found) for found in await run.parallel(_undoable(bench, word.split(","))))
        case "signal" | "brief" | "sleep" | "twice":
            return await _waited(run, kind, word)
        case "side":
            each = [Step(part, lambda part=part: _side(bench, part), str) for part in word.split(",")]  # type: ignore[misc]  # a loop's value, bound at once
            return " ".join(str(found) for found in await run.parallel(each))
        case _:
            return await _plain(run, bench, kind, word, cache)


async def _plain(run: Run, bench: Bench, kind: str, word: str, cache: str) -> str:
    if kind in ("write", "unwritable"):
        write = partial(_wrote, word=word, fails=kind == "unwritable")
        return await run.commit(Effect(word, write, str, undo=_unwrote))
    if kind == "own" or kind.endswith("child"):
        asked = {"waiting-child": f"wait:{word}", "failing-child": f"fail:{word}"}.get(kind, word)
        return await _child(run, "sample" if kind == "own" else "follower", asked)
    if kind == "counted":
        noted = await run.step(
            Step(word, lambda: bench.note(f"{word}{len(bench.diary)}"), str, undo=lambda kept: _undone(bench, kept))
        )
        return await _child(run, "follower", noted)
    if kind == "away":
        return await run.step(Step(word, lambda: bench.fail(word, StorageUnavailable("the disk is full")), str))
    if kind == "patient":
        step = Step(word, lambda: bench.fail(word, StorageUnavailable("the disk is full")), str, retries=PATIENT)
        return await run.step(step)
    if kind == "kill":
        return await run.step(Step(word, lambda: bench.kill(word), str))
    if kind == "leave":
        return await run.start("follower", Words((f"wait:{word}",)))
    if kind == "inner":
        return await run.step(Step(word, lambda: run.signal(word, timeout_s=1), str))
    if kind == "exit":
        return await run.step(Step(word, _exit, str))
    return await run.step(Step(word, lambda: bench.note(word), str, cache=cache))


async def _exit() -> str:
    raise SystemExit(1)


async def _waited(run: Run, kind: str, word: str) -> str:
    if kind == "sleep":
        await run.sleep(float(word))
        return word
    if kind == "twice":
        return str(await asyncio.gather(*(run.signal(word, timeout_s=86_400) for _ in range(2))))
    return str(await run.signal(word, timeout_s=86_400 if kind == "signal" else 0.1))


async def _child(run: Run, name: str, word: str) -> str:
    child = await run.start(name, Words((word,)))
    return (await run.ended(child, Said)).words[0]


async def _side(bench: Bench, part: str) -> str:
    if part == "bad":
        raise InvalidInput("bad")
    return await bench.note(part)


def _undoable(bench: Bench, parts: list[str]) -> list[Step[str]]:
    """Steps side by side that end in the reverse of their order."""
    return [
        Step(
            part,
            lambda number=number, part=part: _after(bench, len(parts) - number, part),  # type: ignore[misc]  # bound at once
            str,
            undo=lambda kept: _undone(bench, kept),
        )
        for number, part in enumerate(parts)
    ]


async def _after(bench: Bench, turns: int, part: str) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    return await bench.note(part)


async def _held(bench: Bench, kept: str) -> None:
    bench.diary.append(f"undo {kept}")
    await bench.gate.wait()


def create_written(connection: Connection) -> None:
    """The table that effects write into; nothing in it keeps a row from being written twice."""
    connection.execute(text("CREATE TABLE IF NOT EXISTS written (word TEXT NOT NULL)"))


def written(connection: Connection) -> list[str]:
    """What effects wrote."""
    return list(connection.execute(text("SELECT word FROM written ORDER BY word")).scalars())


def _wrote(connection: Connection, *, word: str, fails: bool) -> str:
    connection.execute(text("INSERT INTO written VALUES (:word)"), {"word": word})
    if fails:
        raise InvalidInput(f"{word} is bad")
    return word


def _unwrote(connection: Connection, word: str) -> None:
    gone = connection.execute(text("DELETE FROM written WHERE word = :word"), {"word": word})
    connection.execute(text("INSERT INTO written VALUES (:word)"), {"word": f"not {word} {gone.rowcount}"})


async def _undone(bench: Bench, kept: str) -> None:
    bench.diary.append(f"undo {kept}")


def declare() -> None:
    """Make the workflows of the tests known."""
    workflows.discover()
    for each in (Sample, Follower):
        if each.name not in workflows:
            workflows.add(each)


@asynccontextmanager
async def durable_over(
    database: DatabaseSettings, bench: Bench, *, settings: WorkflowSettings = QUICK, home: Path | None = None
) -> AsyncIterator[Durable]:
    """Durable work over a database, not working yet."""
    declare()
    chosen = Settings(database=database, workflows=settings, home=str(home or "/nonexistent"))
    async with (
        open_database(database) as opened,
        open_durable(opened, chosen, resolve=bench.resolve, now=lambda: datetime.now(UTC)) as durable,
    ):
        durable.lend(bench)
        yield durable


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds; the test's own time-out ends it otherwise."""
    while not await condition():  # noqa: ASYNC110  # what is waited for happens in a database
        await asyncio.sleep(0.02)


__all__ = [
    "QUICK",
    "Bench",
    "Follower",
    "Lent",
    "Said",
    "Sample",
    "Words",
    "bench_of",
    "create_written",
    "declare",
    "durable_over",
    "until",
    "working",
    "written",
]
