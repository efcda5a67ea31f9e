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
from rubber_duck.code.code import open_source
from rubber_duck.code.codec import encode
from rubber_duck.code.extract import extract
from rubber_duck.code.grammar import grammar
from rubber_duck.code.workers import Workers


def main() -> None:
    """Print CPU seconds of one process, and ratios."""
    folder = corpus.django()
    files = [(str(path), path.read_bytes()) for path in sorted(folder.rglob("*.py"))]
    parser = grammar("python", "python").parser()
    bare_s = _cpu(lambda content, path: parser.parse(content), files)
    opened_s = _cpu(lambda content, path: open_source(path, content, "python"), files)
    found = [0, 0]

    def symbols(content: bytes, path: str) -> None:
        facts = extract(open_source(path, content, "python"))
        found[0] += len(facts.symbols)
        found[1] += len(facts.references)

    symbols_s = _cpu(symbols, files)
    megabytes = sum(len(content) for _, content in files) / 1e6
    print(f"{len(files)} files, {megabytes:.1f} MB: {found[0]} definitions, {found[1]} references\n")
    print(f"{'tree-sitter, parse alone':<42}{bare_s:9.2f} s CPU")
    print(f"{'decode and parse under limits':<42}{opened_s:9.2f} s CPU  {opened_s / bare_s:5.2f} x")
    print(f"{'symbols and references':<42}{symbols_s:9.2f} s CPU  {symbols_s / bare_s:5.2f} x")
    cold_s, warm_s = asyncio.run(_two_workers(files))
    print(f"{'… kept as bytes, two workers, cold':<42}{cold_s:9.2f} s wall {cold_s / bare_s:5.2f} x")
    print(f"{'… kept as bytes, two workers, warm':<42}{warm_s:9.2f} s wall {warm_s / bare_s:5.2f} x")
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


async def _two_workers(files: list[tuple[str, bytes]]) -> tuple[float, float]:
    """Wall seconds for all files over two processes: with their start, and once they run."""
    workers = Workers(2, "benchmarks.symbols:open_task")
    items, sizes = [os.fsencode(path) for path, _ in files], [len(content) for _, content in files]
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        async with aclosing(workers.map(items, sizes=sizes, deadline_s=30.0)) as answers:
            async for _index, answer in answers:
                assert isinstance(answer, bytes)
        seconds.append(time.perf_counter() - started)
    await workers.close()
    return seconds[0], seconds[1]


def _cpu(work: object, files: list[tuple[str, bytes]]) -> float:
    assert callable(work)
    started = time.process_time()
    for path, content in files:
        work(content, path)
    return time.process_time() - started


if __name__ == "__main__":
    main()
