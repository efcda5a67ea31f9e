"""Models over a server on this machine that keep account in a database, for tests of what they cost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.llm import LLM, Clocks, Ground, open_llm
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import Settings
from rubber_duck.settings.models import ModelSettings, PriceSettings
from rubber_duck.storage.database import Database
from tests.fake_provider import Answer, Asked, FakeProvider, Send, head, openai_events

PRICES = {"p/dear": PriceSettings(input=3.75, output=15.0), "p/cheap": PriceSettings(input=0.0375, output=0.15)}
LOCAL = Scope.local()


def person(name: str, scope: Scope = LOCAL) -> Scope:
    """Somebody who may do everything but administer."""
    return replace(scope, actor=Actor(f"id-{name}", name), rights=frozenset(set(Right) - {Right.ADMINISTER}))


def prompt(words: str, most: int = 50) -> Prompt:
    return Prompt((Message(Speaker.USER, words),), answer_tokens=most)


@asynccontextmanager
async def accounts(
    home: Path,
    server: FakeProvider,
    database: Database,
    models: ModelSettings,
    *chain: str,
    clocks: Clocks | None = None,
) -> AsyncIterator[LLM]:
    """Models over one server, that keep account in `database`."""
    connection = Connection(name="p", flavor="compatible", url=server.url, key="only-a-test")
    connections = Connections().with_provider(connection)
    write_connections(home, connections.with_chain(Role.CHAT, chain or ("p/dear",)))
    settings = Settings(home=str(home), llm=models)
    async with open_llm(settings, clocks, Ground(database)) as llm:
        yield llm


def counting(costs: Sequence[tuple[int, int]]) -> Answer:
    """Answers that take so many tokens, in turn."""
    turns = iter(costs)

    async def answer(asked: Asked, send: Send) -> None:
        await send(head() + b"".join(openai_events(["fine"], usage=next(turns))))

    return answer
