"""A long run: damaged files, round after round with fresh seeds, and an analysis, an indexing and processes that work
through queues, which are killed again and again.

`make soak ARGS="--minutes 10"`, or `ARGS="--kills 1000"` for so many kills of processes that work, over SQLite, over
PostgreSQL, and over a PostgreSQL that is restarted meanwhile. Prints what was lost; the status is 1 when anything was.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cuts import cut
from benchmarks.durable import KINDS, rounds
from benchmarks.frames import fuzzed
from benchmarks.kills import killed_indexing
from rubber_duck.analysis.analysis import open_analysis
from rubber_duck.analysis.outcome import Outcome
from rubber_duck.analysis.target import target
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.killing.kills import Plan
from tests.unit.analysis.mutations import mutated, originals

FILES_PER_ROUND = 1_000
KILLS_PER_ROUND = 10
KILLS_AT_ONCE = 100
CUTS_PER_ROUND = 10_000
FRAMES_PER_ROUND = 100_000
BAD = {"crashed", "rule_failed", "ruff_failed"}


async def analyze(folder: Path, home: Path) -> Outcome:
    """One analysis in this process."""
    settings = load({"DUCK_HOME": str(home), "DUCK_WORKERS_FILE_TIMEOUT_S": "2"})
    async with open_analysis(settings) as analysis:
        return await analysis.run(target([str(folder)], "", settings), lambda done, total, note: None)


def damaged_round(scratch: Path, seed: int) -> list[str]:
    """Analyse damaged files; what crashed, hung or disturbed a whole file."""
    good = {f"good/{name}": content for name, content in originals().items()}
    folder = write_tree(scratch / f"damaged{seed}", {**good, **dict(mutated(FILES_PER_ROUND, seed))})
    alone = write_tree(scratch / f"alone{seed}", good)
    outcome = asyncio.run(analyze(folder, scratch / f"home{seed}"))
    expected = asyncio.run(analyze(alone, scratch / f"home{seed}"))
    lost = [f"seed {seed}: {each.path} {each.reason}: {each.detail}" for each in outcome.problems if each.reason in BAD]
    found = {file.path: file.findings for file in outcome.files}
    return lost + [f"seed {seed}: {file.path} changed" for file in expected.files if found[file.path] != file.findings]


def killed_round(scratch: Path, seed: int) -> list[str]:
    """Kill `duck up` at random moments, then let it finish: it must say what an undisturbed one says."""
    dice = random.Random(seed)
    folder = write_tree(scratch / f"killed{seed}", {f"p/{name}": text for name, text in mutated(200, seed)})
    environment = {**os.environ, "DUCK_HOME": str(scratch / f"killed-home{seed}")}
    argv = [sys.executable, "-m", "rubber_duck", "up", str(folder), "--format", "json"]
    for _ in range(KILLS_PER_ROUND):
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(argv, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
        try:
            process.wait(timeout=dice.uniform(0.05, 2.5))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    interrupted = subprocess.run(argv, env=environment, capture_output=True, check=False)
    fresh_home = {**os.environ, "DUCK_HOME": str(scratch / f"fresh-home{seed}")}
    fresh = subprocess.run(argv, env=fresh_home, capture_output=True, check=False)
    if interrupted.returncode or fresh.returncode or interrupted.stdout != fresh.stdout:
        return [f"seed {seed}: after kills, status {interrupted.returncode} and another report than a fresh run"]
    return []


def killed_working(kills: int, seed: int) -> list[str]:
    """So many kills over each kind of database, and what was lost."""
    lost: list[str] = []
    for kind in KINDS:
        found = rounds(Plan(kills, seed=seed), kind)
        print(f"{kind}, seed {seed}: {found.said()}", flush=True)
        lost += found.faults
    return lost


def main() -> int:
    """Rounds until the time is up, or so many kills were made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--kills", type=int, default=0, help="only so many of processes that work, over each database")
    arguments = parser.parse_args()
    if arguments.kills:
        made = range(0, arguments.kills, KILLS_AT_ONCE)
        lost = [each for done in made for each in killed_working(KILLS_AT_ONCE, arguments.seed + done)]
        print(*lost[:50], sep="\n")
        return 1 if lost else 0
    end = time.monotonic() + arguments.minutes * 60
    seed, lost = arguments.seed, list[str]()
    while time.monotonic() < end and len(lost) < 20:
        with tempfile.TemporaryDirectory() as scratch:
            lost += damaged_round(Path(scratch), seed) + killed_round(Path(scratch), seed)
            lost += killed_indexing(Path(scratch), seed, KILLS_PER_ROUND)
        lost += killed_working(KILLS_PER_ROUND, seed)
        lost += asyncio.run(cut(CUTS_PER_ROUND, CUTS_PER_ROUND // 100, seed)).wrong
        lost += fuzzed(FRAMES_PER_ROUND, seed)
        done = f"{FILES_PER_ROUND} damaged files, {KILLS_PER_ROUND} kills while analysing, as many while indexing"
        done += f", {CUTS_PER_ROUND:,} cuts of streams, {FRAMES_PER_ROUND:,} frames"
        print(f"seed {seed}: {done}, {len(lost)} losses", flush=True)
        seed += 1
    print(*lost, sep="\n")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
