"""Typed makers of what tests need, with sensible fields that a test may replace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rubber_duck.scope import Scope
from rubber_duck.storage.database import Database
from rubber_duck.storage.keys import new_key
from rubber_duck.workspace import store
from rubber_duck.workspace.project import CodeFile, Project

MOMENT = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
"""When things happened, unless a test says otherwise."""


def write_tree(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `files` (relative path → content) below `folder`, which is returned; folders are made as needed."""
    for relative, content in files.items():
        file = os.path.join(folder, relative)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
    return folder


async def make_project(database: Database, scope: Scope, **fields: Any) -> Project:
    """A kept project of the scope's actor, with a name and a root of its own; its folder need not exist."""
    key = new_key()
    usual: dict[str, Any] = {
        "id": key,
        "owner": scope.actor.id,
        "name": f"project {key}",
        "root": f"/projects/{key}",
        "description": "A pond.",
        "configuration": {"depth": 3},
        "version": 1,
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }
    project = Project(**(usual | fields))
    async with database.begin() as tx:
        await store.create_project(scope, tx, project)
    return project


async def make_file(database: Database, scope: Scope, project: Project, **fields: Any) -> CodeFile:
    """A kept file of `project`, with a path of its own; it need not exist on disk."""
    key = new_key()
    usual: dict[str, Any] = {
        "id": key,
        "project_id": project.id,
        "path": f"src/{key}.py",
        "language": "python",
        "content_hash": "0" * 32,
        "size_bytes": 12,
        "version": 1,
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }
    file = CodeFile(**(usual | fields))
    async with database.begin() as tx:
        await store.create_file(scope, tx, file)
    return file
