"""A client that comes back by itself: after a cut it connects again, joins again, and goes on with what was streamed.

What was asked and not answered before the cut is never asked twice on its own: a stream is continued from its next
piece, and everything else ends with an error that says so.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import random as random_number
from typing import Final

from rubber_duck.backoff import Backoff
from rubber_duck.channels.message import (
    CANCEL,
    CLOSE,
    EMPTY,
    ERROR,
    HEARTBEAT,
    JOIN,
    PHOENIX,
    REPLY,
    Message,
    encode,
    to_payload,
)
from rubber_duck.channels.said import Progress, Said, decoded, is_unavailable, response_of
from rubber_duck.channels.wire import Dial, Wire
from rubber_duck.errors import Denied, DuckError, NotFound, Unavailable

RESUME: Final = "resume"
_WAITING: Final = 1000


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """How long, in seconds: until a client that cannot come back gives up, a join is answered, between heartbeats.

    A server keeps a stream for a minute, so there is no use in more patience than that.
    """

    patience_s: float = 60.0
    answer_s: float = 20.0
    heartbeat_s: float = 25.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=0.2, cap_s=5.0))


_CUT: Final = Unavailable("the connection was cut")
_Heard = Message | DuckError


@dataclass(slots=True)
class _Seat:
    params: bytes
    join_ref: str


@dataclass(frozen=True, slots=True)
class _Tries:
    """The pauses before each next try to come back, and since when there were any."""

    delays_s: Iterator[float]
    since: float


@dataclass(slots=True)
class _Asked:
    topic: str
    heard: asyncio.Queue[_Heard] = field(default_factory=lambda: asyncio.Queue(_WAITING))


class Attempts:
    """How often a stream is asked for again, while its server cannot reach the node where it goes on."""

    def __init__(self, limits: ClientLimits, clock: Callable[[], float], random: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._random = random
        self._since: float | None = None
        self._count = 0
        self._is_due = False

    def may_follow(self, reply: Message) -> bool:
        """Whether it is asked for again after this."""
        if self._since is None:
            self._since = self._clock()
        self._is_due = is_unavailable(reply) and self._clock() - self._since < self._limits.patience_s
        return self._is_due

    async def wait(self) -> None:
        """Until it is, if it is."""
        if self._is_due:
            self._is_due = False
            await asyncio.sleep(self._limits.backoff.delay_s(self._count, self._random))
            self._count += 1


def ignore(message: Message) -> None:
    """For clients that want to hear nothing but answers."""


class Client:
    """One person's way to a server, for as long as `open_client` lasts.

    `hear` is called with what is told to all, `tell` with a sentence when the connection is cut or back. `clock` gives
    seconds from any point, `random` floats in [0, 1).
    """

    def __init__(
        self,
        dial: Dial,
        limits: ClientLimits | None = None,
        *,
        hear: Callable[[Message], None] = ignore,
        tell: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random_number,
    ) -> None:
        self.dial = dial
        self._limits = limits or ClientLimits()
        self._hear = hear
        self._tell = tell
        self._clock = clock
        self._random = random
        self._refs = map(str, itertools.count(1))
        self._seats: dict[str, _Seat] = {}
        self._asked: dict[str, _Asked] = {}
        self._wire: Wire | None = None
        self._ready = asyncio.Event()
        self._failed: DuckError | None = None
        self._heard_at = clock()
        self._is_full = False

    @property
    def is_over(self) -> bool:
        """Whether the server could not be come back to: then every question fails, and only a new client helps."""
        return self._failed is not None

    def has_joined(self, topic: str) -> bool:
        """Whether one is in a topic; a rejoin after a cut may have been refused."""
        return topic in self._seats

    async def keep_connected(self, wire: Wire) -> None:
        """Carry frames over `wire`, and over others after it; returns when the server cannot be come back to."""
        tries: _Tries | None = None
        try:
            while True:
                self._wire = wire
                self._heard_at = self._clock()
                try:
                    await self._join_again(wire)
                    tries = None
                    self._ready.set()
                    await self._read(wire)
                except Unavailable as error:
                    self._cut(error)
                    await wire.close()
                    if tries is None:
                        tries = _Tries(self._limits.backoff.delays_s(self._random), self._clock())
                    else:  # there was a wire, and no topic on it
                        self._require_patience(tries, error)
                    wire = await self._dial_again(tries)
        except DuckError as error:
            self._failed = error
            self._ready.set()
            self._wake(error)

    async def keep_beating(self) -> None:
        """Send a heartbeat now and then; who does not answer two of them is gone, and the wire is closed."""
        while True:
            await asyncio.sleep(self._limits.heartbeat_s)
            wire = self._wire
            if wire is None or not self._ready.is_set():
                continue
            if not self._is_full and self._clock() - self._heard_at > 2 * self._limits.heartbeat_s:
                await wire.close()
                continue
            with suppress(DuckError):  # the reader learns of it
                await wire.send(encode(Message(None, next(self._refs), PHOENIX, HEARTBEAT)))

    async def join(self, topic: str, params: object = None) -> bytes:
        """Join a topic, also after each cut; the JSON of what the server says. Raises what it refuses with."""
        await self._connected()
        ref = next(self._refs)
        seat = _Seat(EMPTY if params is None else to_payload(params), ref)
        async with self._asking(topic, ref) as asked:
            await self._send(Message(ref, ref, topic, JOIN, seat.params))
            reply = await self._answer(asked)
        self._seats[topic] = seat
        return reply

    async def ask(self, topic: str, event: str, payload: object = None) -> bytes:
        """The JSON of the answer. Raises what the server refuses with; Unavailable when it was cut before that."""
        async with aclosing(self.follow(topic, event, payload)) as pieces:
            async for said in pieces:
                if said.is_last:
                    return said.payload
        raise Unavailable(f"the server never answered {event!r}")

    async def follow(self, topic: str, event: str, payload: object = None) -> AsyncGenerator[Said, None]:
        """Each piece that the server says, and at last its answer; a stream goes on after a cut.

        When it is closed before its end the request is cancelled. Raises as `ask`; NotFound when a stream could not be
        continued.
        """
        body = EMPTY if payload is None else to_payload(payload)
        progress, again = Progress(), Attempts(self._limits, self._clock, self._random)
        while True:
            await self._connected()
            ref = next(self._refs)
            async with self._asking(topic, ref) as asked:
                is_over = False
                try:
                    was_sent = await self._send(Message(self._join_ref(topic), ref, topic, event, body))
                    while (heard := await asked.heard.get()) is not _CUT:
                        if isinstance(heard, DuckError):
                            is_over = True
                            raise heard
                        if heard.event == REPLY:
                            is_over = True
                            if event == RESUME and again.may_follow(heard):
                                break
                            yield Said(REPLY, response_of(heard))
                            return
                        if (said := progress.take(heard)) is not None:
                            yield said
                    is_over = True
                finally:
                    if not is_over:
                        await self._cancel(topic, ref)
            await again.wait()
            if progress.stream:
                event, body = RESUME, to_payload({"stream": progress.stream, "offset": progress.offset})
            elif was_sent:
                raise Unavailable("the connection was cut before the server said that it began; ask again")

    async def hang_up(self) -> None:
        """Close the connection, if there is one."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    def _join_ref(self, topic: str) -> str:
        seat = self._seats.get(topic)
        if seat is None:
            raise NotFound(f"the topic {topic!r} is not joined")
        return seat.join_ref

    async def _connected(self) -> None:
        await self._ready.wait()
        if self._failed is not None:
            raise self._failed

    async def _send(self, message: Message) -> bool:
        """Whether it was sent; if not, the reader learns of the cut and tells whoever waits."""
        try:
            if self._wire is None:
                return False
            await self._wire.send(encode(message))
        except Unavailable:
            return False
        return True

    async def _cancel(self, topic: str, ref: str) -> None:
        if self._ready.is_set() and self._failed is None and topic in self._seats:
            message = Message(self._join_ref(topic), next(self._refs), topic, CANCEL, to_payload({"ref": ref}))
            await self._send(message)

    @asynccontextmanager
    async def _asking(self, topic: str, ref: str) -> AsyncIterator[_Asked]:
        asked = self._asked[ref] = _Asked(topic)
        try:
            yield asked
        finally:
            del self._asked[ref]

    async def _answer(self, asked: _Asked) -> bytes:
        try:
            async with asyncio.timeout(self._limits.answer_s):
                heard = await asked.heard.get()
        except TimeoutError as error:
            raise Unavailable("the server does not answer") from error
        if isinstance(heard, DuckError):
            raise heard
        return response_of(heard)

    async def _read(self, wire: Wire) -> None:
        while True:
            message = decoded(await wire.receive())
            self._heard_at = self._clock()
            if message.topic == PHOENIX:
                continue
            asked = self._asked.get(message.ref or "")
            if asked is not None and message.topic == asked.topic and message.event not in (CLOSE, ERROR):
                self._is_full = asked.heard.full()
                await asked.heard.put(message)
                self._is_full = False
            elif message.event in (CLOSE, ERROR):
                self._ended(message)
            elif message.event != REPLY:
                self._hear(message)

    def _ended(self, message: Message) -> None:
        seat = self._seats.get(message.topic)
        if seat is None or message.join_ref != seat.join_ref:
            return
        del self._seats[message.topic]
        self._wake(Denied(f"the server ended the topic {message.topic!r}: your rights there changed"), message.topic)

    def _cut(self, error: DuckError) -> None:
        self._wire = None
        self._ready.clear()
        self._tell(f"{error.message}; connecting again")
        self._wake(_CUT)

    def _wake(self, error: DuckError, topic: str | None = None) -> None:
        """Tell whoever waits; one whose queue is full has enough to read, and is told in place of the last piece."""
        for asked in tuple(self._asked.values()):
            if topic is None or asked.topic == topic:
                if asked.heard.full():
                    asked.heard.get_nowait()
                asked.heard.put_nowait(error)

    async def _dial_again(self, tries: _Tries) -> Wire:
        for delay_s in tries.delays_s:
            await asyncio.sleep(delay_s)
            try:
                wire = await self.dial()
            except Unavailable as error:
                self._require_patience(tries, error)
            else:
                self._tell("the connection is back")
                return wire
        raise AssertionError("the delays have no end")

    def _require_patience(self, tries: _Tries, error: Unavailable) -> None:
        if self._clock() - tries.since > self._limits.patience_s:
            raise Unavailable(f"{error.message}; given up after {self._limits.patience_s:g} s") from error

    async def _join_again(self, wire: Wire) -> None:
        """Join every topic anew; one that is refused now is joined no more, which those who ask there are told.

        Raises Unavailable also where a topic is refused for a moment: then all of it is tried again.
        """
        waiting: dict[str, str] = {}
        for topic, seat in self._seats.items():
            seat.join_ref = next(self._refs)
            waiting[seat.join_ref] = topic
            await wire.send(encode(Message(seat.join_ref, seat.join_ref, topic, JOIN, seat.params)))
        try:
            async with asyncio.timeout(self._limits.answer_s):
                while waiting:
                    message = decoded(await wire.receive())
                    topic = waiting.pop(message.ref or "", "") if message.event == REPLY else ""
                    if topic:
                        self._take_back(topic, message)
        except TimeoutError as error:
            raise Unavailable("the server does not answer") from error

    def _take_back(self, topic: str, reply: Message) -> None:
        try:
            response_of(reply)
        except DuckError as error:
            if error.retryable:
                raise Unavailable(error.message) from error
            del self._seats[topic]
            self._wake(error, topic)


@asynccontextmanager
async def open_client(client: Client) -> AsyncIterator[Client]:
    """Connect, which fails at once if there is no server, and stay connected until the end of the block."""
    wire = await client.dial()
    carrying = asyncio.create_task(client.keep_connected(wire), name="client")
    beating = asyncio.create_task(client.keep_beating(), name="client heartbeat")
    try:
        yield client
    finally:
        for task in (carrying, beating):
            task.cancel()
        await asyncio.gather(carrying, beating, return_exceptions=True)
        await client.hang_up()
