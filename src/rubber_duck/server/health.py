"""How the server does: each part with a time-out, so that one that hangs is a part that is ill."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import msgspec

from rubber_duck import __version__
from rubber_duck.accounts.roles import RIGHTS, Role
from rubber_duck.errors import NotFound, normalize
from rubber_duck.scope import Actor, Right, Scope, new_trace
from rubber_duck.server.desk import Desk, installation
from rubber_duck.storage.database import Database

PART_TIMEOUT_S: Final = 2.0
LATE_S: Final = 600.0
"""Work that waits for so long, while nothing is done, is not going to be."""

_PROBED_S: Final = 30.0
_LOOKED_AT: Final = 20
_FREE_BYTES: Final = 100_000_000
_FREE_SHARE: Final = 0.03
_COPY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How the folder of a copy is called, on whichever node it was made."""


class PartView(msgspec.Struct, frozen=True):
    """One part."""

    ok: bool
    detail: str


class HealthView(msgspec.Struct, frozen=True):
    """The whole. `memory_bytes` is resident memory, 0 where the system does not say; `uptime_s` since it began.

    `sockets_by_kind` says what their members came with.
    """

    ok: bool
    version: str
    uptime_s: float
    sockets: int
    sockets_by_kind: dict[str, int]
    memory_bytes: int
    parts: dict[str, PartView]


async def examine(desk: Desk, *, timeout_s: float = PART_TIMEOUT_S) -> HealthView:
    """Ask every part at once."""
    answers = await asyncio.gather(*(_timed(ask(desk), timeout_s) for ask in _PARTS.values()))
    parts = dict(zip(_PARTS, answers, strict=True))
    census = desk.sockets()
    ok = all(part.ok for part in parts.values())
    uptime_s = round(desk.uptime_s(), 1)
    return HealthView(ok, __version__, uptime_s, len(census), dict(census.by_kind), memory_bytes(), parts)


async def is_ready(desk: Desk) -> bool:
    """Whether requests can be answered: the database answers."""
    return (await _timed(_database(desk), PART_TIMEOUT_S)).ok


async def _timed(asked: Awaitable[PartView], timeout_s: float) -> PartView:
    try:
        async with asyncio.timeout(timeout_s):
            return await asked
    except TimeoutError:
        return PartView(ok=False, detail=f"no answer within {timeout_s:g} s")
    except Exception as error:  # noqa: BLE001  # the border: a part that cannot be asked is ill, and the others are told
        return PartView(ok=False, detail=normalize(error).message)


async def _database(desk: Desk) -> PartView:
    part = desk.app.parts.opened["database"]
    assert isinstance(part, Database)
    health = await part.health()
    return PartView(ok=True, detail=f"schema {health.schema}, {health.latency_s * 1000:.1f} ms")


async def _cluster(desk: Desk) -> PartView:
    health = await desk.cluster.health()
    return PartView(health.ok, health.detail)


async def _queue(desk: Desk) -> PartView:
    """How much waits, and whether anything is done about it."""
    operator = Scope(Actor.local(), None, RIGHTS[Role.ADMINISTRATOR], new_trace())
    counts = await desk.app.parts.workflows.counts_of_all(operator)
    if refused := desk.app.parts.workflows.refused_schedules:
        return PartView(ok=False, detail="; ".join(f"{name} does not fire: {why}" for name, why in refused.items()))
    waiting = sum(count for each in counts for state, count in each.by_state.items() if state == "waiting")
    late = [each for each in counts if (each.oldest_waiting_s or 0.0) > LATE_S and not each.done_per_minute]
    if late:
        oldest_s = max(each.oldest_waiting_s or 0.0 for each in late)
        return PartView(
            ok=False, detail=f"{waiting} wait, the oldest for {oldest_s / 60:.0f} min: does `duck work` run?"
        )
    return PartView(ok=True, detail=f"{waiting} wait, {sum(each.done_per_minute for each in counts)} done a minute")


async def _providers(desk: Desk) -> PartView:
    """Whether the connected models answer; all nodes together ask them once in a while."""

    async def ask() -> bytes:
        standing = await desk.app.parts.llm.standing(probe=True)
        asked = [each for each in standing if each.is_well is not None]
        ill = [f"{each.connection.name}: {each.error}" for each in asked if not each.is_well]
        said = "; ".join(ill) or f"{len(asked)} answer" if asked else "none is connected"
        return msgspec.json.encode(PartView(ok=not ill, detail=said))

    return msgspec.json.decode(await desk.cluster.cached("health:providers", ask, for_s=_PROBED_S), type=PartView)


async def _index(desk: Desk) -> PartView:
    """How many projects are indexed, of those that changed last, and what failed in them."""
    owner, parts = installation(new_trace()), desk.app.parts
    scope = replace(owner, rights=owner.rights | {Right.FILE_READ})
    projects = sorted(await parts.workspace.projects(scope), key=lambda each: each.updated_at, reverse=True)
    indexed = failed = 0
    for project in projects[:_LOOKED_AT]:
        try:
            status = await parts.search.status(scope.within(project.id))
        except NotFound:
            continue
        indexed += 1
        failed += len(status.failed)
    return PartView(ok=True, detail=f"{indexed} of {min(len(projects), _LOOKED_AT)} projects, {failed} files failed")


async def _projects(desk: Desk) -> PartView:
    """Whether this node has the projects' folders: those that a server copied, it lost; others may be away."""
    found = await desk.app.parts.workspace.projects(installation(new_trace()))
    away = await asyncio.to_thread(lambda: [each for each in found if not os.path.isdir(each.root)])
    lost = sum(_COPY.fullmatch(os.path.basename(each.root)) is not None for each in away)
    said = f"{len(found) - len(away)} of {len(found)} have their folder on this node"
    return PartView(not lost, said + f", {lost} copies have not: do all share workspace.copies?" * bool(lost))


async def _memory(_: Desk) -> PartView:
    resident, available, total = memory_bytes(), *machine_memory()
    if not total:
        return PartView(ok=True, detail="the system does not say")
    said = f"{resident // 1_000_000:,} MB resident, {available // 1_000_000:,} MB available"
    return PartView(ok=available > total * _FREE_SHARE, detail=said)


async def _disk(desk: Desk) -> PartView:
    free = (await asyncio.to_thread(shutil.disk_usage, desk.app.settings.home)).free
    return PartView(ok=free > _FREE_BYTES, detail=f"{free // 1_000_000:,} MB free")


async def _background(desk: Desk) -> PartView:
    """Whether what goes on beside requests does: looking after rights, fetching remotes, the queues."""
    ill = [
        f"{name}: {each.error}"
        for name, each in desk.app.supervisor.health().items()
        if each.error and not each.running
    ]
    return PartView(ok=not ill, detail="; ".join(ill))


async def _engines(desk: Desk) -> PartView:
    health = await desk.app.roster.health()
    ill = [f"{name}: {each.detail}" for name, each in health.items() if not each.ok]
    lacks = dict.fromkeys(why for each in health.values() for why in each.lacks)
    return PartView(ok=not ill, detail="; ".join((*ill, *lacks)))


_PARTS: Final[dict[str, Callable[[Desk], Awaitable[PartView]]]] = {
    "database": _database,
    "cluster": _cluster,
    "queue": _queue,
    "providers": _providers,
    "index": _index,
    "projects": _projects,
    "memory": _memory,
    "disk": _disk,
    "engines": _engines,
    "background": _background,
}


def memory_bytes() -> int:
    """Resident memory of this process, 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def machine_memory() -> tuple[int, int]:
    """Memory that is available, and all there is, in bytes: of the machine; 0 where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            said = dict(line.split(":", 1) for line in file)
        return _kilobytes(said["MemAvailable"]), _kilobytes(said["MemTotal"])
    except (OSError, KeyError, ValueError):
        return 0, 0


def _kilobytes(said: str) -> int:
    return int(said.split(maxsplit=1)[0]) * 1024
