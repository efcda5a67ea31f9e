"""How the server does: each part with a time-out, so that one that hangs is a part that is ill."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable
from typing import Final

import msgspec

from rubber_duck import __version__
from rubber_duck.errors import DuckError
from rubber_duck.server.desk import Desk
from rubber_duck.storage.database import Database

PART_TIMEOUT_S: Final = 2.0


class PartView(msgspec.Struct, frozen=True):
    """One part."""

    ok: bool
    detail: str


class HealthView(msgspec.Struct, frozen=True):
    """The whole. `memory_bytes` is resident memory, 0 where the system does not say; `uptime_s` since it began."""

    ok: bool
    version: str
    uptime_s: float
    sockets: int
    memory_bytes: int
    parts: dict[str, PartView]


async def examine(desk: Desk) -> HealthView:
    """Ask every part at once."""
    opened = desk.app.parts.opened
    names = ("database", "cluster", "disk", "engines")
    asked = (_database(opened["database"]), _cluster(desk), _disk(desk.app.settings.home), _engines(desk))
    parts = dict(zip(names, await asyncio.gather(*map(_timed, asked)), strict=True))
    ok = all(part.ok for part in parts.values())
    return HealthView(ok, __version__, round(desk.uptime_s(), 1), desk.sockets(), memory_bytes(), parts)


async def is_ready(desk: Desk) -> bool:
    """Whether requests can be answered: the database answers."""
    return (await _timed(_database(desk.app.parts.opened["database"]))).ok


async def _timed(asked: Awaitable[PartView]) -> PartView:
    try:
        async with asyncio.timeout(PART_TIMEOUT_S):
            return await asked
    except TimeoutError:
        return PartView(ok=False, detail=f"no answer within {PART_TIMEOUT_S:g} s")
    except DuckError as error:
        return PartView(ok=False, detail=error.message)


async def _database(part: object) -> PartView:
    assert isinstance(part, Database)
    health = await part.health()
    return PartView(ok=True, detail=f"schema {health.schema}, {health.latency_s * 1000:.1f} ms")


async def _cluster(desk: Desk) -> PartView:
    health = await desk.cluster.health()
    return PartView(health.ok, health.detail)


async def _disk(home: str) -> PartView:
    free = (await asyncio.to_thread(shutil.disk_usage, home)).free
    return PartView(ok=free > 100_000_000, detail=f"{free // 1_000_000:,} MB free")


async def _engines(desk: Desk) -> PartView:
    ill = [f"{name}: {health.detail}" for name, health in (await desk.app.roster.health()).items() if not health.ok]
    return PartView(ok=not ill, detail="; ".join(ill))


def memory_bytes() -> int:
    """Resident memory of this process, 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
