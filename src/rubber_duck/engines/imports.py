"""Tell which file of a project imports which, what comes from outside, and where imports go in a circle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import display

if TYPE_CHECKING:
    from rubber_duck.code.graph import Edge, ImportGraph


class ImportsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file or a folder of a project."""

    path: Annotated[str, Meta(max_length=4096, description="A file or a folder.", extra={"argument": True})]
    directory: Annotated[
        str,
        Meta(
            description="What a relative path is relative to; empty: the process's own folder.",
            extra={"directory": True},
        ),
    ] = ""


class ImportView(msgspec.Struct, frozen=True):
    """The file at the other end, and the 1-based line of the importing file that says so."""

    path: str
    line: int


class ImportsView(msgspec.Struct, frozen=True, kw_only=True):
    """One file: what it imports of the project and from `outside`, and which files import it; all sorted."""

    path: str
    imports: tuple[ImportView, ...]
    imported_by: tuple[ImportView, ...]
    outside: tuple[str, ...]


class ImportsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The files that were asked for, sorted, and the circles that one of them is part of.

    Paths are as the one who asks finds them. In a circle each file reaches every other over imports.
    """

    is_file: bool
    files: tuple[ImportsView, ...]
    circles: tuple[tuple[str, ...], ...]


@engines.add
class Imports(Engine[ImportsRequest, ImportsAnswer]):
    """Tell which file of a project imports which, what comes from outside, and where imports go in a circle.

    The whole project is looked at, for what imports a file may lie anywhere in it; unchanged files come from the cache.
    """

    name: ClassVar[str] = "imports"
    request = ImportsRequest
    answer = ImportsAnswer
    right = Right.FILE_READ
    needs = ("analysis",)
    timeout_s = 3600.0

    async def run(self, request: ImportsRequest, call: Call) -> ImportsAnswer:
        """The imports at or below the path; raises NotFound, Denied, InvalidInput or InvalidSettings."""
        from rubber_duck.analysis.outcome import is_below  # noqa: PLC0415  # rules and grammars
        from rubber_duck.analysis.target import Target, seen_from, target  # noqa: PLC0415  # as above

        asked = target((request.path,), request.directory, call.settings)
        whole = Target(asked.root, (), asked.settings)
        analysis = call.parts.analysis
        outcome = await analysis.run(whole, lambda done, total, note: call.emit(Progress(done, total, note)))
        call.emit(Progress(0, 0, "following the imports"))
        languages = {file.path: file.analysis.language for file in outcome.files}
        facts = await asyncio.to_thread(analysis.facts, whole, outcome.files)
        graph = await asyncio.to_thread(_graph, facts, languages)
        wanted = [path for path in facts if is_below(path, asked.only)]
        is_file = bool(asked.only) and (asked.root.path / asked.only[0]).is_file()
        if is_file and not wanted:
            raise NotFound(
                f"'{display(request.path)}' is not among the project's files: it is ignored, or in no language that "
                "RubberDuck knows"
            )
        return _answer(graph, wanted, seen_from(request.directory, asked.root.path), is_file=is_file)


def _graph(facts: dict[str, bytes], languages: dict[str, str]) -> ImportGraph:
    from rubber_duck.code.codec import decode  # noqa: PLC0415  # as in run
    from rubber_duck.code.graph import GraphFile, resolve  # noqa: PLC0415  # as in run

    return resolve({path: GraphFile(languages[path], decode(content)) for path, content in facts.items()})


def _answer(graph: ImportGraph, wanted: list[str], find: Callable[[str], str], *, is_file: bool) -> ImportsAnswer:
    imports: dict[str, list[Edge]] = {path: [] for path in wanted}
    importers: dict[str, list[Edge]] = {path: [] for path in wanted}
    for edge in graph.edges:
        if edge.source in imports:
            imports[edge.source].append(edge)
        if edge.target in importers:
            importers[edge.target].append(edge)
    return ImportsAnswer(
        is_file=is_file,
        files=tuple(
            ImportsView(
                path=find(path),
                imports=tuple(ImportView(find(edge.target), edge.line) for edge in imports[path]),
                imported_by=tuple(ImportView(find(edge.source), edge.line) for edge in importers[path]),
                outside=graph.external.get(path, ()),
            )
            for path in sorted(wanted)
        ),
        circles=tuple(tuple(map(find, circle)) for circle in graph.cycles if not imports.keys().isdisjoint(circle)),
    )
