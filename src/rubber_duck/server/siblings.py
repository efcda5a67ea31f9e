"""The processes of one `duck serve --processes`: whichever is asked for numbers tells those of all of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from rubber_duck import telemetry
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.errors import InvalidInput, Unavailable
from rubber_duck.server.metrics import Family, Sample, exposed

ANSWER_S: Final = 1.0
"""Seconds that the others have to tell; one that hangs, or is being started again, is left out."""

_TOPIC: Final = "siblings"


@dataclass(frozen=True, slots=True)
class Sibling:
    """Which one of them a process is: `number` of `count`, from 1. `group` names this server among all."""

    group: str
    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.group}/{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Sibling:
        """The one that says so of itself. Raises InvalidInput."""
        group, *numbers = text.split("/")
        try:
            number, count = map(int, numbers)
        except ValueError as error:
            raise InvalidInput(f"{text!r} is not GROUP/NUMBER/COUNT") from error
        return cls(group, number, count)


class _Told(msgspec.Struct, frozen=True):
    number: int
    families: tuple[Family, ...]


_told: Final = msgspec.msgpack.Decoder(_Told)


class Siblings:
    """The processes of one server, as this one sees them. `tell` gives its own numbers; `own` None: it is alone."""

    def __init__(
        self,
        cluster: Cluster,
        own: Sibling | None,
        tell: Callable[[], tuple[Family, ...]],
        *,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._cluster = cluster
        self._own = own
        self._tell = tell
        self._answer_s = answer_s
        self._answers: set[asyncio.Task[None]] = set()

    async def exposed(self) -> bytes:
        """The numbers of all, each with the label `process`, as Prometheus reads them; of one that is alone, without.

        `duck_processes_told` beside `duck_processes` says whether one of them is missing.
        """
        if self._own is None:
            return exposed({"": self._tell()})
        told = {str(self._own.number): self._tell(), **await self._others(self._own)}
        counted = (
            _gauge("duck_processes", "Processes of this server.", self._own.count),
            _gauge("duck_processes_told", "Processes of this server that told their numbers.", len(told)),
        )
        return exposed({**dict(sorted(told.items())), "": counted})

    def hear(self, message: bytes) -> None:
        """Tell the numbers to the sibling that asks for them; what is no question is dropped and counted."""
        reply_to = message.decode("utf-8", "replace")
        if self._own is None or not reply_to.startswith(f"{_topic(self._own)}:"):
            telemetry.count("cluster.unreadable", of="siblings")
            return
        answer = asyncio.create_task(self._answer(reply_to, self._own.number), name="sibling")
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)

    async def close(self) -> None:
        """Tell no more."""
        for answer in tuple(self._answers):
            answer.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    async def _answer(self, reply_to: str, number: int) -> None:
        with suppress(Unavailable):  # then it does without
            await self._cluster.publish(reply_to, msgspec.msgpack.encode(_Told(number, self._tell())))

    async def _others(self, own: Sibling) -> dict[str, tuple[Family, ...]]:
        found: dict[str, tuple[Family, ...]] = {}
        is_whole = asyncio.Event()

        def receive(message: bytes) -> None:
            try:
                told = _told.decode(message)
            except (msgspec.MsgspecError, UnicodeError):
                telemetry.count("cluster.unreadable", of="siblings")
                return
            if told.number != own.number:
                found[str(told.number)] = told.families
            if len(found) == own.count - 1:
                is_whole.set()

        reply_to = f"{_topic(own)}:{secrets.token_urlsafe(9)}"
        async with await self._cluster.subscribe(reply_to, receive):
            with suppress(TimeoutError, Unavailable):
                async with asyncio.timeout(self._answer_s):
                    await self._cluster.publish(_topic(own), reply_to.encode())
                    await is_whole.wait()
        return found


@asynccontextmanager
async def open_siblings(
    cluster: Cluster, own: Sibling | None, tell: Callable[[], tuple[Family, ...]]
) -> AsyncIterator[Siblings]:
    """The processes of this server, to which this one answers until the end of the block."""
    siblings = Siblings(cluster, own, tell)
    if own is None:
        yield siblings
        return
    try:
        async with await cluster.subscribe(_topic(own), siblings.hear):
            yield siblings
    finally:
        await siblings.close()


def _topic(own: Sibling) -> str:
    return f"{_TOPIC}:{own.group}"


def _gauge(name: str, about: str, value: int) -> Family:
    return Family(name, about, "gauge", (Sample(name, {}, value),))
