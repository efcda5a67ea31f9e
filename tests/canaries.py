"""Twenty projects that look alike, each with a word of its own and its own secrets, and two people who ask in each.

Whoever asks has a word for each project as well, which they tell it. What is sent to the model is kept, so that it can
be looked through for what belongs to another project or person; what the model answers says the words that it was told,
so that an answer that is given to somebody else can be seen wherever it comes out.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from rubber_duck.app import App, open_app
from rubber_duck.errors import BadAnswer, InvalidInput
from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Actor, Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.models import ModelSettings
from tests.fake_provider import Asked, FakeProvider, Send, event, fake_provider, head, openai_events
from tests.secrets import secrets_of_all_kinds, telling_part

PROJECTS = 20
PEOPLE = ("ann", "ben")
SECRETS = 300
CANARY = re.compile(r"canary_[a-z]{8}_\d\d")
ANSWER = re.compile(r"answer_(\d+)")
ASKING = ("chat", "complete", "explain", "fix", "generate", "refactor", "review", "tests")
"""The engines that ask a model; a test compares them with those that say so."""

ENGINES = (*ASKING, "context", "search", "locate", "memory", "index", "projects", "llm")


def canary(number: int) -> str:
    """The word that only one project holds."""
    return f"canary_{chr(97 + number) * 8}_{number:02}"


def word_of(number: int, who: int) -> str:
    """The word that one person has told one project."""
    return f"canary_{chr(97 + number) * 8}_{PROJECTS * (who + 1) + number:02}"


def allowed(words: set[str]) -> bool:
    """Whether one person in one project may know all of these words."""
    places = {int(word[-2:]) % PROJECTS for word in words}
    people = {int(word[-2:]) // PROJECTS for word in words} - {0}
    return len(places) <= 1 and len(people) <= 1


@dataclass(slots=True)
class House:
    """The application over the projects. `owners`: in which project each answer of the model came out first."""

    app: App
    folder: Path
    ids: list[UUID]
    owners: dict[str, int] = field(default_factory=dict)
    shared: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    talking: set[tuple[int, int]] = field(default_factory=set)

    def directory(self, which: int) -> str:
        """A project's folder."""
        return str(self.folder / f"shop{which}")

    async def tell(self, which: int, who: int, words: str) -> str:
        """What the model for chat answers."""
        prompt = Prompt((Message(Speaker.USER, words),))
        return (await self.app.parts.llm.write(self.scope(which, who), Role.CHAT, prompt)).text

    def scope(self, which: int, who: int) -> Scope:
        """Who asks in a project."""
        local = Scope.local()
        person = Actor(f"id-{PEOPLE[who]}", PEOPLE[who])
        return replace(local, actor=person, lent_by=local.owner).within(self.ids[which])

    async def run(self, name: str, place: tuple[int, int], **request: Any) -> object:  # Any: each has its own
        """What an engine answers to somebody in a project."""
        return await self.app.run(name, {"directory": self.directory(place[0]), **request}, self.scope(*place))

    def heard(self, which: int, who: int, got: object) -> None:
        """Look through what came out for words and answers of others."""
        words = set(CANARY.findall(str(got)))
        assert words <= {canary(which), word_of(which, who)}, words
        for number in ANSWER.findall(str(got)):
            self.shared += self.owners.setdefault(number, which) != which


def answering() -> Callable[[Asked, Send], Awaitable[None]]:
    """Every answer is another, and says the words that it was asked with; vectors are of eight numbers."""
    numbers = itertools.count()

    async def answer(asked: Asked, send: Send) -> None:
        words = sorted(set(CANARY.findall(asked.body.decode("utf-8", "replace"))))
        if asked.path.endswith("/embeddings"):
            data = [{"index": at, "embedding": [1.0, len(text) % 7, *[0.5] * 6]} for at, text in
                    enumerate(asked.json["input"])]  # fmt: skip
            body = json.dumps({"data": data, "usage": {"prompt_tokens": 1}}).encode()
            await send(head(200, "application/json") + body)
        elif asked.path.endswith("/completions") and "/chat" not in asked.path:
            choice = {
                "index": 0,
                "text": f"order.{'_'.join((f'answer_{next(numbers)}', *words))}",
                "finish_reason": "stop",
            }
            await send(head() + event({"choices": [choice]}) + b"data: [DONE]\n\n")
        else:
            await send(head() + b"".join(openai_events([f"(answer_{next(numbers)} {' '.join(words)}"])))

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


async def _chat(at: House, place: tuple[int, int], turn: int) -> object:
    going_on = {"conversation": "last"} if turn % 3 and place in at.talking else {}
    at.talking.add(place)
    mentioned = ("@orders.py", "@price_of_order", "@deploy.py", "")[turn % 4]
    message = f"What does an order cost {mentioned} on day {turn}, for {word_of(*place)}?"
    return await at.run("chat", place, message=message, **going_on)


async def _complete(at: House, place: tuple[int, int], turn: int) -> object:
    prefix = f"def price_of_order(order):\n    # {turn % 4}\n    return "
    return await at.run("complete", place, type="suggest", path="orders.py", prefix=prefix, suffix="\n")


async def _explain(at: House, place: tuple[int, int], turn: int) -> object:
    return await at.run("explain", place, at=("orders.py:1", "deploy.py")[turn % 2], question=f"Why {turn % 3}?")


async def _review(at: House, place: tuple[int, int], turn: int) -> object:
    return await at.run("review", place, files=[("orders.py", "deploy.py")[turn % 2]])


async def _fix(at: House, place: tuple[int, int], turn: int) -> object:
    return await at.run("fix", place, at="orders.py:3", model=True)


async def _generate(at: House, place: tuple[int, int], turn: int) -> object:
    techniques = (["repair"], ["thought"], ["feedback"])[turn % 3]
    return await at.run("generate", place, task=f"Say what an order costs on day {turn}", techniques=techniques)


async def _refactor(at: House, place: tuple[int, int], turn: int) -> object:
    also = ["deploy.py"] if turn % 2 else []
    return await at.run("refactor", place, what="rewrite", at="orders.py", to=f"No eval, day {turn}", also=also)


async def _tests(at: House, place: tuple[int, int], turn: int) -> object:
    return await at.run("tests", place, at="orders.py:1", model=True)


async def _context(at: House, place: tuple[int, int], turn: int) -> object:
    found = await at.run("context", place, query="what does an order cost?")
    return f"{found} {await at.tell(*place, str(found))}"


async def _search(at: House, place: tuple[int, int], turn: int) -> object:
    return await at.run("search", place, query=f"price of order {turn % 5}")


async def _locate(at: House, place: tuple[int, int], turn: int) -> object:
    return await at.run("locate", place, text="price_of_order is wrong")


async def _note(at: House, place: tuple[int, int], turn: int) -> object:
    words = f"Please note that the order of day {turn} is {word_of(*place)}."
    await at.app.parts.memory.note(at.scope(*place), f"s{turn % 3}", words, "Noted.")
    return ""


async def _recall(at: House, place: tuple[int, int], turn: int) -> object:
    hits = await at.app.parts.memory.recall(at.scope(*place), "which order of which day?")
    return [hit.memory.text for hit in hits]


async def _brief(at: House, place: tuple[int, int], turn: int) -> object:
    brief = await at.app.parts.memory.brief(at.scope(*place), "order of the day", 400)
    return f"{brief.text} {await at.tell(*place, f'{brief.text} What is the order of the day?')}"


async def _embed(at: House, place: tuple[int, int], turn: int) -> object:
    await at.app.parts.llm.embed(at.scope(*place), [f"price of order {word_of(*place)} {turn}"])
    return ""


async def _consolidate(at: House, place: tuple[int, int], turn: int) -> object:
    await at.app.parts.memory.consolidate(at.scope(*place), everything=turn % 2 == 0)
    return ""


async def _cached(at: House, place: tuple[int, int], turn: int) -> object:
    return await at.tell(*place, f"What does an order cost? {turn % 6}")


Kind = Callable[[House, tuple[int, int], int], Awaitable[object]]

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
    who = (turn + turn // 7) % len(PEOPLE)
    name = names[(turn + 7 * which) % len(names)]
    at.counts[name] = at.counts.get(name, 0) + 1
    got: object = ""
    with contextlib.suppress(BadAnswer, InvalidInput):  # what the fake says is no review
        got = await KINDS[name][0](at, (which, who), turn)
    at.heard(which, who, got)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in what was sent: bodies with words of two projects or people, words heard of, secrets in it.

    `shared` counts answers that came out in two projects, `heard` those that came out at all.
    """

    sent: int
    mixed: int
    seen: frozenset[str]
    leaked: tuple[str, ...]
    shared: int
    heard: int
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
        found = [set(CANARY.findall(asked.body.decode("utf-8", "replace"))) for asked in fake.asked]
        raw = fake.raw.decode("utf-8", "replace").replace("\\/", "/").replace("\\n", "\n")
        leaked = [kind for kind, secret in secrets_of_all_kinds(SECRETS) if telling_part(secret) in raw]
        return Verdict(
            len(found), sum(not allowed(each) for each in found), frozenset(itertools.chain.from_iterable(found)),
            tuple(leaked), at.shared, len(at.owners), dict(at.counts),
        )  # fmt: skip
