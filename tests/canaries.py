"""Twenty projects that look alike, each with a word of its own and its own secrets, and requests of every kind to them.

What is sent to the model is kept, so that it can be looked through for what belongs to another project.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from rubber_duck.app import App, open_app
from rubber_duck.errors import BadAnswer, InvalidInput
from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.models import ModelSettings
from tests.fake_provider import Asked, FakeProvider, Send, event, fake_provider, head, openai_events
from tests.secrets import secrets_of_all_kinds, telling_part

PROJECTS = 20
SECRETS = 300
CANARY = re.compile(r"canary_[a-z]{8}_\d\d")
ASKING = ("chat", "complete", "explain", "fix", "generate", "refactor", "review", "tests")
"""The engines that ask a model; a test compares them with those that say so."""

ENGINES = (*ASKING, "context", "search", "locate", "memory", "index", "projects", "llm")


def canary(number: int) -> str:
    """The word that only one project holds."""
    return f"canary_{chr(97 + number) * 8}_{number:02}"


@dataclass(slots=True)
class House:
    """The application over the projects, and what was learnt in each: the answers that it was given."""

    app: App
    folder: Path
    ids: list[UUID]
    answers: dict[int, set[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    talking: set[int] = field(default_factory=set)

    def directory(self, which: int) -> str:
        """A project's folder."""
        return str(self.folder / f"shop{which}")

    async def tell(self, which: int, words: str) -> None:
        """Ask the model for chat, and keep the answer."""
        answer = await self.app.parts.llm.write(self.scope(which), Role.CHAT, Prompt((Message(Speaker.USER, words),)))
        self.answers.setdefault(which, set()).add(answer.text)

    def scope(self, which: int) -> Scope:
        """Who asks in a project."""
        return Scope.local().within(self.ids[which])

    async def run(self, name: str, which: int, **request: Any) -> object:  # Any: each engine has a request of its own
        """What an engine answers in a project."""
        return await self.app.run(name, {"directory": self.directory(which), **request}, self.scope(which))


def answering() -> Callable[[Asked, Send], Awaitable[None]]:
    """Every answer is another, so that one that is given twice can be told; vectors are of eight numbers."""
    numbers = itertools.count()

    async def answer(asked: Asked, send: Send) -> None:
        if asked.path.endswith("/embeddings"):
            data = [{"index": at, "embedding": [1.0, len(text) % 7, *[0.5] * 6]} for at, text in
                    enumerate(asked.json["input"])]  # fmt: skip
            body = json.dumps({"data": data, "usage": {"prompt_tokens": 1}}).encode()
            await send(head(200, "application/json") + body)
        elif asked.path.endswith("/completions") and "/chat" not in asked.path:
            choice = {"index": 0, "text": f"order.answer_{next(numbers)}", "finish_reason": "stop"}
            await send(head() + event({"choices": [choice]}) + b"data: [DONE]\n\n")
        else:
            await send(head() + b"".join(openai_events([f"(answer {next(numbers)}"])))

    return answer


@asynccontextmanager
async def house(folder: Path, fake: FakeProvider) -> AsyncIterator[House]:
    """The application over the projects, each indexed."""
    home = folder / "home"
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
    secrets = [text for _, text in secrets_of_all_kinds(SECRETS)]
    async with open_app(settings, for_engines=ENGINES) as app:
        ids = []
        for number in range(PROJECTS):
            root = folder / f"shop{number}"
            root.mkdir()
            about = f'"""What an order costs: {canary(number)}."""'
            code = f"def price_of_order(order):\n    {about}\n    return eval(order.total)\n"
            (root / "orders.py").write_text(code)
            held = "\n\n".join(secrets[number::PROJECTS])
            (root / "deploy.py").write_text(f'"""How {canary(number)} is deployed.\n\n{held}\n"""\n\nSTEPS = 3\n')
            project = await app.parts.workspace.open_project(Scope.local(), str(root))
            ids.append(project.id)
        yield House(app, folder, ids)


async def _chat(at: House, which: int, turn: int) -> object:
    going_on = {"conversation": "last"} if turn % 3 and which in at.talking else {}
    at.talking.add(which)
    mentioned = ("@orders.py", "@price_of_order", "@deploy.py", "")[turn % 4]
    return await at.run("chat", which, message=f"What does an order cost {mentioned} on day {turn}?", **going_on)


async def _complete(at: House, which: int, turn: int) -> object:
    prefix = f"def price_of_order(order):\n    # {turn % 4}\n    return "
    return await at.run("complete", which, type="suggest", path="orders.py", prefix=prefix, suffix="\n")


async def _explain(at: House, which: int, turn: int) -> object:
    return await at.run("explain", which, at=("orders.py:1", "deploy.py")[turn % 2], question=f"Why {turn % 3}?")


async def _review(at: House, which: int, turn: int) -> object:
    return await at.run("review", which, files=[("orders.py", "deploy.py")[turn % 2]])


async def _fix(at: House, which: int, turn: int) -> object:
    return await at.run("fix", which, at="orders.py:3", model=True)


async def _generate(at: House, which: int, turn: int) -> object:
    techniques = (["repair"], ["thought"], ["feedback"])[turn % 3]
    return await at.run("generate", which, task=f"Say what an order costs on day {turn}", techniques=techniques)


async def _refactor(at: House, which: int, turn: int) -> object:
    also = ["deploy.py"] if turn % 2 else []
    return await at.run("refactor", which, what="rewrite", at="orders.py", to=f"No eval, day {turn}", also=also)


async def _tests(at: House, which: int, turn: int) -> object:
    return await at.run("tests", which, at="orders.py:1", model=True)


async def _context(at: House, which: int, turn: int) -> object:
    found = await at.run("context", which, query="what does an order cost?")
    await at.tell(which, str(found))
    return found


async def _search(at: House, which: int, turn: int) -> object:
    return await at.run("search", which, query=f"price of order {turn % 5}")


async def _locate(at: House, which: int, turn: int) -> object:
    return await at.run("locate", which, text="price_of_order is wrong")


async def _note(at: House, which: int, turn: int) -> object:
    words = f"Please note that the order of day {turn} is {canary(which)}."
    await at.app.parts.memory.note(at.scope(which), f"s{turn % 3}", words, "Noted.")
    return ""


async def _recall(at: House, which: int, turn: int) -> object:
    hits = await at.app.parts.memory.recall(at.scope(which), "which order of which day?")
    return [hit.memory.text for hit in hits]


async def _brief(at: House, which: int, turn: int) -> object:
    brief = await at.app.parts.memory.brief(at.scope(which), "order of the day", 400)
    await at.tell(which, f"{brief.text}\nWhat is the order of the day?")
    return brief.text


async def _embed(at: House, which: int, turn: int) -> object:
    await at.app.parts.llm.embed(at.scope(which), [f"price of order {canary(which)} {turn}"])
    return ""


async def _consolidate(at: House, which: int, turn: int) -> object:
    await at.app.parts.memory.consolidate(at.scope(which), everything=turn % 2 == 0)
    return ""


async def _cached(at: House, which: int, turn: int) -> object:
    await at.tell(which, f"What does an order cost? {turn % 6}")
    return ""


Kind = Callable[[House, int, int], Awaitable[object]]

KINDS: dict[str, tuple[Kind, int]] = {
    "chat": (_chat, 2), "complete": (_complete, 3), "explain": (_explain, 1), "review": (_review, 1), "fix": (_fix, 1),
    "generate": (_generate, 1), "refactor": (_refactor, 1), "tests": (_tests, 1), "context": (_context, 1),
    "search": (_search, 1), "locate": (_locate, 1),
    "note": (_note, 4), "recall": (_recall, 3), "brief": (_brief, 4), "embed": (_embed, 4),
    "consolidate": (_consolidate, 1), "cached": (_cached, 10),
}  # fmt: skip
"""Every kind of request, and how often it comes among forty."""


def kinds() -> Iterator[str]:
    """The names of the kinds as they take turns, those that come often spread out."""
    left = {name: often for name, (_, often) in KINDS.items()}
    while any(left.values()):
        for name, often in left.items():
            if often:
                left[name] = often - 1
                yield name


async def ask(at: House, number: int) -> None:
    """One request in one project: what it is goes round. What comes back holds no foreign canary either."""
    names = list(kinds())
    which, turn = number % PROJECTS, number // PROJECTS
    name = names[(turn + 7 * which) % len(names)]
    at.counts[name] = at.counts.get(name, 0) + 1
    got: object = ""
    with contextlib.suppress(BadAnswer, InvalidInput):  # what the fake says is no review
        got = await KINDS[name][0](at, which, turn)
    assert set(CANARY.findall(str(got))) <= {canary(which)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in what was sent: bodies with two projects in them, projects heard of, secrets that got out."""

    sent: int
    mixed: int
    seen: frozenset[str]
    leaked: tuple[str, ...]
    shared: int
    counts: dict[str, int]


async def judged(folder: Path, requests: int, at_once: int = 8) -> Verdict:
    """Ask so often, and look through every byte that was sent."""
    async with fake_provider(answering()) as fake:
        async with house(folder, fake) as at:
            room = asyncio.Semaphore(at_once)

            async def one(number: int) -> None:
                async with room:
                    await ask(at, number)

            for first in range(0, requests, 500):
                numbers = range(first, min(first + 500, requests))
                await asyncio.gather(*(one(number) for number in numbers))
            told = [each for answers in at.answers.values() for each in answers]
        found = [set(CANARY.findall(asked.body.decode("utf-8", "replace"))) for asked in fake.asked]
        raw = fake.raw.decode("utf-8", "replace").replace("\\/", "/").replace("\\n", "\n")
        leaked = [kind for kind, secret in secrets_of_all_kinds(SECRETS) if telling_part(secret) in raw]
        return Verdict(
            len(found), sum(len(each) > 1 for each in found), frozenset(itertools.chain.from_iterable(found)),
            tuple(leaked), len(told) - len(set(told)), dict(at.counts),
        )  # fmt: skip
