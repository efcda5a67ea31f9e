"""Generate code for a task, told what the project knows; checked by parser and analysers, repaired, then shown."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, ModelOptions, Strategy, engines
from rubber_duck.engines.generating import Generating
from rubber_duck.engines.index import Directory
from rubber_duck.engines.patch import Approve, EditedFile, Hunks, show_or_write, texts_after
from rubber_duck.engines.place import ProjectFolder, Where, at_root, find, refuse_untold, within
from rubber_duck.engines.prompting import EDIT_FORM, contained, fenced, messages
from rubber_duck.engines.techniques import (
    REPAIRS,
    Asking,
    Drafted,
    Technique,
    draft,
    look_again,
    think,
    with_thought,
)
from rubber_duck.engines.telling import named, told_of
from rubber_duck.errors import DuckError, InvalidInput
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right, Scope
from rubber_duck.workspace.paths import display

if TYPE_CHECKING:
    from rubber_duck.code.edits.planning import Plan
    from rubber_duck.conversations.conversation import Generation
    from rubber_duck.llm.messages import Prompt

_CONTEXT_TOKENS: Final = 16_000
_FOUND_TOKENS: Final = 4_000
_LEAST_TASK: Final = 3
_MEMORY_TOKENS: Final = 400
_REMEMBERED: Final = "what is remembered of this person and project"
_MOST_FILE_TOKENS: Final = 12_000
_SYSTEM: Final = """\
You write code in an existing project. Follow its style, its names and its libraries, and reuse what it has. Change as
little as the task needs. Add the imports that the code needs at the top of the file, and no others."""

_TEMPLATES: Final[Mapping[str, str]] = {
    "python": "Python: type annotations on what is public, one-sentence docstrings, errors raised by name.",
    "javascript": "JavaScript: modules with import and export, const before let, async before callbacks.",
    "typescript": "TypeScript: explicit types on what is exported, no any, unions before enums.",
    "elixir": "Elixir: @doc and @spec on public functions, matching in heads, {:ok, value} and {:error, reason}.",
}


class GenerateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to write, or what to do with what was generated before. Without `approve` nothing is written."""

    task: Annotated[str, Meta(max_length=20_000, description="What to write, in words.", extra={"argument": True})] = ""
    at: Annotated[
        str,
        Meta(
            max_length=4096,
            description="FILE that it belongs to, or FILE:LINE-LINE, which alone may change then, beside imports.",
            extra={"place": True},
        ),
    ] = ""
    again: Annotated[
        str,
        Meta(max_length=40, description="An earlier generation: its id, the beginning of it, or `last`; no model."),
    ] = ""
    list: Annotated[bool, Meta(description="Write nothing, and list what was generated here before.")] = False
    forget: Annotated[bool, Meta(description="Write nothing, and delete the generation that `again` names.")] = False
    techniques: Annotated[
        tuple[Technique, ...],
        Meta(description="How the model is asked: repair what fails the check, think first, look for more."),
    ] = ("repair",)
    edits: Annotated[
        str,
        Meta(max_length=1_000_000, description="The edits of an earlier answer, to be checked and written: no model."),
    ] = ""
    hunks: Hunks = None
    refresh: Annotated[bool, Meta(description="Bring the index up to date first.")] = True
    project: ProjectFolder = ""
    directory: Directory = ""
    approve: Approve = ""


class GenerationView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was generated before: `written` is its number in the journal; `sound`: its last draft passed the check."""

    id: str
    task: str
    at: str
    created_at: str
    model: str
    tries: int
    sound: bool = False
    written: int = 0


class GenerateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The patch. To write it, ask again with its `id` as `again`, and with the `digest` as `approve`.

    `told` names what the model was shown; `steps` is what it thought before, no part of the answer; `queries` what it
    asked to look up. `tries` counts drafts; `problems` is what the check said of those that failed. `imports` are lines
    that were added because the code lacked them; `checker` is the type checker that was asked.
    """

    root: str
    files: tuple[EditedFile, ...] = ()
    digest: str = ""
    written: int = 0
    edits: str = ""
    told: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    tries: int = 0
    problems: tuple[str, ...] = ()
    model: str = ""
    id: str = ""
    imports: tuple[str, ...] = ()
    checker: str = ""
    generations: tuple[GenerationView, ...] = ()
    note: str = ""


@engines.add
class Generate(Engine[GenerateRequest, GenerateAnswer]):
    """Generate code for a task, as a patch that parses and brings no findings.

    The model is told what a search of the project finds, the file, the team's rules, and how the person wants code to
    be. Imports that a draft lacks are added. One that cannot be placed, does not parse, brings findings, or errors of
    types where the project has a checker, is sent back with the reason, a few times. It is written only after it was
    shown. What was generated is kept for thirty days.
    """

    name: ClassVar[str] = "generate"
    request = GenerateRequest
    answer = GenerateAnswer
    right = Right.FILE_READ
    needs = ("workspace", "analysis", "search", "memory", "contexts", "journal", "llm", "conversations")
    strategy = Strategy.RETRIEVAL
    role = Role.EDIT
    model_options = ModelOptions(max_tokens=4096)
    uses = ("sandbox",)
    timeout_s = 1800.0

    async def run(self, request: GenerateRequest, call: Call) -> GenerateAnswer:
        """The patch; raises InvalidInput, NotFound, Denied, StaleVersion. A model that fails is told in `note`."""
        if request.at:
            where = await find(call, request.at, request.project, request.directory)
        else:
            where = Where(*await at_root(call, request.project, request.directory), "")
        scope = await within(call, where.root)
        found = GenerateAnswer(root=display(os.fspath(where.root.path)))
        kept = call.parts.conversations
        if request.list:
            return msgspec.structs.replace(found, generations=tuple(map(_view, await kept.generations(scope))))
        earlier = await kept.find_generation(scope, request.again) if request.again else None
        if request.forget:
            if earlier is None:
                raise InvalidInput("name the generation to forget")
            await kept.forget_generation(scope, earlier.id)
            await call.parts.memory.forget_session(scope, f"generate {earlier.id}")
            return msgspec.structs.replace(found, id=str(earlier.id), note="forgotten")
        if earlier is not None or request.edits:
            return await self._again(request, call, where, earlier)
        if len(request.task.strip()) < _LEAST_TASK:
            raise InvalidInput("say what to write: duck generate TASK")
        generating = Generating(where)
        said = await contained(
            lambda: self._write(request, call, generating, scope), "nothing else can write code for a task"
        )
        if said.value is None:
            return msgspec.structs.replace(found, note=said.note)
        drafted, told, steps, queries = said.value
        made = await kept.generated(scope, _generation(request.task, where, drafted))
        await call.parts.memory.note(scope, f"generate {made.id}", request.task, _summary(drafted))
        found = msgspec.structs.replace(
            found,
            id=str(made.id),
            edits=drafted.answer.text,
            told=told,
            steps=steps,
            queries=queries,
            tries=drafted.tries,
            problems=drafted.problems,
            model=drafted.answer.model,
            imports=generating.imports if drafted.is_sound else (),
            checker=generating.checker,
            note="" if drafted.is_sound else "no draft passed the check; the last problem says why the last did not",
        )
        return await _shown(call, where, request, found, drafted.value if drafted.is_sound else None)

    async def _again(
        self, request: GenerateRequest, call: Call, where: Where, earlier: Generation | None
    ) -> GenerateAnswer:
        """The patch of an earlier generation, or of edits that were handed in, checked anew and written if approved."""
        edits = request.edits or (earlier.edits if earlier is not None else "")
        if earlier is not None:
            request = msgspec.structs.replace(request, task=earlier.task)
        if earlier is not None and earlier.place and not request.at:
            root = os.fspath(where.root.path)
            where = await find(call, earlier.place, root, root)
        generating = Generating(where)
        judged = await generating.judge(call, edits)
        found = GenerateAnswer(
            root=display(os.fspath(where.root.path)),
            edits=edits,
            id=str(earlier.id) if earlier is not None else "",
            model=earlier.model if earlier is not None else "",
            imports=generating.imports,
            checker=generating.checker,
            note=judged.problem,
        )
        shown = await _shown(call, where, request, found, None if judged.problem else judged.value)
        if shown.written and earlier is not None:
            await call.parts.conversations.wrote(await within(call, where.root), earlier.id, shown.written)
        return shown

    async def _write(
        self, request: GenerateRequest, call: Call, generating: Generating, scope: Scope
    ) -> tuple[Drafted[Plan], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        where = generating.where
        asking = Asking(call.parts.llm, scope, Role.EDIT)
        if where.path:
            await asyncio.to_thread(refuse_untold, *where.place, where.path)
        await asking.llm.estimate(scope, Role.EDIT, self._prompt(request, where.path, {}))  # is anybody there?
        known = await _known(call, where, request)
        brief = await call.parts.memory.brief(scope, request.task, _MEMORY_TOKENS)
        if brief.text:
            known = {_REMEMBERED: brief.text, **known}
        queries: tuple[str, ...] = ()
        if "feedback" in request.techniques:
            call.emit(Progress(0, 0, "asking what else to look up"))
            prompt = self._prompt(request, where.path, {})
            known, queries = await look_again(asking, prompt, known, lambda query: _found(call, where, query))
        prompt = self._prompt(request, where.path, known)
        steps: tuple[str, ...] = ()
        if "thought" in request.techniques:
            call.emit(Progress(0, 0, "letting the model think"))
            steps = await think(asking, prompt)
            prompt = with_thought(prompt, steps)
        call.emit(Progress(0, 0, "asking the model"))
        repairs = REPAIRS if "repair" in request.techniques else 0
        drafted = await draft(asking, prompt, lambda said: generating.judge(call, said), repairs=repairs)
        return drafted, tuple(known), steps, queries

    def _prompt(self, request: GenerateRequest, path: str, known: Mapping[str, str]) -> Prompt:
        from rubber_duck.code.code import detect  # noqa: PLC0415  # grammars
        from rubber_duck.llm.messages import Prompt  # noqa: PLC0415  # only who asks a model

        language = detect(path, None) if path else None
        style = _TEMPLATES.get(language or "", "")
        shown = "\n".join(fenced("code", place, text) for place, text in known.items())
        target = f"\nThe code belongs to {request.at}." if request.at else ""
        if request.at.rpartition(":")[2].count("-") == 1:
            target += " Only those lines may change, beside imports at the top."
        user = f"{shown}\nThe task: {request.task}{target}"
        told = messages(f"{_SYSTEM}\n{style}\n{EDIT_FORM}", user)
        return Prompt(told, self.model_options.max_tokens, self.model_options.temperature)


async def _shown(
    call: Call, where: Where, request: GenerateRequest, found: GenerateAnswer, made: Plan | None
) -> GenerateAnswer:
    if made is None:
        return found
    texts = await asyncio.to_thread(texts_after, made, request.hunks)
    task = " ".join(request.task.split())[:60]
    shown = await show_or_write(call, where.place, texts, request.approve, f"generate: {task}")
    return msgspec.structs.replace(found, files=shown.files, digest=shown.digest, written=shown.written)


def _generation(task: str, where: Where, drafted: Drafted[Plan]) -> Generation:
    from rubber_duck.conversations.conversation import Generation  # noqa: PLC0415  # as the part itself

    return Generation(
        id=UUID(int=0),  # given when it is kept, as the time is
        task=task,
        place=f"{where.path}:{where.line}-{where.end_line}" if where.end_line else where.path,
        edits=drafted.answer.text,
        model=drafted.answer.model,
        tries=drafted.tries,
        problems=drafted.problems,
        is_sound=drafted.is_sound,
        written=0,
        created_at=datetime.fromtimestamp(0, UTC),
    )


def _summary(drafted: Drafted[Plan]) -> str:
    """What memory keeps of an answer: which files it was about, and not their text."""
    paths = [change.path for change in drafted.value.changes] if drafted.value is not None else []
    return f"Generated code for {', '.join(paths[:10])}." if drafted.is_sound and paths else "Nothing passed the check."


def _view(made: Generation) -> GenerationView:
    return GenerationView(
        id=str(made.id),
        task=made.task[:200],
        at=made.place,
        created_at=made.created_at.isoformat(),
        model=made.model,
        tries=made.tries,
        sound=made.is_sound,
        written=made.written,
    )


async def _known(call: Call, where: Where, request: GenerateRequest) -> dict[str, str]:
    """What the model is told: the file whole, and the context for the task, its rules among that."""
    from rubber_duck.context.sources import Ask  # noqa: PLC0415  # numpy beneath
    from rubber_duck.llm.tokens import cut  # noqa: PLC0415  # its ranks

    known = {}
    if where.path:
        with suppress(DuckError):  # it may be new
            content = where.root.open_bytes(where.path, where.settings.index.max_file_size_bytes)
            known[where.path] = cut(content.decode("utf-8", "replace"), _MOST_FILE_TOKENS)
    call.emit(Progress(0, 0, "searching the project"))
    is_there = bool(known.get(where.path, "").strip())
    ask = Ask(where.path if is_there else "", where.line if is_there else 0, 1, request.task, _CONTEXT_TOKENS, 0, 0)
    parts = await told_of(call, where.place, ask, Generate.strategy, refresh=request.refresh)
    return named([each for each in parts if each.snippet.path != where.path]) | known


async def _found(call: Call, where: Where, query: str) -> dict[str, str]:
    """What a search of the project finds, by FILE:LINE."""
    from rubber_duck.context.snippet import SnippetKind  # noqa: PLC0415  # numpy beneath
    from rubber_duck.context.sources import Ask  # noqa: PLC0415  # as above

    ask = Ask(query=query, budget_tokens=_FOUND_TOKENS)
    parts = await told_of(call, where.place, ask, Generate.strategy, refresh=False)
    return named([each for each in parts if each.snippet.kind is SnippetKind.FOUND])
