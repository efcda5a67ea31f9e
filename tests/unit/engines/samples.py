"""Small engines for tests, and what is needed to run them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from msgspec import Struct

from rubber_duck.call import Call, Emit, Parts, emit_nothing
from rubber_duck.engines.engine import Engine, EngineHealth
from rubber_duck.engines.roster import AnyEngine, Roster
from rubber_duck.errors import DuckError
from rubber_duck.registry import Registry
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import Settings


class Ask(Struct, frozen=True):
    """A question."""

    text: str
    times: int = 1


class Said(Struct, frozen=True):
    """An answer."""

    text: str


Answering = Callable[[Ask, Call], Awaitable[object]]


async def echo(request: Ask, call: Call) -> Said:
    """The text as often as asked."""
    return Said(request.text * request.times)


async def nothing() -> None:
    """Opens or closes."""


async def well() -> EngineHealth:
    """How a sample is."""
    return EngineHealth(ok=True)


def anything(request: Ask) -> bool:
    """Every request is accepted."""
    return True


class Sample(Engine[Ask, Said]):
    """A sample; `engine` makes others like it."""

    name = "sample"
    request = Ask
    answer = Said
    right = Right.CATALOG_READ
    answering: ClassVar[Answering] = echo
    opening: ClassVar[Callable[[], Awaitable[None]]] = nothing
    healthy: ClassVar[Callable[[], Awaitable[EngineHealth]]] = well
    closing: ClassVar[Callable[[], Awaitable[None]]] = nothing
    accepting: ClassVar[Callable[[Ask], bool]] = anything

    @classmethod
    def accepts(cls, request: Ask) -> bool:
        """As the sample was made."""
        return cls.accepting(request)

    async def open(self) -> None:
        """As the sample was made."""
        await type(self).opening()

    async def run(self, request: Ask, call: Call) -> Said:
        """As the sample was made."""
        return await type(self).answering(request, call)  # type: ignore[return-value]  # wrong answers are tried too

    async def health(self) -> EngineHealth:
        """As the sample was made."""
        return await type(self).healthy()

    async def close(self) -> None:
        """As the sample was made."""
        await type(self).closing()


def engine(name: str = "sample", **declared: Any) -> type[AnyEngine]:  # Any: class attributes of all kinds
    """An engine class like `Sample` but for what is given: attributes of Engine, or how it answers, opens, …"""
    hooks = {"answering", "opening", "healthy", "closing", "accepting"}
    body = {key: staticmethod(value) if key in hooks else value for key, value in declared.items()}
    return type(name.title(), (Sample,), {"__doc__": "A sample.", "__module__": __name__, "name": name, **body})


def roster(*classes: type[AnyEngine], settings: Settings | None = None, **given: Any) -> Roster:  # Any: of Roster
    """A roster of these engines."""
    registry: Registry[AnyEngine] = Registry("engine")
    for each in classes:
        registry.add(each)
    return Roster(registry, settings or Settings(), **given)


def scope(*rights: Right) -> Scope:
    """Somebody with these rights; with none given, with all."""
    return Scope(Actor("u1", "Ann"), None, frozenset(rights or Right), "t" * 32)


NOBODY = Scope(Actor("u2", "Bob"), None, frozenset(), "t" * 32)


async def ask(
    among: Roster, raw: object, name: str = "sample", by: Scope | None = None, emit: Emit = emit_nothing
) -> object:
    """The answer, as the application gets it."""
    asking = by or scope()
    chosen, request = await among.pick(asking, name, raw)
    return await among.run(chosen, request, Call(asking, Parts(Settings()), emit))


async def failure(work: Awaitable[object]) -> DuckError:
    """The DuckError that `work` ends in."""
    try:
        answer = await work
    except DuckError as error:
        return error
    raise AssertionError(f"it did not fail but answered {answer}")


async def forever(*ignored: object) -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


async def crash(*ignored: object) -> Said:
    """Raise an exception of one's own."""
    raise KeyError("gone")


async def cancelled(*ignored: object) -> Said:
    """Wait for something that was cancelled."""
    waited = asyncio.get_running_loop().create_future()
    waited.cancel()
    await waited
    raise AssertionError("the future was cancelled")


class Flaky:
    """Opening that fails so often before it works, and counts how often it was tried."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.tried = 0

    async def __call__(self) -> None:
        """Try."""
        self.tried += 1
        if self.tried <= self.failures:
            raise OSError(f"no device {self.tried}")
