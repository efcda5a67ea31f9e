"""Tell what a change touches, how risky it is, and which tests to run."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import DuckError, InvalidInput, NotFound
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import Root, absolute, display

if TYPE_CHECKING:
    from rubber_duck.analysis.extraction import Facts
    from rubber_duck.analysis.target import Target
    from rubber_duck.code.graph import GraphFile
    from rubber_duck.impact.change import ChangedFile
    from rubber_duck.impact.impact import Impact as Touched
    from rubber_duck.impact.impact import Snapshot
    from rubber_duck.storage.coverage import Recording

_COMMITS: Final = 500
_COVERAGE_FILE: Final = ".coverage"
_COVERAGE_BYTES: Final = 256 * 1024 * 1024
_NAMED: Final = 3


class ImpactRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change: files, or places in them, or a diff; with neither, what git says is changed."""

    paths: Annotated[
        tuple[Annotated[str, Meta(max_length=4096)], ...],
        Meta(max_length=1000, description="FILE, FILE:LINE or FILE:FIRST-LAST.", extra={"argument": True}),
    ] = ()
    diff: (
        Annotated[
            str,
            Meta(max_length=50_000_000, description="A unified diff; its paths are relative to the project's folder."),
        ]
        | None
    ) = None
    directory: Annotated[
        str,
        Meta(
            description="What a relative path is relative to; empty: the process's own folder.",
            extra={"directory": True},
        ),
    ] = ""


class ChangedView(msgspec.Struct, frozen=True):
    """A definition that is changed, and its first line; an empty name is the code of the file outside of all."""

    path: str
    name: str
    line: int


class CallerView(msgspec.Struct, frozen=True, kw_only=True):
    """What calls something changed in `distance` steps: at `line` it calls `callee`.

    `choices`: how many definitions the name there could mean, 1 when it is certain.
    """

    path: str
    name: str
    line: int
    distance: int
    callee: str
    choices: int


class ImporterView(msgspec.Struct, frozen=True, kw_only=True):
    """A file that imports a changed one in `distance` steps: at `line` it imports `imported`."""

    path: str
    line: int
    distance: int
    imported: str


class TogetherView(msgspec.Struct, frozen=True):
    """A file that changed in `together` of the `changes` commits that changed a file of this change."""

    path: str
    together: int
    changes: int


class ImpactReason(msgspec.Struct, frozen=True):
    """Why a test is to be run: changed, covered, names, calls, loads, file, history or words; and a sentence."""

    kind: str
    words: str


class TestView(msgspec.Struct, frozen=True):
    """A test to run. `name` is for its runner, in the project's folder; `probability` that it runs what is changed."""

    name: str
    path: str
    probability: float
    reasons: tuple[ImpactReason, ...]


class RiskPartView(msgspec.Struct, frozen=True):
    """What makes the change risky: how much of it there is, in [0, 1], what it weighs, and why."""

    name: str
    value: float
    weight: float
    why: str


class RiskView(msgspec.Struct, frozen=True):
    """`score` in [0, 100], the sum of the parts' values by their weights; `level` low, medium or high."""

    score: int
    level: str
    parts: tuple[RiskPartView, ...]


class ImpactAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the change touches, nearest and likeliest first; paths but in a test's name are as the asker finds them.

    `removed`: files that are gone, of which it is known what was in them. `unknown`: changed files of which nothing is
    known. `notes`: what evidence was missing, and why.
    """

    root: str
    changed: tuple[ChangedView, ...]
    callers: tuple[CallerView, ...]
    importers: tuple[ImporterView, ...]
    together: tuple[TogetherView, ...]
    tests: tuple[TestView, ...]
    tests_in_all: int
    risk: RiskView
    removed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@engines.add
class Impact(Engine[ImpactRequest, ImpactAnswer]):
    """Tell what a change touches, how risky it is, and which tests to run.

    The whole project is looked at; unchanged files come from the cache. Evidence is the call graph, names, history in
    git, and what coverage recorded of each test, where a `.coverage` file with contexts is in the project's folder.
    """

    name: ClassVar[str] = "impact"
    request = ImpactRequest
    answer = ImpactAnswer
    right = Right.FILE_READ
    needs = ("analysis",)
    uses = ("git",)
    timeout_s = 3600.0

    async def run(self, request: ImpactRequest, call: Call) -> ImpactAnswer:
        """What is touched; raises NotFound, Denied, InvalidInput or InvalidSettings."""
        from rubber_duck.analysis.target import Target, seen_from, target  # noqa: PLC0415  # rules and grammars
        from rubber_duck.impact.change import ChangedFile, joined  # noqa: PLC0415  # only here
        from rubber_duck.impact.impact import impact  # noqa: PLC0415  # numpy

        if request.paths and request.diff is not None:
            raise InvalidInput("give either paths or a diff, not both")
        places = [_parted(path, request.directory) for path in request.paths]
        asked = target([path for path, _ in places] or ["."], request.directory, call.settings)
        whole = Target(asked.root, (), asked.settings)
        changes = await _changes(request, places, asked.root)
        new = await _new_files(request, asked.root)
        notes: list[str] = []
        code = await _snapshot(whole, call, (*changes, *map(ChangedFile, new)), notes)
        own = [ChangedFile(path, (), len(code.texts[path].splitlines())) for path in new if path in code.files]
        changes = joined([*changes, *own])
        call.emit(Progress(0, 0, "looking for tests"))
        found = await asyncio.to_thread(impact, code, changes)
        find = seen_from(request.directory, asked.root.path)
        if found.unrecorded:
            named = ", ".join(map(find, found.unrecorded[:_NAMED]))
            more = f" and {len(found.unrecorded) - _NAMED:,} more files" if len(found.unrecorded) > _NAMED else ""
            notes.append(f"without coverage of {named}{more}: what runs the code there is a guess")
        return _answer(found, whole.root, find, notes)


def _parted(written: str, directory: str) -> tuple[str, str]:
    """The path, and what was written; a file whose name ends like a place is that file."""
    from rubber_duck.impact.change import place  # noqa: PLC0415  # as in run

    if os.path.exists(absolute(written, directory)):
        return written, ""
    return place(written)[0], written


async def _changes(request: ImpactRequest, named: Sequence[tuple[str, str]], root: Root) -> tuple[ChangedFile, ...]:
    from rubber_duck.impact.change import parse_diff  # noqa: PLC0415  # as in run
    from rubber_duck.workspace.git import read_changes  # noqa: PLC0415  # only without paths

    if named:
        return _named_changes(request.directory, named, root)
    if request.diff is not None:
        return parse_diff(request.diff)
    text = await read_changes(root.path)
    if text is None:
        raise NotFound(f"'{display(str(root.path))}' is in no git repository with a commit: name files, or give a diff")
    return parse_diff(text)


async def _new_files(request: ImpactRequest, root: Root) -> tuple[str, ...]:
    """The files that git does not know yet, when it is asked what is changed; not all need belong to the project."""
    from rubber_duck.workspace.git import read_untracked  # noqa: PLC0415  # only without paths

    if request.paths or request.diff is not None:
        return ()
    return await read_untracked(root.path)


def _named_changes(directory: str, named: Sequence[tuple[str, str]], root: Root) -> tuple[ChangedFile, ...]:
    from rubber_duck.impact.change import ChangedFile, joined, place  # noqa: PLC0415  # as in run

    found: list[ChangedFile] = []
    for path, written in named:
        there = os.path.realpath(absolute(path, directory))
        if os.path.isdir(there):
            raise InvalidInput(f"'{display(path)}' is a folder; name the files that change, or give a diff")
        lines = place(written)[1] if written else None
        found.append(ChangedFile(os.path.relpath(there, os.path.realpath(root.path)), (lines,) if lines else ()))
    return joined(found)


async def _snapshot(whole: Target, call: Call, changes: Sequence[ChangedFile], notes: list[str]) -> Snapshot:
    from rubber_duck.impact.impact import Snapshot  # noqa: PLC0415  # as in run

    analysis = call.parts.analysis
    facts = await analysis.read(whole, lambda done, total, note: call.emit(Progress(done, total, note)))
    call.emit(Progress(0, 0, "following the calls"))
    files = await asyncio.to_thread(_decoded, facts)
    texts = await asyncio.to_thread(_texts, whole, list(files))
    gone = {each.path: each.was for each in changes if each.was and each.path not in files}
    removed = await asyncio.to_thread(_read_again, gone)
    texts |= {path: gone[path] for path in removed}
    commits = await _history(whole.root, notes)
    recorded = await asyncio.to_thread(_recorded, whole.root, {each.path for each in changes}, notes)
    keep = partial(analysis.worked_out, whole, _state(facts, {path: gone[path] for path in removed}))
    return Snapshot(files | removed, texts, commits, recorded, os.fspath(whole.root.path), frozenset(removed), keep)


def _read_again(gone: Mapping[str, str]) -> dict[str, GraphFile]:
    """What was in files that were removed, of those that are in a known language."""
    from rubber_duck.code.code import detect, open_source  # noqa: PLC0415  # as in run
    from rubber_duck.code.extract import extract  # noqa: PLC0415  # as in run
    from rubber_duck.code.graph import GraphFile  # noqa: PLC0415  # as in run

    found: dict[str, GraphFile] = {}
    for path, text in gone.items():
        language = detect(path, None)
        if language is not None:
            with suppress(DuckError):  # nested too deeply to be read: then it is one of which nothing is known
                content = text.encode("utf-8", "surrogateescape")
                found[path] = GraphFile(language, extract(open_source(path, content, language)))
    return found


def _decoded(facts: Facts) -> dict[str, GraphFile]:
    from rubber_duck.code.codec import decode  # noqa: PLC0415  # as in run
    from rubber_duck.code.graph import GraphFile  # noqa: PLC0415  # as in run

    return {path: GraphFile(language, decode(facts.facts[path])) for path, language in facts.languages.items()}


def _state(facts: Facts, removed: Mapping[str, str]) -> bytes:
    """A digest of all files, those that were removed among them, and of this program."""
    from rubber_duck.analysis.rule_set import program_digest  # noqa: PLC0415  # as in run

    state = hashlib.blake2b(program_digest().encode(), digest_size=16)
    for path in facts.languages:
        state.update(os.fsencode(path) + b"\0" + facts.hashes[path].encode() + b"\0")
    for path, text in sorted(removed.items()):
        state.update(os.fsencode(path) + b"\0" + text.encode("utf-8", "surrogateescape") + b"\0")
    return state.digest()


def _texts(whole: Target, paths: Sequence[str]) -> dict[str, str]:
    """The contents; a file that cannot be read any more is empty."""
    found: dict[str, str] = {}
    for path in paths:
        try:
            content = whole.root.open_bytes(path, whole.settings.index.max_file_size_bytes)
        except DuckError:
            content = b""  # it went away since it was analysed: then nothing is read from its layout
        found[path] = content.decode("utf-8", "replace")
    return found


async def _history(root: Root, notes: list[str]) -> tuple[frozenset[str], ...]:
    from rubber_duck.workspace.git import read_history  # noqa: PLC0415  # as in run

    try:
        commits = await read_history(root.path, limit=_COMMITS)
    except DuckError as error:
        notes.append(f"without history: {error.message}")
        return ()
    if not commits:
        notes.append("without history: the project is in no git repository with commits")
    return tuple(frozenset(each.paths) for each in commits)


def _recorded(root: Root, changed: Collection[str], notes: list[str]) -> Recording:
    """What coverage recorded of the changed files."""
    from rubber_duck.impact.selection import own_path  # noqa: PLC0415  # as in run
    from rubber_duck.storage.coverage import Recording, read_recording  # noqa: PLC0415  # as in run

    try:
        content = root.open_bytes(_COVERAGE_FILE, _COVERAGE_BYTES)
    except NotFound:
        return Recording()
    except DuckError as error:
        notes.append(f"without coverage: {error.message}")
        return Recording()
    folder = os.fspath(root.path)
    try:
        found = read_recording(content, lambda file: own_path(file, folder, changed) is not None)
    except InvalidInput as error:
        notes.append(f"without coverage: {error.message}")
        return Recording()
    if not found.contexts:
        notes.append("without coverage: .coverage holds no contexts; record them with `pytest --cov-context=test`")
    return found


def _answer(found: Touched, root: Root, find: Callable[[str], str], notes: Sequence[str]) -> ImpactAnswer:
    risk = found.risk
    return ImpactAnswer(
        root=display(os.fspath(root.path)),
        changed=tuple(ChangedView(find(each.path), each.name, each.line) for each in found.changed),
        callers=tuple(
            CallerView(
                path=find(each.path),
                name=each.name,
                line=each.line,
                distance=each.distance,
                callee=each.callee,
                choices=each.choices,
            )
            for each in found.callers
        ),
        importers=tuple(
            ImporterView(path=find(each.path), line=each.line, distance=each.distance, imported=find(each.imported))
            for each in found.importers
        ),
        together=tuple(TogetherView(find(each.path), each.together, each.changes) for each in found.together),
        tests=tuple(
            TestView(
                each.name,
                find(each.path),
                round(each.probability, 3),
                tuple(ImpactReason(reason.kind, reason.words) for reason in each.reasons),
            )
            for each in found.tests
        ),
        tests_in_all=found.tests_in_all,
        risk=RiskView(
            risk.score,
            risk.level,
            tuple(RiskPartView(part.name, round(part.value, 3), part.weight, part.why) for part in risk.parts),
        ),
        removed=tuple(map(find, found.removed)),
        unknown=tuple(map(find, found.unknown)),
        notes=tuple(notes),
    )
