"""Runs a command and says what it cost: wall time, CPU time, and peak memory over its whole process tree."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_S = 0.02


@dataclass(frozen=True, slots=True)
class Cost:
    """`wall_s` and `cpu_s` in seconds; `peak_bytes` is the largest sum of resident memory seen over the tree."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    status: int

    def row(self, name: str, *, beside: Cost | None = None) -> str:
        """One line of a table; `beside` adds how many times longer that one took."""
        ratio = f"  {beside.wall_s / self.wall_s:6.1f} x" if beside else ""
        return f"{name:<42}{self.wall_s:9.2f} s {self.cpu_s:9.2f} s {self.peak_bytes / 1e6:9.0f} MB{ratio}"


HEAD = f"{'':<42}{'wall':>11} {'CPU':>11} {'peak':>12}"


def measure(
    argv: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str] | None = None, fine: Sequence[int] = (0,)
) -> Cost:
    """Run `argv` to its end, output thrown away; a status that is not `fine` ends the benchmark."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(each) for each in argv],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    status = process.wait()
    wall_s = time.perf_counter() - started
    if status not in fine:
        sys.exit(f"{' '.join(map(str, argv))} ended with {status}: nothing was measured")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    watcher.join()
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s, cpu_s, peak[0], status)


def _watch(pid: int, peak: list[int]) -> None:
    try:
        top = psutil.Process(pid)
        while top.is_running() and top.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for process in [top, *top.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            peak[0] = max(peak[0], total)
            time.sleep(SAMPLE_S)
    except psutil.NoSuchProcess:
        return
