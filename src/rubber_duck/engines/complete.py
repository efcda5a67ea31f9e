"""Complete code at a cursor from what the project itself is written like, without a model and without a download."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck import telemetry
from rubber_duck.analysis.target import Target, refuse_leading_out, target
from rubber_duck.call import Call
from rubber_duck.code.code import detect
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Right
from rubber_duck.settings import Settings
from rubber_duck.workspace.paths import absolute, display

_HEAD_BYTES: Final = 4096
_MOST_TEXT: Final = 5_000_000

Text = Annotated[str, Meta(max_length=_MOST_TEXT)]


class Suggest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="suggest"):
    """Offer what may come next at a cursor: at a line and column, or between a prefix and a suffix."""

    path: Annotated[str, Meta(max_length=4096, description="The file.", extra={"argument": True, "path": True})]
    directory: Annotated[
        str,
        Meta(
            description="What a relative path is relative to; empty: the process's own folder.",
            extra={"directory": True},
        ),
    ] = ""
    line: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="The cursor's line, from 1; unset: `prefix` says it.")
    ] = None
    column: Annotated[int, Meta(ge=1, description="In front of which character of the line it is, from 1.")] = 1
    content: Annotated[Text | None, Meta(description="The file's text; unset: it is read from the path.")] = None
    prefix: Annotated[Text | None, Meta(description="The text before the cursor, in place of a line.")] = None
    suffix: Annotated[Text, Meta(description="The text behind the cursor; with `prefix`.")] = ""
    cut: Annotated[bool, Meta(description="As if the cursor's line ended at the cursor.")] = False
    language: Annotated[str, Meta(max_length=100, description="Its language; empty: as its name and content say.")] = ""
    count: Annotated[int, Meta(ge=1, le=10, description="The most candidates to offer.")] = 3


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="accepted"):
    """Note that an offered candidate was taken, for the telemetry of this machine. Its text is not kept."""

    language: Annotated[str, Meta(max_length=100, description="The file's language.")]
    rank: Annotated[int, Meta(ge=1, le=10, description="Which one it was, from 1.")]
    characters: Annotated[int, Meta(ge=0, description="How many characters were inserted.")]
    thought_ms: Annotated[int, Meta(ge=0, description="Milliseconds between showing and taking it; 0: not known.")] = 0


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A text to insert at the cursor.

    `score` is how likely it is, in [0, 1]. `reason` says what speaks for it: `symbols` (what the code declares),
    `file`, `folder`, `project` (the same was written there), `pattern` (the like was). `ends_line`: nothing more
    is expected on the line.
    """

    text: str
    score: float
    reason: str
    ends_line: bool


class CompleteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The candidates, the likeliest first; none in comments and strings, and where nothing is likely.

    `extended`: they are what was left of the last answer after more was typed. `files` and `tokens` are what the model
    was made of; `trained` whether it had to be read or trained for this answer. `latency_ms` is the whole time.
    `silence` says why there are none: `inside` of a comment or string, in front of a `word`, `unlikely` (nothing is
    likely enough), `unfit` (what is likely stands there already, repeats, or would break the syntax).
    """

    candidates: tuple[Candidate, ...] = ()
    language: str = ""
    extended: bool = False
    trained: bool = False
    files: int = 0
    tokens: int = 0
    latency_ms: float = 0.0
    silence: str = ""


@engines.add
class Complete(Engine[Suggest | Accepted, CompleteAnswer]):
    """Complete code at a cursor from what the project itself is written like, without a model.

    The first question about a project trains on its files, which takes seconds; after that an answer takes
    milliseconds, and files that change are counted again behind the answers.
    """

    name: ClassVar[str] = "complete"
    request = Suggest | Accepted
    answer = CompleteAnswer
    right = Right.FILE_READ
    needs = ("ngram",)
    timeout_s = 300.0

    async def run(self, request: Suggest | Accepted, call: Call) -> CompleteAnswer:
        """The candidates; raises NotFound, Denied, InvalidPath, LimitExceeded or InvalidInput."""
        if isinstance(request, Accepted):
            telemetry.count("completion.accepted")
            telemetry.emit(
                "completion.accepted",
                language=request.language,
                rank=request.rank,
                characters=request.characters,
                thought_ms=request.thought_ms,
            )
            return CompleteAnswer(language=request.language)
        return await _suggested(request, call)


async def _suggested(request: Suggest, call: Call) -> CompleteAnswer:
    from rubber_duck.ngram.ngram import Cursor  # noqa: PLC0415  # numpy, which listing engines needs not

    started = time.perf_counter()
    found, path = _placed(request, call.settings)
    prefix, suffix = await asyncio.to_thread(
        _around, request, lambda: _read(found.root.open_bytes(path, found.settings.index.max_file_size_bytes))
    )
    if request.cut:
        suffix = suffix[suffix.find("\n") :] if "\n" in suffix else ""
    language = request.language or detect(path, prefix[:_HEAD_BYTES].encode("utf-8", "replace"))
    if not language:
        raise InvalidInput(
            f"'{display(request.path)}' is in no language that RubberDuck knows; name one with --language"
        )
    answer = await call.parts.ngram.complete(
        found.root, found.settings.index, Cursor(path, language, prefix, suffix), count=request.count
    )
    latency_ms = (time.perf_counter() - started) * 1000
    first = answer.suggestions[0].reason if answer.suggestions else ""
    if answer.suggestions:
        telemetry.count("completion.shown")
    telemetry.emit(
        "completion.shown",
        language=language,
        candidates=len(answer.suggestions),
        reason=first,
        extended=answer.is_extended,
        latency_ms=round(latency_ms, 3),
    )
    return CompleteAnswer(
        candidates=tuple(
            Candidate(text=each.text, score=round(each.score, 4), reason=each.reason, ends_line=each.ends_line)
            for each in answer.suggestions
        ),
        language=language,
        extended=answer.is_extended,
        trained=not answer.was_ready,
        files=answer.files,
        tokens=answer.tokens,
        latency_ms=round(latency_ms, 3),
        silence=answer.silence or "",
    )


def _placed(request: Suggest, settings: Settings) -> tuple[Target, str]:
    """The project, and the file's path in it; a file whose text is given need not have been saved yet."""
    place = absolute(request.path, request.directory)
    refuse_leading_out(request.path, request.directory)
    is_given = request.content is not None or request.prefix is not None
    is_new = is_given and not os.path.lexists(place)
    found = target([os.path.dirname(place) if is_new else request.path], request.directory, settings)
    if is_new:
        return found, os.path.relpath(place, os.path.realpath(found.root.path)).replace(os.sep, "/")
    if len(found.only) != 1 or os.path.isdir(place):
        raise InvalidInput(f"'{display(request.path)}' is a folder: name the file in which to complete")
    return found, found.only[0].replace(os.sep, "/")


def _around(request: Suggest, read: Callable[[], str]) -> tuple[str, str]:
    """The text before the cursor and the text behind it."""
    if request.prefix is not None:
        if request.line is not None or request.content is not None:
            raise InvalidInput("the cursor is given twice: name either a line and a column, or a prefix and a suffix")
        return request.prefix, request.suffix
    if request.line is None:
        raise InvalidInput("there is no cursor: name a line and a column, or a prefix and a suffix")
    text = request.content if request.content is not None else read()
    lines = text.split("\n")
    if request.line > len(lines):
        raise InvalidInput(f"line {request.line} is behind the end: '{display(request.path)}' has {len(lines)} lines")
    line = lines[request.line - 1].removesuffix("\r")
    if request.column > len(line) + 1:
        raise InvalidInput(
            f"column {request.column} is behind the end of line {request.line}, of {len(line)} characters"
        )
    offset = sum(map(len, lines[: request.line - 1])) + request.line - 1 + request.column - 1
    return text[:offset], text[offset:]


def _read(content: bytes) -> str:
    return content.decode("utf-8", "replace").removeprefix("\ufeff")
