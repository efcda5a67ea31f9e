"""Kills processes that work through queues, again and again, beside a ledger in a process of its own.

`python -m benchmarks.durable --kills 1000 --database sqlite`; `make soak` does some of it in every round.

A driver queues runs and tells the ledger of each that was acknowledged. Each run has three steps; each step tells the
ledger that it began, waits a moment, and tells it of its keyed effect. In the end the ledger is compared with the
database: no acknowledged run may be lost, none of its effects be missing, and no step begin after one that follows it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rubber_duck import fault
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows
from tests.durable import QUICK, Bench, durable_over, working
from tests.servers import running_postgres, wheel_binaries

ROOT = Path(__file__).parents[1]
ME = Scope.local()
STEPS = 3
STEP_S = 0.15
POINTS = ("workflow.before_step", "workflow.after_step", "storage.before_commit", "storage.after_commit")
MANY_ATTEMPTS = msgspec.structs.replace(QUICK, attempts=100, dead_after_s=1.0, heartbeat_s=0.2)


class Numbered(msgspec.Struct, frozen=True):
    """A run's number."""

    number: int


class Ledgered(Workflow[Numbered, Numbered]):
    """Steps that tell a ledger what they do."""

    name = "ledgered"
    version = 1
    request = Numbered
    answer = Numbered
    right = Right.ANALYSIS_RUN
    queue = "analysis"

    async def run(self, request: Numbered, run: Run) -> Numbered:
        """Three steps."""
        for number in range(STEPS):
            await run.step(Step(f"s{number}", lambda number=number: _step(run, number), int))  # type: ignore[misc]  # bound at once
        return request


async def _step(run: Run, number: int) -> int:
    key = run.effect_key(f"s{number}")
    await tell({"did": "begin", "key": key, "run": run.id})
    await asyncio.sleep(STEP_S)
    await tell({"did": "effect", "key": key, "run": run.id})
    return number


async def tell(entry: dict[str, object]) -> None:
    """Tell the ledger, and wait until it has written it down."""
    reader, writer = await asyncio.open_unix_connection(os.environ["LEDGER"])
    try:
        writer.write(json.dumps(entry).encode() + b"\n")
        await writer.drain()
        await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


async def keep_ledger(place: str, file: str) -> None:
    """The ledger's own process: every entry is on the disk before it is acknowledged; keyed effects count once."""
    with open(file, "a", encoding="utf-8") as written:  # noqa: ASYNC230  # it does nothing else

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = await reader.readline()
            if line:
                entry = {**json.loads(line), "at": time.time()}
                written.write(json.dumps(entry) + "\n")
                written.flush()
                os.fsync(written.fileno())
                with suppress(ConnectionError):  # who told it was killed meanwhile
                    writer.write(b"ok\n")
                    await writer.drain()
            writer.close()

        async with await asyncio.start_unix_server(serve, place) as server:
            await server.serve_forever()


async def work(url: str, point: str, seconds: str) -> None:
    """A process that works until it is killed, if need be by itself at a fault point after some seconds."""
    workflows.discover()
    workflows.add(Ledgered)
    async with (
        durable_over(DatabaseSettings(url=url), Bench(), settings=MANY_ATTEMPTS) as durable,
        working(durable) as failed,
    ):
        if point:
            await asyncio.sleep(float(seconds))
            os.environ[fault.ENVIRONMENT] = point
            fault.arm_from_environment()
        await failed()


@dataclass(slots=True)
class Tally:
    """What the driver saw."""

    acknowledged: list[str] = field(default_factory=list)
    kills: int = 0
    in_step: int = 0
    by_point: Counter[str] = field(default_factory=Counter)
    killed_at: list[float] = field(default_factory=list)


@asynccontextmanager
async def ledger(scratch: Path) -> AsyncIterator[Path]:
    """A ledger in a process of its own."""
    file = scratch / "ledger.jsonl"
    os.environ["LEDGER"] = str(scratch / "ledger.sock")
    process = await _started("ledger", os.environ["LEDGER"], str(file))
    try:
        while not Path(os.environ["LEDGER"]).exists():  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(0.02)
        yield file
    finally:
        process.kill()
        await process.wait()


async def killed_working(url: str, scratch: Path, kills: int, seed: int) -> list[str]:
    """Kill workers so often; what was lost, doubled or done again."""
    workflows.discover()
    if "ledgered" not in workflows:
        workflows.add(Ledgered)
    dice = random.Random(seed)
    tally = Tally()
    async with (
        ledger(scratch) as file,
        durable_over(DatabaseSettings(url=url), Bench(), settings=MANY_ATTEMPTS) as durable,
    ):
        while tally.kills < kills:
            for number in range(6):
                tally.acknowledged.append(await durable.start(ME, "ledgered", {"number": number}))
                await tell({"did": "acknowledged", "run": tally.acknowledged[-1]})
            await _kill_one(url, file, dice, tally)
        async with working(durable):
            for run_id in tally.acknowledged:
                async for _ in durable.follow(ME, run_id):
                    pass
        states = {run.id: run.state for run in await durable.runs(ME, limit=10**7)}
    return _judged(file, tally, states)


async def _kill_one(url: str, file: Path, dice: random.Random, tally: Tally) -> None:
    point = dice.choice(POINTS) if dice.random() < 0.5 else ""
    process = await _started("work", url, point, str(dice.uniform(0.0, 0.5)))
    seen = _size(file)
    while _size(file) == seen and process.returncode is None:  # noqa: ASYNC110  # other processes write it
        await asyncio.sleep(0.02)  # until it does something
    if point:
        await process.wait()
    else:
        await asyncio.sleep(dice.uniform(0.0, 3 * STEP_S))
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    tally.kills += 1
    tally.by_point[point or "random"] += 1
    tally.killed_at.append(time.time())
    tally.in_step += point.startswith("workflow.") or _is_in_step(file)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _is_in_step(file: Path) -> bool:
    """Whether some step had begun and not had its effect."""
    begun: Counter[str] = Counter()
    for entry in _entries(file):
        if entry["did"] == "begin":
            begun[str(entry["key"])] += 1
        elif entry["did"] == "effect":
            del begun[str(entry["key"])]
    return bool(begun)


def _entries(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _judged(file: Path, tally: Tally, states: Mapping[str, str]) -> list[str]:
    entries = _entries(file)
    acknowledged = [str(each["run"]) for each in entries if each["did"] == "acknowledged"]
    lost = [
        f"the acknowledged run {run} is {states.get(run, 'gone')}" for run in acknowledged if states.get(run) != "done"
    ]
    begun = Counter(str(each["key"]) for each in entries if each["did"] == "begin")
    effects = {str(each["key"]) for each in entries if each["did"] == "effect"}
    wanted = {f"{run}:s{number}" for run in acknowledged for number in range(STEPS)}
    lost += [f"the effect {key} never happened" for key in wanted - effects]
    again = sum(count - 1 for count in begun.values())
    order: dict[str, int] = {}
    for each in entries:
        if each["did"] == "begin":
            run, number = str(each["run"]), int(str(each["key"]).rsplit(":s", 1)[1])
            if number < order.get(run, 0):
                lost.append(f"the run {run} began step {number} after step {order[run]}, which follows it")
            order[run] = max(order.get(run, 0), number)
    waits = _recoveries(entries, tally.killed_at)
    p99 = f"{statistics.quantiles(waits, n=100)[98]:.2f} s" if len(waits) > 1 else "unknown"
    sys.stdout.write(
        f"{tally.kills} kills ({tally.in_step} while a step ran; {dict(tally.by_point)}), "
        f"{len(acknowledged)} acknowledged runs, {again} steps in flight begun again, "
        f"recovery p99 {p99}, {len(lost)} losses\n"
    )
    return lost


def _recoveries(entries: list[dict[str, object]], killed_at: list[float]) -> list[float]:
    """Seconds from each kill until a step that it had interrupted began again."""
    waits: list[float] = []
    begun: dict[str, float] = {}
    for each in entries:
        key, at = str(each.get("key")), float(str(each["at"]))
        if each["did"] == "begin":
            before = [moment for moment in killed_at if begun.get(key, at) <= moment <= at]
            if key in begun and before:
                waits.append(at - before[0])
            begun[key] = at
    return waits


async def _started(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.durable", *arguments), cwd=ROOT, start_new_session=True
    )


@contextmanager
def database_of(kind: str, scratch: Path) -> Iterator[str]:
    """The URL of an empty database; PostgreSQL is started for it."""
    if kind == "sqlite":
        yield f"sqlite:///{scratch}/duck.db"
        return
    with running_postgres(wheel_binaries(), authority=None) as server, server.database() as name:
        yield server.url(name)


def main() -> int:
    """As many kills as are asked for, over one kind of database."""
    if sys.argv[1:2] in (["work"], ["ledger"]):
        asyncio.run(work(*sys.argv[2:]) if sys.argv[1] == "work" else keep_ledger(*sys.argv[2:]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, database_of(arguments.database, Path(scratch)) as url:
        lost = asyncio.run(killed_working(url, Path(scratch), arguments.kills, arguments.seed))
    print(*lost, sep="\n")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
