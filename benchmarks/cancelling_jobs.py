"""How soon a cancel ends analyses, indexing and reports that another process works on, and what they do afterwards.

`duck work` with one place in each queue works on a copy of Python's own library. Behind each run a small one waits, and
begins when the cancelled one has left its place. What is written for a cancelled run afterwards is a fault, and so is
a process that goes on computing.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
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
    """Each of the jobs cancelled so often, at moments drawn at random while it works."""
    home, (large, small) = scratch / "home", _projects(scratch)
    home.mkdir()
    queues = "".join(f"[workflows.queues.{name}]\nper_process = 1\n" for name in ("analysis", "indexing"))
    (home / "duck.toml").write_text(f'[database]\nurl = "{url}"\n{queues}')
    dice, found = random.Random(1), {name: Cancels() for name in JOBS}
    async with _durable(load({"DUCK_HOME": str(home)})) as durable:
        with _working(home) as process:
            for name in JOBS:
                most_s = 3.0
                while len(found[name].waits_s) < times:
                    after_s = dice.uniform(0.0, most_s)
                    if not await _once(durable, process, (name, large, small), found[name], after_s):
                        most_s = after_s  # it had ended by then, and is faster than that
    return found


async def _once(
    durable: Durable, process: psutil.Process, job: tuple[str, Path, Path], found: Cancels, after_s: float
) -> bool:
    """Cancel a run once, so many seconds after it began to work; False when it had ended before."""
    name, large, small = job
    run_id = await durable.start(ME, name, {"path": str(large)})
    while not (await durable.show(ME, run_id)).note:  # noqa: ASYNC110  # another process writes it
        await asyncio.sleep(0.01)
    behind = await durable.start(ME, name, {"path": str(small)})
    await asyncio.sleep(after_s)
    began = time.monotonic()
    try:
        await durable.cancel(ME, run_id)
    except Conflict:
        return False
    while (await durable.show(ME, behind)).state == "waiting":  # noqa: ASYNC110  # as above
        await asyncio.sleep(0.005)
    found.waits_s.append(time.monotonic() - began)
    await durable.answer(ME, behind)
    steps = await durable.steps(ME, run_id)
    await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - began)))
    spent_s = _spent_s(process)
    await asyncio.sleep(RESTS_S)
    if (busy_s := _spent_s(process) - spent_s) > BUSY * RESTS_S:
        found.faults.append(f"{name}: its processes took {busy_s:.1f} s of {RESTS_S:g} s after the cancel")
    if await durable.steps(ME, run_id) != steps:
        found.faults.append(f"{name}: the cancelled run has done another step")
    if left := [each.name for each in Path(durable.settings.home).rglob(f"{run_id}*")]:
        found.faults.append(f"{name}: the cancelled run left {left[0]}")
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


def _projects(scratch: Path) -> tuple[Path, Path]:
    """A copy of what is Python in Python's own library, and a project of one file."""
    library, large, small = Path(sysconfig.get_paths()["stdlib"]), scratch / "large", scratch / "small"
    ignored = shutil.ignore_patterns("site-packages", "dist-packages", "__pycache__", "test", "tests", "*.so", "*.a")
    shutil.copytree(library, large, ignore=ignored)
    small.mkdir()
    (small / "a.py").write_text("x = 1\n")
    return large, small


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
