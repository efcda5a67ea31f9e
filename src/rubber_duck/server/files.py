"""What a file of a project holds, over HTTP and the socket alike."""

from __future__ import annotations

import asyncio
from typing import Final

from rubber_duck.app import App
from rubber_duck.errors import NotFound
from rubber_duck.scope import Scope
from rubber_duck.server.copies import check_here
from rubber_duck.workspace.paths import Root, display
from rubber_duck.workspace.project import Project

FILE_BYTES: Final = 5_000_000


async def content_of(tenant: Scope, app: App, project: Project, path: str) -> bytes:
    """What a file holds now; up to 5 MB. Only files that the project does not ignore, as they were seen last.

    Raises NotFound, InvalidPath, Denied, LimitExceeded, Unavailable on a node that has not the project's folder.
    """
    await check_here(project.root)
    known = await app.parts.workspace.files(tenant, project)
    if all(each.path != path for each in known):
        raise NotFound(f"'{display(path)}' is not among the project's files: it is ignored, or not analysed yet")
    return await asyncio.to_thread(Root(project.root).open_bytes, path, FILE_BYTES)
