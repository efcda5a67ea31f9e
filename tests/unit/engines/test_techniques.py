"""Techniques do what they say, no more often than they say, and can be left out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from rubber_duck.engines.techniques import Asking, Judged, draft, look_again, think, with_thought
from rubber_duck.llm.llm import open_llm
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from tests.fake_provider import FakeProvider, fake_provider
from tests.models import answering, connect

PROMPT = Prompt((Message(Speaker.USER, "Write it."),))


@asynccontextmanager
async def asking(home: Path, *said: object) -> AsyncIterator[tuple[Asking, FakeProvider]]:
    async with fake_provider(*answering(*said)) as fake:
        connect(home, fake)
        async with open_llm(Settings(home=str(home))) as llm:
            yield Asking(llm, Scope.local(), Role.EDIT), fake


async def judge(said: str) -> Judged[str]:
    return Judged(said, "" if "good" in said else f"{said!r} is not good")


async def test_a_draft_that_fails_goes_back_with_what_is_wrong_until_it_passes(tmp_path: Path) -> None:
    async with asking(tmp_path, "bad", "worse", "good") as (by, fake):
        drafted = await draft(by, PROMPT, judge)
    assert (drafted.value, drafted.tries, drafted.is_sound) == ("good", 3, True)
    assert drafted.problems == ("'bad' is not good", "'worse' is not good")
    last = fake.asked[2].json["messages"]
    assert [each["content"].split("\n")[0] for each in last] == ["Write it.", "worse", "A check of your answer says:"]


async def test_repairs_are_bounded_and_the_same_words_twice_end_them(tmp_path: Path) -> None:
    async with asking(tmp_path, "1", "2", "3", "4") as (by, fake):
        drafted = await draft(by, PROMPT, judge, repairs=2)
    assert (drafted.tries, drafted.is_sound, len(fake.asked)) == (3, False, 3)
    async with asking(tmp_path, "1", "1") as (by, fake):
        assert (await draft(by, PROMPT, judge)).tries == 2


async def test_without_repairs_there_is_one_draft(tmp_path: Path) -> None:
    async with asking(tmp_path, "bad") as (by, fake):
        drafted = await draft(by, PROMPT, judge, repairs=0)
    assert (drafted.tries, drafted.is_sound, len(fake.asked)) == (1, False, 1)


async def test_steps_are_thought_apart_from_the_answer(tmp_path: Path) -> None:
    async with asking(tmp_path, {"steps": ["look  at it", "", "write it"]}) as (by, _):
        steps = await think(by, PROMPT)
    assert steps == ("look at it", "write it")
    told = with_thought(PROMPT, steps).messages
    assert [each.role for each in told] == [Speaker.USER, Speaker.ASSISTANT, Speaker.USER]
    assert with_thought(PROMPT, ()) == PROMPT


async def test_what_is_missing_is_looked_up_until_nothing_new_is_found(tmp_path: Path) -> None:
    async def find(query: str) -> Mapping[str, str]:
        return {"pond.py:1": "def pond(): ..."} if query == "pond" else {}

    said = [{"queries": ["pond", "pond"]}, {"queries": ["pond", "lake"]}, {"queries": ["sea"]}]
    async with asking(tmp_path, *said) as (by, fake):
        held, queries = await look_again(by, PROMPT, {"a.py": "x"}, find, rounds=5)
    assert held == {"a.py": "x", "pond.py:1": "def pond(): ..."}
    assert (queries, len(fake.asked)) == (("pond", "pond", "lake"), 2)
