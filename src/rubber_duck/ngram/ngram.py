"""The front of `ngram`: completions from a model of each project's own code, trained when they are first asked for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rubber_duck.code.code import family
from rubber_duck.errors import InvalidInput, TimedOut
from rubber_duck.ngram.families import lexicon
from rubber_duck.ngram.project import Prediction, Stop, TrainedProject
from rubber_duck.ngram.shelf import Shelf
from rubber_duck.ngram.suggestion import Cursor, Silence, Suggestion
from rubber_duck.settings import IndexSettings, Settings
from rubber_duck.workspace.paths import Root

__all__ = ["Completion", "Cursor", "Ngram", "Silence", "Suggestion", "forget", "open_ngram"]

REFRESH_S: Final = 2.0
"""Seconds that a model may be behind the files while answers are given."""

_MOST_PROJECTS: Final = 4


@dataclass(frozen=True, slots=True)
class Completion:
    """What may come next at a cursor, the likeliest first.

    `is_extended`: it is what was left of the last answer after more was typed. `was_ready`: nothing had to be read or
    trained for it. `files` and `tokens` are what the model is made of. `silence`: why there are no suggestions.
    """

    suggestions: tuple[Suggestion, ...]
    is_extended: bool
    was_ready: bool
    files: int
    tokens: int
    silence: Silence | None = None


def _nothing() -> None:
    """Nobody wants to know."""


class Ngram:
    """The models of the projects that were asked about; each knows its own project's files and no others."""

    def __init__(self, shelf: Shelf, *, clock: Callable[[], float]) -> None:
        self._shelf = shelf
        self._clock = clock
        self._projects: OrderedDict[tuple[str, str], TrainedProject] = OrderedDict()
        self._refreshed_s: dict[tuple[str, str], float] = {}
        self._refreshing: set[asyncio.Task[None]] = set()

    async def complete(
        self, root: Root, index: IndexSettings, cursor: Cursor, *, count: int, on_code: Callable[[], None] = _nothing
    ) -> Completion:
        """At most `count` suggestions at `cursor`, whose path is relative to `root`.

        `on_code` is called, from another thread, once it is known that the cursor stands in no comment and no string;
        not where the answer is what was left of the last one.

        The first time a project is asked about its model is read from the home folder or trained; cancelling stops
        that. Later, files that changed are looked for behind the answer, every REFRESH_S at the most. InvalidInput for
        a language that has no lexicon.
        """
        project = self._project(root, index, cursor.language)
        was_ready = project.is_ready
        stopped = threading.Event()
        try:
            found = await asyncio.to_thread(_predicted, project, cursor, count, stopped.is_set, on_code)
        finally:
            stopped.set()
        key = (str(root.path), family(cursor.language))
        now_s = self._clock()
        if not was_ready:
            self._refreshed_s[key] = now_s
        elif now_s - self._refreshed_s.get(key, now_s) >= REFRESH_S:
            self._refreshed_s[key] = now_s
            task = asyncio.create_task(self.refresh(root, index, cursor.language), name=f"refresh {root.path.name}")
            self._refreshing.add(task)
            task.add_done_callback(self._refreshing.discard)
        files, tokens = project.size()
        return Completion(found.suggestions, found.is_extended, was_ready, files, tokens, found.silence)

    async def refresh(self, root: Root, index: IndexSettings, language: str) -> None:
        """Count what was changed in the project since; nothing is trained for one that was not asked about."""
        stopped = threading.Event()
        try:
            await asyncio.to_thread(_refreshed, self._project(root, index, language), stopped.is_set)
        finally:
            stopped.set()

    async def refreshed(self) -> None:
        """Wait until all that goes on behind the answers has ended."""
        if self._refreshing:
            await asyncio.wait(self._refreshing)

    async def close(self) -> None:
        """End what goes on behind the answers."""
        for task in self._refreshing:
            task.cancel()
        await self.refreshed()

    def _project(self, root: Root, index: IndexSettings, language: str) -> TrainedProject:
        words = lexicon(family(language))
        if words is None:
            raise InvalidInput(f"{language!r} cannot be completed: it has no lexicon in ngram/lexicons/")
        key = (str(root.path), words.family)
        project = self._projects.pop(key, None) or TrainedProject(root, index, words, self._shelf)
        project.heed(index)
        self._projects[key] = project
        while len(self._projects) > _MOST_PROJECTS:
            self._projects.popitem(last=False)
        return project


@asynccontextmanager
async def open_ngram(settings: Settings) -> AsyncIterator[Ngram]:
    """The models, kept in the home folder; nothing is read before the first question."""
    ngram = Ngram(_shelf(settings), clock=time.monotonic)
    try:
        yield ngram
    finally:
        await ngram.close()


def _predicted(
    project: TrainedProject, cursor: Cursor, count: int, stop: Stop, on_code: Callable[[], None]
) -> Prediction:
    try:
        return project.predict(cursor, count=count, stop=stop, on_code=on_code)
    except TimedOut:
        return Prediction((), is_extended=False)  # of a task that was cancelled: nobody reads it


def _refreshed(project: TrainedProject, stop: Stop) -> None:
    try:
        project.refresh(stop)
    except TimedOut:
        return


def forget(settings: Settings, root: Path) -> None:
    """Delete the models that are kept of the project at `root`. Blocks."""
    _shelf(settings).forget(root)


def _shelf(settings: Settings) -> Shelf:
    return Shelf(Path(settings.home) / "ngram")
