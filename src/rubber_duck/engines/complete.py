"""Complete code at a cursor from what the project itself is written like, and by a model if one is connected."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck import telemetry
from rubber_duck.analysis.target import Target, refuse_leading_out, target
from rubber_duck.call import Call, Delta
from rubber_duck.code.code import detect
from rubber_duck.engines.engine import Engine, Strategy, engines
from rubber_duck.engines.filling import Beside, Filled, fill
from rubber_duck.engines.place import untold
from rubber_duck.errors import InvalidInput
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right
from rubber_duck.settings import Settings
from rubber_duck.workspace.paths import absolute, display

if TYPE_CHECKING:
    from rubber_duck.ngram.ngram import Completion, Cursor
    from rubber_duck.ngram.suggestion import Suggestion

_HEAD_BYTES: Final = 4096
_MOST_TEXT: Final = 5_000_000
_MODEL_SCORE: Final = 0.6
"""Where a model's text stands among the others; half as much more where they begin it, too."""

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
    content: Annotated[
        Text | None, Meta(description="The file's text; unset: it is read from the path.", extra={"place": False})
    ] = None
    prefix: Annotated[Text | None, Meta(description="The text before the cursor, in place of a line.")] = None
    suffix: Annotated[Text, Meta(description="The text behind the cursor; with `prefix`.")] = ""
    cut: Annotated[bool, Meta(description="As if the cursor's line ended at the cursor.")] = False
    language: Annotated[str, Meta(max_length=100, description="Its language; empty: as its name and content say.")] = ""
    count: Annotated[int, Meta(ge=1, le=10, description="The most candidates to offer.")] = 3
    model: Annotated[bool, Meta(description="Ask a model for completion too, if one is connected.")] = True
    wait_s: Annotated[float, Meta(gt=0, le=60, description="Seconds to wait for the model at the most.")] = 5.0


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="accepted"):
    """Note that an offered candidate was taken, for the telemetry of this machine. Its text is not kept."""

    language: Annotated[str, Meta(max_length=100, description="The file's language.")]
    rank: Annotated[int, Meta(ge=1, le=10, description="Which one it was, from 1.")]
    characters: Annotated[int, Meta(ge=0, description="How many characters were inserted.")]
    thought_ms: Annotated[int, Meta(ge=0, description="Milliseconds between showing and taking it; 0: not known.")] = 0
    path: Annotated[str, Meta(max_length=4096, description="The file; it is not kept.", extra={"path": True})] = ""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A text to insert at the cursor.

    `score` is how likely it is, in [0, 1]. `reason` says what speaks for it: `symbols` (what the code declares),
    `file`, `folder`, `project` (the same was written there), `pattern` (the like was), `language` (many programs have
    it), `model`. `ends_line`: nothing more is expected on the line.
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
    likely enough), `unfit` (what is likely stands there already, repeats, or would break the syntax). `waited_ms` is
    what of the time a model took, and `note` says why one that was asked has no candidate.
    """

    candidates: tuple[Candidate, ...] = ()
    language: str = ""
    extended: bool = False
    trained: bool = False
    files: int = 0
    tokens: int = 0
    latency_ms: float = 0.0
    silence: str = ""
    waited_ms: float = 0.0
    note: str = ""


@engines.add
class Complete(Engine[Suggest | Accepted, CompleteAnswer]):
    """Complete code at a cursor, from the project's own code, and by a model if one is connected.

    What the project says is told at once, as the first delta; a model's text comes behind it, and only if it repeats
    nothing and the file parses with it. The first question about a project trains on its files, which takes seconds;
    after that an answer takes milliseconds, and files that change are counted again behind the answers.
    """

    name: ClassVar[str] = "complete"
    request = Suggest | Accepted
    answer = CompleteAnswer
    right = Right.FILE_READ
    needs = ("workspace", "analysis", "ngram", "contexts", "llm")
    role = Role.COMPLETION
    strategy = Strategy.FIM
    timeout_s = 300.0

    def __init__(self, options: msgspec.Struct | None = None) -> None:
        super().__init__(options)
        self._beside = Beside()

    async def close(self) -> None:
        """End what reads projects for the model."""
        await self._beside.nearby.close()

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
        return await _suggested(request, call, self._beside)


async def _suggested(request: Suggest, call: Call, beside: Beside) -> CompleteAnswer:
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
    cursor = Cursor(path, language, prefix, suffix)
    if request.model and call.parts.llm.chain(Role.COMPLETION):
        answer, filled = await _with_model(request, call, cursor, found, beside)
    else:
        answer = await call.parts.ngram.complete(found.root, found.settings.index, cursor, count=request.count)
        filled = Filled("")
    candidates = merged(answer.suggestions, filled, request.count)
    latency_ms = (time.perf_counter() - started) * 1000
    first = candidates[0].reason if candidates else ""
    if candidates:
        telemetry.count("completion.shown")
    telemetry.emit(
        "completion.shown",
        language=language,
        candidates=len(candidates),
        reason=first,
        extended=answer.is_extended,
        latency_ms=round(latency_ms, 3),
    )
    return CompleteAnswer(
        candidates=candidates,
        language=language,
        extended=answer.is_extended,
        trained=not answer.was_ready,
        files=answer.files,
        tokens=answer.tokens,
        latency_ms=round(latency_ms, 3),
        silence="" if candidates else answer.silence or "",
        waited_ms=round(filled.waited_ms, 3),
        note=filled.why,
    )


async def _with_model(
    request: Suggest, call: Call, cursor: Cursor, found: Target, beside: Beside
) -> tuple[Completion, Filled]:
    """What the project says and what a model does; it is asked while the project's own candidates are still sought."""
    in_code, loop = asyncio.Event(), asyncio.get_running_loop()

    async def filled() -> Filled:
        await in_code.wait()
        if reason := untold(found.root, found.settings, cursor.path):
            return Filled("", why=f"the file is told to no model: it is not the project's, says {display(reason)}")
        return await fill(call, cursor, found, beside, timeout_s=request.wait_s)

    filling = asyncio.create_task(filled())
    try:
        answer = await call.parts.ngram.complete(
            found.root,
            found.settings.index,
            cursor,
            count=request.count,
            on_code=lambda: _on(loop, in_code),
        )
        if answer.silence == "inside":
            return answer, Filled("")
        if answer.suggestions:
            call.emit(Delta(answer.suggestions[0].text))
        in_code.set()
        return answer, await filling
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)


def _on(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set an event from another thread."""
    loop.call_soon_threadsafe(event.set)


def merged(suggestions: Sequence[Suggestion], filled: Filled, count: int) -> tuple[Candidate, ...]:
    """The candidates of both, the likeliest first, none twice: a model's stands behind what is all but sure."""
    own = [
        Candidate(text=each.text, score=round(each.score, 4), reason=each.reason, ends_line=each.ends_line)
        for each in suggestions
    ]
    if not filled.text:
        return tuple(own)
    ends = "\n" in filled.text or any(each.text == filled.text and each.ends_line for each in own)
    agreed = next((each.score for each in own if filled.text.startswith(each.text)), 0.0)
    score = round(max(_MODEL_SCORE, min(agreed + _MODEL_SCORE / 2, 0.99)), 4)
    model = Candidate(text=filled.text, score=score, reason="model", ends_line=ends)
    rest = [each for each in own if each.text != filled.text]
    return tuple(sorted([*rest, model], key=lambda each: -each.score)[:count])


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
