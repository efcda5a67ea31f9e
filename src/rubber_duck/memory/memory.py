"""The front of memory: notes what was said, condenses it, recalls it with reasons, and forgets it for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from rubber_duck import telemetry
from rubber_duck.errors import DuckError, InvalidInput, NotFound
from rubber_duck.llm.tokens import count_tokens
from rubber_duck.memory import store
from rubber_duck.memory.condense import Condensed, condensed, due, patterns, too_many, unfounded
from rubber_duck.memory.distil import Statement, kind_of
from rubber_duck.memory.recall import Reading, recall
from rubber_duck.memory.remembered import Kind, Memory, Recalled, Tier
from rubber_duck.memory.striking import struck
from rubber_duck.memory.words import terms_of
from rubber_duck.scope import Right, Scope
from rubber_duck.settings.memory import MemorySettings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.keys import new_key

__all__ = ["Brief", "Consolidated", "Distil", "Kind", "Memories", "Memory", "Recalled", "Statement", "Tier", "Turn"]

MOST_CHARACTERS: Final = 20_000
"""Of a question and of an answer so much is kept."""

CLOSING_S: Final = 2.0
"""So long what is condensed in the background may go on when the application ends."""

_BEYOND: Final = 1.5
"""A session is condensed when it holds so many times the interactions that are kept."""

Distil = Callable[[Scope, Sequence[tuple[str, str]]], Awaitable[Sequence[Statement]]]
"""What a model makes of the turns of a session; one of them may be its summary. Raises a DuckError."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked and answered in a session."""

    session: str
    asked: str
    answered: str = ""


@dataclass(frozen=True, slots=True)
class Consolidated:
    """What a consolidation did: interactions condensed, memories new, said again, and gone for want of room."""

    condensed: int
    kept: int
    again: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Brief:
    """What a model is told of what is remembered, within a budget, and which memories that is."""

    text: str
    tokens: int
    told: tuple[Recalled, ...]


class Memories:
    """What is remembered of the actor of a scope: in its project, or in none what is theirs everywhere."""

    def __init__(
        self,
        database: Database,
        settings: MemorySettings,
        clock: Callable[[], datetime],
        redact: Callable[[str], str],
        distil: Distil | None = None,
    ) -> None:
        """`redact` takes secrets out of what is kept. `distil` asks a model; without one sentences are chosen."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._redact = redact
        self._distil = distil if settings.model else None
        self._reading = Reading()
        self._condensing: dict[tuple[str, UUID | None], asyncio.Task[None]] = {}

    async def close(self) -> None:
        """End what is condensed in the background: soon, or else it is left for another time."""
        tasks = list(self._condensing.values())
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSING_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def note(self, scope: Scope, session: str, asked: str, answered: str) -> None:
        """Keep an interaction for as long as its session lasts, or only what it states: see `note_all`."""
        await self.note_all(scope, [Turn(session, asked, answered)])

    async def note_all(self, scope: Scope, turns: Sequence[Turn]) -> int:
        """Keep interactions in their order, all or none; how many.

        None where interactions may not be kept: then what they state is kept at once, of the kinds that may be.
        """
        may_keep = Kind.INTERACTION.value in self._settings.keep
        new = []
        for turn in turns:
            asked, answered = (self._redact(each[:MOST_CHARACTERS]) for each in (turn.asked, turn.answered))
            terms = terms_of(f"{asked}\n{answered}")
            new.append(self._new(Kind.INTERACTION, turn.session, asked, answer=answered, terms=terms))

        if not may_keep:
            await self._database.run(partial(self._take, scope, new))
            return 0

        def work(connection: Connection) -> bool:
            store.add(scope, connection, new)
            return self._is_due(store.sessions(scope, connection))

        if await self._database.run(work):
            self._begin_condensing(scope)
        return len(new)

    async def remember(self, scope: Scope, text: str, *, kind: Kind | None = None, shared: bool = False) -> Memory:
        """Keep a text for long; without a `kind` it is told from the words. Raises InvalidInput.

        What is `shared` is told to the models of everybody in the project, so it takes the right to write in it;
        raises Denied without.
        """
        is_shared = shared and scope.project is not None
        if is_shared:
            scope.require(Right.FILE_WRITE)
        text = self._redact(" ".join(text.split())[:MOST_CHARACTERS])
        kind = kind or kind_of(text, is_person=True)
        if not terms_of(text):
            raise InvalidInput("there is nothing in it that could be recalled; say it in words")
        if kind.value not in self._settings.keep or kind is Kind.INTERACTION:
            raise InvalidInput(f"the kind {kind.value!r} is not kept here; see `memory.keep` in duck.toml")
        new = self._new(kind, "", text, terms=terms_of(text), shared=is_shared)
        await self._database.run(lambda connection: store.add(scope, connection, [new]))
        return new

    async def recall(self, scope: Scope, query: str, *, most: int = 10) -> list[Recalled]:
        """What fits a question best, with reasons; that it was of use is remembered too."""
        now = self._clock()
        seen = await self._database.run(partial(store.visible, scope), write=False)
        found = await asyncio.to_thread(recall, seen, query, most, now, self._reading)
        ids = [each.memory.id for each in found]
        if ids:
            await self._database.run(lambda connection: store.use(scope, connection, ids, now))
        return found

    async def brief(self, scope: Scope, query: str, budget_tokens: int, *, beside: str = "") -> Brief:
        """What a model is to know: preferences and style first, then what the question recalls, within the budget.

        How somebody wants things takes half of the budget at the most, unless the question recalls less than the rest.
        Interactions of the session `beside` are left out: the model is told them anyway.
        """
        seen = await self._database.run(partial(store.visible, scope), write=False)
        if beside:
            seen = [each for each in seen if each.session != beside or each.kind is not Kind.INTERACTION]
        ways = [each for each in seen if each.kind in {Kind.PREFERENCE, Kind.STYLE}]
        ways.sort(key=lambda each: (-each.heat(self._clock()), each.id))
        recalled = await asyncio.to_thread(recall, seen, query, 20, self._clock(), self._reading)
        asked = {each.memory.id for each in recalled}
        ways.sort(key=lambda each: each.id not in asked)  # those that the question is about come first
        wanted = [Recalled(each, 1.0, ("how they want it",)) for each in ways]
        known = {each.id for each in ways}
        rest = [each for each in recalled if each.memory.id not in known]
        return await asyncio.to_thread(_shared, wanted, rest, budget_tokens)

    async def all(self, scope: Scope, *, everywhere: bool = False) -> list[Memory]:
        """Everything of the actor's own in the scope's project, or everywhere: also what an export holds."""
        return await self._database.run(partial(store.own, scope, everywhere=everywhere), write=False)

    async def forget(self, scope: Scope, ids: Collection[UUID]) -> int:
        """Delete these of the actor's own so that no trace is left in the database's files; how many.

        What is long term goes from summaries that tell it, too, and from whatever says it in the same words.
        Raises NotFound when there is none of them.
        """
        self._reading.forget()
        removed = await self._database.erase(partial(_remove, scope, list(ids)))
        if not removed:
            raise NotFound("there is no such memory of yours; `duck memory list` lists them")
        return removed

    async def forget_session(self, scope: Scope, session: str) -> int:
        """Delete what is the actor's own of a session, and what was condensed from it, in the same way; how many."""
        self._reading.forget()
        return await self._database.erase(partial(_remove_session, scope, session))

    async def forget_all(self, scope: Scope, *, everywhere: bool = False) -> int:
        """Delete everything of the actor's own in the scope's project, or everywhere, in the same way; how many."""
        self._reading.forget()
        return await self._database.erase(partial(store.remove_all, scope, everywhere=everywhere))

    async def waiting(self, scope: Scope) -> list[tuple[str, UUID | None]]:
        """Of which actors, in which project or in none, something is due. Needs the right to administer."""
        settings = self._settings
        before = self._clock() - timedelta(hours=settings.session_hours)
        return await self._database.run(
            partial(store.waiting, scope, before=before, most=settings.interactions), write=False
        )

    async def sweep(self, scope: Scope, before: datetime, departed: Collection[str]) -> int:
        """Delete everybody's interactions before a moment, and what is of the departed alone, so that no trace is left.

        How many. Needs the right to administer.
        """
        self._reading.forget()
        return await self._database.erase(partial(store.sweep, scope, before=before, departed=departed))

    async def consolidate(self, scope: Scope, *, everything: bool = False) -> Consolidated:
        """Condense what is due of the actor's own in the scope's project; with `everything` what is not due too.

        What is condensed goes in the transaction that keeps what it became, so a kill loses and doubles nothing.
        """
        own = await self._database.run(partial(store.own, scope), write=False)
        now = self._clock()
        sessions = due(own, self._settings, now, everything=everything)
        told = {session: await self._told(scope, turns) for session, turns in sessions.items()}

        def work(connection: Connection) -> Consolidated:
            held = store.own(scope, connection)
            living = {each.id for each in held}
            ripe = {name: left for name, turns in sessions.items() if (left := [t for t in turns if t.id in living])}
            # What a model made of turns of which one was forgotten meanwhile may tell of that one.
            whole = {name: said for name, said in told.items() if len(ripe.get(name, ())) == len(sessions[name])}
            change = condensed(held, ripe, whole, self._settings)
            return self._apply(scope, connection, change, now)

        return await self._database.erase(work)

    def _take(self, scope: Scope, turns: Sequence[Memory], connection: Connection) -> None:
        """Keep what interactions state that are not kept themselves; a summary of them would tell them again."""
        sessions: dict[str, list[Memory]] = {}
        for turn in turns:
            sessions.setdefault(turn.session, []).append(turn)
        change = condensed(store.own(scope, connection), sessions, {}, self._settings)
        change.kept = [each for each in change.kept if each.kind is not Kind.SUMMARY]
        self._apply(scope, connection, change, self._clock())

    def _is_due(self, sessions: Sequence[tuple[str, int, datetime]]) -> bool:
        """Whether so much is due that it is worth the while; what is due is condensed together then."""
        most = _BEYOND * self._settings.interactions
        oldest = self._clock() - timedelta(hours=self._settings.session_hours)
        return any(count > most or began < oldest for _, count, began in sessions)

    def _begin_condensing(self, scope: Scope) -> None:
        """Condense what is due behind the answers, unless that goes on already."""
        key = (scope.actor.id, scope.project)
        if key in self._condensing:
            return
        task = asyncio.create_task(self._condense(scope))
        self._condensing[key] = task
        task.add_done_callback(lambda _: self._condensing.pop(key, None))

    async def _condense(self, scope: Scope) -> None:
        try:
            done = await self.consolidate(scope)
        except DuckError as error:
            telemetry.emit("memory.not_condensed", error=error.message)
        else:
            telemetry.emit("memory.condensed", interactions=done.condensed, kept=done.kept, dropped=done.dropped)

    def _apply(self, scope: Scope, connection: Connection, change: Condensed, now: datetime) -> Consolidated:
        new = [
            replace(
                self._new(each.kind, each.session, each.text, terms=each.terms or terms_of(each.text)),
                created_at=each.said_at,
            )
            for each in change.kept
        ]
        store.add(scope, connection, new)
        store.say_again(scope, connection, change.again, now)
        store.remove(scope, connection, change.gone)
        held = store.own(scope, connection)
        if Kind.PATTERN.value in self._settings.keep:
            known = [each for each in held if each.kind is Kind.PATTERN]
            made = [self._new(Kind.PATTERN, "", text, terms=terms_of(text)) for text in patterns(held, known)]
            store.add(scope, connection, made)
            new += made
        dropped = too_many(store.own(scope, connection), self._settings, now)
        store.remove(scope, connection, dropped)
        return Consolidated(len(change.gone), len(new), len(change.again), len(dropped))

    async def _told(self, scope: Scope, turns: Sequence[Memory]) -> Sequence[Statement]:
        """What a model makes of a session; nothing without one, or when it fails: then the sentences alone do."""
        if self._distil is None:
            return ()
        try:
            told = await self._distil(scope, [(turn.text, turn.answer) for turn in turns])
        except DuckError:
            return ()
        return [Statement(self._redact(each.text), each.kind, terms_of(self._redact(each.text))) for each in told]

    def _new(
        self, kind: Kind, session: str, text: str, *, terms: tuple[str, ...], answer: str = "", shared: bool = False
    ) -> Memory:
        now = self._clock()
        return Memory(
            id=new_key(), actor="", project=None, is_shared=shared, kind=kind, session=session, text=text,
            answer=answer, terms=terms, uses=0, created_at=now, used_at=now,
        )  # fmt: skip


def _shared(wanted: Sequence[Recalled], recalled: Sequence[Recalled], budget_tokens: int) -> Brief:
    """What is wanted within half of the budget, what is recalled, and what is wanted besides where there is room."""
    first = _within_budget(wanted, budget_tokens // 2).told
    chosen = {each.memory.id for each in first}
    others = [each for each in wanted if each.memory.id not in chosen]
    told = _within_budget((*first, *recalled, *others), budget_tokens).told
    order = {each.memory.id: place for place, each in enumerate((*wanted, *recalled))}
    return _within_budget(sorted(told, key=lambda each: order[each.memory.id]), budget_tokens)


def _within_budget(wanted: Sequence[Recalled], budget_tokens: int) -> Brief:
    """The lines that have room, in their order."""
    told: list[Recalled] = []
    lines: list[str] = []
    for each in wanted:
        line = f"- {' '.join(each.memory.text.split())}"
        if count_tokens("\n".join((*lines, line))) <= budget_tokens:
            lines.append(line)
            told.append(each)
    text = "\n".join(lines)
    return Brief(text, count_tokens(text) if text else 0, tuple(told))


def _remove(scope: Scope, ids: Collection[UUID], connection: Connection) -> int:
    """Delete these, what else tells them, and the patterns that too few sessions show then; how many of these."""
    held = store.own(scope, connection, everywhere=True)
    removed = store.remove(scope, connection, ids)
    gone, left = set(ids), list(held)
    for old, new in struck(held, ids, new_key):
        gone.add(old.id)
        if new is None:
            store.remove(scope, connection, [old.id])
        else:
            store.rewrite(scope, connection, old.id, new)
            left.append(new)
    store.remove(scope, connection, unfounded(left, gone))
    return removed


def _remove_session(scope: Scope, session: str, connection: Connection) -> int:
    held = store.own(scope, connection)
    return _remove(scope, [each.id for each in held if each.session == session], connection)
