"""A real local server, llama.cpp's: chat, streams, gaps, forms, vectors, and a cancel that it notices."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from rubber_duck.app import open_app
from rubber_duck.code.code import open_source
from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.llm import open_llm
from rubber_duck.llm.messages import Finished, FinishReason, Gap, Message, Prompt, TextDelta
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings, load
from rubber_duck.settings.models import ModelSettings
from tests.factories import write_tree
from tests.local_model import local_model

SCOPE = Scope.local()


class Verdict(msgspec.Struct, frozen=True):
    """A form that a server can hold a model to, whatever it would say."""

    kind: Literal["good", "bad"]
    sure: bool


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the model lies."""
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="module")
def chat(folder: Path) -> Iterator[str]:
    """A server that writes."""
    with local_model(folder) as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path, chat: str) -> Settings:
    """The server connected as llama.cpp, with a model for every role that writes."""
    connections = Connections().with_provider(Connection(name="local", flavor="llamacpp", url=chat))
    for role in (Role.CHAT, Role.COMPLETION):
        connections = connections.with_chain(role, ("local/tiny.gguf",))
    write_connections(tmp_path, connections)
    return Settings(home=str(tmp_path), llm=ModelSettings(cache_s=0))


def prompt(most: int) -> Prompt:
    return Prompt((Message(Speaker.SYSTEM, "Be brief."), Message(Speaker.USER, "How are you?")), answer_tokens=most)


async def test_it_chats_whole_and_streamed_and_counts(settings: Settings) -> None:
    async with open_llm(settings) as llm:
        whole = await llm.write(SCOPE, Role.CHAT, prompt(12))
        async with aclosing(llm.stream(SCOPE, Role.CHAT, prompt(12))) as pieces:
            heard = [piece async for piece in pieces]
    end = heard[-1]
    assert isinstance(end, Finished)
    assert (end.reason, end.usage.output_tokens, end.is_counted) == (FinishReason.LENGTH, 12, True)
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (end.usage.input_tokens, 12)
    assert "".join(piece.text for piece in heard if isinstance(piece, TextDelta))


async def test_it_fills_a_gap_and_counts(settings: Settings) -> None:
    async with open_llm(settings) as llm:
        filled = await llm.fill(SCOPE, Gap("def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n", answer_tokens=9))
    assert filled.text
    assert filled.usage.output_tokens == 9
    assert filled.usage.input_tokens >= len("def add(a, b):\n    return ") + 3, "one token a byte, and the marks"


async def test_it_answers_in_the_form_that_is_asked_for(settings: Settings) -> None:
    async with open_llm(settings) as llm:
        written = await llm.write_as(SCOPE, Role.CHAT, prompt(200), Verdict)
    assert isinstance(written.value, Verdict)
    assert not written.repaired


async def test_it_makes_vectors(tmp_path: Path, folder: Path) -> None:
    with local_model(folder, "vectors") as url:
        connections = Connections().with_provider(Connection(name="local", flavor="llamacpp", url=url))
        write_connections(tmp_path, connections.with_chain(Role.EMBED, ("local/tiny.gguf",)))
        async with open_llm(Settings(home=str(tmp_path))) as llm:
            answer = await llm.embed(SCOPE, ["one", "two", "one"])
            assert [Path(name).name for name in await llm.models("local")] == ["tiny.gguf"]
    first, second, third = answer.vectors
    assert first == pytest.approx(third, abs=1e-5)
    assert first != pytest.approx(second, abs=1e-3)
    assert sum(value * value for value in first) == pytest.approx(1.0)


async def test_a_cancel_ends_the_work_of_the_server(settings: Settings, chat: str) -> None:
    async with open_llm(settings) as llm:
        stream = llm.stream(SCOPE, Role.CHAT, prompt(900))
        async with aclosing(stream) as pieces:
            await anext(pieces)
        slots = await asyncio.to_thread(busy_slots, chat)
        again = await llm.write(SCOPE, Role.CHAT, prompt(4))
    assert slots is None or slots == 0
    assert again.usage.output_tokens == 4


async def test_completions_of_a_model_that_says_anything_repeat_nothing_and_break_nothing(
    settings: Settings, chat: str, tmp_path: Path
) -> None:
    code = (Path(__file__).parents[1] / "data/sources/django/text.py").read_text().split("\n")
    folder = write_tree(tmp_path / "project", {"pyproject.toml": "", "text.py": "\n".join(code)})
    offered = asked = 0
    async with open_app(load({"DUCK_HOME": settings.home}), for_engines=["complete"]) as app:
        places = [(number, line.index(mark) + len(mark)) for mark in ("= ", "return ", "(") for number, line in
                  enumerate(code) if mark in line and not line.lstrip().startswith(("#", ">"))][::9]  # fmt: skip
        within = [
            ([*code[:at], code[at][:column]], ["" if at % 2 else code[at][column:], *code[at + 1 :]])
            for at, column in places
        ]
        margins = [(at, len(code[at]) - len(code[at].lstrip())) for at, _ in places[::3]]
        alone = [([*code[:at], " " * margin], ["", *code[at:]]) for at, margin in margins]
        for above, below in within + alone:
            prefix, suffix = "\n".join(above), "\n".join(below)
            request = {"type": "suggest", "path": "text.py", "prefix": prefix, "suffix": suffix, "count": 10}
            answer = await app.run("complete", {**request, "directory": str(folder)}, SCOPE)
            asked += answer.waited_ms > 0
            for each in answer.candidates:
                offered += 1
                said = [line.strip() for line in (above[-1] + each.text).split("\n")]
                following = next(line.strip() for line in below[1:] if line.strip())
                assert following not in said or len(following) == 1, each
                whole = f"{prefix}{each.text}{suffix}".encode()
                assert not open_source("text.py", whole, "python").problems, each
    assert (asked > 9, offered > 9) == (True, True)
    assert (await asyncio.to_thread(busy_slots, chat)) in (None, 0)


def busy_slots(url: str) -> int | None:
    """How many of the server's slots work, once none does or a minute has gone by; None where it does not say."""
    until = time.monotonic() + 60
    count: int | None = None
    while count != 0 and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url.removesuffix('/v1')}/slots", timeout=5) as answer:  # loopback
                told: list[dict[str, Any]] = json.loads(answer.read())  # Any: as the server tells it
        except urllib.error.HTTPError:
            return None
        count = sum(bool(slot.get("is_processing")) for slot in told)
        time.sleep(0.02)
    return count
