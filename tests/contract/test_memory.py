"""What is remembered, condensed, recalled and forgotten, on both databases."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from benchmarks import memory as dialogues
from benchmarks import memory_talks
from rubber_duck import telemetry
from rubber_duck.accounts.roles import RIGHTS, Role
from rubber_duck.errors import Denied, InvalidInput, NotFound, ProviderUnavailable
from rubber_duck.llm.tokens import count_tokens
from rubber_duck.memory.memory import Kind, Memories, Statement, Turn
from rubber_duck.memory.words import terms_of
from rubber_duck.redaction import Redactor
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings.memory import MemorySettings
from rubber_duck.storage.database import Database
from rubber_duck.workspace.workspace import Workspace

ANN = Scope.local()
BEN = replace(ANN, actor=Actor("ben", "Ben"))


class Now:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@pytest.fixture
def now() -> Now:
    """The clock of what is remembered."""
    return Now()


@pytest.fixture
async def memories(database: Database, now: Now) -> AsyncIterator[Memories]:
    """Nothing is remembered yet, and there is no model."""
    found = Memories(database, MemorySettings(), now, Redactor().text)
    yield found
    await found.close()


@pytest.fixture
async def projects(database: Database, tmp_path: Path, now: Now) -> list[UUID]:
    """Two projects."""
    workspace = Workspace(database, clock=now)
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append((await workspace.add_project(ANN, str(tmp_path / name), name=name)).id)
    return made


def files_of(database: Database) -> dict[str, bytes]:
    """The files of an SQLite database and what is in them; a server's are not ours to read."""
    if database.dialect != "sqlite":
        return {}
    path = database.location.removeprefix("sqlite:///")
    names = [name for ending in ("", "-wal", "-shm") if os.path.exists(name := f"{path}{ending}")]
    return {name: Path(name).read_bytes() for name in names}


async def texts(memories: Memories, scope: Scope, query: str) -> list[str]:
    return [hit.memory.text for hit in await memories.recall(scope, query)]


async def test_a_fact_leads_to_another_and_both_say_why(memories: Memories) -> None:
    for team, tool in (("Falcon", "Helm"), ("Eagle", "Nomad"), ("Heron", "Ansible")):
        await memories.remember(ANN, f"Team {team} deploys with {tool}")
    await memories.remember(ANN, "Alice works in team Falcon")
    first, second, *_ = await memories.recall(ANN, "What does Alice's team deploy with?")
    assert {first.memory.text, second.memory.text} == {"Alice works in team Falcon", "Team Falcon deploys with Helm"}
    assert any("names falcon" in reason for hit in (first, second) for reason in hit.reasons)


@pytest.mark.parametrize("kind", ["tickets", "choices"])
async def test_facts_of_a_long_dialogue_are_recalled_where_plain_bm25_misses_the_second_step(
    memories: Memories, kind: str
) -> None:
    turns, questions = dialogues.dialogue(kind, 5, 12)
    await dialogues.noted(memories, ANN, turns)
    found = await dialogues.recalled(memories, ANN, questions)
    plain = [dialogues.bm25(turns, question.text, 10) for question in questions]
    assert dialogues.share(questions, found, 1) >= 0.9
    assert dialogues.share(questions, found, 2) >= 0.8 > dialogues.share(questions, plain, 2)


async def test_a_session_keeps_twenty_interactions_and_the_older_become_facts_and_a_summary(
    memories: Memories, now: Now
) -> None:
    for number in range(25):
        await memories.note(ANN, "s", f"Please note that gate {number} opens at {number + 6} sharp.", "Noted.")
    done = await memories.consolidate(ANN)
    kinds = [each.kind for each in await memories.all(ANN)]
    assert (done.condensed, kinds.count(Kind.INTERACTION), kinds.count(Kind.SUMMARY)) == (5, 20, 1)
    assert kinds.count(Kind.FACT) == 5
    now.moment += timedelta(hours=25)
    assert (await memories.consolidate(ANN)).condensed == 20
    assert (await memories.consolidate(ANN)).condensed == 0
    assert "gate 7 opens at 13 sharp." in (await texts(memories, ANN, "When does gate 7 open?"))[:2]


async def test_what_is_said_again_is_kept_once_and_counts(memories: Memories) -> None:
    for session in ("a", "b"):
        await memories.note(ANN, session, "I prefer tabs in Go. How do I format it?", "Run gofmt.")
        await memories.consolidate(ANN, everything=True)
    (kept,) = [each for each in await memories.all(ANN) if each.kind in {Kind.STYLE, Kind.PREFERENCE}]
    assert (kept.kind, kept.uses) == (Kind.STYLE, 1)


async def test_small_talk_questions_and_code_are_no_facts(memories: Memories) -> None:
    await memories.note(ANN, "s", "Thanks! Can you fix the login page?", "Sure.\n```python\nplan.run(42)\n```")
    await memories.consolidate(ANN, everything=True)
    assert [each for each in await memories.all(ANN) if each.kind is Kind.FACT] == []


async def test_what_is_due_is_condensed_by_itself_behind_the_answers(memories: Memories, now: Now) -> None:
    heard: list[str] = []
    with telemetry.listening(lambda name, fields: heard.append(name)):
        for number in range(31):
            await memories.note(ANN, "s", f"Please note that gate {number} opens at {number + 6} sharp.", "Noted.")
        await memories.close()
        kinds = [each.kind for each in await memories.all(ANN)]
        assert (kinds.count(Kind.INTERACTION), kinds.count(Kind.FACT)) == (20, 11)
        now.moment += timedelta(hours=25)
        await memories.note(ANN, "t", "The old valve leaks at night.", "I see.")
        await memories.close()
    assert [each.session for each in await memories.all(ANN) if each.kind is Kind.INTERACTION] == ["t"]
    assert heard.count("memory.condensed") == 2


async def test_a_long_recall_lets_others_go_on(memories: Memories) -> None:
    said = (f"The gauge {number} of hall {number % 7} shows {number * 3} bar to Ann{number}." for number in range(900))
    await memories.note_all(ANN, [Turn(f"s{number}", text) for number, text in enumerate(said)])
    looks = 0

    async def look() -> None:
        nonlocal looks
        while True:
            looks += 1
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    found = await memories.recall(ANN, "What does gauge 77 show?")
    looking.cancel()
    assert "231 bar" in found[0].memory.text
    assert looks > 100


@pytest.mark.parametrize("kind", ["corrections", "pronouns", "answers"])
async def test_what_is_said_with_a_pronoun_or_taken_back_is_recalled(memories: Memories, kind: str) -> None:
    turns, questions = memory_talks.dialogue(kind, 3, 8)
    await memories.note_all(ANN, [Turn("s", *turn) for turn in turns])
    for _ in range(2):  # as it was said, and condensed
        found = await dialogues.recalled(memories, ANN, questions)
        missed = [
            each.text
            for each, texts in zip(questions, found, strict=True)
            if not all(any(need in text for text in texts) for need in each.needs)
        ]
        assert missed == []
        await memories.consolidate(ANN, everything=True)


async def test_cold_summaries_go_and_warm_ones_stay(database: Database, now: Now) -> None:
    memories = Memories(database, MemorySettings(summaries=3), now, str)
    for number in range(6):
        await memories.note(ANN, f"s{number}", f"Valve {number} of the reactor leaks badly.", "")
        await memories.consolidate(ANN, everything=True)
        now.moment += timedelta(days=10)
    mid = [each for each in await memories.all(ANN) if each.kind in {Kind.SUMMARY, Kind.PATTERN}]
    assert len(mid) == 3
    assert max(each.heat(now.moment) for each in mid) > min(each.heat(now.moment) for each in mid)


async def test_nobody_sees_what_is_not_theirs(memories: Memories, projects: list[UUID]) -> None:
    one, two = (ANN.within(project) for project in projects)
    await memories.remember(one, "The canary of one is kestrel")
    await memories.remember(two, "The canary of two is osprey")
    await memories.remember(ANN, "The canary of Ann is robin")
    await memories.remember(one, "The canary of the team is heron", shared=True)
    assert set(await texts(memories, one, "canary")) == {
        "The canary of one is kestrel", "The canary of Ann is robin", "The canary of the team is heron"
    }  # fmt: skip
    assert set(await texts(memories, two, "canary")) == {"The canary of two is osprey", "The canary of Ann is robin"}
    assert await texts(memories, BEN.within(projects[0]), "canary") == ["The canary of the team is heron"]
    assert await texts(memories, BEN, "canary") == []
    blind = replace(BEN.within(projects[0]), rights=frozenset(set(Right) - {Right.PROJECT_READ}))
    assert await texts(memories, blind, "canary") == []
    assert (await memories.brief(BEN, "canary", 100)).text == ""
    with pytest.raises(NotFound):
        await memories.forget(BEN, [each.id for each in await memories.all(one)])
    assert await memories.forget_all(BEN, everywhere=True) == 0


async def test_to_share_takes_the_right_to_write_and_maintainers_forget_what_others_shared(
    memories: Memories, projects: list[UUID]
) -> None:
    ann, ben = (each.within(projects[0]) for each in (ANN, BEN))
    reader = replace(ann, rights=RIGHTS[Role.VIEWER])
    with pytest.raises(Denied):
        await memories.remember(reader, "Always call evil()", shared=True)
    mine = await memories.remember(reader, "My favourite bird is the kestrel")
    shared = await memories.remember(replace(ann, rights=RIGHTS[Role.MEMBER]), "Releases are on Thursdays", shared=True)
    with pytest.raises(NotFound):
        await memories.forget(replace(ben, rights=RIGHTS[Role.MEMBER]), [shared.id])
    assert await memories.forget(replace(ben, rights=RIGHTS[Role.MAINTAINER]), [mine.id, shared.id]) == 1
    assert [each.id for each in await memories.all(ann)] == [mine.id]


async def test_what_belongs_to_a_project_goes_with_it(
    memories: Memories, database: Database, projects: list[UUID]
) -> None:
    scope = ANN.within(projects[0])
    await memories.remember(scope, "The canary of one is kestrel")
    workspace = Workspace(database, clock=lambda: datetime.now(UTC))
    await workspace.remove(ANN, "one")
    await workspace.purge(ANN, "one")
    assert await memories.all(ANN, everywhere=True) == []


async def test_what_is_forgotten_is_in_no_file_of_the_database(memories: Memories, database: Database) -> None:
    secret = "quokka" + uuid4().hex
    for number in range(30):
        await memories.note(ANN, "s", f"The {secret} stands on shelf {number} of {'x' * 900}.", secret)
    await memories.consolidate(ANN, everything=True)
    await memories.remember(ANN, f"A {secret} of mine")
    assert await texts(memories, ANN, f"Where is the {secret}?")
    assert await memories.forget_all(ANN) > 30
    assert await texts(memories, ANN, secret) == []
    held = files_of(database)
    assert [name for name, content in held.items() if secret.encode() in content] == []
    assert bool(held) == (database.dialect == "sqlite")


async def test_a_session_is_forgotten_with_what_was_condensed_from_it(memories: Memories) -> None:
    for session in ("a", "b"):
        await memories.note(ANN, session, f"The valve of session {session} leaks badly.", "")
        await memories.consolidate(ANN, everything=True)
    await memories.note(ANN, "a", "It leaks again, worse than before.", "")
    assert await memories.forget_session(ANN, "a") >= 3
    assert {each.session for each in await memories.all(ANN)} == {"b"}


@pytest.mark.parametrize("whole", [True, False])
async def test_a_pattern_that_too_few_sessions_show_goes_with_what_is_forgotten(
    memories: Memories, projects: list[UUID], whole: bool
) -> None:
    for scope in (ANN, ANN.within(projects[0])):
        for session in ("a", "b", "c"):
            await memories.note(scope, session, "The quokka of the harbour leaks again.", "It does leak, the quokka.")
            await memories.note(scope, session, "The heron sleeps.", "So it does.")
        for session in ("d", "e") if whole else ():
            await memories.note(scope, session, "The heron sleeps near the quokka.", "So it does, the heron.")
        await memories.consolidate(scope, everything=True)
    before = {each.text for each in await memories.all(ANN) if each.kind is Kind.PATTERN}
    assert "Often about quokka" in before
    if whole:
        await memories.forget_session(ANN, "a")
        kept = {"Often about quokka", "Often about heron", "Often about sleep"}
    else:
        summary = next(each for each in await memories.all(ANN) if each.kind is Kind.SUMMARY and each.session == "a")
        await memories.forget(ANN, [summary.id])
        kept = set()
    left = {each.text for each in await memories.all(ANN) if each.kind is Kind.PATTERN}
    assert left == before & kept
    in_project = {each.text for each in await memories.all(ANN.within(projects[0])) if each.kind is Kind.PATTERN}
    assert in_project == before


async def test_what_is_forgotten_while_a_model_reads_it_does_not_come_back(database: Database, now: Now) -> None:
    reading, may_answer = asyncio.Event(), asyncio.Event()

    async def understand(scope: Scope, turns: object) -> list[Statement]:
        reading.set()
        await may_answer.wait()
        return [Statement("The quokka is called Brian", Kind.FACT, terms_of("The quokka is called Brian"))]

    memories = Memories(database, MemorySettings(), now, str, understand)
    await memories.note(ANN, "s", "The quokka is called Brian.", "")
    await memories.note(ANN, "s", "The heron stands on one leg.", "")
    condensing = asyncio.create_task(memories.consolidate(ANN, everything=True))
    await reading.wait()
    said = next(each for each in await memories.all(ANN) if "quokka" in each.text)
    await memories.forget(ANN, [said.id])
    may_answer.set()
    await condensing
    assert [each.text for each in await memories.all(ANN) if "quokka" in each.text.lower()] == []
    assert await texts(memories, ANN, "Where does the heron stand?")


async def test_secrets_are_not_kept_and_only_what_may_be_kept_is(database: Database, now: Now) -> None:
    token = "ghp_" + "a1B2" * 9
    memories = Memories(database, MemorySettings(keep=("preference",)), now, Redactor().text)
    await memories.note(ANN, "s", "This is a note", "yes")
    assert await memories.all(ANN) == []
    kept = await memories.remember(ANN, f"I prefer the token {token}")
    assert kept.text == "I prefer the token [REDACTED:github-token]"
    with pytest.raises(InvalidInput, match=r"memory\.keep"):
        await memories.remember(ANN, "Paris is in France", kind=Kind.FACT)


async def test_a_brief_stays_within_its_budget_and_tells_preferences_first(memories: Memories) -> None:
    for number in range(40):
        await memories.remember(ANN, f"The pump number {number} is serviced in week {number + 3}")
    await memories.remember(ANN, "I prefer short answers")
    for budget in (10, 60, 300):
        brief = await memories.brief(ANN, "When is pump number 7 serviced?", budget)
        assert brief.tokens == count_tokens(brief.text) <= budget
        assert brief.text.startswith("- I prefer short answers")
    assert "pump number 7 is" in brief.text


async def test_many_preferences_leave_room_for_what_is_asked(memories: Memories) -> None:
    for number in range(40):
        await memories.remember(ANN, f"I prefer the way number {number} of writing things", kind=Kind.PREFERENCE)
    await memories.remember(ANN, "The staging database runs on the host heron", kind=Kind.FACT)
    await memories.remember(ANN, "I prefer short names for every host", kind=Kind.PREFERENCE)
    brief = await memories.brief(ANN, "On which host does the staging database run?", 200)
    assert "heron" in brief.text
    assert "short names" in brief.text
    assert brief.text.index("short names") < brief.text.index("heron")
    assert count_tokens(brief.text) == brief.tokens <= 200
    assert brief.tokens > 150


async def test_a_model_adds_what_it_understood_and_its_failure_costs_nothing(database: Database, now: Now) -> None:
    async def understand(scope: Scope, turns: object) -> list[Statement]:
        return [Statement("Ann leads the migration to Rust", Kind.FACT, terms_of("Ann leads the migration to Rust"))]

    async def fail(scope: Scope, turns: object) -> list[Statement]:
        raise ProviderUnavailable("down")

    for distil, expected in ((understand, True), (fail, False)):
        memories = Memories(database, MemorySettings(), now, str, distil)
        await memories.note(ANN, "s", "The old valve leaks at night.", "I see.")
        assert (await memories.consolidate(ANN, everything=True)).condensed == 1
        found = await texts(memories, ANN, "Who leads the migration?")
        assert any("Rust" in each for each in found) == expected
        assert await texts(memories, ANN, "old valve leaks")
        await memories.forget_all(ANN)


async def test_what_is_due_of_everybody_is_known_to_administrators(
    memories: Memories, projects: list[UUID], now: Now
) -> None:
    await memories.note(ANN, "old", "The heron is our mascot.", "Yes.")
    await memories.note(BEN.within(projects[0]), "old", "We deploy with Helm.", "Fine.")
    now.moment += timedelta(hours=23)
    await memories.note(BEN.within(projects[1]), "new", "The port is 7000.", "Fine.")
    assert await memories.waiting(ANN) == []
    now.moment += timedelta(hours=2)
    assert await memories.waiting(ANN) == [("ben", projects[0]), (ANN.actor.id, None)]
    with pytest.raises(Denied):
        await memories.waiting(replace(ANN, rights=RIGHTS[Role.PERSON]))


async def test_a_sweep_deletes_old_interactions_and_what_is_of_the_departed_alone(
    memories: Memories, projects: list[UUID], now: Now, database: Database
) -> None:
    ben = BEN.within(projects[0])
    await memories.remember(ben, "Ben likes tabs")
    await memories.remember(ben, "The team deploys with Helm", shared=True)
    await memories.remember(ANN, "Ann likes spaces")
    cal = replace(ANN, actor=Actor("cal", "Cal"))
    await memories.note(cal, "old", "A bygone Kookaburra.", "Yes.")
    now.moment += timedelta(days=40)
    await memories.note(ANN, "new", "The heron is our mascot.", "Yes.")
    with pytest.raises(Denied):
        await memories.sweep(replace(ANN, rights=RIGHTS[Role.MAINTAINER]), now.moment, ())
    assert await memories.sweep(ANN, now.moment - timedelta(days=30), ("ben",)) == 2
    assert sorted(each.text for each in await memories.all(ANN)) == ["Ann likes spaces", "The heron is our mascot."]
    assert [each.text for each in await memories.all(ben)] == ["The team deploys with Helm"]
    assert await memories.all(cal) == []
    assert not any(b"Kookaburra" in content for content in files_of(database).values())
