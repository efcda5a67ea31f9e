"""How soon a cancel ends analyses, indexing and reports that another process works on, and what they do afterwards.

`duck work` with one place in each queue works on the modules of Python's own library, on a copy that nothing is known
of each time. Behind each run a small one waits, and begins when the cancelled one has left its place. What is written
for a cancelled run afterwards is a fault, and so is a process that goes on computing.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
import sysconfig
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from rubber_duck.app import resolving
from rubber_duck.errors import Conflict
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings, load
from rubber_duck.storage.database import open_database
from rubber_duck.workflows.durable import Durable, open_durable

ME = Scope.local()
JOBS = ("analyze-project", "index-project", "report-project")
RESTS_S = 1.0
"""So long after a cancel its processes are watched, from a second behind it on."""
BUSY = 0.3
"""Of one processor, what a process takes that only looks into its queues is less than this."""


@dataclass(slots=True)
class Cancels:
    """Seconds until each cancelled run had left its place, and what was wrong, in sentences."""

    waits_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


async def cancelled(url: str, scratch: Path, times: int) -> dict[str, Cancels]:
    """Each of the jobs cancelled so often, at moments spread over all the time that it takes."""
    home, small = scratch / "home", scratch / "small"
    home.mkdir()
    small.mkdir()
    (small / "a.py").write_text("x = 1\n")
    queues = "".join(f"[workflows.queues.{name}]\nper_process = 1\n" for name in ("analysis", "indexing"))
    (home / "duck.toml").write_text(f'[database]\nurl = "{url}"\n{queues}')
    dice, copies, found = random.Random(1), _copies(scratch), {name: Cancels() for name in JOBS}
    async with _durable(load({"DUCK_HOME": str(home)})) as durable:
        with _working(home) as process:
            for name in JOBS:
                whole_s = await _whole_s(durable, name, next(copies))
                while (number := len(found[name].waits_s)) < times:
                    after_s = (number + dice.random()) / times * whole_s
                    bench = _Bench(durable, process, name, next(copies), small)
                    if not await _once(bench, found[name], after_s):
                        whole_s *= 0.9  # it had ended by then: the first one had its processes to start
    return found


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where a run is cancelled: the process that works, the job, its project and that of the run behind."""

    durable: Durable
    process: psutil.Process
    job: str
    large: Path
    small: Path


async def _whole_s(durable: Durable, job: str, project: Path) -> float:
    """How long the job works on such a project when nobody cancels it."""
    run_id = await durable.start(ME, job, {"path": str(project)})
    await _begun(durable, run_id)
    began = time.monotonic()
    await durable.answer(ME, run_id)
    return time.monotonic() - began


async def _begun(durable: Durable, run_id: str) -> None:
    while (await durable.show(ME, run_id)).state == "waiting":  # noqa: ASYNC110  # another process begins it
        await asyncio.sleep(0.005)


async def _once(bench: _Bench, found: Cancels, after_s: float) -> bool:
    """Cancel a run once, so many seconds after it began to work; False when it had ended before."""
    durable = bench.durable
    run_id = await durable.start(ME, bench.job, {"path": str(bench.large)})
    await _begun(durable, run_id)
    behind = await durable.start(ME, bench.job, {"path": str(bench.small)})
    await asyncio.sleep(after_s)
    began = time.monotonic()
    try:
        await durable.cancel(ME, run_id)
    except Conflict:
        return False
    await _begun(durable, behind)
    found.waits_s.append(time.monotonic() - began)
    await durable.answer(ME, behind)
    steps = await durable.steps(ME, run_id)
    await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - began)))
    spent_s = _spent_s(bench.process)
    await asyncio.sleep(RESTS_S)
    if (busy_s := _spent_s(bench.process) - spent_s) > BUSY * RESTS_S:
        found.faults.append(f"{bench.job}: its processes took {busy_s:.1f} s of {RESTS_S:g} s after the cancel")
    if await durable.steps(ME, run_id) != steps:
        found.faults.append(f"{bench.job}: the cancelled run has done another step")
    if left := [each.name for each in Path(durable.settings.home).rglob(f"{run_id}*")]:
        found.faults.append(f"{bench.job}: the cancelled run left {left[0]}")
    return True


def _spent_s(process: psutil.Process) -> float:
    spent = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system
    return spent


def _copies(scratch: Path) -> Iterator[Path]:
    """Copies of the modules of Python's own library, packages left out, no file of which is the same as in another."""
    library = Path(sysconfig.get_paths()["stdlib"])
    for number in itertools.count(1):
        folder = scratch / f"large-{number}"
        folder.mkdir()
        for path in library.glob("*.py"):
            (folder / path.name).write_bytes(path.read_bytes() + f"\n# copy {number}\n".encode())
        yield folder


@contextmanager
def _working(home: Path) -> Iterator[psutil.Process]:
    environment = {**os.environ, "DUCK_HOME": str(home)}
    with psutil.Popen([sys.executable, "-P", "-m", "rubber_duck", "--quiet", "work"], env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()


@asynccontextmanager
async def _durable(settings: Settings) -> AsyncIterator[Durable]:
    async with (
        open_database(settings.database) as database,
        open_durable(database, settings, resolve=resolving(database), now=lambda: datetime.now(UTC)) as durable,
    ):
        yield durable


__all__ = ["JOBS", "Cancels", "cancelled"]
