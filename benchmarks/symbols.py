"""Definitions and references of all of Django, beside the bare tree-sitter parse and, if it is there, ctags."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from benchmarks import corpus
from benchmarks.measure import measure
from benchmarks.others import Instant, Spent
from rubber_duck.code.code import open_source
from rubber_duck.code.codec import encode
from rubber_duck.code.extract import extract
from rubber_duck.code.grammar import grammar
from rubber_duck.code.symbols import FileSymbols
from rubber_duck.code.workers import Workers

ROUNDS = 5
"""How often each thing is measured; the best counts, because whatever disturbs only adds."""


def main() -> None:
    """Print seconds, and ratios to the bare parse of the same files in one process."""
    folder = corpus.django()
    files = [(str(path), path.read_bytes()) for path in sorted(folder.rglob("*.py"))]
    parser = grammar("python", "python").parser()
    found = [0, 0]

    def symbols(content: bytes, path: str) -> FileSymbols:
        facts = extract(open_source(path, content, "python"))
        found[0] += len(facts.symbols)
        found[1] += len(facts.references)
        return facts

    works: dict[str, Callable[[bytes, str], object]] = {
        "tree-sitter, parse alone": lambda content, path: parser.parse(content),
        "decode and parse under limits": lambda content, path: open_source(path, content, "python"),
        "symbols and references": symbols,
        "… kept as bytes": lambda content, path: encode(symbols(content, path)),
    }
    seconds = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        found[:] = 0, 0
        for name, work in works.items():
            seconds[name] = min(seconds[name], _cpu(work, files))
    bare_s = seconds["tree-sitter, parse alone"]
    megabytes = sum(len(content) for _, content in files) / 1e6
    print(f"{len(files)} files, {megabytes:.1f} MB: {found[0] // 2} definitions, {found[1] // 2} references")
    print(f"best of {ROUNDS}; DUCK_BENCH_DJANGO may name the folder of another copy\n")
    for name, cpu_s in seconds.items():
        print(f"{name:<42}{cpu_s:9.2f} s CPU  {cpu_s / bare_s:5.2f} x")
    rounds = asyncio.run(_two_workers(files))
    for name, spent in (("from their start", rounds[0]), ("that run", min(rounds[1:], key=lambda each: each.wall_s))):
        alone_s = spent.cpu_s / 2
        print(
            f"{f'… over two workers {name}':<42}{spent.wall_s:9.2f} s wall {spent.wall_s / bare_s:5.2f} x   "
            f"(half their CPU: {alone_s:.2f} s, {alone_s / bare_s:.2f} x; others had {spent.others:.0%} of the cores)"
        )
    ctags = shutil.which("ctags")
    if ctags:
        cost = measure([ctags, "-R", "--languages=Python", "--extras=+r", "-f", "/dev/null", "."], cwd=Path(folder))
        print(f"{'ctags with references':<42}{cost.cpu_s:9.2f} s CPU  {cost.cpu_s / bare_s:5.2f} x")
    else:
        print("ctags is not installed: not compared")


def open_task(initial: bytes) -> Callable[[bytes], bytes]:
    """What a worker does with a path: the symbols of that file, as they are kept."""
    del initial

    def task(path: bytes) -> bytes:
        name = os.fsdecode(path)
        return encode(extract(open_source(name, Path(name).read_bytes(), "python")))

    return task


async def _two_workers(files: list[tuple[str, bytes]]) -> list[Spent]:
    """What all files cost over two processes: the first time with their start, then once they run."""
    workers = Workers(2, "benchmarks.symbols:open_task")
    items, sizes = [os.fsencode(path) for path, _ in files], [len(content) for _, content in files]
    rounds = []
    for _ in range(1 + ROUNDS):
        before = Instant.now()
        async with aclosing(workers.map(items, sizes=sizes, deadline_s=30.0)) as answers:
            async for _index, answer in answers:
                assert isinstance(answer, bytes)
        rounds.append(Spent.since(before))
    await workers.close()
    return rounds


def _cpu(work: Callable[[bytes, str], object], files: list[tuple[str, bytes]]) -> float:
    started = time.process_time()
    for path, content in files:
        work(content, path)
    return time.process_time() - started


if __name__ == "__main__":
    main()
