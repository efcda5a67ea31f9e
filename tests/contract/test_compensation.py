"""Undoing what a failed run did goes on elsewhere when the process is killed in the middle of it."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from rubber_duck.errors import Conflict
from rubber_duck.fault import ENVIRONMENT
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from tests.durable import Bench, durable_over, working

ME = Scope.local()
ROOT = Path(__file__).parents[2]

# Works until it is killed, with one failure to come; says each line of the diary as it is written.
PROGRAM = """
import asyncio, sys
from rubber_duck import fault
from rubber_duck.settings import DatabaseSettings
from tests.durable import Bench, durable_over, working

class Loud(list):
    def append(self, line):
        print(line, flush=True)

async def main(url):
    bench = Bench(diary=Loud(), failures=1)
    async with durable_over(DatabaseSettings(url=url), bench) as durable, working(durable):
        fault.arm_from_environment()
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


async def lines_of(settings: DatabaseSettings, last: str, fault: str = "") -> list[str]:
    """What a process says that is killed when it has said `last`, or kills itself at a fault point."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, settings.url),
        cwd=ROOT,
        env={ENVIRONMENT: fault} if fault else {},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said: list[str] = []
    while last not in said and (line := await process.stdout.readline()):
        said.append(line.decode().strip())
    if last in said:
        process.kill()
    assert await process.wait() == -signal.SIGKILL
    return said


async def test_a_kill_while_a_step_is_undone_undoes_that_step_again_and_no_other(settings: DatabaseSettings) -> None:
    bench = Bench()
    bench.gate.set()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["undo:a", "hold:b", "undo:c", "fail:d"]})
        assert await lines_of(settings, "undo b") == ["a", "b", "c", "d", "undo c", "undo b"]
        async with working(durable):
            with pytest.raises(Conflict, match="d is bad"):
                await durable.answer(ME, run_id)
        names = [step.name for step in await durable.steps(ME, run_id)]
    assert bench.diary == ["undo b", "undo a"]
    assert names == ["a", "b", "c", "d", "undo c", "undo b", "undo a"]


async def test_a_kill_before_anything_is_undone_undoes_all_of_it(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["undo:a", "undo:b", "fail:c"]})
        assert await lines_of(settings, "never", "workflow.before_undo") == ["a", "b", "c"]
        async with working(durable):
            with pytest.raises(Conflict, match="c is bad"):
                await durable.answer(ME, run_id)
    assert bench.diary == ["undo b", "undo a"]


async def test_steps_side_by_side_are_undone_in_one_order_whichever_ended_first(settings: DatabaseSettings) -> None:
    bench = Bench()
    bench.gate.set()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["hold:a", "sides:b,c,d", "fail:e"]})
        said = await lines_of(settings, "undo a")
        assert (sorted(said[1:4]), said[4:]) == (["b", "c", "d"], ["e", "undo d", "undo c", "undo b", "undo a"])
        async with working(durable):
            with pytest.raises(Conflict, match="e is bad"):
                await durable.answer(ME, run_id)
    assert bench.diary == ["undo a"]
