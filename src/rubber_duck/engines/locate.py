"""Find the files and functions that an issue or a traceback is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.analysis.target import project_settings
from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.index import Directory, IndexChanges, changes, known_project, nearest_root, update_index
from rubber_duck.errors import DuckError
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import Root, display

if TYPE_CHECKING:
    from rubber_duck.search.hits import Hit
    from rubber_duck.search.localisation.ranking import Suspect
    from rubber_duck.workspace.git import Commit

MOST_READ_BYTES: Final = 300_000
"""A file larger than this is not parsed only to see what it imports."""


class LocateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What went wrong, and in which project."""

    text: Annotated[
        str,
        Meta(
            max_length=1_000_000,
            description="An issue's text, its title first, or a traceback.",
            extra={"argument": True},
        ),
    ]
    project: Annotated[
        str, Meta(max_length=4096, description="The project's folder, or one in it; empty: this one.")
    ] = ""
    directory: Directory = ""
    limit: Annotated[int, Meta(ge=1, le=100, description="Files at the most.")] = 10
    refresh: Annotated[bool, Meta(description="Bring the index up to date first.")] = True


class LocatePlace(msgspec.Struct, frozen=True):
    """A definition, or with the kind `line` a line in the one that is named; 1-based inclusive lines."""

    name: str
    kind: str
    start_line: int
    end_line: int


class LocateFile(msgspec.Struct, frozen=True):
    """A file that may have to change: its score among those of this answer, places and reasons, the best first."""

    path: str
    score: float
    places: tuple[LocatePlace, ...]
    reasons: tuple[str, ...]


class LocateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The files, likeliest first."""

    project: str
    root: str
    files: tuple[LocateFile, ...]
    indexed: IndexChanges | None = None


@engines.add
class Locate(Engine[LocateRequest, LocateAnswer]):
    """Find the files and functions that an issue or a traceback is about, with reasons.

    Named files, tracebacks, identifiers, quoted code, words, imports and commits count; no model is asked.
    """

    name: ClassVar[str] = "locate"
    request = LocateRequest
    answer = LocateAnswer
    right = Right.FILE_READ
    needs = ("workspace", "search")
    uses = ("git",)
    timeout_s = 3600.0

    async def run(self, request: LocateRequest, call: Call) -> LocateAnswer:
        """The files; raises InvalidInput for a text that says nothing, NotFound, Denied or InvalidSettings."""
        from rubber_duck.search.localisation.history import MOST_COMMITS  # noqa: PLC0415  # numpy beneath
        from rubber_duck.search.localisation.localisation import Ground, locate  # noqa: PLC0415  # as above
        from rubber_duck.search.search import Options  # noqa: PLC0415  # as above
        from rubber_duck.workspace.git import read_history  # noqa: PLC0415  # as above

        root = await nearest_root(call, request.project, request.directory)
        updated = None
        if request.refresh:
            project, scope, updated = await update_index(call, root)
        else:
            project, scope = await known_project(call, request.project, request.directory)
        limit_bytes = project_settings(root, call.settings).index.max_file_size_bytes

        async def find(query: str, limit: int) -> Sequence[Hit]:
            options = Options(limit=limit, tests=False, with_lines=False, limit_bytes=limit_bytes)
            return (await call.parts.search.find(scope, root, query, options)).hits

        languages = await call.parts.search.paths(scope)
        commits: Sequence[Commit] = ()
        with suppress(DuckError):  # no git, or too much history for it: then the other clues must do
            commits = await read_history(root.path, limit=MOST_COMMITS)
        ground = Ground(list(languages), find, edges_of(root, languages), commits)
        suspects = await locate(request.text, ground, request.limit)
        return LocateAnswer(
            project=project.name,
            root=display(project.root),
            files=tuple(map(_file, suspects)),
            indexed=None if updated is None else changes(updated),
        )


def edges_of(root: Root, languages: Mapping[str, str]) -> Callable[[Sequence[str]], list[tuple[str, str]]]:
    """Tells which of some files imports which file of the project; only those are read. `languages`: by path."""

    def edges(paths: Sequence[str]) -> list[tuple[str, str]]:
        from rubber_duck.code.code import open_source  # noqa: PLC0415  # grammars, which listing engines needs not
        from rubber_duck.code.extract import extract  # noqa: PLC0415  # as above
        from rubber_duck.code.graph import GraphFile, resolve  # noqa: PLC0415  # as above
        from rubber_duck.code.language import languages as readable  # noqa: PLC0415  # as above
        from rubber_duck.code.symbols import FileSymbols, References  # noqa: PLC0415  # as above

        known = readable.discover()
        unread = FileSymbols((), References(), (), ())
        files = {path: GraphFile(language, unread) for path, language in languages.items() if language in known}
        for path in paths:
            if path in files:
                with suppress(DuckError):  # gone, too large or unreadable: then nothing is known of its imports
                    source = open_source(path, root.open_bytes(path, MOST_READ_BYTES), files[path].language)
                    files[path] = GraphFile(files[path].language, extract(source))
        return [(edge.source, edge.target) for edge in resolve(files).edges]

    return edges


def _file(suspect: Suspect) -> LocateFile:
    return LocateFile(
        path=display(suspect.path),
        score=round(suspect.score, 3),
        places=tuple(LocatePlace(each.name, each.kind, each.start_line, each.end_line) for each in suspect.places),
        reasons=suspect.reasons,
    )
