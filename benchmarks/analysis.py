"""Analysis of Django beside ruff, bandit, vulture, radon and lizard: cold, nothing changed, one file changed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import corpus
from benchmarks.measure import HEAD, Cost, measure
from rubber_duck.app import open_app
from rubber_duck.scope import Scope
from rubber_duck.settings import load

BIN = Path(sys.executable).parent
FOUND = (0, 1, 3)
"""Statuses of a tool that ran: 1 when it found something, 3 for vulture."""
CHANGED_FILE = "django/db/models/query.py"


def main() -> None:
    """Print the table and the ratios."""
    source = corpus.django()
    with tempfile.TemporaryDirectory() as scratch:
        tree = corpus.copy_of(source, Path(scratch) / "django")
        print(f"Django 5.2.7, {sum(1 for _ in tree.rglob('*.py'))} Python files\n\n{HEAD}")
        ours = _ours(tree, Path(scratch) / "home")
        peers = _peers(tree)
        for name, cost in peers.items():
            print(cost.row(name))
        series = sum(peers[name].wall_s for name in ("bandit", "vulture", "radon", "lizard"))
        print(f"\ncold, beside bandit + vulture + radon + lizard in series: {series / ours.wall_s:.1f} x faster")
        print(f"cold, beside ruff alone: {ours.wall_s / peers['ruff S,F,C90,N,E'].wall_s:.1f} x its time")
        warm = json.loads(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.analysis", "--warm", tree, Path(scratch) / "warm"],
                check=True,
                capture_output=True,
                text=True,
                cwd=Path(__file__).resolve().parent.parent,
            ).stdout
        )
        print("\nin one warm process (median of 5)")
        for name, seconds in warm.items():
            print(f"{name:<54}{seconds * 1000:9.1f} ms")


def _ours(tree: Path, home: Path) -> Cost:
    environment = {"DUCK_HOME": str(home)}
    argv = [BIN / "duck", "analyze", ".", "--format", "json", "--output", home.parent / "report.json"]
    cold = measure(argv, cwd=tree, environment=environment, fine=FOUND)
    print(cold.row("duck analyze, cold"))
    measure(argv, cwd=tree, environment=environment, fine=FOUND)  # the files were copied a moment ago: sightings settle
    print(measure(argv, cwd=tree, environment=environment, fine=FOUND).row("duck analyze, nothing changed"))
    changed = tree / CHANGED_FILE
    changed.write_bytes(changed.read_bytes() + b"\n\ndef added_by_the_benchmark():\n    return 1\n")
    print(measure(argv, cwd=tree, environment=environment, fine=FOUND).row("duck analyze, one file changed"))
    up = measure([BIN / "duck", "up", "."], cwd=tree, environment={"DUCK_HOME": str(home.parent / "up")}, fine=FOUND)
    print(up.row("duck up, cold (analysed and kept)"))
    return cold


def _peers(tree: Path) -> dict[str, Cost]:
    commands: dict[str, list[str | Path]] = {
        "ruff S,F,C90,N,E": [BIN / "ruff", "check", "--isolated", "--no-cache", "--select", "S,F,C90,N,E", "."],
        "bandit": [BIN / "bandit", "-q", "-r", "."],
        "vulture": [BIN / "vulture", "."],
        "radon": [BIN / "radon", "cc", "-s", "."],
        "lizard": [BIN / "lizard", "-l", "python", "."],
    }
    return {name: measure(argv, cwd=tree, fine=FOUND) for name, argv in commands.items()}


async def _warm(tree: Path, home: Path) -> dict[str, float]:
    """Medians in seconds inside one process: nothing changed, one file changed."""
    settings = load({"DUCK_HOME": str(home)})
    request = {"paths": [str(tree)], "format": "json", "limit": 0}
    async with open_app(settings, for_engines=["analyze"]) as app:

        async def once(paths: list[str]) -> float:
            started = time.perf_counter()
            await app.run("analyze", {**request, "paths": paths}, Scope.local())
            return time.perf_counter() - started

        await once([str(tree)])
        await once([str(tree)])
        nothing = sorted([await once([str(tree)]) for _ in range(5)])[2]
        found = {"the whole tree, nothing changed": nothing}

        async def changed(file: Path, paths: list[str]) -> float:
            seconds = []
            for number in range(5):
                file.write_bytes(file.read_bytes() + f"\nADDED_{number} = {number}\n".encode())
                seconds.append(await once(paths))
            return sorted(seconds)[2]

        median = sorted(tree.rglob("*.py"), key=lambda file: file.stat().st_size)[1409]
        for name, file in (("median", median), ("large", tree / CHANGED_FILE)):
            size = f"one {name} file changed ({file.stat().st_size / 1000:.0f} kB)"
            found[f"the whole tree, {size}"] = await changed(file, [str(tree)])
            found[f"{size}, alone"] = await changed(file, [str(file)])
    return found


if __name__ == "__main__":
    if "--warm" in sys.argv:
        print(json.dumps(asyncio.run(_warm(Path(sys.argv[-2]), Path(sys.argv[-1])))))
    else:
        main()
