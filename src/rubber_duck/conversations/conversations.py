"""The front of conversations and of generations: begin, go on, keep, list, forget."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from rubber_duck.conversations import store
from rubber_duck.conversations.conversation import Conversation, Generation, Speaker, Turn
from rubber_duck.errors import InvalidInput, NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.database import Database

_TITLE: Final = 80


class Conversations:
    """Conversations of people in projects. The scope is narrowed to the project; nobody sees those of others."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        new_key: Callable[[], UUID],
        keep_days: int = 30,
    ) -> None:
        """`keep_days`: so long a conversation is kept in which nothing is said any more; 0: for ever."""
        self._database = database
        self._kept = timedelta(days=keep_days)
        self._clock = clock
        self._new_key = new_key

    async def listed(self, scope: Scope, *, limit: int = 50) -> list[Conversation]:
        """The latest first."""
        scope.require(Right.FILE_READ)
        async with self._database.begin() as tx:
            return await store.listed(scope, tx, limit)

    async def find(self, scope: Scope, written: str) -> Conversation:
        """The one with that id or beginning of an id, or `last`; raises NotFound, InvalidInput for several."""
        known = await self.listed(scope, limit=1000)
        found = known[:1] if written == "last" else [each for each in known if str(each.id).startswith(written)]
        if len(found) > 1:
            raise InvalidInput(f"{written!r} begins the id of several conversations; write more of it")
        if not found:
            raise NotFound(f"there is no conversation {written!r} of yours here; `duck chat --list` lists them")
        return found[0]

    async def place(self, key: UUID) -> tuple[UUID, str]:
        """In which project a conversation is, and the id of its owner; raises NotFound.

        It has no scope: with its answer is decided who may know of the conversation.
        """
        async with self._database.begin() as tx:
            return await store.place(tx, key)

    async def turns(self, scope: Scope, key: UUID) -> list[Turn]:
        """What was said; raises NotFound."""
        scope.require(Right.FILE_READ)
        async with self._database.begin() as tx:
            return await store.read_turns(scope, tx, key)

    async def said(self, scope: Scope, key: UUID | None, question: Turn, answer: Turn) -> Conversation:
        """Keep a question with its answer, in a new conversation where `key` is None; old ones are forgotten."""
        scope.require(Right.FILE_READ)
        now = self._clock()
        async with self._database.begin() as tx:
            if self._kept:
                await store.forget_before(scope, tx, now - self._kept)
            if key is None:
                key = self._new_key()
                await store.create(scope, tx, key, " ".join(question.text.split())[:_TITLE], now)
            await store.append(scope, tx, key, (question, answer))
            return await store.read(scope, tx, key)

    async def forget(self, scope: Scope, key: UUID) -> None:
        """Delete a conversation with all that was said, so that no trace is left in the files; raises NotFound."""
        scope.require(Right.FILE_READ)
        async with self._database.begin(write=False) as tx:
            await store.read(scope, tx, key)
        await self._database.erase(partial(store.forget, key=key))

    async def generated(self, scope: Scope, made: Generation) -> Generation:
        """Keep a generation under an id and a time of its own; those that are too old are forgotten."""
        scope.require(Right.FILE_READ)
        now = self._clock()
        kept = replace(made, id=self._new_key(), created_at=now)
        async with self._database.begin() as tx:
            if self._kept:
                await store.forget_generations(scope, tx, now - self._kept)
            await store.keep_generation(scope, tx, kept)
        return kept

    async def generations(self, scope: Scope, *, limit: int = 50) -> list[Generation]:
        """The latest first."""
        scope.require(Right.FILE_READ)
        async with self._database.begin() as tx:
            return await store.listed_generations(scope, tx, limit)

    async def find_generation(self, scope: Scope, written: str) -> Generation:
        """The one with that id or beginning of an id, or `last`; raises NotFound, InvalidInput for several."""
        known = await self.generations(scope, limit=1000)
        found = known[:1] if written == "last" else [each for each in known if str(each.id).startswith(written)]
        if len(found) > 1:
            raise InvalidInput(f"{written!r} begins the id of several generations; write more of it")
        if not found:
            raise NotFound(f"there is no generation {written!r} of yours here; `duck generate --list` lists them")
        return found[0]

    async def wrote(self, scope: Scope, key: UUID, number: int) -> None:
        """Note that a generation was written, under this number in the journal."""
        scope.require(Right.FILE_READ)
        async with self._database.begin() as tx:
            await store.mark_written(scope, tx, key, number)

    async def forget_generation(self, scope: Scope, key: UUID) -> None:
        """Delete a generation, so that no trace is left in the files."""
        scope.require(Right.FILE_READ)
        await self._database.erase(partial(store.forget_generation, scope, key=key))

    async def sweep(self, scope: Scope, before: datetime, departed: Collection[str]) -> tuple[int, int]:
        """Delete everybody's conversations and generations that are older, and all of the departed; how many of each.

        No trace of them is left in the database's files. Needs the right to administer.
        """
        return await self._database.erase(partial(store.sweep, scope, before=before, departed=departed))

    def turn(self, speaker: Speaker, text: str, told: tuple[str, ...] = (), model: str = "") -> Turn:
        """A turn that is said now; its number is given when it is kept."""
        return Turn(0, speaker, text, told, model, self._clock())
