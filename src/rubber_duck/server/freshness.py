"""Keeps the index of a server's project up to date: before an engine that reads it, at most once in a while.

Members may not open projects or write indexes: the server does it, as the owner of both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rubber_duck import telemetry
from rubber_duck.app import App
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.errors import DuckError
from rubber_duck.scope import Right, Scope
from rubber_duck.workspace.project import Project

EVERY_S: Final = 10.0
"""Seconds within which changes may be overlooked: looking whether there are any takes a walk over the project."""


class Freshness:
    """The indexes of one node's projects; nodes on one cluster look no more often together."""

    def __init__(self, app: App, cluster: Cluster) -> None:
        self._app = app
        self._cluster = cluster

    async def bring(self, project: Project, owner: Scope) -> None:
        """Bring the index up to date unless that was done just now; what fails is told as an event."""

        async def update() -> bytes:
            scope = replace(owner, rights=owner.rights | {Right.FILE_READ})
            await self._app.run("index", {"type": "update", "path": project.root}, scope)
            return b"1"

        try:
            await self._cluster.cached(f"fresh:{project.id}", update, for_s=EVERY_S)
        except DuckError as error:
            telemetry.emit("project.not_refreshed", project=str(project.id), error=error.message)
