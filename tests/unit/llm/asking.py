"""Models over servers on this machine, for tests of the front of llm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.llm import LLM, Clocks, open_llm
from rubber_duck.llm.messages import Message, Prompt
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from rubber_duck.settings.tree import ModelSettings
from tests.fake_provider import FakeProvider
from tests.unit.llm.wires import WIRES

QUESTION = Prompt((Message(Speaker.USER, "How are you?"),))
SCOPE = Scope.local()


async def at_once(seconds: float) -> None:
    """Waits for nothing."""


@asynccontextmanager
async def llm_over(
    home: Path,
    *servers: FakeProvider,
    wire: str = "openai",
    flavor: str = "",
    **models: Any,  # Any: the fields of ModelSettings
) -> AsyncIterator[LLM]:
    """Models in a chain for every role, one at each server: `p0/qwen-m`, `p1/qwen-m` …; `models`: settings of them."""
    connections = Connections()
    for number, server in enumerate(servers):
        kind = flavor or WIRES[wire].flavor
        connections = connections.with_provider(
            Connection(name=f"p{number}", flavor=kind, url=server.url, key=f"only-a-test-{number}")
        )
    for role in Role:
        connections = connections.with_chain(role, tuple(f"p{number}/qwen-m" for number in range(len(servers))))
    write_connections(home, connections)
    settings = ModelSettings(**{"request_timeout_s": 60.0, "silence_s": 30.0, "retries": 1} | models)
    async with open_llm(
        Settings(home=str(home), llm=settings), replace(Clocks(), sleep=at_once, random=lambda: 0.0)
    ) as llm:
        yield llm
