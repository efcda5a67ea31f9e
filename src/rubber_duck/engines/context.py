"""Show what a model would be told about a place in the code or a question, and why."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.analysis.target import refuse_leading_out, unchecked_settings
from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.index import nearest_root
from rubber_duck.engines.place import within
from rubber_duck.engines.telling import access
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import Root, absolute, display

if TYPE_CHECKING:
    from rubber_duck.context.context import Context as Built
    from rubber_duck.memory.memory import Brief

_MEMORY_SHARE: Final = 5
"""A fifth of the budget is the most that what is remembered may take."""

_HEADING: Final = "What is remembered of this person and project:"
_HEADING_TOKENS: Final = 12
_PLACE: Final = re.compile(r"(.*?)(?::(\d{1,9}))?(?::(\d{1,9}))?", re.DOTALL)


class ContextRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A place, a question, or both."""

    place: Annotated[
        str,
        Meta(
            max_length=4096,
            description="FILE, FILE:LINE or FILE:LINE:COLUMN; both count from 1.",
            extra={"argument": True, "path": True},
        ),
    ] = ""
    query: Annotated[str, Meta(max_length=10_000, description="A question or a task in words.")] = ""
    budget_tokens: Annotated[int, Meta(ge=50, le=1_000_000, description="Tokens at the most (o200k).")] = 4000
    strategy: Annotated[
        str, Meta(max_length=100, description="A strategy to take; empty: the one that suits best.")
    ] = ""
    directory: Annotated[
        str,
        Meta(
            max_length=4096,
            description="What a relative path is relative to; empty: the process's own folder.",
            extra={"directory": True},
        ),
    ] = ""


class ContextPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the context: where it is from, why it is there, and the parts of its score, each from 0 to 1.

    `shortened`: bodies were left out. `refused` says why the part is not told; then `text` is empty.
    """

    kind: str
    path: str
    start_line: int = 0
    end_line: int = 0
    reasons: tuple[str, ...] = ()
    tokens: int = 0
    shortened: bool = False
    text: str = ""
    relevance: float = 0.0
    completeness: float = 0.0
    diversity: float = 0.0
    recency: float = 0.0
    total: float = 0.0
    refused: str = ""


class QualityParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the quality is made of, each from 0 to 1: the mean score of what is told by its tokens, how much of what was
    gathered is told, and which share of what is needed found room.
    """

    worth: float
    found: float
    whole: float


class ContextAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model would be told: `text`, of `tokens` tokens, and its parts in order; then what was not told.

    `suits`: how well each strategy suited, 0 to 1. `quality` 0 to 1: `worth` times `whole` of its parts. `cached`: it
    was built before, and nothing of the project has changed since.
    """

    strategy: str
    suits: dict[str, float]
    quality: float
    quality_parts: QualityParts
    cached: bool
    budget_tokens: int
    tokens: int
    parts: tuple[ContextPart, ...]
    refused: tuple[ContextPart, ...]
    problems: tuple[str, ...]
    text: str


@engines.add
class Context(Engine[ContextRequest, ContextAnswer]):
    """Show what a model would be told about a place in the code or a question, part by part, and why.

    Nothing is sent anywhere. The project is indexed first if need be; only files that it does not ignore are read.
    """

    name: ClassVar[str] = "context"
    request = ContextRequest
    answer = ContextAnswer
    right = Right.FILE_READ
    needs = ("workspace", "analysis", "search", "memory", "contexts")
    timeout_s = 3600.0

    async def run(self, request: ContextRequest, call: Call) -> ContextAnswer:
        """The context; raises NotFound, Denied, InvalidInput, UnknownName or InvalidSettings."""
        from rubber_duck.context.contexts import Reader  # noqa: PLC0415  # numpy: listing engines needs it not
        from rubber_duck.context.sources import Ask  # noqa: PLC0415  # as above

        path, line, column = _place(request)
        if path:
            refuse_leading_out(path, request.directory)
        root = await nearest_root(call, path or ".", request.directory)
        relative = _relative(root, path, request.directory)
        scope, query = await within(call, root), request.query.strip()
        brief = await call.parts.memory.brief(scope, query, request.budget_tokens // _MEMORY_SHARE) if query else None
        taken = brief.tokens + _HEADING_TOKENS if brief is not None and brief.told else 0
        ask = Ask(relative, line, column, query, request.budget_tokens - taken)
        reader = Reader(scope, root, unchecked_settings(root, call.settings).index)
        ways = access(call, root)
        answer = _answer(await call.parts.contexts.build(reader, ask, ways, strategy=request.strategy))
        return answer if not taken or brief is None else _with_memory(answer, brief, request.budget_tokens)


def _place(request: ContextRequest) -> tuple[str, int, int]:
    """(path, line, column) of the place; a line that was not said is 0, a column then too, or else 1."""
    if not request.place and not request.query.strip():
        raise InvalidInput("a context is for a place or for a question: say FILE:LINE or --query TEXT")
    found = _PLACE.fullmatch(request.place)
    assert found is not None  # each of its parts may be empty
    path, line, column = found.groups()
    if any(number is not None and int(number) == 0 for number in (line, column)):
        raise InvalidInput(f"{request.place!r}: lines and columns count from 1")
    return path, int(line or 0), int(column or (1 if line else 0))


def _relative(root: Root, path: str, directory: str) -> str:
    if not path:
        return ""
    found = os.path.realpath(absolute(path, directory))
    if os.path.isdir(found):
        raise InvalidInput(f"'{display(path)}' is a folder: name a file, as FILE:LINE")
    return os.path.relpath(found, root.path)


def _with_memory(answer: ContextAnswer, brief: Brief, budget_tokens: int) -> ContextAnswer:
    """The answer with what is remembered told first."""
    part = ContextPart(
        kind="memory",
        path="",
        reasons=tuple(dict.fromkeys(reason for each in brief.told for reason in each.reasons)),
        tokens=brief.tokens,
        text=brief.text,
        relevance=1.0,
    )
    return msgspec.structs.replace(
        answer,
        budget_tokens=budget_tokens,
        tokens=answer.tokens + brief.tokens + _HEADING_TOKENS,
        parts=(part, *answer.parts),
        text=f"{_HEADING}\n{brief.text}\n\n{answer.text}",
    )


def _answer(built: Built) -> ContextAnswer:
    parts = tuple(
        ContextPart(
            kind=each.snippet.kind,
            path=display(each.snippet.path),
            start_line=each.snippet.start_line,
            end_line=each.snippet.end_line,
            reasons=each.snippet.reasons,
            tokens=each.tokens,
            shortened=each.is_shortened,
            text=each.text,
            relevance=round(each.score.relevance, 3),
            completeness=round(each.score.completeness, 3),
            diversity=round(each.score.diversity, 3),
            recency=round(each.score.recency, 3),
            total=round(each.score.total, 3),
        )
        for each in built.packed.chosen
    )
    refused = tuple(
        ContextPart(
            kind=each.snippet.kind,
            path=display(each.snippet.path),
            start_line=each.snippet.start_line,
            end_line=each.snippet.end_line,
            reasons=each.snippet.reasons,
            relevance=round(each.snippet.relevance, 3),
            refused=each.reason,
        )
        for each in built.packed.refused
    )
    return ContextAnswer(
        strategy=built.strategy,
        suits=built.suits,
        quality=built.quality.total,
        quality_parts=QualityParts(worth=built.quality.worth, found=built.quality.found, whole=built.quality.whole),
        cached=built.is_cached,
        budget_tokens=built.ask.budget_tokens,
        tokens=built.packed.tokens,
        parts=parts,
        refused=refused,
        problems=built.problems,
        text=built.packed.text,
    )
