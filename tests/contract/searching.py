"""A project on disk with an index in either database, and what tests ask of it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rubber_duck.scope import Scope
from rubber_duck.search import store
from rubber_duck.search.index import LAST
from rubber_duck.search.record import chunk_numbers
from rubber_duck.search.search import Found, Options, Search, Updated, open_search
from rubber_duck.search.writing import record_of
from rubber_duck.settings import Settings, load
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.fulltext import full_text
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.workspace import Workspace
from tests.factories import MOMENT, write_tree

EVERYWHERE = (0, LAST << 20)

Content = dict[str, object]
"""What an index says: see `content`."""


@dataclass(frozen=True)
class Indexed:
    """A folder, the scope of its project, and search over it."""

    folder: Path
    scope: Scope
    search: Search
    settings: Settings

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files into the folder."""
        write_tree(self.folder, files)

    async def update(self) -> Updated:
        """Bring the index up to date."""
        return await self.search.update(self.scope, Root(self.folder), self.settings, lambda done, total, note: None)

    async def find(self, query: str, **options: object) -> Found:
        """What the query finds, as it was indexed last."""
        return await self.search.find(self.scope, Root(self.folder), query, Options(**options))  # type: ignore[arg-type]

    async def places(self, query: str, **options: object) -> list[str]:
        """`path name` of each hit, or `path:line` where it has no name."""
        found = await self.find(query, **options)
        return [f"{hit.path} {hit.name}" if hit.name else f"{hit.path}:{hit.start_line}" for hit in found.hits]


@asynccontextmanager
async def indexed(
    database: Database,
    folder: Path,
    files: Mapping[str, str | bytes],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Indexed]:
    """A project of `files`, opened and indexed; searches measure time by `clock`."""
    os.makedirs(folder, exist_ok=True)
    settings = load({"DUCK_HOME": str(folder.parent / "home"), "DUCK_WORKERS_COUNT": "1"})
    local = Scope.local()
    project = await Workspace(database, clock=lambda: MOMENT).open_project(local, str(folder))
    async with open_search(database, settings, clock=lambda: MOMENT, timer=clock) as search:
        opened = Indexed(folder, local.within(project.id), search, settings)
        opened.write(files)
        await opened.update()
        yield opened


def content(connection: Connection, scope: Scope) -> Content:
    """All that an index says, in words: nothing in it depends on the order in which things came about."""
    state = store.find_index(connection, scope)
    assert state is not None
    text = full_text(connection, state.number)
    words = {word.number: word.text for word in text.all_words()}
    files = store.all_files(connection, state.number, before=LAST << 2)
    said: Content = {file.path: file.content_hash for file in files}
    places: dict[int, str] = {}
    for file in files:
        record = record_of(file) if file.content else None
        for at in range(record.size if record else 0):
            assert record is not None
            held, codes = record.postings(at)
            pairs = sorted((words[word], code) for word, code in zip(held.tolist(), codes.tolist(), strict=True))
            said[f"{file.path} {at}"] = (record.chunk(at), pairs)
            places[int(chunk_numbers(file.number, record.slots)[at])] = f"{file.path} {at}"
    for number, word in words.items():
        holding = sorted(places[chunk] for chunk in text.holding(number, *EVERYWHERE))
        declaring = sorted(places[chunk] for chunk in text.declaring(number, *EVERYWHERE))
        if holding:
            said[f"word {word}"] = (holding, declaring)
    return said | {"chunks": state.chunks, "lengths": state.lengths}


async def content_of(database: Database, project: Indexed) -> Content:
    """All that the project's index says."""
    return await database.run(partial(content, scope=project.scope), write=False)


def code(seed: int, functions: int = 4) -> str:
    """A Python file with some functions, of few and often the same words."""
    dice = random.Random(seed)
    words = ["pond", "duck", "feed", "swim", "get_duck", "feedPond", "EGG", "nest_of"]

    def name() -> str:
        return dice.choice(words)

    return "\n\n".join(
        f'def {name()}_{number}({name()}):\n    """{name()} the {name()}."""\n    return {name()}.{name()}({name()})\n'
        for number in range(functions)
    )


def tree(seed: int, files: int = 30) -> Mapping[str, str]:
    """A project of such files; some are tests, some prose."""
    dice = random.Random(seed)
    folders = ["", "pond/", "tests/", "docs/"]
    return {
        f"{dice.choice(folders)}f{number}.{dice.choice(['py', 'py', 'py', 'md'])}": code(
            seed * 100 + number, number % 7
        )
        for number in range(files)
    }
