"""Analysis of Django beside ruff, bandit, vulture, radon and lizard: cold, nothing changed, one file changed."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import corpus
from benchmarks.measure import HEAD, Cost, measure
from benchmarks.others import Instant, Spent
from rubber_duck.app import open_app
from rubber_duck.scope import Scope
from rubber_duck.settings import load

BIN = Path(sys.executable).parent
FOUND = (0, 1, 3)
"""Statuses of a tool that ran: 1 when it found something, 3 for vulture."""
ROUNDS = 5
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
        print(f"\n{'in one warm process':<54}{'median of 5':>12} {'best':>12} {'CPU each':>12} {'others had':>12}")
        for name, (median_ms, best_ms, cpu_ms, others) in warm.items():
            print(f"{name:<54}{median_ms:9.1f} ms {best_ms:9.1f} ms {cpu_ms:9.1f} ms {others:11.0%}")


def _ours(tree: Path, home: Path) -> Cost:
    environment = {"DUCK_HOME": str(home)}
    argv: list[str | Path] = [BIN / "duck", "analyze", ".", "--format", "json", "--output", home.parent / "report.json"]
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


async def _warm(tree: Path, home: Path) -> dict[str, tuple[float, float, float, float]]:
    """Inside one process, nothing changed and one file changed: milliseconds, and what others had of the cores.

    The median and the best of the wall times, the CPU of each round with that of workers and ruff.
    """
    settings = load({"DUCK_HOME": str(home)})
    request = {"paths": [str(tree)], "format": "json", "limit": 0}
    async with open_app(settings, for_engines=["analyze"]) as app:

        async def rounds(paths: list[str], change: Callable[[int], None]) -> tuple[float, float, float, float]:
            walls = []
            before = Instant.now()
            for number in range(ROUNDS):
                change(number)
                started = time.perf_counter()
                await app.run("analyze", {**request, "paths": paths}, Scope.local())
                walls.append(1000 * (time.perf_counter() - started))
            spent = Spent.since(before)
            return statistics.median(walls), min(walls), 1000 * spent.cpu_s / ROUNDS, spent.others

        def add_to(file: Path) -> Callable[[int], None]:
            return lambda number: _append(file, f"\nADDED_{number} = {number}\n".encode())

        def nothing(number: int) -> None:
            del number

        await rounds([str(tree)], nothing)
        found = {"the whole tree, nothing changed": await rounds([str(tree)], nothing)}
        median = sorted(tree.rglob("*.py"), key=lambda file: file.stat().st_size)[1409]
        for name, file in (("median", median), ("large", tree / CHANGED_FILE)):
            size = f"one {name} file changed ({file.stat().st_size / 1000:.0f} kB)"
            found[f"the whole tree, {size}"] = await rounds([str(tree)], add_to(file))
            found[f"{size}, alone"] = await rounds([str(file)], add_to(file))
    return found


def _append(file: Path, content: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(content)


if __name__ == "__main__":
    if "--warm" in sys.argv:
        print(json.dumps(asyncio.run(_warm(Path(sys.argv[-2]), Path(sys.argv[-1])))))
    else:
        main()
