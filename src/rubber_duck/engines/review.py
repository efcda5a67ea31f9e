"""Review files or a change: analysers first, then a model, every remark at a line that is there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.code.decoding import lines_of
from rubber_duck.code.language import family_at
from rubber_duck.engines.engine import Engine, ModelOptions, Strategy, engines
from rubber_duck.engines.index import Directory
from rubber_duck.engines.place import ProjectFolder, at_root, in_project
from rubber_duck.engines.prompting import asker, contained, fenced, messages, numbered
from rubber_duck.engines.telling import BESIDE_TOKENS, as_code, told_beside
from rubber_duck.errors import DuckError, InvalidInput
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right
from rubber_duck.workspace.ignore import left_out_by
from rubber_duck.workspace.paths import absolute, display

if TYPE_CHECKING:
    from rubber_duck.analysis.finding import Finding
    from rubber_duck.llm.forms import Written
    from rubber_duck.settings import Settings
    from rubber_duck.workspace.ignore import left_out_by
from rubber_duck.workspace.paths import Root

Severity = Literal["info", "low", "medium", "high", "critical"]

AROUND: Final = 30
"""So many lines before and after a change are shown to the model."""

PIECE_TOKENS: Final = 6_000
"""What one question to the model holds of code."""

_MOST_PER_PIECE: Final = 10
_SYSTEM: Final = """\
You review code for a team that wants few remarks, each of them right. Report only defects that this code has: wrong
results, unhandled cases, races, leaks, security holes, misuse of an interface. Do not report style, naming, missing
comments or tests, or what the findings say already; do not praise. No remarks is a good answer.
For each remark give: `line`, the number of the line that is wrong; `quote`, that line exactly as it is shown, without
its number; `message`, one or two sentences: what goes wrong, and when; `severity`; `confidence`, between 0 and 1, how
sure you are that it is a defect. Where lines are marked with +, speak only of those."""


class ReviewRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to review: files, a change as a unified diff, or, with neither, what is not committed yet."""

    files: Annotated[
        tuple[Annotated[str, Meta(max_length=4096)], ...],
        Meta(
            max_length=200,
            description="Files; nothing: what changed since the last commit.",
            extra={"argument": True, "place": True},
        ),
    ] = ()
    diff: Annotated[
        str, Meta(max_length=5_000_000, description="A unified diff of the project as it is now; only its lines count.")
    ] = ""
    project: ProjectFolder = ""
    directory: Directory = ""
    model: Annotated[bool, Meta(description="Ask a model too, if one is there.")] = True
    sure: Annotated[
        float, Meta(ge=0, le=1, description="Leave out remarks of the model that it is less sure of than this.")
    ] = 0.6
    pieces: Annotated[int, Meta(ge=1, le=200, description="Questions to the model at the most.")] = 20


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to look at. `evidence` is the text of the line; `source` the rule that says it, or `model`.

    `confidence` is in [0, 1]: of rules .3, .6 or .9 for low, medium and high.
    """

    path: str
    line: int
    severity: Severity
    confidence: float
    message: str
    evidence: str
    source: str


class ReviewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The remarks by file and line. `unanchored`, `unsure` and `repeated` count what the model said and was dropped.

    `model` names who was asked; empty: nobody was, and `note` says why. `unread` are files that were not shown to it.
    """

    root: str
    files: tuple[str, ...]
    remarks: tuple[Remark, ...]
    unanchored: int = 0
    unsure: int = 0
    repeated: int = 0
    model: str = ""
    unread: tuple[str, ...] = ()
    note: str = ""


class ModelRemark(msgspec.Struct, frozen=True):
    """What the model is asked to say of one line."""

    line: int
    quote: str
    message: str
    severity: Severity
    confidence: float


class ModelRemarks(msgspec.Struct, frozen=True):
    """What the model is asked to say of one piece of code."""

    remarks: tuple[ModelRemark, ...]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A file under review: its lines, those that a change touches (empty: all count), and what analysers found."""

    path: str
    lines: tuple[str, ...]
    changed: frozenset[int]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Gathered:
    """What the model said so far, and what of it was dropped."""

    remarks: list[Remark] = field(default_factory=list)
    unanchored: int = 0
    unsure: int = 0
    repeated: int = 0
    models: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks a model about which project, and what they want."""

    request: ReviewRequest
    call: Call
    place: tuple[Root, Settings]


@engines.add
class Review(Engine[ReviewRequest, ReviewAnswer]):
    """Review files or a change: analysers first, then a model, every remark at a line that is there.

    What the model says of a line that it cannot quote is dropped and counted. Without a model the analysers' findings
    are the review.
    """

    name: ClassVar[str] = "review"
    request = ReviewRequest
    answer = ReviewAnswer
    right = Right.FILE_READ
    needs = ("workspace", "analysis", "search", "contexts", "llm")
    strategy = Strategy.LONG_WINDOW
    role = Role.CHAT
    model_options = ModelOptions(max_tokens=2048)
    uses = ("git", "ruff")
    timeout_s = 1800.0

    async def run(self, request: ReviewRequest, call: Call) -> ReviewAnswer:
        """The review; raises InvalidInput, NotFound, Denied. A model that fails is told in `note`."""
        root, settings = await at_root(call, request.project, request.directory)
        wanted = await _wanted(request, root)
        call.emit(Progress(0, 0, "analysing"))
        reviewed = await _reviewed(call, root, settings, wanted)
        own = [remark for each in reviewed for remark in _of_analysers(each)]
        gathered = _Gathered()
        note = "no model was asked"
        unread: tuple[str, ...] = ()
        if request.model and reviewed:
            hidden = await asyncio.to_thread(_hidden, root, settings, reviewed)
            pieces = [piece for each in reviewed if each.path not in hidden for piece in cut_up(each)]
            asked, left = pieces[: request.pieces], pieces[request.pieces :]
            unread = tuple(sorted({display(path) for path in (*hidden, *(each.path for each, _ in left))}))
            asking = _Asking(request, replace(call, scope=await asker(call, root)), (root, settings))
            note = await self._ask(asking, asked, gathered)
        elif not reviewed:
            note = "there is nothing to review: no file in a known language was named, or has changed"
        found = sorted([*own, *gathered.remarks], key=lambda each: (each.path, each.line, each.source, each.message))
        return ReviewAnswer(
            root=display(os.fspath(root.path)),
            files=tuple(display(each.path) for each in reviewed),
            remarks=tuple(found),
            unanchored=gathered.unanchored,
            unsure=gathered.unsure,
            repeated=gathered.repeated,
            model=", ".join(gathered.models),
            unread=unread,
            note=note,
        )

    async def _ask(self, asking: _Asking, pieces: Sequence[tuple[Reviewed, list[int]]], gathered: _Gathered) -> str:
        """Show every piece to the model; the sentence that says why it ended early, if it did."""
        beside: dict[str, str] = {}
        for done, (file, shown) in enumerate(pieces):
            asking.call.emit(Progress(done, len(pieces), f"asking the model about {display(file.path)}"))
            said = await contained(partial(self._said, asking, file, shown, beside), "the analysers' findings stand")
            if said.value is None:
                return said.note
            gathered.models[said.value.answer.model] = None
            for remark in said.value.value.remarks[:_MOST_PER_PIECE]:
                keep(remark, (file, shown), asking.request.sure, gathered)
        return ""

    async def _said(
        self, asking: _Asking, file: Reviewed, shown: list[int], beside: dict[str, str]
    ) -> Written[ModelRemarks]:
        """What the model says of one piece; `beside` keeps what it is told beside each file."""
        from rubber_duck.context.sources import Ask  # noqa: PLC0415  # numpy beneath
        from rubber_duck.llm.messages import Prompt  # noqa: PLC0415  # only who asks a model

        call, options = asking.call, self.model_options
        if file.path not in beside:
            ask = Ask(file.path, shown[0], 1, "", BESIDE_TOKENS, 0, 0)
            beside[file.path] = as_code(await told_beside(call, asking.place, ask, self))
        user = beside[file.path] + told(file, shown)
        prompt = Prompt(messages(_SYSTEM, user), options.max_tokens, options.temperature)
        return await call.parts.llm.write_as(call.scope, Role.CHAT, prompt, ModelRemarks)


async def _wanted(request: ReviewRequest, root: Root) -> dict[str, frozenset[int]]:
    """Path → the lines that count; empty: all of them."""
    from rubber_duck.impact.change import parse_diff  # noqa: PLC0415  # only here
    from rubber_duck.workspace.git import read_changes  # noqa: PLC0415  # as above

    if request.files and request.diff:
        raise InvalidInput("name files or give a diff, not both")
    if request.files:
        named = [in_project(root, absolute(each, request.directory or os.fspath(root.path))) for each in request.files]
        return dict.fromkeys(named, frozenset())
    diff = request.diff or await read_changes(root.path)
    if diff is None:
        raise InvalidInput("name files to review: there is no commit here that changes could be told from")
    wanted: dict[str, frozenset[int]] = {}
    for change in parse_diff(diff) if diff.strip() else ():
        lines = frozenset(number for part in change.lines for number in range(part.first, part.last + 1))
        if lines:
            wanted[change.path] = lines
    return wanted


async def _reviewed(call: Call, root: Root, settings: Settings, wanted: dict[str, frozenset[int]]) -> list[Reviewed]:
    from rubber_duck.analysis.target import Target  # noqa: PLC0415  # rules and grammars

    if not wanted:
        return []

    def progress(done: int, total: int, note: str) -> None:
        call.emit(Progress(done, total, note))

    outcome = await call.parts.analysis.run(Target(root, tuple(sorted(wanted)), settings), progress)
    limit = settings.index.max_file_size_bytes
    found: list[Reviewed] = []
    for file in outcome.files:
        if file.path in wanted:
            lines = await asyncio.to_thread(_lines, root, file.path, limit)
            changed = wanted[file.path]
            findings = [each for each in file.findings if each.suppressed is None]
            if changed:
                findings = [each for each in findings if each.span.start_line in changed]
            found.append(Reviewed(file.path, lines, changed, tuple(findings)))
    return found


def _hidden(root: Root, settings: Settings, reviewed: Sequence[Reviewed]) -> frozenset[str]:
    """The files that the project ignores, which no model is told of."""
    return frozenset(each.path for each in reviewed if left_out_by(root.path, each.path, settings.index.ignore))


def _lines(root: Root, path: str, limit_bytes: int) -> tuple[str, ...]:
    try:
        content = root.open_bytes(path, limit_bytes)
    except DuckError:
        return ()  # it went away since it was analysed
    return lines_of(content, family_at(path, content))


def _of_analysers(file: Reviewed) -> list[Remark]:
    return [
        Remark(
            path=display(file.path),
            line=each.span.start_line,
            severity=each.severity.label,  # type: ignore[arg-type]  # the labels are these words
            confidence=(0.3, 0.6, 0.9)[each.confidence],
            message=each.message,
            evidence=_line(file, each.span.start_line),
            source=each.rule,
        )
        for each in file.findings
    ]


def cut_up(file: Reviewed) -> list[tuple[Reviewed, list[int]]]:
    """The lines to show to a model, in pieces of PIECE_TOKENS: all of them, or those around a change."""
    from rubber_duck.llm.tokens import count_tokens  # noqa: PLC0415  # its ranks

    wanted = range(1, len(file.lines) + 1)
    if file.changed:
        near = {line + away for line in file.changed for away in range(-AROUND, AROUND + 1)}
        shown = [number for number in wanted if number in near]
    else:
        shown = list(wanted)
    pieces: list[tuple[Reviewed, list[int]]] = []
    piece: list[int] = []
    spent = 0
    for number in shown:
        tokens = count_tokens(_line(file, number)) + 3
        if piece and spent + tokens > PIECE_TOKENS:
            pieces.append((file, piece))
            piece, spent = [], 0
        piece.append(number)
        spent += tokens
    return [*pieces, (file, piece)] if piece else pieces


def told(file: Reviewed, shown: list[int]) -> str:
    """What the model is told about one piece of a file."""
    from rubber_duck.llm.tokens import cut  # noqa: PLC0415  # its ranks

    code = numbered([(number, cut(_line(file, number), 500)) for number in shown], file.changed)
    known = [each for each in file.findings if each.span.start_line in set(shown)]
    findings = "\n".join(f"line {each.span.start_line}: {each.message} [{each.rule}]" for each in known)
    parts = [fenced("code", display(file.path), code)]
    if findings:
        parts.append(fenced("findings", "that analysers report already", findings))
    return "\n".join(parts)


def keep(said: ModelRemark, piece: tuple[Reviewed, list[int]], sure: float, gathered: _Gathered) -> None:
    """Take a remark over if it stands at a line that was shown and is sure enough; else count why it was dropped."""
    file, shown = piece
    at = anchor(said, file, shown)
    message = " ".join(said.message.split())[:1000]
    if at is None or not message:
        gathered.unanchored += 1
        return
    confidence = min(max(said.confidence, 0.0), 1.0)
    if confidence < sure:
        gathered.unsure += 1
        return
    known = {each.span.start_line for each in file.findings}
    if at in known or any((each.path, each.line) == (display(file.path), at) for each in gathered.remarks):
        gathered.repeated += 1
        return
    gathered.remarks.append(
        Remark(
            path=display(file.path),
            line=at,
            severity=said.severity,
            confidence=round(confidence, 2),
            message=message,
            evidence=_line(file, at),
            source="model",
        )
    )


def anchor(said: ModelRemark, file: Reviewed, shown: Sequence[int]) -> int | None:
    """The line that a remark is about: the one it names if that is what it quotes, else the one it quotes alone."""
    quote = " ".join(said.quote.split())
    if len(quote) < 2:
        return None
    fitting = [
        number
        for number in shown
        if (not file.changed or number in file.changed) and _is_quoted(quote, _line(file, number))
    ]
    if said.line in fitting:
        return said.line
    return fitting[0] if len(fitting) == 1 else None


def _is_quoted(quote: str, line: str) -> bool:
    text = " ".join(line.split())
    return quote == text or (len(quote) >= 8 and quote in text)


def _line(file: Reviewed, number: int) -> str:
    return file.lines[number - 1] if 1 <= number <= len(file.lines) else ""
