"""The front of llm: asks the models that are connected for a role, and keeps the list of what is connected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import BadAnswer, DuckError, TimedOut
from rubber_duck.llm.account import Budget, CallRecord, Tally
from rubber_duck.llm.answers import AnswerCache
from rubber_duck.llm.asking import Desk, Estimate, Target, chain_targets
from rubber_duck.llm.clocks import Clocks
from rubber_duck.llm.connections import Connections, chain_of, split
from rubber_duck.llm.fallback import Fallback
from rubber_duck.llm.forms import Written, written_as
from rubber_duck.llm.keeping import Keeping
from rubber_duck.llm.limits import Limits
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
from rubber_duck.llm.prices import Prices
from rubber_duck.llm.probing import Probes, Standing
from rubber_duck.llm.roles import Role
from rubber_duck.llm.ways import Ways, door
from rubber_duck.llm.wrapper import asked
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import Settings
from rubber_duck.watch import Watch

if TYPE_CHECKING:
    from rubber_duck.cluster.cluster import Cluster
    from rubber_duck.llm.ledger import Ledger
    from rubber_duck.storage.database import Database

T = TypeVar("T")

__all__ = ["LLM", "Answer", "Clocks", "Estimate", "Ground", "Standing", "Written", "open_llm"]


@dataclass(slots=True)
class Trail:
    """The model that answers, as `provider/model`, once a piece has come."""

    label: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the models stand on: where account is kept, and what all processes share."""

    database: Database | None = None
    cluster: Cluster | None = None


class LLM:
    """Models by role. Nothing is imported, resolved or sent before somebody asks a model."""

    def __init__(self, settings: Settings, clocks: Clocks | None = None, ground: Ground | None = None) -> None:
        """Without a database no account is kept and no budget binds; without a cluster limits are this process's."""
        self._settings = settings
        self._clocks = clocks = clocks or Clocks()
        ground, models = ground or Ground(), settings.llm
        self._keeping = Keeping(Path(settings.home), ground.database, clocks)
        self._cache = AnswerCache(models.cache_s, models.cache_bytes, clocks.seconds)
        self._ways = Ways(settings, clocks, self._cache.clear)
        self._probes = Probes(self._ways, clocks.seconds)
        self._ledger = _ledger(settings, clocks, ground.database, self._ways)
        cluster = ground.cluster or LocalCluster(clock=clocks.seconds)
        self._limits = Limits(cluster, models.limits, models.most_waiting, _loop_time, clocks.sleep)
        self._desk = Desk(self._ways, self._limits, self._ledger, Prices(models.prices), clocks)

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
        deadline = _loop_time() + self._settings.llm.request_timeout_s
        targets = (await self._targets(Role.EMBED))[:1]
        async with self._desk.let_in(scope, Role.EMBED, texts, targets, deadline) as asking:
            with self._in_time():
                async with asyncio.timeout_at(deadline):
                    return await Fallback(asking.links, asking.chosen).embed("", texts, asking.errand)

    async def estimate(self, scope: Scope, role: Role, question: Question) -> Estimate:
        """About what a question takes and costs at most; nothing is sent. Raises NotConfigured."""
        return await self._desk.estimate(await self._targets(role), question)

    async def budgets(self, scope: Scope) -> tuple[Budget, ...]:
        """The budgets that hold for the asker, and in the scope's project, with what is charged now."""
        return () if self._ledger is None else await self._ledger.standing(scope)

    async def usage(self, scope: Scope, days: int, by: str, *, everybody: bool = False) -> Mapping[str, Tally]:
        """Sums of the last days by `model`, `day`, `user` or `project`; everybody's needs the right to administer."""
        return {} if self._ledger is None else await self._ledger.usage(scope, days, by, everybody=everybody)

    async def calls(self, scope: Scope, most: int, *, everybody: bool = False) -> list[CallRecord]:
        """The last calls, newest first; everybody's needs the right to administer."""
        return [] if self._ledger is None else await self._ledger.calls(scope, most, everybody=everybody)

    def chain(self, role: Role) -> tuple[str, ...]:
        """The role's models in order, as `provider/model`; empty when it has none."""
        return chain_of(self.connections(), self._written(), role)

    def connections(self) -> Connections:
        """What is connected now."""
        return self._ways.connections()

    async def change(self, scope: Scope, change: Callable[[Connections], Connections]) -> Connections:
        """Change what is connected, and say so in the audit; needs the right to administer."""
        scope.require(Right.ADMINISTER)

        def checked(held: Connections) -> Connections:
            changed = change(held)
            for each in changed.providers.values():
                door(each, self._settings)  # an address or a header that cannot be used is refused before it is kept
            return changed

        changed = await self._keeping.change(scope, checked)
        self.connections()
        await self._ways.tidy()
        return changed

    async def recover(self) -> None:
        """Finish a change of what is connected that a kill interrupted, or take it back."""
        with suppress(DuckError):  # the next change looks again, and says what is wrong
            await self._keeping.recover()

    async def standing(self, *, probe: bool) -> list[Standing]:
        """How each provider stands; with `probe` the enabled ones are asked, at the same time."""
        return await self._probes.standing(probe=probe)

    async def health(self, timeout_s: float) -> list[Standing]:
        """How the enabled providers stand, for pages that are read often: asked at most every half minute."""
        return await self._probes.lately(timeout_s)

    async def models(self, name: str) -> tuple[str, ...]:
        """The models that a connected provider says it has."""
        return await self._probes.models(name)

    def redacted(self, text: str) -> str:
        """`text` without secrets, the keys of all connections among them."""
        return self._ways.redacted(text)

    async def close(self) -> None:
        """Write the account, and close every connection."""
        await self._limits.close()
        if self._ledger is not None:
            await self._ledger.close()
        await self._ways.close()

    async def _stream(self, scope: Scope, role: Role, question: Question, trail: Trail) -> AsyncGenerator[Piece, None]:
        deadline = _loop_time() + self._settings.llm.request_timeout_s
        targets = await self._targets(role)
        key = self._cache.key(scope, role, [each.label for each in targets], question)
        if (kept := self._cache.get(key)) is not None:
            trail.label = kept.model
            self._desk.remember(scope, role, kept.model)
            for piece in kept.pieces:
                yield piece
            return
        async with self._desk.let_in(scope, role, question, targets, deadline) as asking:
            heard = asking.errand.heard
            chain = Fallback(asking.links, asking.chosen)
            with self._in_time(), Watch(deadline) as watch:
                async with aclosing(asked(chain, "", question, asking.errand)) as pieces:
                    while True:
                        watch.begin()
                        try:
                            piece = await anext(pieces)
                        except StopAsyncIteration:
                            return
                        except asyncio.CancelledError:
                            watch.check()
                            raise
                        finally:
                            watch.end()
                        if not heard:
                            asking.first_s, trail.label = self._clocks.seconds(), asking.label
                        heard.append(piece)
                        if isinstance(piece, Finished):
                            self._cache.keep(key, asking.label, heard)
                        yield piece

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise TimedOut(f"no whole answer came within {self._settings.llm.request_timeout_s:g} s") from error

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
                        return Answer("".join(text), tuple(calls), piece.reason, piece.usage, trail.label)
                    case _:
                        continue
        raise BadAnswer("the model's answer has no end")

    def _written(self) -> dict[str, tuple[str, ...]]:
        models = self._settings.llm
        return {role.value: getattr(models, role.value) for role in Role}

    async def _targets(self, role: Role) -> list[Target]:
        """The models of a role. Raises NotConfigured."""
        connections = self.connections()
        await self._ways.tidy()
        chain = map(split, chain_of(connections, self._written(), role))
        return await self._desk.targets(chain_targets(connections.providers, chain, role))


@asynccontextmanager
async def open_llm(
    settings: Settings, clocks: Clocks | None = None, ground: Ground | None = None
) -> AsyncIterator[LLM]:
    """Models, as the settings and what is connected say; connections are made when they are first needed."""
    llm = LLM(settings, clocks, ground)
    try:
        await llm.recover()
        yield llm
    finally:
        await llm.close()


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _ledger(settings: Settings, clocks: Clocks, database: Database | None, ways: Ways) -> Ledger | None:
    if database is None:
        return None
    from rubber_duck.llm.ledger import Ledger  # noqa: PLC0415  # SQLAlchemy: only where there is a database

    return Ledger(database, settings.llm, clocks, ways.redacted)
