"""Kills `duck index` at random moments while files change, again and again; in the end the index must be a fresh one.

`python -m benchmarks.kills 100`; `make soak` does some of it in every round.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import open_database
from tests.contract.searching import Content, code, content_of, indexed, tree
from tests.factories import write_tree

FILES = 400
CHANGED = 60
LONGEST_S = 2.5


def killed_indexing(scratch: Path, seed: int, kills: int) -> list[str]:
    """What was lost: nothing, or a sentence."""
    dice = random.Random(seed)
    folder = write_tree(scratch / f"indexed{seed}", tree(seed, FILES))
    home = scratch / f"index-home{seed}"
    argv = [sys.executable, "-m", "rubber_duck", "index", str(folder)]
    quiet = subprocess.DEVNULL
    environment = {**os.environ, "DUCK_HOME": str(home)}
    killed = 0
    while killed < kills:
        process = subprocess.Popen(argv, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
        try:
            process.wait(timeout=dice.uniform(0.1, LONGEST_S))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
        _change(folder, dice)
    done = subprocess.run(argv, env=environment, capture_output=True, check=False, text=True)
    if done.returncode:
        return [f"seed {seed}: after {kills} kills, indexing ends with {done.returncode}: {done.stderr}"]
    if asyncio.run(_content(home, folder)) != asyncio.run(_content(scratch / f"fresh-index{seed}", folder)):
        return [f"seed {seed}: after {kills} kills, the index is not what a fresh one is"]
    return []


def _change(folder: Path, dice: random.Random) -> None:
    """Write, rename and remove some files."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in dice.sample(paths, CHANGED):
        what = dice.randrange(10)
        if what == 0 and len(paths) > FILES // 2:
            path.unlink()
        elif what == 1:
            path.rename(path.with_name(f"r{dice.randrange(10**6)}{path.suffix}"))
        else:
            path.write_text(code(dice.randrange(10**6), dice.randrange(9)))
    write_tree(folder, {f"new{dice.randrange(10**6)}.py": code(dice.randrange(10**6)) for _ in range(5)})


async def _content(home: Path, folder: Path) -> Content:
    settings = DatabaseSettings(url=f"sqlite:///{home}/duck.db")
    async with open_database(settings) as database, indexed(database, folder, {}) as project:
        return await content_of(database, project)


def main() -> int:
    """As many kills as the first argument says, 100 by default."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as scratch:
        lost = killed_indexing(Path(scratch), random.SystemRandom().randrange(10**6), kills)
    print(*(lost or [f"{kills} kills while indexing: nothing lost, and the index is what a fresh one is"]), sep="\n")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
