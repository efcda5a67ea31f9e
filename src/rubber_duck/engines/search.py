"""Find code in a project: words, identifiers, phrases, regular expressions, by path, language and symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from rubber_duck.analysis.target import project_settings
from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.index import Directory, IndexChanges, changes, known_project, nearest_root, update_index
from rubber_duck.scope import Right
from rubber_duck.search.query import parse
from rubber_duck.workspace.paths import Root, display

if TYPE_CHECKING:
    from rubber_duck.search.search import Hit


class SearchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to look for, and where."""

    query: Annotated[
        str,
        Meta(
            description='Words, identifiers, "phrases", /regular expressions/, path: lang: symbol:, - before what not.',
            extra={"argument": True, "place": False},
        ),
    ]
    project: Annotated[
        str, Meta(max_length=4096, description="The project's folder, or one in it; empty: this one.")
    ] = ""
    directory: Directory = ""
    limit: Annotated[int, Meta(ge=1, le=1000, description="Hits at the most.")] = 10
    tests: Annotated[
        bool | None,
        Meta(description="Tests and generated files among the others, or nowhere; unset: behind them."),
    ] = None
    refresh: Annotated[bool, Meta(description="Bring the index up to date first.")] = True


class SearchReason(msgspec.Struct, frozen=True):
    """Why a hit is there: the kind of reason, and the words it is about."""

    kind: str
    words: tuple[str, ...]


class SearchLine(msgspec.Struct, frozen=True):
    """A line: its 1-based number, its text, the spans of what was found in it (code points, end exclusive)."""

    number: int
    text: str
    spans: tuple[tuple[int, int], ...] = ()


class SearchHit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of a file, usually a definition. Lines are 1-based and inclusive, bytes count in the UTF-8 text.

    `test` is true for tests and generated files; `outdated` when the file has changed since it was indexed.
    """

    path: str
    language: str
    kind: str
    name: str = ""
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    score: float
    test: bool = False
    outdated: bool = False
    reasons: tuple[SearchReason, ...] = ()
    lines: tuple[SearchLine, ...] = ()


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The hits, best first. `unknown` are words that stand nowhere in the project.

    `complete` is false when the time was over before every file that could match had been read. `notes` say what did
    not help, and why.
    """

    project: str
    root: str
    hits: tuple[SearchHit, ...]
    unknown: tuple[str, ...] = ()
    complete: bool = True
    indexed: IndexChanges | None = None
    notes: tuple[str, ...] = ()


@engines.add
class Search(Engine[SearchRequest, SearchAnswer]):
    """Find code: words, identifiers, phrases, regular expressions, by path, language and symbol.

    Definitions come before their uses, tests and generated files last; each hit says why it is there.
    """

    name: ClassVar[str] = "search"
    request = SearchRequest
    answer = SearchAnswer
    right = Right.FILE_READ
    needs = ("workspace", "search")
    timeout_s = 3600.0

    async def run(self, request: SearchRequest, call: Call) -> SearchAnswer:
        """The hits; raises InvalidInput or LimitExceeded for the query, NotFound, Denied or InvalidSettings."""
        from rubber_duck.search.search import Options  # noqa: PLC0415  # numpy, which listing engines needs not

        parse(request.query)  # so that a mistake is said before anything is indexed
        root = await nearest_root(call, request.project, request.directory)
        updated = None
        if request.refresh:
            project, scope, updated = await update_index(call, root)
        else:
            project, scope = await known_project(call, request.project, request.directory)
        limit_bytes = project_settings(root, call.settings).index.max_file_size_bytes
        options = Options(limit=request.limit, tests=request.tests, limit_bytes=limit_bytes)
        found = await call.parts.search.find(scope, Root(root.path), request.query, options)
        return SearchAnswer(
            project=project.name,
            root=display(project.root),
            hits=tuple(map(_hit, found.hits)),
            unknown=found.unknown,
            complete=found.is_complete,
            indexed=None if updated is None else changes(updated),
            notes=(f"found by words alone: {found.without_meaning}",) if found.without_meaning else (),
        )


def _hit(hit: Hit) -> SearchHit:
    return SearchHit(
        path=display(hit.path),
        language=hit.language,
        kind=hit.kind,
        name=hit.name,
        start_line=hit.start_line,
        end_line=hit.end_line,
        start_byte=hit.start_byte,
        end_byte=hit.end_byte,
        score=round(hit.score, 3),
        test=hit.is_last,
        outdated=hit.is_outdated,
        reasons=tuple(SearchReason(reason.kind, reason.words) for reason in hit.reasons),
        lines=tuple(SearchLine(line.number, line.text, line.spans) for line in hit.lines),
    )
