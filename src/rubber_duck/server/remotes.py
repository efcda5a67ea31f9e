"""Brings copies of Git remotes up to date: when their hosts say that something was pushed, and by the clock."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from functools import partial
from typing import Final
from uuid import UUID

from rubber_duck import telemetry
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.errors import DuckError, Unavailable
from rubber_duck.scope import Actor, Right, Scope, new_trace
from rubber_duck.server.copies import Copies
from rubber_duck.workspace.workspace import Workspace

MOST_WAITING: Final = 1000
_LEASE_S: Final = 600.0
_AGAIN_S: Final = 5.0


class Remotes:
    """The copies of one home folder. `every_s` are the seconds between two looks at each; 0: only when asked.

    What was asked for while another process fetched it is looked at again after `again_s` seconds.
    """

    def __init__(
        self, workspace: Workspace, copies: Copies, cluster: Cluster, *, every_s: float, again_s: float = _AGAIN_S
    ) -> None:
        self._again_s = again_s
        self._workspace = workspace
        self._copies = copies
        self._cluster = cluster
        self._every_s = every_s
        self._waiting: dict[UUID, None] = {}
        self._by_clock: set[UUID] = set()
        self._wanted = asyncio.Event()

    def want(self, project: UUID) -> bool:
        """Have a copy brought up to date soon, once for all who want that meanwhile; False when too many wait."""
        if project not in self._waiting and len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting[project] = None
        self._wanted.set()
        return True

    async def work(self) -> None:
        """Fetch what is wanted, one after the other, and all of them by the clock; never returns."""
        now = asyncio.get_running_loop().time
        due = now() + self._every_s if self._every_s else math.inf
        busy: list[UUID] = []
        while True:
            until = min(due, now() + self._again_s) if busy else due
            try:
                async with asyncio.timeout_at(None if until == math.inf else until):
                    await self._wanted.wait()
            except TimeoutError:
                if now() >= due:
                    due = now() + self._every_s
                    await self._want_all()
            self._wanted.clear()
            self._waiting |= dict.fromkeys(busy)
            busy = []
            while self._waiting:
                project_id = next(iter(self._waiting))
                del self._waiting[project_id]
                by_clock = project_id in self._by_clock
                self._by_clock.discard(project_id)
                if not await self._fetch(project_id) and not by_clock:
                    busy.append(project_id)  # what was pushed may have come after the other process had asked

    async def _want_all(self) -> None:
        for project in await self._workspace.projects(_owner()):
            if self._copies.has_remote(project.root) and project.id not in self._waiting:
                self._by_clock.add(project.id)
                self.want(project.id)

    async def _fetch(self, project_id: UUID) -> bool:
        """Bring one copy up to date; what fails is told. False while another process of this installation does it."""
        try:
            lease = await self._cluster.lease(f"fetch:{project_id}", for_s=_LEASE_S)
        except Unavailable:
            lease = None  # git has a lock of its own, which is all there is then
        else:
            if lease is None:
                return False
        try:
            owner = _owner()
            project = await self._workspace.project(owner, str(project_id))
            await self._copies.fetch(project.root, partial(self._workspace.fetching, owner, project))
            telemetry.emit("remote.fetched", project=str(project_id))
        except DuckError as error:
            telemetry.emit("remote.not_fetched", project=str(project_id), error=error.message)
        finally:
            if lease is not None:
                with suppress(Unavailable):  # it ends by itself
                    await lease.release()
        return True


def _owner() -> Scope:
    """The installation, which owns every project of a server."""
    return Scope(Actor.local(), None, frozenset({Right.PROJECT_READ, Right.PROJECT_WRITE}), new_trace())
