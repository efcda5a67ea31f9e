"""What a model is told of a project beside what an engine shows it itself: built by `context`, as the engine declares.

For engines that need the workspace, analysis, search and contexts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rubber_duck.analysis.target import project_settings
from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, Strategy
from rubber_duck.engines.index import known_project, update_index
from rubber_duck.engines.place import within
from rubber_duck.engines.prompting import fenced
from rubber_duck.errors import DuckError, NotFound

if TYPE_CHECKING:
    from rubber_duck.analysis.extraction import Facts
    from rubber_duck.context.contexts import Access
    from rubber_duck.context.snippet import Chosen
    from rubber_duck.context.sources import Ask
    from rubber_duck.search.hits import Hit
    from rubber_duck.settings import Settings
    from rubber_duck.workspace.paths import Root

BESIDE_TOKENS: Final = 2_000
"""What a model is told beside a file that an engine shows it whole."""

_COMMITS: Final = 1_000


async def told_of(
    call: Call, place: tuple[Root, Settings], ask: Ask, strategy: Strategy, *, refresh: bool
) -> tuple[Chosen, ...]:
    """The parts to tell, in order; nothing of what the project ignores. None for a file that is not there yet.

    Without `refresh` the index is taken as it is, and what it found in files that have changed since is not told.
    """
    from rubber_duck.context.contexts import Reader  # noqa: PLC0415  # numpy: listing engines needs it not

    root, settings = place
    reader = Reader(await within(call, root), root, settings.index)
    try:
        built = await call.parts.contexts.build(
            reader, ask, access(call, root, refresh=refresh), strategy=strategy.value
        )
    except NotFound:
        return ()
    return built.packed.chosen


async def told_beside(
    call: Call,
    place: tuple[Root, Settings],
    ask: Ask,
    engine: Engine[Any, Any],  # Any: what it answers does not matter here
    *,
    refresh: bool = True,
) -> dict[str, str]:
    """What the engine's strategy tells beside `ask.path` itself, by where it is from; nothing where nobody is asked."""
    if engine.role is None or not call.parts.llm.chain(engine.role):
        return {}
    parts = await told_of(call, place, ask, engine.strategy, refresh=refresh)
    return named([each for each in parts if not ask.path or each.snippet.path != ask.path])


def as_code(parts: Mapping[str, str]) -> str:
    """Parts as a model is shown them, each between its marks."""
    return "".join(fenced("code", place, text) for place, text in parts.items())


def named(parts: Sequence[Chosen]) -> dict[str, str]:
    """The texts of parts by where they are from, as FILE:LINE, or as what they are where they are of several files."""
    found: dict[str, str] = {}
    for part in parts:
        snippet = part.snippet
        place = f"{snippet.path}:{snippet.start_line}" if snippet.start_line else snippet.path
        found[place or f"the {snippet.kind.value} of the project"] = part.text
    return found


def access(call: Call, root: Root, *, refresh: bool = True, is_quiet: bool = False) -> Access:
    """The ways to a project's facts and its index. `is_quiet`: nobody is told how far it is."""
    from rubber_duck.context.contexts import Access  # noqa: PLC0415  # numpy, as above

    find = partial(_find if refresh else _find_known, call, root)
    return Access(partial(_read, call, root, is_quiet), find, partial(_changed_at, root), is_current=refresh)


async def _read(call: Call, root: Root, is_quiet: bool, held: Mapping[str, str]) -> Facts:
    """What is in the project's files, from the cache where they have not changed."""
    from rubber_duck.analysis.target import Target  # noqa: PLC0415  # rules and grammars

    def progress(done: int, total: int, note: str) -> None:
        if not is_quiet:
            call.emit(Progress(done, total, note))

    return await call.parts.analysis.read(Target(root, (), project_settings(root, call.settings)), progress, held=held)


async def _changed_at(root: Root) -> Mapping[str, int]:
    """When git says that files were changed; nothing without git, or with too much history for it."""
    from rubber_duck.workspace.git import read_changed_at  # noqa: PLC0415  # a subprocess: listing engines needs it not

    with suppress(DuckError):
        return await read_changed_at(root.path, limit=_COMMITS)
    return {}


async def _find(call: Call, root: Root, question: str, limit: int) -> Sequence[Hit]:
    """What a search for the words of the question finds, in an index that is up to date."""
    from rubber_duck.search.search import Options  # noqa: PLC0415  # numpy, as above

    _, scope, _ = await update_index(call, root)
    return (await call.parts.search.find_words(scope, root, question, Options(limit=limit))).hits


async def _find_known(call: Call, root: Root, question: str, limit: int) -> Sequence[Hit]:
    """The same in the index as it is, without what has changed since."""
    from rubber_duck.search.search import Options  # noqa: PLC0415  # numpy, as above

    _, scope = await known_project(call, os.fspath(root.path), "")
    hits = (await call.parts.search.find_words(scope, root, question, Options(limit=limit))).hits
    return [hit for hit in hits if not hit.is_outdated]
