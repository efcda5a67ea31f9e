"""How much of the machine others used while something was measured: above a few per cent, wall times say little."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Instant:
    """The clocks at one moment: wall, what all processes used of the cores, what this one and its children used."""

    wall_s: float
    all_s: float
    ours_s: float

    @classmethod
    def now(cls) -> Instant:
        """Read them. Children count while they run or once they were waited for."""
        cores = psutil.cpu_times()
        idle_s = cores.idle + getattr(cores, "iowait", 0.0)
        busy_s = sum(cores) - idle_s - getattr(cores, "guest", 0.0) - getattr(cores, "guest_nice", 0.0)
        me = psutil.Process()
        mine = me.cpu_times()
        ours_s = mine.user + mine.system + mine.children_user + mine.children_system
        for child in me.children(recursive=True):
            used = child.cpu_times()
            ours_s += used.user + used.system
        return cls(time.perf_counter(), busy_s, ours_s)


@dataclass(frozen=True, slots=True)
class Spent:
    """Between two instants: `wall_s`, `cpu_s` of this process and its children, `others` as a share of all cores."""

    wall_s: float
    cpu_s: float
    others: float

    @classmethod
    def since(cls, before: Instant) -> Spent:
        """From `before` to now."""
        after = Instant.now()
        wall_s, cpu_s = after.wall_s - before.wall_s, after.ours_s - before.ours_s
        cores = len(os.sched_getaffinity(0))
        return cls(wall_s, cpu_s, max(0.0, (after.all_s - before.all_s - cpu_s) / (wall_s * cores)))
