"""The front of llm: asks the models that are connected for a role, and keeps the list of what is connected."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from rubber_duck.errors import BadAnswer, DuckError, NotConfigured, TimedOut
from rubber_duck.llm.breaker import Breaker, State, Thresholds
from rubber_duck.llm.connections import Connection, Connections, chain_of, read_connections, split, write_connections
from rubber_duck.llm.fallback import Fallback, Link
from rubber_duck.llm.flavors import flavor_named
from rubber_duck.llm.forms import Written, written_as
from rubber_duck.llm.messages import (
    Answer,
    Embeddings,
    Finished,
    Gap,
    Piece,
    Prompt,
    Question,
    TextDelta,
    ToolCall,
)
from rubber_duck.llm.retrying import Patience, Retrying
from rubber_duck.llm.roles import Role
from rubber_duck.llm.wrapper import asked
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import Settings

if TYPE_CHECKING:
    from rubber_duck.egress import Door
    from rubber_duck.llm.provider import Provider

T = TypeVar("T")

__all__ = ["LLM", "Answer", "Clocks", "Standing", "Written", "open_llm"]

PROBE_TIMEOUT_S: Final = 10.0
ANTHROPIC_VERSION: Final = "2023-06-01"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connected provider stands: its breaker, what it said last, and, if it was asked, whether it answered."""

    connection: Connection
    breaker: State
    error: str = ""
    is_well: bool | None = None
    answered_ms: int = 0


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time and chance, handed in."""

    seconds: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(slots=True)
class Trail:
    """Which link was asked last; the one that answers, once a piece has come."""

    link: Link | None = field(default=None)


class LLM:
    """Models by role. Nothing is imported, resolved or sent before somebody asks a model."""

    def __init__(self, settings: Settings, clocks: Clocks | None = None) -> None:
        self._settings = settings
        self._home = Path(settings.home)
        self._clocks = clocks or Clocks()
        self._ways: dict[str, tuple[Connection, Breaker]] = {}

    def stream(self, scope: Scope, role: Role, question: Question) -> AsyncGenerator[Piece, None]:
        """The answer of the role's chain, piece by piece. Closing the stream ends the request.

        Raises NotConfigured, and what the last model of the chain said.
        """
        return self._stream(scope, role, question, Trail())

    async def write(self, scope: Scope, role: Role, prompt: Prompt) -> Answer:
        """The whole answer."""
        return await self._whole(scope, role, prompt)

    async def write_as(self, scope: Scope, role: Role, prompt: Prompt, shape: type[T]) -> Written[T]:
        """The whole answer as a value of `shape`, a msgspec Struct; one that does not fit is asked for once more.

        Raises BadAnswer when that does not fit either, or was cut off, and ProviderRejected when the model refuses.
        """
        return await written_as(partial(self.write, scope, role), prompt, shape)

    async def fill(self, scope: Scope, gap: Gap) -> Answer:
        """The text of a gap, from the models for completion."""
        return await self._whole(scope, Role.COMPLETION, gap)

    async def embed(self, scope: Scope, texts: Sequence[str]) -> Embeddings:
        """The vectors of texts."""
        links = self._links(Role.EMBED)
        async with _within(self._settings.llm.request_timeout_s):
            return await Fallback(links[:1], lambda link: None).embed("", texts)

    def chain(self, role: Role) -> tuple[str, ...]:
        """The role's models in order, as `provider/model`; empty when it has none."""
        return chain_of(self.connections(), self._written(), role)

    def connections(self) -> Connections:
        """What is connected now."""
        return read_connections(self._home)

    async def change(self, scope: Scope, change: Callable[[Connections], Connections]) -> Connections:
        """Change what is connected; needs the right to administer."""
        scope.require(Right.ADMINISTER)
        changed = change(self.connections())
        for each in changed.providers.values():
            _door(each, self._settings)  # an address or a header that cannot be used is refused before it is kept
        write_connections(self._home, changed)
        return changed

    async def standing(self, *, probe: bool) -> list[Standing]:
        """How each provider stands; with `probe` the enabled ones are asked, at the same time."""
        found = self.connections().providers
        return list(await asyncio.gather(*(self._stand(each, probe=probe) for each in found.values())))

    async def models(self, name: str) -> tuple[str, ...]:
        """The models that a connected provider says it has."""
        async with _within(PROBE_TIMEOUT_S):
            return await self._way(self.connections().named(name)).models()

    async def close(self) -> None:
        """Close every connection."""
        ways, self._ways = self._ways, {}
        for _, way in ways.values():
            await way.close()

    async def _stream(self, scope: Scope, role: Role, question: Question, trail: Trail) -> AsyncGenerator[Piece, None]:
        def chosen(link: Link) -> None:
            trail.link = link

        chain = Fallback(self._links(role), chosen)
        deadline = asyncio.get_running_loop().time() + self._settings.llm.request_timeout_s
        async with aclosing(asked(chain, "", question)) as pieces:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        piece = await anext(pieces, None)
                except TimeoutError as error:
                    raise TimedOut(f"no whole answer came within {self._settings.llm.request_timeout_s:g} s") from error
                if piece is None:
                    return
                yield piece

    async def _whole(self, scope: Scope, role: Role, question: Question) -> Answer:
        trail = Trail()
        text: list[str] = []
        calls: list[ToolCall] = []
        async with aclosing(self._stream(scope, role, question, trail)) as pieces:
            async for piece in pieces:
                match piece:
                    case TextDelta():
                        text.append(piece.text)
                    case ToolCall():
                        calls.append(piece)
                    case Finished():
                        label = trail.link.label if trail.link else ""
                        return Answer("".join(text), tuple(calls), piece.reason, piece.usage, label)
                    case _:
                        continue
        raise BadAnswer("the model's answer has no end")

    def _written(self) -> dict[str, tuple[str, ...]]:
        models = self._settings.llm
        return {role.value: getattr(models, role.value) for role in Role}

    def _links(self, role: Role) -> list[Link]:
        connections = self.connections()
        links = []
        for each in chain_of(connections, self._written(), role):
            provider, model = split(each)
            connection = connections.providers[provider]
            if connection.is_enabled:
                links.append(Link(provider, model, self._way(connection)))
        if not links:
            raise NotConfigured(
                f"no model is there for {role.value!r}: `duck llm connect` connects a provider, "
                f"`duck llm use {role.value} PROVIDER/MODEL` chooses one of its models"
            )
        return links

    def _way(self, connection: Connection) -> Breaker:
        """The way to a provider, kept until its connection is changed."""
        held = self._ways.get(connection.name)
        if held is not None and held[0] == connection:
            return held[1]
        settings = self._settings.llm
        thresholds = Thresholds(settings.breaker_failures, settings.breaker_successes, settings.breaker_open_s)
        patience = Patience(self._clocks.sleep, self._clocks.random, settings.retries)
        retrying = Retrying(_provider(connection, self._settings), connection.name, patience)
        way = Breaker(retrying, connection.name, thresholds, self._clocks.seconds)
        self._ways[connection.name] = (connection, way)
        return way

    async def _stand(self, connection: Connection, *, probe: bool) -> Standing:
        held = self._ways.get(connection.name)
        state, error = (held[1].state, held[1].last_error) if held else (State.CLOSED, "")
        if not probe or not connection.is_enabled:
            return Standing(connection, state, error)
        started = self._clocks.seconds()
        try:
            await self.models(connection.name)
        except DuckError as failed:
            return Standing(connection, state, failed.message, is_well=False)
        took_ms = round((self._clocks.seconds() - started) * 1000)
        return Standing(connection, state, error, is_well=True, answered_ms=took_ms)


@asynccontextmanager
async def open_llm(settings: Settings, clocks: Clocks | None = None) -> AsyncIterator[LLM]:
    """Models, as the settings and what is connected say; connections are made when they are first needed."""
    llm = LLM(settings, clocks)
    try:
        yield llm
    finally:
        await llm.close()


@asynccontextmanager
async def _within(timeout_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise TimedOut(f"no answer came within {timeout_s:g} s") from error


def _door(connection: Connection, settings: Settings) -> Door:
    from rubber_duck.egress import Door  # noqa: PLC0415  # an HTTP client: only who asks a model pays for it

    headers = dict(connection.headers)
    if connection.key and connection.flavor == "anthropic":
        headers["x-api-key"] = connection.key
    elif connection.key:
        headers["Authorization"] = f"Bearer {connection.key}"
    if connection.flavor == "anthropic":
        headers["anthropic-version"] = ANTHROPIC_VERSION
    llm = settings.llm
    return Door(connection.url, headers, connection.is_private, llm.connect_timeout_s, llm.silence_s)


def _provider(connection: Connection, settings: Settings) -> Provider:
    from rubber_duck.egress import Egress  # noqa: PLC0415  # as above
    from rubber_duck.llm.provider import Setup, providers  # noqa: PLC0415  # as above
    from rubber_duck.redaction import Redactor  # noqa: PLC0415  # as above

    egress = Egress(_door(connection, settings), Redactor(_known_secrets(connection, settings)))
    setup = Setup(egress, connection.flavor, settings.llm.request_timeout_s)
    return providers.discover()[flavor_named(connection.flavor).kind].connect(setup)


def _known_secrets(connection: Connection, settings: Settings) -> list[str]:
    """What must never be in a request's body: the keys of all providers, and the database's password."""
    connected = read_connections(Path(settings.home)).providers.values()
    keys = [each.key for each in connected] + [value for each in connected for value in each.headers.values()]
    return [*keys, connection.key, urlsplit(settings.database.url).password or ""]
