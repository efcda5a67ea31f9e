"""What is remembered of corrections, of questions and where little may be kept, and what is forgotten with a fact."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from rubber_duck.memory.memory import Kind, Memories, Turn
from rubber_duck.settings.memory import MemorySettings
from rubber_duck.storage.database import Database
from tests.contract.test_memory import ANN, Now, files_of, texts


@pytest.fixture
async def memories(database: Database) -> AsyncIterator[Memories]:
    """Nothing is remembered yet, and there is no model."""
    found = Memories(database, MemorySettings(), Now(), str)
    yield found
    await found.close()


@pytest.mark.parametrize(
    ("said", "question", "first"),
    [
        (("We use Redis for the cache.", "We do not use Redis for the cache."), "Do we use Redis for the cache?", 1),
        (("Ann reports to Bob.", "Correction: Bob reports to Ann."), "Who reports to Ann?", 1),
        (("The port is 8080.", "The port is 9090.", "The port is 8080."), "What is the port?", 0),
        (("The port is 8080.", "The port is 9090.", "the port  is 8080!", "The port is 9090."), "What is the port?", 1),
    ],
)
@pytest.mark.parametrize("every", [1, 2, 9])
async def test_what_was_said_last_stands_first_however_it_was_condensed(
    memories: Memories, said: tuple[str, ...], question: str, first: int, every: int
) -> None:
    for number, text in enumerate(said, 1):
        await memories.note(ANN, f"session {number % 2}", text, "Noted.")
        if number % every == 0:
            await memories.consolidate(ANN, everything=True)
    for _ in range(2):
        found = (await texts(memories, ANN, question))[0]
        assert found in (said[first], said[first].removeprefix("Correction: "))
        await memories.consolidate(ANN, everything=True)


async def test_a_fact_within_a_question_is_recalled_when_it_is_condensed(memories: Memories) -> None:
    await memories.note(ANN, "s", "My API runs on port 8443, how do I open the firewall?", "Use ufw allow.")
    await memories.consolidate(ANN, everything=True)
    assert (await texts(memories, ANN, "On which port does my API run?"))[0] == "My API runs on port 8443"


async def test_what_is_forgotten_goes_from_summaries_and_from_who_says_it_too(
    memories: Memories, database: Database
) -> None:
    secret = "quokka" + uuid4().hex
    for session in ("a", "b"):
        await memories.note(
            ANN, session, f"The {secret} opens the vault of Lisbon. The heron sleeps in Graz.", "I see."
        )
        if session == "a":
            await memories.consolidate(ANN, everything=True)
    fact = next(each for each in await memories.all(ANN) if each.kind is Kind.FACT and secret in each.text)
    assert await memories.forget(ANN, [fact.id]) == 1
    assert [each.text for each in await memories.all(ANN) if secret in f"{each.text} {each.answer} {each.terms}"] == []
    assert all("heron" in each for each in await texts(memories, ANN, f"{secret} vault of Lisbon heron"))
    assert [name for name, content in files_of(database).items() if secret.encode() in content] == []


async def test_where_interactions_are_not_kept_what_they_state_is_learned_at_once(database: Database) -> None:
    memories = Memories(database, MemorySettings(keep=("preference", "style", "summary")), Now(), str)
    turns = [
        Turn("s", "I prefer tabs in Go. My port is 8443.", "Noted."),
        Turn("s", "I always like short answers.", "Sure."),
    ]
    assert await memories.note_all(ANN, turns) == 0
    await memories.note(ANN, "t", "I prefer tabs in Go.", "I know.")
    held = await memories.all(ANN)
    assert {(each.kind, each.text, each.uses) for each in held} == {
        (Kind.STYLE, "I prefer tabs in Go.", 1),
        (Kind.PREFERENCE, "I always like short answers.", 0),
    }
