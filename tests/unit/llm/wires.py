"""Both wires over a fake server, for tests that hold for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from rubber_duck.egress import Door, Egress
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.messages import Message, Piece, Prompt, Role
from rubber_duck.llm.provider import Provider, Setup
from rubber_duck.llm.providers.anthropic import AnthropicProvider
from rubber_duck.llm.providers.openai import OpenAIProvider
from rubber_duck.redaction import Redactor
from tests.fake_provider import anthropic_events, openai_events

QUESTION = Prompt((Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "How are you?")))


@dataclass(frozen=True, slots=True)
class WireCase:
    """One wire: its provider, and how its server says something."""

    kind: type[Provider]
    flavor: str
    events: Callable[..., Sequence[bytes]]


WIRES = {
    "openai": WireCase(OpenAIProvider, "compatible", openai_events),
    "anthropic": WireCase(AnthropicProvider, "anthropic", anthropic_events),
}


def connected(
    case: WireCase, url: str, *, timeout_s: float = 60.0, silence_s: float = 30.0, flavor: str = ""
) -> Provider:
    """A provider of that wire for a server at `url`."""
    egress = Egress(Door(url, {"Authorization": "Bearer only-a-test"}, silence_s=silence_s), Redactor())
    return case.kind.connect(Setup(egress, flavor or case.flavor, timeout_s))


async def heard(provider: Provider, prompt: Prompt = QUESTION, model: str = "m-1") -> list[Piece]:
    """The whole answer; the provider is closed after it."""
    try:
        async with aclosing(provider.stream(model, prompt, Errand())) as pieces:
            return [piece async for piece in pieces]
    finally:
        await provider.close()


@asynccontextmanager
async def talking(case: WireCase, url: str, *, flavor: str = "") -> AsyncIterator[Provider]:
    """A provider of that wire, closed when the block ends."""
    provider = connected(case, url, flavor=flavor)
    try:
        yield provider
    finally:
        await provider.close()
