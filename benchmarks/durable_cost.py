"""What durability costs: Django analysed as a workflow beside the direct call, and killed half-way.

`python -m benchmarks.durable_cost FOLDER [PAIRS]`. Each way has an empty home and a process of its own, which has
analysed a project of one file that way before: what a server imports and starts once is not counted. The cost is
processor time of the process and its workers, and seconds on the wall. The ways take turns in being first.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from rubber_duck import fault
from rubber_duck.app import App, open_app
from rubber_duck.jobs.hands import Hands
from rubber_duck.jobs.reports import Wanted, written_report
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from rubber_duck.workflows.working import working
from rubber_duck.workspace.paths import Root

PAIRS = 5
MOST = 1.15
"""So many times the direct call it may cost."""
ME = Scope.local()


async def direct(app: App, folder: str) -> int:
    """Analyse, keep and report; how many steps."""
    hands = Hands(app.parts, app.run)
    await written_report(hands, ME, Root(folder), Wanted("html", "direct"), lambda done, total, note: None)
    return 0


async def durable(app: App, folder: str) -> int:
    """The same as a workflow."""
    work = app.parts.workflows
    run_id = await work.start(ME, "analyze-project", {"path": folder})
    await work.answer(ME, run_id)
    return len(await work.steps(ME, run_id))


async def measured(way: str, folder: str) -> dict[str, float]:
    """One way, once, in a process that works; opening and closing are not counted."""
    do = direct if way == "direct" else durable
    async with open_app(load(), for_engines=["workflow"]) as app, working(app.parts.workflows):
        with tempfile.TemporaryDirectory() as small:
            Path(small, "a.py").write_text("x = 1\n")
            await do(app, small)
        before, began = _cpu_s(), time.monotonic()
        steps = await do(app, folder)
        wall_s, cpu_s = time.monotonic() - began, _cpu_s() - before
    return {"wall_s": wall_s, "cpu_s": cpu_s, "steps": steps}


def _cpu_s() -> float:
    """Of this process, of its workers, which live, and of those that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    living = [each.cpu_times() for each in psutil.Process().children(recursive=True)]
    return sum(each.ru_utime + each.ru_stime for each in used) + sum(each.user + each.system for each in living)


def _in_process(way: str, folder: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        argv = [sys.executable, "-m", "benchmarks.durable_cost", way, folder]
        done = subprocess.run(argv, env={**os.environ, "DUCK_HOME": home}, capture_output=True, check=True, text=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found


def _pair(folder: str, first: str) -> dict[str, dict[str, float]]:
    order = (first, "durable" if first == "direct" else "direct")
    return {way: _in_process(way, folder) for way in order}


async def counted(folder: str, diary: str) -> None:
    """Start the analysis, or go on with it, and write a line whenever a step is begun."""

    def begun() -> None:
        with open(diary, "a") as file:
            file.write("begun\n")

    with fault.injected("workflow.before_step", begun):
        async with open_app(load(), for_engines=["workflow"]) as app, working(app.parts.workflows):
            work = app.parts.workflows
            known = await work.runs(ME, limit=1)
            run_id = known[0].id if known else await work.start(ME, "analyze-project", {"path": folder})
            await work.answer(ME, run_id)


def killed_half_way(folder: str) -> tuple[str, bool]:
    """Kill the analysis when half of its batches are done, and let it finish: what became of it, and if that is well.

    No step that was kept may be another one then, and no more than one may have been begun twice.
    """
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "DUCK_HOME": home,
            "DUCK_WORKFLOWS_DEAD_AFTER_S": "2",
            "DUCK_WORKFLOWS_HEARTBEAT_S": "0.5",
        }
        diary = f"{home}/begun"
        argv = [sys.executable, "-m", "benchmarks.durable_cost", "counted", folder, diary]
        duck = [sys.executable, "-m", "rubber_duck"]
        process = subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
        while (run := _newest(duck, environment)).get("done", 0) < 10:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        before = {step["name"]: step for step in _shown(duck, environment, run["id"])["steps"]}
        subprocess.run(argv, env=environment, check=True)
        after = {step["name"]: step for step in _shown(duck, environment, run["id"])["steps"]}
        with open(diary) as file:
            again = len(file.readlines()) - len(after)
    kept = sum(after[name] == step for name, step in before.items())
    said = f"killed after {len(before)} of {len(after)} steps: {kept} of them kept as they were, {again} begun again"
    return said, kept == len(before) and again <= 1


def _newest(duck: list[str], environment: dict[str, str]) -> dict[str, Any]:  # Any: what the command says
    done = subprocess.run([*duck, "workflow", "list", "--json"], env=environment, capture_output=True, check=False)
    runs = json.loads(done.stdout or b'{"runs": []}')["runs"]
    return runs[0] if runs else {}


def _shown(duck: list[str], environment: dict[str, str], run: object) -> dict[str, Any]:  # Any: as above
    done = subprocess.run(
        [*duck, "workflow", "show", str(run), "--json"], env=environment, capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    """The median over pairs of either way, one after the other. 1 when it costs more, or more is done again."""
    if sys.argv[1] in ("direct", "durable"):
        print(json.dumps(asyncio.run(measured(*sys.argv[1:]))))
        return 0
    if sys.argv[1] == "counted":
        asyncio.run(counted(*sys.argv[2:]))
        return 0
    folder, pairs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else PAIRS
    found = [_pair(folder, first) for first in (["direct", "durable"] * pairs)[:pairs]]
    medians = []
    for name in ("wall_s", "cpu_s"):
        ratios = sorted(pair["durable"][name] / pair["direct"][name] for pair in found)
        plain, kept = (statistics.median(pair[way][name] for pair in found) for way in ("direct", "durable"))
        steps = found[0]["durable"]["steps"]
        medians.append(statistics.median(ratios))
        print(
            f"{name}: direct {plain:.2f}, as a workflow of {steps:.0f} steps {kept:.2f}; ratio {ratios[0]:.2f} to "
            f"{ratios[-1]:.2f}, median {medians[-1]:.2f} of {pairs} pairs",
            flush=True,
        )
    said, is_well = killed_half_way(folder)
    print(said)
    return 0 if is_well and max(medians) <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
