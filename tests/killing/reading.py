"""What killed processes do beside their steps: analyse and index a small project, with workers of their own."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rubber_duck.analysis.analysis import open_analysis
from rubber_duck.analysis.project_analysis import ProjectAnalysis
from rubber_duck.scope import Scope
from rubber_duck.search.search import open_search
from rubber_duck.settings import DatabaseSettings, Settings, load
from rubber_duck.storage.database import Database, open_database
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.project import Project
from rubber_duck.workspace.workspace import Workspace
from tests.contract.searching import Content, code, content_of, indexed

WORKER_POINTS: Final = frozenset({"analysis.worker", "search.worker"})
"""Points that lie in worker processes: the group is killed there, by the environment that they inherit."""

POINTS: Final = frozenset({*WORKER_POINTS, "search.before_commit"})
"""Points that are passed only where something is read."""

_FOLDER: Final = "pond"
_FUNCTIONS: Final = 300
"""Enough that a worker process is started for the file."""

_numbers = itertools.count()


async def read(database: Database, home: Path) -> None:
    """Write a file, and analyse and index the folder that all processes of a campaign share."""
    folder = home / _FOLDER
    folder.mkdir(exist_ok=True)
    number = os.getpid() * 1000 + next(_numbers)
    await asyncio.to_thread((folder / f"f{number}.py").write_text, code(number, _FUNCTIONS))
    settings, scope, root = settings_at(home), Scope.local(), Root(folder)
    async with (
        open_analysis(settings) as analysis,
        open_search(database, settings, clock=_now) as search,
    ):
        kept = ProjectAnalysis(database, Workspace(database, clock=_now), analysis, clock=_now)
        found = await kept.update(scope, root, settings, _tell)
        await search.update(scope.within(found.project.id), root, settings, _tell)


async def faults(url: str, home: Path) -> list[str]:
    """Read once more, undisturbed; then the index has to be what a fresh one is, and every file to be analysed."""
    folder = home / _FOLDER
    if not folder.is_dir():
        return []
    async with open_database(DatabaseSettings(url=url)) as database:
        await read(database, home)
        kept = await _content(database, folder)
        files = len(await Workspace(database, clock=_now).files(Scope.local(), await _project(database, folder)))
    with tempfile.TemporaryDirectory() as scratch:
        async with open_database(DatabaseSettings(url=f"sqlite:///{scratch}/fresh.db")) as database:
            fresh = await _content(database, folder)
    found = [] if kept == fresh else ["after the kills the index is not what a fresh one is"]
    there = sum(1 for _ in folder.glob("*.py"))
    return found if files == there else [*found, f"{files} of {there} files are recorded as analysed"]


def settings_at(home: Path) -> Settings:
    """Settings with one worker, without ruff."""
    return load({"DUCK_HOME": str(home), "DUCK_WORKERS_COUNT": "1", "DUCK_ANALYSIS_RUFF": "false"})


async def _content(database: Database, folder: Path) -> Content:
    async with indexed(database, folder, {}) as project:
        return await content_of(database, project)


async def _project(database: Database, folder: Path) -> Project:
    return await Workspace(database, clock=_now).project_at(Scope.local(), str(folder))


def _tell(done: int, total: int, note: str) -> None:
    """Nobody follows."""


def _now() -> datetime:
    return datetime.now(UTC)
