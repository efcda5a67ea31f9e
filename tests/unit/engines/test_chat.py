"""A chat is kept, goes on, and tells the model of what is mentioned, and of nothing else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rubber_duck.app import App, open_app
from rubber_duck.call import Delta, Progress
from rubber_duck.errors import InvalidInput, NotFound
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import FakeProvider, fake_provider, head, openai_events, saying, sending
from tests.models import answering, connect

FILES = {
    "pyproject.toml": "",
    ".gitignore": "hidden.py\n",
    "hidden.py": "TOKEN = 'canary'\n",
    "src/pond.py": "import os\n\n\ndef swim(far):\n    return far\n\n\ndef dive(deep):\n    return deep\n",
}


@asynccontextmanager
async def talking(tmp_path: Path, *said: str) -> AsyncIterator[tuple[App, str, FakeProvider]]:
    pond = write_tree(tmp_path / "pond", FILES)
    async with fake_provider(*answering(*said or [""])) as fake:
        if said:
            connect(tmp_path / "home", fake)
        async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["chat", "explain"]) as app:
            yield app, str(pond), fake


async def chat(app: App, folder: str, message: str = "", **request: Any) -> Any:  # Any: an answer
    return await app.run("chat", {"message": message, "directory": folder, **request}, Scope.local())


async def test_a_conversation_goes_on_in_the_next_process(tmp_path: Path) -> None:
    async with talking(tmp_path, "It is wet.") as (app, folder, _):
        first = await chat(app, folder, "What is a pond?")
    async with talking(tmp_path, "And deep.") as (app, folder, fake):
        second = await chat(app, folder, "And a lake?", conversation="last")
        shown = await chat(app, folder, conversation=first.conversation[:13])
        listed = await chat(app, folder, list=True)
    assert second.conversation == first.conversation
    assert [each["content"] for each in fake.asked[0].json["messages"][1:]] == [
        "What is a pond?",
        "It is wet.",
        "And a lake?",
    ]
    assert [each.text for each in shown.turns] == ["What is a pond?", "It is wet.", "And a lake?", "And deep."]
    assert [(each.title, each.turns) for each in listed.conversations] == [("What is a pond?", 4)]


async def test_what_was_said_before_is_remembered_in_other_conversations_until_it_is_forgotten(tmp_path: Path) -> None:
    async with talking(tmp_path, "Noted.") as (app, folder, fake):
        first = await chat(app, folder, "The otter of our pond is called Brian.")
        await chat(app, folder, "What is the otter called?")
        await chat(app, folder, "And the otter again?", conversation=first.conversation)
        await chat(app, folder, conversation=first.conversation, forget=True)
        await chat(app, folder, "Who is the otter?")
    said = [asked.json["messages"][-1]["content"] for asked in fake.asked]
    assert said[0].endswith("The otter of our pond is called Brian.")
    remembered = r"what is remembered of this person and project\n- The otter of our pond is called Brian\."
    assert re.match(rf"BEGIN data \w+ {remembered}", said[1])
    assert "Brian" not in said[2], "it stands in the history already"
    assert "Brian" not in said[3]


async def test_what_is_mentioned_is_told_and_shown_with_its_tokens(tmp_path: Path) -> None:
    async with talking(tmp_path, "Yes.") as (app, folder, fake):
        said = await chat(app, folder, "Do @src/pond.py:4-5, @dive and @findings:src/pond.py fit? me@home.org @nobody")
    told = fake.asked[0].json["messages"][1]["content"]
    assert [(each.mention, each.what) for each in said.told if each.mention] == [
        ("src/pond.py:4-5", "lines 4 to 5 of the file"),
        ("dive", "the definition"),
        ("findings:src/pond.py", "findings of the analysers"),
    ]
    assert all(each.tokens > 0 for each in said.told)
    assert ("def swim(far):" in told, "def dive(deep):" in told, "ruff/F401" in told) == (True, True, True)
    assert said.missing == ("@nobody: no file or symbol is called so",)


async def test_what_the_project_has_to_say_to_a_message_is_told_and_shown(tmp_path: Path) -> None:
    async with talking(tmp_path, "So.") as (app, folder, fake):
        found = await chat(app, folder, "How far does it swim?")
        alone = await chat(app, folder, "@dive")
    assert [(each.mention, each.what, each.tokens > 0) for each in found.told] == [("", "src/pond.py:1", True)]
    assert [each.mention for each in alone.told] == ["dive"], "what only mentions something asks for nothing else"
    assert "def swim(far):" in fake.asked[0].json["messages"][1]["content"]


@pytest.mark.parametrize("mention", ["@hidden.py", "@../home/models.json", "@/etc/passwd", "@.git/config"])
async def test_nothing_is_told_of_what_the_project_ignores_or_does_not_hold(tmp_path: Path, mention: str) -> None:
    async with talking(tmp_path, "No.") as (app, folder, fake):
        said = await chat(app, folder, f"What is in {mention} ?")
    assert not any(each.mention or "hidden" in each.what for each in said.told)
    assert b"canary" not in fake.raw
    assert b"root:" not in fake.raw


async def test_words_come_as_they_are_said_and_a_failure_keeps_nothing(tmp_path: Path) -> None:
    heard: list[Delta | Progress] = []
    async with talking(tmp_path, "Yes.") as (app, folder, fake):
        await app.run("chat", {"message": "Is it?", "directory": folder}, Scope.local(), heard.append)
        fake.answers[:] = [saying({"error": {"message": "no"}}, 400)]
        failed = await chat(app, folder, "And now?", conversation="last")
        shown = await chat(app, folder, conversation="last")
    assert [each.text for each in heard if isinstance(each, Delta)] == ["Yes."]
    assert (failed.text, "nothing was kept" in failed.note, len(shown.turns)) == ("", True, 2)


@pytest.mark.parametrize(("reason", "note"), [("length", "cut off after 2,048 tokens"), ("content_filter", "refused")])
async def test_an_answer_that_is_not_whole_is_said_to_be_so(tmp_path: Path, reason: str, note: str) -> None:
    async with talking(tmp_path, "Yes.") as (app, folder, fake):
        fake.answers[:] = [sending(head(), *openai_events(["It is"], reason=reason))]
        said = await chat(app, folder, "Is it?")
        assert (said.text, note in said.note) == ("It is", True)
        told = await app.run("explain", {"at": "src/pond.py", "directory": folder}, Scope.local())
        assert (told.text, ("cut off after 1,500" if reason == "length" else note) in told.note) == ("It is", True)


async def test_a_long_conversation_leaves_its_oldest_turns_out_and_says_so(tmp_path: Path) -> None:
    async with talking(tmp_path, "word " * 3_500, "word " * 3_500, "So.") as (app, folder, fake):
        await chat(app, folder, "one")
        await chat(app, folder, "two", conversation="last")
        said = await chat(app, folder, "three", conversation="last")
    assert said.left_out == 2
    assert [each["content"][:5] for each in fake.asked[2].json["messages"][1:]] == ["two", "word ", "three"]


async def test_what_is_forgotten_is_gone_and_what_cannot_be_is_said(tmp_path: Path) -> None:
    async with talking(tmp_path, "Yes.") as (app, folder, _):
        said = await chat(app, folder, "Is it?")
        assert (await chat(app, folder, conversation=said.conversation, forget=True)).note == "forgotten"
        with pytest.raises(NotFound):
            await chat(app, folder, conversation="last")
        for forget in (False, True):
            with pytest.raises(InvalidInput):
                await chat(app, folder, forget=forget)


async def test_without_a_provider_what_would_be_told_is_shown_and_how_to_connect_one(tmp_path: Path) -> None:
    async with talking(tmp_path) as (app, folder, _):
        said = await chat(app, folder, "Why @src/pond.py?")
    assert ([each.mention for each in said.told], "duck llm connect" in said.note) == (["src/pond.py"], True)
