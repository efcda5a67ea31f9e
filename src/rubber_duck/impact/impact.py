"""The front of impact: from a change to what it touches, how risky that is, and which tests to run, with reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rubber_duck.code.call_codec import decode, encode
from rubber_duck.code.calls import call_graph
from rubber_duck.code.code import detect
from rubber_duck.code.edges import CallGraph
from rubber_duck.code.graph import GraphFile, ImportGraph, resolve
from rubber_duck.code.symbols import FileSymbols, References
from rubber_duck.errors import InvalidInput
from rubber_duck.impact.change import ChangedFile
from rubber_duck.impact.history import Together, changed_together, churn
from rubber_duck.impact.neighbourhood import Caller, Importer, callers, importers
from rubber_duck.impact.reasons import Reasons
from rubber_duck.impact.risk import Exposure, Risk, assess
from rubber_duck.impact.selection import Chosen, Hints, choose, read_covered, unrecorded
from rubber_duck.impact.tests import Test, belongs_to_tests, tests_of
from rubber_duck.impact.weighed import Weighed
from rubber_duck.impact.wording import Keep, Wording, at_once
from rubber_duck.storage.coverage import Recording

MOST_TARGETS: Final = 400
"""Of a larger change the first definitions are followed one by one; the rest counts only for the risk."""

_NOTHING: Final = FileSymbols((), References(), (), ())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of a project: its files' facts and contents by path, the commits (newest first) by their paths.

    `recorded`: what tests ran of the changed files when coverage was recorded, for a project in the folder
    `root`. `removed` are those files that the change takes away; they are here as they were. `keep` keeps what is
    worked out from all files together until one of them changes.
    """

    files: Mapping[str, GraphFile]
    texts: Mapping[str, str]
    commits: Sequence[Collection[str]] = ()
    recorded: Recording = field(default_factory=Recording)
    root: str = ""
    removed: frozenset[str] = frozenset()
    keep: Keep = at_once


@dataclass(frozen=True, slots=True)
class ChangedDefinition:
    """A definition that the change lies in; an empty name is the code of the file outside of all."""

    path: str
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change touches, nearest and likeliest first. `tests_in_all` counts those of the project."""

    changed: tuple[ChangedDefinition, ...]
    callers: tuple[Caller, ...]
    importers: tuple[Importer, ...]
    together: tuple[Together, ...]
    tests: tuple[Chosen, ...]
    tests_in_all: int
    risk: Risk
    removed: tuple[str, ...] = field(default=())
    unknown: tuple[str, ...] = field(default=())
    """Changed files of which no facts are known: ignored, in no known language, or removed and nobody says what was
    in them."""
    unrecorded: tuple[str, ...] = field(default=())
    """Where coverage was recorded, the changed files that it says nothing of: what runs them is a guess."""


def impact(code: Snapshot, changes: Sequence[ChangedFile]) -> Impact:
    """What `changes` touch."""
    calls = _calls(code)
    graph = Weighed(calls)
    imports = resolve({**code.files, **_removed(code.files, changes)})
    languages = {path: file.language for path, file in code.files.items()}
    tests = tuple(test for test in tests_of(calls, languages) if test.path not in code.removed)
    targets = changed_definitions(graph, [change for change in changes if change.path in code.files], code.texts)
    paths = {change.path for change in changes}
    together = changed_together(code.commits, paths)
    found_callers = callers(graph, targets)
    found_importers = importers(imports, paths)
    reasons = Reasons(graph, targets, code.texts, imports, together)
    chosen, unheard = _tests(code, graph, imports, (tests, targets, paths), reasons)
    exposure = _exposure(code, graph, changes, (targets, found_callers, found_importers, chosen))
    return Impact(
        changed=tuple(
            ChangedDefinition(each.path, each.name, each.start_line)
            for each in (graph.definitions[number] for number in targets)
        ),
        callers=found_callers,
        importers=found_importers,
        together=together,
        tests=chosen,
        tests_in_all=len(tests),
        risk=assess(exposure),
        removed=tuple(sorted(paths & code.removed)),
        unknown=tuple(sorted(paths - code.files.keys())),
        unrecorded=unheard,
    )


def _calls(code: Snapshot) -> CallGraph:
    content = code.keep("calls", lambda: encode(call_graph(code.files, code.texts)))
    try:
        return decode(content)
    except InvalidInput:  # what was kept cannot be read any more
        return call_graph(code.files, code.texts)


def _removed(files: Mapping[str, GraphFile], changes: Sequence[ChangedFile]) -> dict[str, GraphFile]:
    """Changed files that are not there any more, as if they were: so that it is found who imports them still."""
    languages = {change.path: detect(change.path, None) for change in changes if change.path not in files}
    return {path: GraphFile(language, _NOTHING) for path, language in languages.items() if language is not None}


def changed_definitions(graph: Weighed, changes: Sequence[ChangedFile], texts: Mapping[str, str]) -> list[int]:
    """The numbers of the smallest definitions around the changed lines; of a whole file all of them.

    Between definitions, blank lines and comments change nothing.
    """
    found: dict[int, None] = {}
    own: dict[str, list[int]] = {change.path: [] for change in changes}
    for (path, _), number in graph.numbers.items():
        if path in own:
            own[path].append(number)
    for change in changes:
        if not change.lines:
            found |= dict.fromkeys(own[change.path])
            continue
        written = texts.get(change.path, "").split("\n")
        for lines in change.lines:
            for line in range(lines.first, min(lines.last, len(written)) + 1):
                number = _innermost(graph, own[change.path], line)
                if graph.definitions[number].name or _says(written[line - 1]):
                    found[number] = None
    return list(found)


def _innermost(graph: Weighed, numbers: Sequence[int], line: int) -> int:
    """The smallest definition around a line, among those of its file, of which the first is the file's own."""
    around = [
        (first, number)
        for number in numbers[1:]
        for first, last in graph.definitions[number].stretches
        if first <= line <= last
    ]
    return max(around, default=(0, numbers[0]))[1]


def _says(line: str) -> bool:
    """Whether there is more on a line than blanks, brackets and a comment."""
    stripped = line.strip(" \t\r()[]{},;")
    return bool(stripped) and not stripped.startswith(("#", "//", "*", "/*"))


def _tests(
    code: Snapshot,
    graph: Weighed,
    imports: ImportGraph,
    change: tuple[Sequence[Test], Sequence[int], Collection[str]],
    reasons: Reasons,
) -> tuple[tuple[Chosen, ...], tuple[str, ...]]:
    """The tests to run, and the changed files of which nothing was recorded."""
    tests, targets, paths = change
    followed = [number for number in targets if graph.definitions[number].name][:MOST_TARGETS]
    whole = {graph.definitions[number].path for number in targets if not graph.definitions[number].name}
    whole |= {path for path in paths if path not in code.files}
    loading = {each.path: each.distance for each in importers(imports, whole)} | dict.fromkeys(whole, 0)
    covered = read_covered(code.recorded, code.root, code.files.keys(), [test.name for test in tests])
    wording = Wording(graph, code.texts, tests, code.keep)
    chosen = choose(graph, tests, followed, wording, Hints(loading, covered, reasons))
    return chosen, unrecorded(graph, tests, followed, covered)


def _exposure(
    code: Snapshot,
    graph: Weighed,
    changes: Sequence[ChangedFile],
    found: tuple[Sequence[int], Sequence[Caller], Sequence[Importer], Sequence[Chosen]],
) -> Exposure:
    targets, found_callers, found_importers, chosen = found
    paths = {change.path for change in changes}
    own = [graph.definitions[number] for number in targets if graph.definitions[number].name]
    exported = {
        (path, symbol.qualified_name)
        for path in paths & code.files.keys()
        for symbol in code.files[path].symbols.symbols
        if symbol.is_exported and not symbol.is_private
    }
    counted = [change.changed_lines for change in changes if change.changed_lines is not None]
    lines = sum(counted) if counted else sum(each.end_line - each.start_line + 1 for each in own if not each.owner)
    return Exposure(
        changed=len(targets) + sum(path not in code.files and detect(path, None) is not None for path in paths),
        callers=sum(not belongs_to_tests(each.path) for each in found_callers),
        files=sum(not belongs_to_tests(each.path) for each in found_importers),
        definitions=len(own),
        exported=sum((each.path, each.name) in exported for each in own),
        tests=len(chosen),
        mentioning=sum(any(reason.kind == "names" for reason in each.reasons) for each in chosen),
        lines=lines,
        recent=churn(code.commits, paths),
        commits=len(code.commits),
    )
