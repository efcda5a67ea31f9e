"""What a server does by the clock: everybody's memories are condensed, and what is too old is swept away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rubber_duck.accounts.accounts import Accounts
from rubber_duck.accounts.roles import Role
from rubber_duck.call import Parts
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.conversations.conversation import Speaker
from rubber_duck.conversations.conversations import Conversations
from rubber_duck.errors import UnknownName
from rubber_duck.jobs.standing import standing
from rubber_duck.memory.memory import Kind, Memories
from rubber_duck.redaction import Redactor
from rubber_duck.scope import Actor, Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.memory import MemorySettings, PrivacySettings
from rubber_duck.settings.tree import ScheduleSettings
from rubber_duck.storage.database import Database
from rubber_duck.storage.keys import new_key
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.schedules import Clockwork
from tests.durable import Bench, Lent, durable_over, working
from tests.factories import make_project

ME = Scope.local()
BEN, CAL = (replace(ME, actor=Actor(name, name)) for name in ("ben", "cal"))


class Past:
    """A clock that goes behind by some days."""

    def __init__(self, days: int) -> None:
        self.days = days

    def __call__(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=self.days)


@asynccontextmanager
async def house(
    database: DatabaseSettings, past: Past, settings: Settings | None = None
) -> AsyncIterator[tuple[Durable, Memories, Conversations]]:
    """Durable work that is lent memory and conversations, which believe that it is some days ago."""
    bench, settings = Bench(), settings or Settings()
    async with durable_over(database, bench) as durable:
        memories = Memories(durable.database, settings.memory, past, Redactor().text)
        said = Conversations(durable.database, clock=past, new_key=new_key)
        parts = Parts(settings, {"memory": memories, "conversations": said, "workflows": durable})
        durable.lend(Lent(parts, _no_engine, bench), None)
        yield durable, memories, said
        await memories.close()


async def _no_engine(name: str, request: object, scope: Scope) -> object:
    raise UnknownName(f"there is no engine {name!r}")


async def test_everybodys_interactions_are_condensed_each_as_their_own(settings: DatabaseSettings) -> None:
    past = Past(2)
    async with house(settings, past) as (durable, memories, _), working(durable):
        await memories.note(ME, "a", "Our mascot is a heron.", "Nice.")
        await memories.note(BEN, "b", "We deploy with Helm.", "Fine.")
        past.days = 0
        await memories.note(CAL, "c", "The port is 7000.", "Fine.")
        done = await durable.answer(ME, await durable.start(ME, "consolidate-memories", {}))
        assert (done["owners"], done["condensed"]) == (2, 2)
        for scope, word in ((ME, "heron"), (BEN, "Helm")):
            held = await memories.all(scope)
            assert any(word in each.text for each in held if each.kind is Kind.FACT)
            assert not any(each.kind is Kind.INTERACTION for each in held)
        assert [each.kind for each in await memories.all(CAL)] == [Kind.INTERACTION]


async def test_what_is_too_old_is_swept_away_and_all_that_somebody_left_who_was_disabled(
    settings: DatabaseSettings,
) -> None:
    past = Past(60)
    async with house(settings, past) as (durable, memories, said), working(durable):
        accounts = Accounts(durable.database, LocalCluster(), clock=past)
        users = [await accounts.add_user(ME, name, Role.PERSON) for name in ("left", "stays")]
        left, stays = (replace(ME, actor=Actor(str(each.id), each.name)) for each in users)
        await accounts.disable_user(ME, "left")
        project = (await make_project(durable.database, ME)).id
        for scope in (left, stays):
            await memories.remember(scope, "likes tabs, and herons")
            await memories.note(scope, "a", "Our mascot is a heron.", "Nice.")
            turns = said.turn(Speaker.PERSON, "why?"), said.turn(Speaker.MODEL, "because")
            await said.said(scope.within(project), None, *turns)
        done = await durable.answer(ME, await durable.start(ME, "sweep", {}))
        assert done == {"conversations": 2, "generations": 0, "memories": 3}
        assert await memories.all(left) == []
        assert [each.text for each in await memories.all(stays)] == ["likes tabs, and herons"]


async def test_zero_days_keep_everything(settings: DatabaseSettings) -> None:
    chosen = Settings(privacy=PrivacySettings(keep_days=0))
    async with house(settings, Past(400), chosen) as (durable, memories, _), working(durable):
        await memories.note(ME, "a", "Our mascot is a heron.", "Nice.")
        done = await durable.answer(ME, await durable.start(ME, "sweep", {}))
        assert done == {"conversations": 0, "generations": 0, "memories": 0}
        assert len(await memories.all(ME)) == 1


async def test_both_are_begun_once_in_a_cluster_unless_settings_say_otherwise(settings: DatabaseSettings) -> None:
    assert set(standing(Settings())) == {"consolidate-memories", "sweep"}
    never = Settings(memory=MemorySettings(consolidate=""), privacy=PrivacySettings(sweep=""))
    assert standing(never) == {}
    moment = datetime(2026, 1, 1, 2, 16, 30, tzinfo=UTC)
    async with house(settings, Past(0)) as (durable, *_):
        prepared = {name: await durable.prepared(ME, name, {}) for name in standing(Settings())}
        nodes = [Clockwork(durable.database, standing(Settings()), prepared, now=lambda: moment) for _ in range(3)]
        began = []
        for _ in range(40):
            began.append(sum([await node.tick() for node in nodes]))
            moment += timedelta(minutes=1)
        assert sum(began) == 2
        assert [each.workflow for each in await durable.runs(ME)] == ["sweep", "consolidate-memories"]


async def test_between_two_looks_the_clock_leaves_the_database_alone(settings: DatabaseSettings) -> None:
    moment = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
    async with house(settings, Past(0)) as (durable, *_):
        often = {"often": ScheduleSettings(workflow="sweep", cron="* * * * *")}
        prepared = {"often": await durable.prepared(ME, "sweep", {})}
        asked = Counted(durable.database)
        clock = Clockwork(asked, often, prepared, now=lambda: moment)  # type: ignore[arg-type]  # it only runs
        for _ in range(60):
            await clock.tick()
            moment += timedelta(seconds=1)
        assert asked.times == 2  # at first, and when it was due
        assert len(await durable.runs(ME)) == 1


class Counted:
    """A database that counts how often it is asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.times = 0

    async def run(self, work: object) -> object:
        """As the database."""
        self.times += 1
        return await self._database.run(work)  # type: ignore[arg-type]  # what it is given it passes on
