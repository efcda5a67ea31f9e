"""Conversations on both databases: kept across restarts, each person's own, and gone when they are forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from rubber_duck.conversations.conversation import Conversation, Generation, Speaker
from rubber_duck.conversations.conversations import Conversations
from rubber_duck.errors import Denied, InvalidInput, NotFound
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.storage.database import Database
from rubber_duck.storage.keys import new_key
from tests.factories import make_project


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def kept(database: Database, now: Now) -> Conversations:
    return Conversations(database, clock=now, new_key=new_key)


@pytest.fixture
async def scope(database: Database) -> Scope:
    return Scope.local().within((await make_project(database, Scope.local())).id)


async def say(kept: Conversations, scope: Scope, question: str, known: Conversation | None = None) -> Conversation:
    asked = kept.turn(Speaker.PERSON, question, ("@pond.py",))
    answered = kept.turn(Speaker.MODEL, f"re: {question}", (), "mine/m")
    return await kept.said(scope, known.id if known else None, asked, answered)


async def test_what_was_said_is_there_in_its_order_after_a_restart(
    database: Database, kept: Conversations, scope: Scope, now: Now
) -> None:
    first = await say(kept, scope, "Why  is it wet?")
    now.moment += timedelta(hours=1)
    await say(kept, scope, "And cold?", first)
    again = Conversations(database, clock=now, new_key=new_key)
    turns = await again.turns(scope, first.id)
    assert [(each.number, each.speaker.value, each.text, each.told) for each in turns] == [
        (1, "person", "Why  is it wet?", ("@pond.py",)),
        (2, "model", "re: Why  is it wet?", ()),
        (3, "person", "And cold?", ("@pond.py",)),
        (4, "model", "re: And cold?", ()),
    ]
    (listed,) = await again.listed(scope)
    assert (listed.title, listed.turns, listed.updated_at) == ("Why is it wet?", 4, now.moment)


async def test_the_last_and_the_beginning_of_an_id_name_one(kept: Conversations, scope: Scope, now: Now) -> None:
    first = await say(kept, scope, "one")
    now.moment += timedelta(seconds=1)
    second = await say(kept, scope, "two")
    assert (await kept.find(scope, "last")).id == second.id
    assert (await kept.find(scope, str(first.id))).id == first.id
    with pytest.raises(NotFound):
        await kept.find(scope, "zzz")
    with pytest.raises(InvalidInput, match="several"):
        await kept.find(scope, "")


async def test_nobody_reads_or_forgets_what_others_said_or_what_was_said_elsewhere(
    database: Database, kept: Conversations, scope: Scope
) -> None:
    mine = await say(kept, scope, "secret")
    other = await make_project(database, Scope.local())
    strangers = (
        replace(scope, actor=Actor("bob", "bob")),
        scope.within(other.id),
    )
    for stranger in strangers:
        assert await kept.listed(stranger) == []
        for forbidden in (kept.turns, kept.forget):
            with pytest.raises(NotFound):
                await forbidden(stranger, mine.id)
        with pytest.raises(NotFound):
            await say(kept, stranger, "mine now", mine)
    assert (await kept.find(scope, "last")).turns == 2
    with pytest.raises(Denied):
        await kept.listed(replace(scope, rights=scope.rights - {Right.FILE_READ}))


async def test_what_is_forgotten_leaves_no_row(database: Database, kept: Conversations, scope: Scope, now: Now) -> None:
    gone = await say(kept, scope, "one")
    await kept.forget(scope, gone.id)
    await say(kept, scope, "old")
    now.moment += timedelta(days=30, seconds=1)
    new = await say(kept, scope, "new")
    assert [each.id for each in await kept.listed(scope)] == [new.id]
    async with database.begin() as tx:
        rows = await tx.execute(text("SELECT number FROM conversation_turns ORDER BY number"))
    assert [row.number for row in rows] == [1, 2]


MADE = Generation(
    id=UUID(int=0),
    task="let it dive",
    place="pond.py:1-2",
    edits="pond.py …",
    model="mine/m",
    tries=2,
    problems=("it does not parse",),
    is_sound=True,
    written=0,
    created_at=datetime.fromtimestamp(0, UTC),
)


async def test_generations_are_kept_each_persons_own_and_forgotten(
    database: Database, kept: Conversations, scope: Scope, now: Now
) -> None:
    first = await kept.generated(scope, MADE)
    assert first == replace(MADE, id=first.id, created_at=now.moment)
    now.moment += timedelta(days=1)
    second = await kept.generated(scope, MADE)
    await kept.wrote(scope, second.id, 7)
    again = Conversations(database, clock=now, new_key=new_key)
    assert await again.generations(scope) == [replace(second, written=7), first]
    assert await again.find_generation(scope, str(first.id)) == first
    other = replace(scope, actor=Actor("2", "Bo"))
    assert await again.generations(other) == []
    with pytest.raises(NotFound):
        await again.find_generation(other, "last")
    await again.wrote(other, first.id, 9)
    await again.forget_generation(other, first.id)
    assert await again.find_generation(scope, str(first.id)) == first
    now.moment += timedelta(days=30, hours=-1)
    third = await again.generated(scope, MADE)
    assert [each.id for each in await again.generations(scope)] == [third.id, second.id]
    await again.forget_generation(scope, third.id)
    assert [each.id for each in await again.generations(scope)] == [second.id]
    with pytest.raises(Denied):
        await again.generations(replace(scope, rights=frozenset()))


async def test_a_sweep_deletes_what_is_old_of_everybody_and_all_that_is_of_the_departed(
    database: Database, kept: Conversations, scope: Scope, now: Now
) -> None:
    ann, ben = (replace(scope, actor=Actor(name, name)) for name in ("ann", "ben"))
    for each in (scope, ann, ben):
        await say(kept, each, "old")
        await kept.generated(each, MADE)
    now.moment += timedelta(days=20)
    mine = await say(kept, scope, "new")
    await say(kept, ben, "new")
    async with database.begin(write=False) as tx:
        before = len(list(await tx.execute(text("SELECT number FROM conversation_turns"))))
    assert before == 10
    with pytest.raises(Denied):
        await kept.sweep(replace(scope, rights=scope.rights - {Right.ADMINISTER}), now.moment, ())
    assert await kept.sweep(scope, now.moment - timedelta(days=10), ("ben",)) == (4, 3)
    assert [[found.id for found in await kept.listed(each)] for each in (scope, ann, ben)] == [[mine.id], [], []]
    assert [await kept.generations(each) for each in (scope, ann, ben)] == [[], [], []]
    async with database.begin(write=False) as tx:
        assert len(list(await tx.execute(text("SELECT number FROM conversation_turns")))) == 2


async def test_without_a_limit_nothing_is_forgotten_by_itself(database: Database, scope: Scope, now: Now) -> None:
    kept = Conversations(database, clock=now, new_key=new_key, keep_days=0)
    old = await say(kept, scope, "old")
    now.moment += timedelta(days=3_000)
    new = await say(kept, scope, "new")
    assert [each.id for each in await kept.listed(scope)] == [new.id, old.id]
