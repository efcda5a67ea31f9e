"""Notices, on SQLite and on PostgreSQL: who is told of what, once, and by which ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from rubber_duck.call import Parts
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import BudgetExceeded, Denied, InvalidInput, NotConfigured, NotFound, UnknownName
from rubber_duck.notices.notice import By, Kind, Notice, Told, Way
from rubber_duck.notices.notices import Notices
from rubber_duck.notices.wording import end_of
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.telling import MailSettings, NoticeSettings, WebhookSettings
from rubber_duck.storage.database import Connection
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.moves import Ended
from rubber_duck.workflows.options import StartOptions
from rubber_duck.workflows.store.tables import watches
from tests.durable import Bench, Lent, durable_over, until, working
from tests.fake_provider import fake_provider, saying
from tests.mailbox import mailbox

ME = Scope.local()
OTHER = Scope(Actor("other", "other"), None, frozenset(Right), "0" * 32)
TELL = StartOptions(tell=True)
SECRET = "a-secret-of-the-webhook"


@dataclass(slots=True)
class Office:
    """Durable work whose ends are told, by way of a bench that sends deliveries to the notices."""

    durable: Durable
    notices: Notices
    bench: Bench

    async def told(self, scope: Scope = ME) -> list[tuple[Kind, str, str]]:
        """What waits for somebody: kind, title and text."""
        found = await self.notices.waiting(scope)
        return [(each.kind, each.title, each.text) for each in found.notices]

    async def ended(self, words: list[str], options: StartOptions = TELL, scope: Scope = ME) -> str:
        """A run of the sample that has ended."""
        run_id = await self.durable.start(scope, "sample", {"words": words}, options)
        async for _ in self.durable.follow(scope, run_id):
            continue
        return run_id

    async def until_told(self, how_many: int, scope: Scope = ME) -> list[Told]:
        """The notices that wait, once there are so many."""

        async def are_there() -> bool:
            return len((await self.notices.waiting(scope)).notices) >= how_many

        await until(are_there)
        return list((await self.notices.waiting(scope)).notices)


@asynccontextmanager
async def office(
    database: DatabaseSettings,
    bench: Bench | None = None,
    *,
    mail: MailSettings | None = None,
    notices: NoticeSettings | None = None,
) -> AsyncIterator[Office]:
    """Notices over a database, with settings of a mail server and webhooks."""
    bench = bench or Bench()
    settings = Settings(mail=mail or MailSettings(), notices=notices or NoticeSettings())
    async with durable_over(database, bench) as durable:
        told = Notices(durable.database, LocalCluster(), durable, settings, now=lambda: datetime.now(UTC))
        durable.lend(Lent(Parts(settings, {"notices": told}), _no_engine, bench), told.followers())
        yield Office(durable, told, bench)


async def _no_engine(name: str, request: object, scope: Scope) -> object:
    raise UnknownName(f"there is no engine {name!r}")


async def test_an_end_is_told_once_however_many_look(settings: DatabaseSettings) -> None:
    async with office(settings) as found:
        async with working(found.durable):
            run_id = await found.ended(["a"])
            (told,) = await found.until_told(1)
        await asyncio.gather(*(found.notices.tell_of_ends() for _ in range(5)))
        assert (told.kind, told.title, told.run) == (Kind.FINISHED, "sample has finished", run_id)
        assert len(await found.told()) == 1
        assert await found.told(OTHER) == []


async def test_a_row_that_cannot_be_read_is_in_nobodys_way(settings: DatabaseSettings) -> None:
    async with office(settings) as found:
        async with working(found.durable):
            spoiled, sound = await found.ended(["a"]), await found.ended(["b"])
            await found.until_told(2)
        tables = (await found.durable.library()).tables

        def plant(connection: Connection) -> None:
            spoil = update(tables.output).where(tables.output.c.workflow_uuid == spoiled)
            connection.execute(spoil.values(output="gASV"))
            connection.execute(update(watches).values(is_told=False))

        await found.durable.database.run(plant)
        await found.notices.tell_of_ends()
        told = (await found.notices.waiting(ME)).notices[2:]
        assert [(each.run, each.text) for each in told] == [(spoiled, "what it came to cannot be read"), (sound, "")]
        assert {each.id for each in await found.durable.runs(ME)} == {spoiled, sound}


def test_a_workflow_that_cannot_say_what_came_of_a_run_is_told_without() -> None:
    older = {"an": "older answer"}
    ended = Ended("run", "analyze-project", "me", None, "done", older, "", "", 1)
    assert (end_of(ended).title, end_of(ended).text) == ("analyze-project has finished", "")


async def test_only_who_wants_to_be_told_is(settings: DatabaseSettings) -> None:
    async with office(settings, Bench(failures=1)) as found, working(found.durable):
        failures = StartOptions(tell_failures=True)
        await found.ended(["a"], StartOptions())
        await found.ended(["a"], failures)
        run_id = await found.ended(["fail:b"], failures)
        (told,) = await found.until_told(1)
        assert (told.kind, told.title, told.run) == (Kind.FAILED, "sample has failed", run_id)
        assert told.text.startswith("b is bad\n")


async def test_a_run_that_is_tried_again_tells_of_its_next_end_too(settings: DatabaseSettings) -> None:
    async with office(settings, Bench(failures=1)) as found, working(found.durable):
        run_id = await found.ended(["fail:b"])
        await found.until_told(1)
        await found.durable.retry(ME, run_id)
        told = await found.until_told(2)
        assert [each.kind for each in told] == [Kind.FAILED, Kind.FINISHED]


async def test_who_cancels_a_run_is_not_told_and_who_is_timed_out_is(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with office(settings, bench) as found, working(found.durable):
        cancelled = await found.durable.start(ME, "sample", {"words": ["wait:a"]}, TELL)
        await bench.reached.wait()
        await found.durable.cancel(ME, cancelled)
        await found.ended(["wait:b"], StartOptions(tell=True, timeout_s=0.5))
        (told,) = await found.until_told(1)
        assert (told.kind, told.title) == (Kind.FAILED, "sample took longer than it may and was cancelled")


async def test_a_run_that_spent_its_budget_says_so(settings: DatabaseSettings) -> None:
    bench = Bench(failures=1, failure=BudgetExceeded("all is spent"))
    async with office(settings, bench) as found, working(found.durable):
        await found.ended(["fail:b"])
        (told,) = await found.until_told(1)
        assert (told.kind, told.text.splitlines()[0]) == (Kind.BUDGET, "all is spent")


async def test_a_run_that_waits_for_a_person_asks_them_once(settings: DatabaseSettings) -> None:
    async with office(settings) as found:
        run_id = await found.durable.start(ME, "sample", {"words": ["signal:go"]})
        async with working(found.durable):
            (told,) = await found.until_told(1)
            assert (told.kind, told.title) == (Kind.APPROVAL, "sample waits for 'go'")
            assert f"duck workflow signal {run_id} go" in told.text
        async with working(found.durable):  # begun anew, it waits again
            await found.durable.send(ME, run_id, "go", "now")
            assert await found.durable.answer(ME, run_id) == {"words": ["now"]}
        assert len(await found.told()) == 1


async def test_who_was_revoked_is_told_nothing_any_more(settings: DatabaseSettings) -> None:
    bench = Bench()
    async with office(settings, bench) as found:
        async with working(found.durable):
            await found.ended(["a"], StartOptions())
        run_id = await found.durable.start(ME, "sample", {"words": ["a"]}, TELL)
        bench.revoked = True
        async with working(found.durable):
            async for _ in found.durable.follow(ME, run_id):
                continue
        await found.notices.tell_of_ends()
        assert await found.told() == []
        assert await found.notices.ended_untold() == []


async def test_a_notice_is_sent_the_ways_that_its_member_chose_and_again_while_it_is_refused(
    settings: DatabaseSettings,
) -> None:
    async with mailbox() as box, fake_provider(saying({}, 500), saying({})) as server:
        mail = MailSettings(host="127.0.0.1", port=box.port, security="none")
        hooks = NoticeSettings(
            webhooks={"team": WebhookSettings(url=f"{server.url}/hook", secret=SECRET)}, first_retry_s=0.01
        )
        box.refusals = ["451 later"]
        async with office(settings, Bench(failures=1), mail=mail, notices=hooks) as found:
            await found.notices.choose(ME, Way(By.MAIL, "ann@example.org", frozenset({Kind.FAILED})))
            await found.notices.choose(ME, Way(By.WEBHOOK, "team", frozenset(Kind)))
            async with working(found.durable):
                await found.ended(["a"])
                await found.until_told(1)
                await found.ended(["fail:b"])
                await found.until_told(2)
                await until(lambda: _are_done(found, 3))
    (message,) = box.received
    assert (message["Subject"], box.recipients) == ("[RubberDuck] sample has failed", ["ann@example.org"])
    assert "b is bad" in message.get_content()
    posted = [asked.json["kind"] for asked in server.asked]
    assert sorted(posted) == ["failed", "finished", "finished"] or sorted(posted) == ["failed", "failed", "finished"]
    assert len({asked.headers["x-duck-delivery"] for asked in server.asked}) == 2


async def _are_done(found: Office, how_many: int) -> bool:
    runs = await found.durable.runs(ME, workflow="deliver-notice")
    return [run.state for run in runs] == ["done"] * how_many


async def test_a_way_that_cannot_work_is_refused_with_a_sentence(settings: DatabaseSettings) -> None:
    mail = MailSettings(host="127.0.0.1", domains=("example.org",))
    async with office(settings) as bare, office(settings, mail=mail) as found:
        for where, way, error in (
            (bare, Way(By.MAIL, "ann@example.org", frozenset(Kind)), NotConfigured),
            (found, Way(By.MAIL, "ann@elsewhere.org", frozenset(Kind)), Denied),
            (found, Way(By.MAIL, "ann", frozenset(Kind)), InvalidInput),
            (found, Way(By.WEBHOOK, "team", frozenset(Kind)), UnknownName),
        ):
            with pytest.raises(error):
                await where.notices.choose(ME, way)
        with pytest.raises(NotFound):
            await found.notices.drop(ME, By.MAIL)
        await found.notices.choose(ME, Way(By.MAIL, "ann@example.org", frozenset(Kind)))
        assert await found.notices.ways(OTHER) == []
        await found.notices.choose(ME, Way(By.MAIL, "bob@example.org", frozenset({Kind.FAILED})))
        assert await found.notices.ways(ME) == [Way(By.MAIL, "bob@example.org", frozenset({Kind.FAILED}))]
        await found.notices.drop(ME, By.MAIL)
        assert await found.notices.ways(ME) == []


async def test_a_notice_and_its_sendings_are_kept_together_or_not_at_all(settings: DatabaseSettings) -> None:
    mail = MailSettings(host="127.0.0.1", port=1, security="none")
    async with office(settings, mail=mail) as found:
        await found.notices.choose(ME, Way(By.MAIL, "ann@example.org", frozenset(Kind)))
        notice = Notice(Kind.BUDGET, "k", "spent")
        assert await found.notices.tell(ME, notice)
        assert not await found.notices.tell(ME, notice)
        assert len(await found.durable.runs(ME, workflow="deliver-notice")) == 1
        found.bench.revoked = True
        with pytest.raises(Denied):
            await found.notices.tell(ME, Notice(Kind.BUDGET, "l", "spent"))
        assert len(await found.told()) == 1
