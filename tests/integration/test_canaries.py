"""Nothing of one project reaches a model for another: 20 projects that look alike, each with a canary of its own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from rubber_duck.app import App, open_app
from rubber_duck.errors import BadAnswer
from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.messages import Gap, Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.models import ModelSettings
from tests.fake_provider import Asked, FakeProvider, Send, event, fake_provider, head, openai_events

PROJECTS = 20
REQUESTS = 5_000
CANARY = re.compile(r"canary_[a-z]{8}_\d\d")
ENGINES = ("context", "search", "memory", "llm", "review", "locate", "index", "projects")


def canary(number: int) -> str:
    """The word that only one project holds."""
    return f"canary_{chr(97 + number) * 8}_{number:02}"


@dataclass(slots=True)
class Seen:
    """What was learnt in each project: the numbers of the answers that it got."""

    numbers: itertools.count[int] = field(default_factory=itertools.count)
    answers: dict[int, set[str]] = field(default_factory=dict)


def answering(seen: Seen) -> Any:  # Any: an answer of the fake
    """Every answer is another, so that one that is given twice can be told; vectors are of eight numbers."""

    async def answer(asked: Asked, send: Send) -> None:
        if asked.path.endswith("/embeddings"):
            data = [{"index": at, "embedding": [1.0, len(text) % 7, *[0.5] * 6]} for at, text in
                    enumerate(asked.json["input"])]  # fmt: skip
            body = json.dumps({"data": data, "usage": {"prompt_tokens": 1}}).encode()
            await send(head(200, "application/json") + body)
        elif asked.path.endswith("/completions") and "/chat" not in asked.path:
            choice = {"index": 0, "text": f"answer {next(seen.numbers)}", "finish_reason": "stop"}
            await send(head() + event({"choices": [choice]}) + b"data: [DONE]\n\n")
        else:
            await send(head() + b"".join(openai_events([f"answer {next(seen.numbers)}"])))

    return answer


@asynccontextmanager
async def everything(tmp_path: Path, fake: FakeProvider) -> AsyncIterator[tuple[App, list[UUID]]]:
    """The application over twenty projects that look alike, and their ids."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    connections = Connections().with_provider(
        Connection(name="p", flavor="compatible", url=fake.url, key="only-a-test")
    )
    for role in Role:
        connections = connections.with_chain(role, ("p/qwen",))
    write_connections(home, connections)
    settings = Settings(
        home=str(home), database=DatabaseSettings(url=f"sqlite:///{home}/duck.db"), llm=ModelSettings(cache_s=3600)
    )
    async with open_app(settings, for_engines=ENGINES) as app:
        ids = []
        for number in range(PROJECTS):
            folder = tmp_path / f"shop{number}"
            folder.mkdir()
            about = f'"""What an order costs: {canary(number)}."""'
            (folder / "orders.py").write_text(f"def price_of_order(order):\n    {about}\n    return order.total\n")
            project = await app.parts.workspace.open_project(Scope.local(), str(folder))
            ids.append(project.id)
        yield app, ids


async def test_no_foreign_canary_is_in_any_byte_sent_to_a_provider(tmp_path: Path) -> None:
    seen = Seen()
    async with fake_provider(answering(seen)) as fake, everything(tmp_path, fake) as (app, ids):
        requests = itertools.count()
        together = asyncio.Semaphore(8)

        async def one(number: int) -> None:
            async with together:
                await ask(app, tmp_path, ids, number, seen)
                next(requests)

        for first in range(0, REQUESTS, 500):
            await asyncio.gather(*(one(number) for number in range(first, first + 500)))
        assert next(requests) == REQUESTS
        sent = [asked.body for asked in fake.asked]
    mixed = [found for body in sent if len(found := set(CANARY.findall(body.decode("utf-8", "replace")))) > 1]
    assert mixed == []
    whose = [set(CANARY.findall(body.decode("utf-8", "replace"))) for body in sent]
    assert {name for found in whose for name in found} == {canary(number) for number in range(PROJECTS)}
    told = [each for answers in seen.answers.values() for each in answers]
    assert len(told) == len(set(told)), "an answer was given in two projects"
    assert len(sent) < REQUESTS, "nothing was answered from memory"


async def ask(app: App, folder: Path, ids: list[UUID], number: int, seen: Seen) -> None:
    """One request in one project: what it is goes round. What comes back holds no foreign canary either."""
    which = number % PROJECTS
    scope, kind, turn = Scope.local().within(ids[which]), (number // PROJECTS) % 10, number // (PROJECTS * 10)
    directory = str(folder / f"shop{which}")
    got: object = ""
    match kind:
        case 0 if turn % 5 == 0:
            got = await app.run("context", {"query": "what does an order cost?", "directory": directory}, scope)
            await tell(app, scope, str(got), seen, which)
        case 1 if turn % 5 == 0:
            got = await app.run("search", {"query": "price of order", "directory": directory, "project": ""}, scope)
        case 2 if turn % 5 == 0:
            got = await app.run("locate", {"text": "price_of_order is wrong", "directory": directory}, scope)
        case 3:
            words = f"Please note that the order of day {turn} is {canary(which)}."
            await app.parts.memory.note(scope, f"s{turn % 3}", words, "Noted.")
        case 4:
            got = [hit.memory.text for hit in await app.parts.memory.recall(scope, "which order of which day?")]
        case 5:
            brief = await app.parts.memory.brief(scope, "order of the day", 400)
            got = brief.text
            await tell(app, scope, f"{brief.text}\nWhat is the order of the day?", seen, which)
        case 6:
            filled = await app.parts.llm.fill(scope, Gap("def price_of_order(order):\n    ", f"\n# {turn % 4}"))
            seen.answers.setdefault(which, set()).add(filled.text)
        case 7:
            await app.parts.llm.embed(scope, [f"price of order {canary(which)} {turn}"])
        case 8 if turn % 5 == 0:
            await app.parts.memory.consolidate(scope, everything=turn % 10 == 0)
        case 9 if turn % 10 == 0:
            with contextlib.suppress(BadAnswer):  # what the fake says is no review
                got = await app.run("review", {"files": ["orders.py"], "directory": directory}, scope)
        case _:
            await tell(app, scope, f"What does an order cost? {turn % 6}", seen, which)
    assert set(CANARY.findall(str(got))) <= {canary(which)}


async def tell(app: App, scope: Scope, words: str, seen: Seen, which: int) -> None:
    """Ask the model for chat, and keep the answer's number."""
    answer = await app.parts.llm.write(scope, Role.CHAT, Prompt((Message(Speaker.USER, words),)))
    seen.answers.setdefault(which, set()).add(answer.text)
