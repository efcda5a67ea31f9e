"""What is remembered of whoever asks: in a project, or of themselves in all of them. Nobody asks for another's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rubber_duck.engines.memory import MemoryAnswer, MemoryView, Turn
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Right
from rubber_duck.server.api.route import Call, Method, Route, flag, paged
from rubber_duck.server.limits import RouteClass


class MemoriesPage(msgspec.Struct, frozen=True):
    """Memories, the oldest first; `next` is the cursor of the next page, "" at the end."""

    memories: tuple[MemoryView, ...]
    next: str


class MemoryWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to remember, as fact, preference or style, "": told by its words; `shared`: for everybody in the project."""

    text: Annotated[str, Meta(max_length=8_000)]
    kind: Annotated[str, Meta(max_length=20)] = ""
    shared: bool = False


class TurnsWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Questions and their answers, as parts of sessions, in their order."""

    turns: Annotated[tuple[Turn, ...], Meta(max_length=2_000)]


class CondenseWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether what is not due yet is condensed too."""

    everything: bool = False


async def list_memories(call: Call) -> MemoriesPage:
    """Everything that is remembered, which is what an export holds."""
    found = sorted((await _ask(call, "list")).memories, key=lambda each: each.id)
    return MemoriesPage(*paged(found, lambda each: each.id, call.page()))


async def recall(call: Call) -> MemoryAnswer:
    """What fits the question `?q=`, with reasons; `?limit=` is the most memories."""
    if not call.query.get("q"):
        raise InvalidInput("say with ?q= what to recall")
    _, limit = call.page()
    return await _ask(call, "recall", query=call.query["q"], most=min(limit, 100))


async def remember(call: Call) -> MemoryAnswer:
    """Remember something until it is forgotten."""
    return await _ask(call, "remember", **msgspec.structs.asdict(call.body))


async def note(call: Call) -> MemoryAnswer:
    """Keep what was asked and answered, until it is condensed."""
    return await _ask(call, "note", turns=msgspec.to_builtins(call.body.turns))


async def condense(call: Call) -> MemoryAnswer:
    """Condense interactions into facts, preferences, style and summaries, now."""
    return await _ask(call, "consolidate", everything=call.body.everything)


async def forget_one(call: Call) -> MemoryAnswer:
    """Forget one, so that no trace is left in the database."""
    return await _ask(call, "forget", ids=(call.path["memory"],))


async def forget_all(call: Call) -> MemoryAnswer:
    """Forget all of them; with `?everywhere=true` everything that is remembered of whoever asks."""
    return await _ask(call, "forget", everything=True, everywhere=flag(call, "everywhere"))


async def _ask(call: Call, what: str, **request: object) -> MemoryAnswer:
    """What `duck memory` says."""
    asked = {"type": what, "personal": call.within is None, **request}
    answer: MemoryAnswer = await call.desk.app.run("memory", asked, call.tenant)
    return answer


_READ, _WRITE, _RUN = Right.CATALOG_READ, RouteClass.WRITE, RouteClass.RUN
_PAGES: Final = ("cursor", "limit")


def _telling(path: str, of: str) -> Iterator[Route]:
    yield Route(
        Method.GET,
        path,
        _READ,
        list_memories,
        f"What is remembered of oneself {of}",
        answer=MemoriesPage,
        queries=_PAGES,
    )
    yield Route(
        Method.GET,
        path + "/recall",
        _READ,
        recall,
        f"What fits a question, {of}",
        answer=MemoryAnswer,
        cost=_RUN,
        queries=("q", "limit"),
    )
    yield Route(
        Method.POST,
        path,
        _READ,
        remember,
        f"Remember something {of}",
        MemoryWish,
        MemoryAnswer,
        _WRITE,
        201,
        once=True,
    )
    yield Route(
        Method.POST,
        path + "/turns",
        _READ,
        note,
        f"Keep what was said {of}",
        TurnsWish,
        MemoryAnswer,
        _WRITE,
        201,
        once=True,
    )
    yield Route(
        Method.POST,
        path + "/condense",
        _READ,
        condense,
        f"Condense what was said {of}",
        CondenseWish,
        MemoryAnswer,
        _RUN,
    )


def _forgetting(path: str, of: str) -> Iterator[Route]:
    yield Route(
        Method.DELETE,
        path + "/{memory}",
        _READ,
        forget_one,
        f"Forget something {of}",
        answer=MemoryAnswer,
        cost=_WRITE,
    )
    yield Route(
        Method.DELETE,
        path,
        _READ,
        forget_all,
        f"Forget everything {of}",
        answer=MemoryAnswer,
        cost=_WRITE,
        queries=("everywhere",),
    )


ROUTES: tuple[Route, ...] = tuple(
    route
    for path, of in (("/memory", "in no project"), ("/projects/{project}/memory", "in a project"))
    for made in (_telling, _forgetting)
    for route in made(path, of)
)
"""The routes about what is remembered."""
