"""Generate code for a task, told what the project knows; checked by parser and analysers, repaired, then shown."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, ModelOptions, Strategy, engines
from rubber_duck.engines.index import Directory, known_project, update_index
from rubber_duck.engines.patch import Approve, EditedFile, Hunks, show_or_write, texts_after
from rubber_duck.engines.place import ProjectFolder, at_root, find
from rubber_duck.engines.prompting import EDIT_FORM, contained, fenced, messages
from rubber_duck.engines.techniques import (
    Asking,
    Drafted,
    Technique,
    draft,
    look_again,
    think,
    with_thought,
)
from rubber_duck.engines.verifying import judge_edits
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import display

if TYPE_CHECKING:
    from rubber_duck.code.edits.planning import Plan
    from rubber_duck.llm.messages import Prompt
    from rubber_duck.settings import Settings
    from rubber_duck.workspace.paths import Root

_HITS: Final = 8
_MOST_FILE_TOKENS: Final = 12_000
_RULES_FILES: Final = ("AGENTS.md", "CLAUDE.md", ".duck/rules.md")
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
    """What to write. Without `approve` nothing is written: the answer says what would be."""

    task: Annotated[
        str, Meta(min_length=3, max_length=20_000, description="What to write, in words.", extra={"argument": True})
    ]
    at: Annotated[
        str, Meta(max_length=4096, description="FILE or FILE:LINE-LINE that it belongs to, or that is to be changed.")
    ] = ""
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


class GenerateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The patch. To write it, ask again with these `edits`, and with the `digest` as `approve`.

    `told` names what the model was shown; `steps` is what it thought before, no part of the answer; `queries` what it
    asked to look up. `tries` counts drafts; `problems` is what the check said of those that failed.
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
    note: str = ""


@engines.add
class Generate(Engine[GenerateRequest, GenerateAnswer]):
    """Generate code for a task, as a patch that parses and brings no findings.

    The model is told what a search of the project finds, the file and the team's rules. A draft that cannot be placed,
    does not parse, or brings findings is sent back with the reason, a few times. It is written only after it was shown.
    """

    name: ClassVar[str] = "generate"
    request = GenerateRequest
    answer = GenerateAnswer
    right = Right.FILE_READ
    needs = ("workspace", "analysis", "search", "journal", "llm")
    strategy = Strategy.RETRIEVAL
    role = Role.EDIT
    model_options = ModelOptions(max_tokens=4096)
    timeout_s = 900.0

    async def run(self, request: GenerateRequest, call: Call) -> GenerateAnswer:
        """The patch; raises InvalidInput, NotFound, Denied, StaleVersion. A model that fails is told in `note`."""
        if request.at:
            where = await find(call, request.at, request.project, request.directory)
            root, settings, path = where.root, where.settings, where.path
        else:
            root, settings = await at_root(call, request.project, request.directory)
            path = ""
        found = GenerateAnswer(root=display(os.fspath(root.path)))
        if request.edits:
            judged = await judge_edits(call, root, settings, request.edits)
            found = msgspec.structs.replace(found, edits=request.edits, note=judged.problem)
            return await _shown(call, (root, settings), request, found, judged.value)
        said = await contained(
            lambda: self._write(request, call, (root, settings), path), "nothing else can write code for a task"
        )
        if said.value is None:
            return msgspec.structs.replace(found, note=said.note)
        drafted, told, steps, queries = said.value
        found = msgspec.structs.replace(
            found,
            edits=drafted.answer.text,
            told=told,
            steps=steps,
            queries=queries,
            tries=drafted.tries,
            problems=drafted.problems,
            model=drafted.answer.model,
            note=""
            if drafted.is_sound
            else "no draft passed the check; the last one's problem is the last of `problems`",
        )
        return await _shown(call, (root, settings), request, found, drafted.value if drafted.is_sound else None)

    async def _write(
        self, request: GenerateRequest, call: Call, place: tuple[Root, Settings], path: str
    ) -> tuple[Drafted[Plan], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        root, settings = place
        asking = Asking(call.parts.llm, call.scope, Role.EDIT)
        await asking.llm.estimate(call.scope, Role.EDIT, self._prompt(request, path, {}))  # is anybody there?
        known = await _known(call, root, settings, path, request)
        queries: tuple[str, ...] = ()
        if "feedback" in request.techniques:
            call.emit(Progress(0, 0, "asking what else to look up"))
            known, queries = await look_again(
                asking, self._prompt(request, path, {}), known, lambda q: _found(call, root, q, refresh=False)
            )
        prompt = self._prompt(request, path, known)
        steps: tuple[str, ...] = ()
        if "thought" in request.techniques:
            call.emit(Progress(0, 0, "letting the model think"))
            steps = await think(asking, prompt)
            prompt = with_thought(prompt, steps)
        call.emit(Progress(0, 0, "asking the model"))
        drafted = await draft(
            asking,
            prompt,
            lambda said: judge_edits(call, root, settings, said),
            repairs=3 if "repair" in request.techniques else 0,
        )
        return drafted, tuple(known), steps, queries

    def _prompt(self, request: GenerateRequest, path: str, known: Mapping[str, str]) -> Prompt:
        from rubber_duck.code.code import detect  # noqa: PLC0415  # grammars
        from rubber_duck.llm.messages import Prompt  # noqa: PLC0415  # only who asks a model

        language = detect(path, None) if path else None
        style = _TEMPLATES.get(language or "", "")
        shown = "\n".join(fenced("code", place, text) for place, text in known.items())
        target = f"\nThe code belongs to {request.at}." if request.at else ""
        user = f"{shown}\nThe task: {request.task}{target}"
        told = messages(f"{_SYSTEM}\n{style}\n{EDIT_FORM}", user)
        return Prompt(told, self.model_options.max_tokens, self.model_options.temperature)


async def _shown(
    call: Call, place: tuple[Root, Settings], request: GenerateRequest, found: GenerateAnswer, made: Plan | None
) -> GenerateAnswer:
    if made is None:
        return found
    texts = await asyncio.to_thread(texts_after, made, request.hunks)
    shown = await show_or_write(call, place, texts, request.approve, f"generate: {request.task[:60]}")
    return msgspec.structs.replace(found, files=shown.files, digest=shown.digest, written=shown.written)


async def _known(call: Call, root: Root, settings: Settings, path: str, request: GenerateRequest) -> dict[str, str]:
    """What the model is told: the team's rules, the file, and what a search for the task finds."""
    from rubber_duck.errors import DuckError  # noqa: PLC0415  # only here
    from rubber_duck.llm.tokens import cut  # noqa: PLC0415  # its ranks

    known: dict[str, str] = {}
    for name in (*_RULES_FILES, path):
        if name:
            try:
                content = root.open_bytes(name, settings.index.max_file_size_bytes)
            except DuckError:
                continue  # most projects have no rules, and the file may be new
            known[name] = cut(content.decode("utf-8", "replace"), _MOST_FILE_TOKENS)
    call.emit(Progress(0, 0, "searching the project"))
    found = await _found(call, root, request.task, refresh=request.refresh)
    return known | {place: text for place, text in found.items() if place.partition(":")[0] != path}


async def _found(call: Call, root: Root, query: str, *, refresh: bool) -> dict[str, str]:
    """What a search of the project finds, by FILE:LINE."""
    from rubber_duck.search.search import Options  # noqa: PLC0415  # numpy

    plain = " ".join(word for word in "".join(c if c.isalnum() or c == "_" else " " for c in query).split())
    if not plain:
        return {}
    if refresh:
        _, scope, _ = await update_index(call, root)
    else:
        _, scope = await known_project(call, os.fspath(root.path), "")
    hits = (await call.parts.search.find(scope, root, plain[:500], Options(limit=_HITS))).hits
    found: dict[str, str] = {}
    for hit in hits:
        content = root.open_bytes(hit.path, 20_000_000)
        text = content[hit.start_byte : hit.end_byte].decode("utf-8", "replace")
        found[f"{hit.path}:{hit.start_line}"] = text[:6_000]
    return found
