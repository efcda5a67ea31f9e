"""Connects a home folder to a provider's server on this machine, and lets that say what a test wants."""

from __future__ import annotations

import json
from pathlib import Path

from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.roles import Role
from tests.fake_provider import Answer, FakeProvider, head, openai_events, sending

MODEL = "mine/qwen-m"


def connect(home: Path, fake: FakeProvider) -> None:
    """Every role asks the model of `fake`."""
    mine = Connection(name="mine", flavor="compatible", url=fake.url, key="only-a-test", is_private=True)
    roles: dict[Role, tuple[str, ...]] = {role: (MODEL,) for role in Role if role is not Role.EMBED}
    write_connections(home, Connections({"mine": mine}, roles))


def answering(*said: object) -> list[Answer]:
    """Streams of a chat, one after the other: texts as they are, other values as JSON."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in said]
    return [sending(head(), *openai_events([text])) for text in texts]
