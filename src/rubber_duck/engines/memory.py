"""Show, recall, add, condense, export and forget what is remembered."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import InvalidInput
from rubber_duck.memory.remembered import Kind
from rubber_duck.scope import Right, Scope
from rubber_duck.workspace.paths import absolute

if TYPE_CHECKING:
    from rubber_duck.memory.remembered import Memory

Project = Annotated[str, Meta(max_length=4096, description="A project's name or id; empty: that of the folder.")]
Directory = Annotated[
    str, Meta(max_length=4096, description="The folder where it is asked.", extra={"directory": True})
]
Personal = Annotated[bool, Meta(description="What belongs to no project, and holds in each.")]


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """In which project."""

    project: Project = ""
    personal: Personal = False
    directory: Directory = ""


class ListMemories(Where, frozen=True, forbid_unknown_fields=True, tag="list"):
    """List what is remembered of you."""

    everywhere: Annotated[bool, Meta(description="In every project, and in none.")] = False


class RecallMemories(Where, frozen=True, forbid_unknown_fields=True, tag="recall"):
    """Find what fits a question, with reasons."""

    query: Annotated[str, Meta(max_length=10_000, description="The question.", extra={"argument": True})]
    most: Annotated[int, Meta(ge=1, le=100, description="So many.")] = 10


class RememberText(Where, frozen=True, forbid_unknown_fields=True, tag="remember"):
    """Remember something until it is forgotten."""

    text: Annotated[str, Meta(max_length=8_000, description="What.", extra={"argument": True})]
    kind: Annotated[str, Meta(max_length=20, description="fact, preference or style; empty: told by its words.")] = ""
    shared: Annotated[bool, Meta(description="Everybody in the project may recall it.")] = False


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question and its answer, as part of a session."""

    session: Annotated[str, Meta(min_length=1, max_length=200, description="The session's name.")]
    asked: Annotated[str, Meta(max_length=100_000, description="What was asked.")]
    answered: Annotated[str, Meta(max_length=100_000, description="What was answered.")] = ""


class NoteInteractions(Where, frozen=True, forbid_unknown_fields=True, tag="note"):
    """Keep questions and their answers as parts of sessions, in their order."""

    turns: Annotated[tuple[Turn, ...], Meta(max_length=20_000, description="The questions and answers.")]


class BriefModel(Where, frozen=True, forbid_unknown_fields=True, tag="brief"):
    """Show what a model would be told of what is remembered, within a budget."""

    query: Annotated[str, Meta(max_length=10_000, description="The question.", extra={"argument": True})]
    budget_tokens: Annotated[int, Meta(ge=10, le=100_000, description="Tokens at the most.")] = 500


class CondenseMemory(Where, frozen=True, forbid_unknown_fields=True, tag="consolidate"):
    """Condense interactions into facts, preferences, style and summaries."""

    everything: Annotated[bool, Meta(description="Also what is not due yet.")] = False


class ForgetMemories(Where, frozen=True, forbid_unknown_fields=True, tag="forget"):
    """Forget, so that no trace is left in the database."""

    ids: Annotated[tuple[str, ...], Meta(max_length=1000, description="By their ids.", extra={"argument": True})] = ()
    everything: Annotated[bool, Meta(description="All that is yours in the project.")] = False
    everywhere: Annotated[bool, Meta(description="All that is yours, in every project and in none.")] = False


MemoryRequest = (
    ListMemories | RecallMemories | RememberText | NoteInteractions | BriefModel | CondenseMemory | ForgetMemories
)


class MemoryView(msgspec.Struct, frozen=True, kw_only=True):
    """One memory. `score` and `reasons` where it was recalled; `heat` is how much it is of use now."""

    id: str
    tier: str
    kind: str
    text: str
    answer: str
    project: str
    shared: bool
    session: str
    uses: int
    created_at: str
    used_at: str
    score: float = 0.0
    reasons: tuple[str, ...] = ()


class MemoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for. `changed` counts what was remembered, condensed or forgotten."""

    memories: tuple[MemoryView, ...] = ()
    text: str = ""
    tokens: int = 0
    changed: int = 0
    kept: int = 0
    again: int = 0
    dropped: int = 0


@engines.add
class MemoryEngine(Engine[Any, MemoryAnswer]):  # Any: a union has no class that could stand here
    """Show, recall, add, condense, export and forget what is remembered of you.

    It lies in your own database, with secrets taken out. Others see only what you share in a project.
    """

    name: ClassVar[str] = "memory"
    request = MemoryRequest
    answer = MemoryAnswer
    right = Right.CATALOG_READ
    needs = ("workspace", "memory")
    timeout_s = 300.0

    async def run(self, request: MemoryRequest, call: Call) -> MemoryAnswer:
        """Do what is asked; raises Denied, NotFound or InvalidInput."""
        from rubber_duck.memory.memory import Turn as Noted  # noqa: PLC0415  # SQLAlchemy: listing engines needs it not

        memory, scope = call.parts.memory, await _where(request, call)
        match request:
            case ListMemories(everywhere=everywhere):
                return MemoryAnswer(memories=tuple(map(_view, await memory.all(scope, everywhere=everywhere))))
            case RecallMemories(query=query, most=most):
                found = await memory.recall(scope, query, most=most)
                return MemoryAnswer(memories=tuple(
                    msgspec.structs.replace(_view(each.memory), score=round(each.score, 4), reasons=each.reasons)
                    for each in found
                ))  # fmt: skip
            case RememberText(text=text, kind=kind, shared=shared):
                kept = await memory.remember(scope, text, kind=_kind(kind), shared=shared)
                return MemoryAnswer(memories=(_view(replace(kept, project=scope.project)),), changed=1)
            case NoteInteractions(turns=turns):
                noted = [Noted(each.session, each.asked, each.answered) for each in turns]
                return MemoryAnswer(changed=await memory.note_all(scope, noted))
            case BriefModel(query=query, budget_tokens=budget):
                brief = await memory.brief(scope, query, budget)
                told = tuple(msgspec.structs.replace(_view(each.memory), reasons=each.reasons) for each in brief.told)
                return MemoryAnswer(text=brief.text, tokens=brief.tokens, memories=told)
            case CondenseMemory(everything=everything):
                done = await memory.consolidate(scope, everything=everything)
                return MemoryAnswer(changed=done.condensed, kept=done.kept, again=done.again, dropped=done.dropped)
            case ForgetMemories():
                return MemoryAnswer(changed=await _forget(request, call, scope))
        raise InvalidInput("this cannot be done with memories")


async def _forget(request: ForgetMemories, call: Call, scope: Scope) -> int:
    memory = call.parts.memory
    if request.everything or request.everywhere:
        return await memory.forget_all(scope, everywhere=request.everywhere)
    if not request.ids:
        raise InvalidInput("say which memories to forget, by their ids, or all of them")
    return await memory.forget(scope, [_id(each) for each in request.ids])


async def _where(request: Where, call: Call) -> Scope:
    """The scope in the project that is meant: the one named, else the one that the folder is in, else none."""
    if request.personal:
        return replace(call.scope, project=None)
    if request.project:
        project = await call.parts.workspace.project(call.scope, request.project)
        return call.scope.within(project.id)
    if call.scope.project is not None or not request.directory or Right.PROJECT_READ not in call.scope.rights:
        return call.scope
    folder = await asyncio.to_thread(os.path.realpath, absolute(".", request.directory))
    known = await call.parts.workspace.projects(call.scope)
    around = [each for each in known if folder == each.root or folder.startswith(each.root.rstrip("/") + "/")]
    nearest = max(around, key=lambda each: len(each.root), default=None)
    return call.scope if nearest is None else call.scope.within(nearest.id)


def _kind(name: str) -> Kind | None:
    if not name:
        return None
    if name not in {Kind.FACT, Kind.PREFERENCE, Kind.STYLE}:
        raise InvalidInput(f"the kind {name!r} cannot be remembered; write fact, preference or style")
    return Kind(name)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is no memory's id; `duck memory list` shows them") from None


def _view(memory: Memory) -> MemoryView:
    return MemoryView(
        id=str(memory.id),
        tier=memory.tier.value,
        kind=memory.kind.value,
        text=memory.text,
        answer=memory.answer,
        project=str(memory.project or ""),
        shared=memory.is_shared,
        session=memory.session,
        uses=memory.uses,
        created_at=memory.created_at.isoformat(timespec="seconds"),
        used_at=memory.used_at.isoformat(timespec="seconds"),
    )
