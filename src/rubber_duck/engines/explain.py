"""Explain code: what is known of it without a model, and in words by a model if one is there."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Delta, Progress
from rubber_duck.engines.engine import Engine, ModelOptions, Strategy, engines
from rubber_duck.engines.index import Directory
from rubber_duck.engines.place import ProjectFolder, Where, find, refuse_untold
from rubber_duck.engines.prompting import asker, contained, ending, fenced, messages, numbered
from rubber_duck.engines.telling import named, told_of
from rubber_duck.errors import InvalidInput
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import display

if TYPE_CHECKING:
    from rubber_duck.code.symbols import Symbol

_SYSTEM: Final = """\
You explain code to an experienced colleague who does not know it yet. Say first in one sentence what it is for, then
how it works in the order in which it runs, then what is surprising or easily broken. Name lines by their numbers. Say
only what the code shows; where you guess, say so. Be short."""

_MOST_LINES: Final = 400
_CONTEXT_TOKENS: Final = 6_000


class ExplainRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to explain."""

    at: Annotated[
        str,
        Meta(
            max_length=4096, description="FILE, FILE:LINE or FILE:LINE-LINE.", extra={"argument": True, "place": True}
        ),
    ]
    question: Annotated[str, Meta(max_length=4000, description="What you want to know of it.")] = ""
    model: Annotated[bool, Meta(description="Ask a model too, if one is there.")] = True
    project: ProjectFolder = ""
    directory: Directory = ""


class ExplainedDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A definition in what is explained: its head, its first paragraph, its 1-based lines, both inclusive."""

    name: str
    kind: str
    head: str
    about: str
    start_line: int
    end_line: int


class ExplainAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the code without a model, and what the model said. `note` says why it said nothing.

    `mentioned` names the other files that mention the definition by its name, with the first line.
    """

    path: str
    start_line: int
    end_line: int
    definitions: tuple[ExplainedDefinition, ...]
    imports: tuple[str, ...]
    mentioned: tuple[str, ...]
    text: str = ""
    model: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a place without a model."""

    lines: tuple[str, ...]
    first: int
    last: int
    symbols: tuple[Symbol, ...]
    imports: tuple[str, ...]


@engines.add
class Explain(Engine[ExplainRequest, ExplainAnswer]):
    """Explain code: what it defines, needs and who mentions it, and in words by a model if one is there.

    The model's words come as they are written. Without one, what is known is the answer.
    """

    name: ClassVar[str] = "explain"
    request = ExplainRequest
    answer = ExplainAnswer
    right = Right.FILE_READ
    needs = ("workspace", "analysis", "search", "contexts", "llm")
    strategy = Strategy.LONG_WINDOW
    role = Role.CHAT
    model_options = ModelOptions(max_tokens=1500)
    timeout_s = 600.0

    async def run(self, request: ExplainRequest, call: Call) -> ExplainAnswer:
        """The explanation; raises InvalidInput, NotFound, Denied. A model that fails is told in `note`."""
        where = await find(call, request.at, request.project, request.directory)
        known = await asyncio.to_thread(_known, where)
        mentioned = await asyncio.to_thread(_mentioned, where, known)
        text, model, note = "", "", "no model was asked"
        if request.model:
            call.emit(Progress(0, 0, "asking the model"))
            said = await contained(lambda: self._told(request, call, where, known), "what is known without one is here")
            (text, model, ended), note = said.value or ("", "", ""), said.note
            note = note or ended
        return ExplainAnswer(
            path=display(where.path),
            start_line=known.first,
            end_line=known.last,
            definitions=tuple(map(_view, known.symbols)),
            imports=known.imports,
            mentioned=mentioned,
            text=text,
            model=model,
            note=note,
        )

    async def _told(self, request: ExplainRequest, call: Call, where: Where, known: _Known) -> tuple[str, str, str]:
        from rubber_duck.context.sources import Ask  # noqa: PLC0415  # numpy beneath
        from rubber_duck.llm.messages import Finished, Prompt, TextDelta  # noqa: PLC0415  # only who asks a model

        await asyncio.to_thread(refuse_untold, *where.place, where.path)
        shown = [(number, known.lines[number - 1]) for number in range(known.first, known.last + 1)][:_MOST_LINES]
        ask = Ask(where.path, known.first, 1, "", _CONTEXT_TOKENS, 0, 0)
        is_there = bool(call.parts.llm.chain(Role.CHAT))
        beside = named(await told_of(call, where.place, ask, self.strategy, refresh=True)) if is_there else {}
        user = "".join(fenced("code", place, text) for place, text in beside.items())
        user += fenced("code", display(where.path), numbered(shown))
        user += f"\nThe question: {request.question}" if request.question else "\nExplain this code."
        options = self.model_options
        prompt = Prompt(messages(_SYSTEM, user), options.max_tokens, options.temperature)
        parts: list[str] = []
        model, ended = "", ""
        scope = await asker(call, where.root)
        async with aclosing(call.parts.llm.stream(scope, Role.CHAT, prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, TextDelta):
                    parts.append(piece.text)
                    call.emit(Delta(piece.text))
                elif isinstance(piece, Finished):
                    model, ended = piece.model, ending(piece.reason, options.max_tokens)
        return "".join(parts), model or next(iter(call.parts.llm.chain(Role.CHAT)), ""), ended


def _known(where: Where) -> _Known:
    from rubber_duck.code.code import detect, open_source  # noqa: PLC0415  # grammars
    from rubber_duck.code.decoding import lines_of  # noqa: PLC0415  # as above
    from rubber_duck.code.extract import extract  # noqa: PLC0415  # as above
    from rubber_duck.code.language import family_at  # noqa: PLC0415  # as above

    content = where.root.open_bytes(where.path, where.settings.index.max_file_size_bytes)
    language = detect(where.path, content[:4096])
    lines = lines_of(content, family_at(where.path, content))
    if where.line > len(lines):
        raise InvalidInput(f"line {where.line} is behind the end: '{display(where.path)}' has {len(lines)} lines")
    if not language:
        first, last = where.line or 1, where.end_line or where.line or len(lines)
        return _Known(lines, first, min(last, len(lines)), (), ())
    facts = extract(open_source(where.path, content, language))
    first, last = 1, len(lines)
    if where.line and where.end_line:
        first, last = where.line, min(where.end_line, len(lines))
    elif where.line:
        around = [each for each in facts.symbols if each.start_line <= where.line <= each.end_line]
        inner = [each for each in around if each.end_line > each.start_line] or around
        first, last = (inner[-1].start_line, inner[-1].end_line) if inner else (where.line, where.line)
    inside = tuple(each for each in facts.symbols if first <= each.start_line and each.end_line <= last)
    imports = tuple(dict.fromkeys("." * each.level + each.module for each in facts.imports if each.module))
    return _Known(lines, first, last, inside, imports)


def _mentioned(where: Where, known: _Known, most: int = 10) -> tuple[str, ...]:
    """Where other files of the project mention the outermost definition by its name."""
    import re  # noqa: PLC0415  # only here

    from rubber_duck.code.code import detect  # noqa: PLC0415  # grammars
    from rubber_duck.errors import DuckError  # noqa: PLC0415  # only here
    from rubber_duck.workspace.scan import scan  # noqa: PLC0415  # only here

    if not known.symbols or not where.line:
        return ()
    word = re.compile(rf"(?<!\w){re.escape(known.symbols[0].name)}(?!\w)".encode())
    found: list[str] = []
    for file in scan(where.root, where.settings.index, detect).files:
        if file.path == where.path or file.language is None or len(found) >= most:
            continue
        try:
            content = where.root.open_bytes(file.path, where.settings.index.max_file_size_bytes)
        except DuckError:
            continue  # it went away since it was listed
        if (match := word.search(content)) is not None:
            line = content.count(b"\n", 0, match.start()) + 1
            found.append(f"{display(file.path)}:{line}")
    return tuple(found)


def _view(symbol: Symbol) -> ExplainedDefinition:
    return ExplainedDefinition(
        name=symbol.qualified_name,
        kind=symbol.kind.value,
        head=symbol.signature,
        about=symbol.doc,
        start_line=symbol.start_line,
        end_line=symbol.end_line,
    )
